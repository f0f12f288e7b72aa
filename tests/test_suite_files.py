"""The suites that are shipped: each is planned as it stands at every scale, says what it is, and takes no longer than it says."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from jetbench.engine.pace import run_cost
from jetbench.objectives import objectives
from jetbench.recipes import pipelines
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate

ROOT = Path(__file__).parents[1]
PATHS = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.yaml"))}
SCALES = [(name, scale) for name, path in PATHS.items() for scale in find_suite(str(path)).scales]
SMALL = sorted(set(PATHS) - {"ssl-vs-scratch", "planted-truths"})  # whose smoke neither tunes nor has several budgets
CORES = 2
DOCS = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")


@cache
def plan_at(name: str, scale: str) -> Plan:
    return make_plan(instantiate(find_suite(str(PATHS[name])), scale))


@pytest.mark.parametrize(("name", "scale"), SCALES)
def test_a_suite_is_planned_at_every_scale_with_all_its_arms(name: str, scale: str) -> None:
    plan = plan_at(name, scale)
    assert plan.arms == list(plan.instance.settings.arms)
    assert not plan.skipped
    assert len(plan.primaries) == len(plan.instance.settings.primary)


@pytest.mark.parametrize("name", PATHS)
def test_a_suite_says_what_it_asks_expects_and_costs(name: str) -> None:
    suite, text = find_suite(str(PATHS[name])), PATHS[name].read_text(encoding="utf-8")
    assert suite.suite == name
    assert suite.question.endswith("?")
    assert suite.source
    assert suite.expected
    assert {"smoke", "quick"} <= set(suite.scales)
    assert all(re.search(rf"^  {scale}:.* # .*\b(minutes?|hours|GPU|times)\b", text, re.M) for scale in suite.scales)
    assert re.search(rf"^\| \[`{name}`\]\(\.\./benchmarks/{name}\.yaml\) \| .* \|$", DOCS, re.M)
    assert re.search(rf"\b{name}\b", (ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("scale", ["smoke", "quick"])
@pytest.mark.parametrize("name", PATHS)
def test_a_suite_takes_no_longer_than_it_says(name: str, scale: str) -> None:
    """Of training, at the assumed pace."""
    said = re.search(rf"^  {scale}: # (\d+) minutes? on two cores", PATHS[name].read_text(encoding="utf-8"), re.M)
    seconds = sum(run_cost(run.spec) for run in plan_at(name, scale).runs.values()) / CORES
    assert said
    assert seconds < 60 * float(said[1]) * (1.05 if scale == "quick" else 1)


@pytest.mark.parametrize("name", SMALL)
def test_a_smoke_is_small(name: str) -> None:
    plan = plan_at(name, "smoke")
    settings = plan.instance.settings
    assert len(plan.runs) <= 40
    assert (len(settings.labels), settings.seeds, settings.tuning) == (1, 2, None)


def pretrained(name: str, scale: str) -> set[str]:
    """The keys of the pretrainings without labels."""
    return {key for key, run in plan_at(name, scale).runs.items() if run.spec.data == "pool"}


@pytest.mark.parametrize(
    ("name", "other", "scale"),
    [
        *(("mass-regression", "ssl-vs-scratch", scale) for scale in ("smoke", "quick", "standard", "full")),
        *(("paper-simclr-mass", "paper-simclr", scale) for scale in ("smoke", "quick", "full")),
    ],
)
def test_masses_are_predicted_by_the_encoders_of_another_suite(name: str, other: str, scale: str) -> None:
    mine, theirs = pretrained(name, scale), pretrained(other, scale)
    assert mine
    assert mine <= theirs


@pytest.mark.parametrize("scale", ["quick", "standard"])
def test_every_objective_of_a_pretraining_is_compared_after_as_many_passes(scale: str) -> None:
    """Fine-tuned, and as a probe."""
    plan, names = plan_at("objectives", scale), {entry.name for entry in objectives if not entry.trains_head}
    compared = {arm.regime for arm in plan.instance.settings.arms.values()}
    assert {name + regime for name in names for regime in ("", "-frozen")} <= compared
    trained = [run.spec for run in plan.runs.values() if run.spec.objective.name in names]
    assert {spec.objective.name for spec in trained} == names
    assert len({spec.recipe.passes for spec in trained}) == 1


def test_every_objective_is_an_arm_of_that_suite_or_the_reason_is_told() -> None:
    """A new objective is an arm, or fails here."""
    trained = {run.spec.objective.name for run in plan_at("objectives", "quick").runs.values()}
    reasons = {
        "distilled": "it is taught by scores of a finished run, which no file can ship",
        "mixup": "it is supervised training: it has nothing from the pool",
    }
    assert {entry.name for entry in objectives} == trained | reasons.keys()
    assert not trained & reasons.keys()
    assert [entry.name for entry in objectives if entry.taught] == ["distilled"]
    assert "`distilled` is no arm" in find_suite(str(PATHS["objectives"])).expected
    assert re.search(r"^jetbench run --suite objectives .*\\\n +--set 'arms\.distilled=", DOCS, re.M)


def test_each_step_of_the_physics_pipeline_is_left_out_once() -> None:
    settings, physics = plan_at("augmentations", "quick").instance.settings, pipelines["physics"].steps
    assert settings.recipes["simclr"].augmentation == physics
    left_out = [settings.arms[one.arm].recipes["simclr"].augmentation for one in settings.primary]
    assert left_out == [tuple(step for step in physics if step is not missing) for missing in physics]
