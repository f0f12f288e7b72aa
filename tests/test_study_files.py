"""The studies that are shipped: each is planned as it stands, says what it is, and takes no longer than it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jetbench.engine.pace import run_cost
from jetbench.suites.studies import LEARNING_RATE
from jetbench.suites.study_file import find_study, instantiate_study
from jetbench.suites.study_planning import make_study_plan

ROOT = Path(__file__).parents[1]
PATHS = sorted((ROOT / "studies").glob("*.yaml"))
CORES = 2
LONGEST = {"smoke": 45, "quick": 17 * 60}  # seconds of training on two cores; the rest is for simulation, report and MLflow
DOCS = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("scale", LONGEST)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_study_takes_no_longer_than_it_says(path: Path, scale: str) -> None:
    plan = make_study_plan(instantiate_study(find_study(str(path)), scale))
    seconds = sum(
        study.trials * study.runs_per_trial * sum(run_cost(run) for run in study.chain) for study in plan.studies.values()
    )
    assert seconds / CORES < LONGEST[scale]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_study_says_what_it_asks_and_expects(path: Path) -> None:
    study = find_study(str(path))
    assert study.study == path.stem
    assert study.question.endswith("?")
    assert study.source
    assert study.expected
    assert set(study.scales) == set(LONGEST)
    assert "quick: # twenty minutes on two cores" in path.read_text(encoding="utf-8")
    assert re.search(rf"^\| `{study.study}` \| .* \| 20 minutes \|$", DOCS, re.M)
    assert f"`{study.study}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_studies_that_are_promised_are_there() -> None:
    assert [path.stem for path in PATHS] == ["deep-sets-width", "learning-rate", "pareto", "simclr-views"]


def test_the_study_that_is_shown_is_planned_as_it_stands(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", DOCS, re.S)
    (tmp_path / "shown.yaml").write_text(text, encoding="utf-8")
    plan = make_study_plan(instantiate_study(find_study(str(tmp_path / "shown.yaml"))))
    (study,) = plan.studies.values()
    assert [one.path for one in study.searched] == ["model.head_dropout", "recipe.weight_decay"]


def test_each_encoder_has_its_own_range_of_rates() -> None:
    plan = make_study_plan(instantiate_study(find_study(str(ROOT / "studies" / "learning-rate.yaml"))))
    ranges = {
        study.template.model.name: next(one.space for one in study.searched if one.path == LEARNING_RATE)
        for study in plan.studies.values()
    }
    assert set(ranges) == {"deep-sets", "resnet15"}
    assert ranges["deep-sets"] != ranges["resnet15"]
