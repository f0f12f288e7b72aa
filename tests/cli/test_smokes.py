"""The smoke scale of every shipped suite, one after the other in one store: what one has trained is not trained again; and the
question of jets from three places."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import pytest
from cli.program import command, wait

from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.specs import read_spec

ROOT = Path(__file__).parents[2]
GATE = (
    "electron-photon",
    "mass-regression",
    "objectives",
    "planted-truths",
    "ssl-vs-scratch",
)  # the others are much like them
SUITES = [
    pytest.param(path, marks=pytest.mark.slow if path.stem in GATE else pytest.mark.soak, id=path.stem)
    for path in sorted((ROOT / "benchmarks").glob("*.yaml"))
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("smokes")


def finished(folder: Path) -> set[str]:
    """The keys of the runs that are done."""
    return {json.loads(path.read_text())["key"] for path in folder.glob("mlruns/work/*/done.json")}


@pytest.mark.parametrize("path", SUITES)
def test_a_suite_at_smoke(path: Path, folder: Path) -> None:
    named = os.environ.get("JETBENCH_CACHE")  # where the jets may lie already
    needed, before = make_plan(instantiate(find_suite(str(path)), "smoke")).runs.keys(), finished(folder)
    process = command("run", "--suite", path, "--scale", "smoke", cwd=folder, cache=Path(named) if named else None)
    output = wait(process, 500)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert finished(folder) - before == needed - before
    (page,) = folder.glob(f"mlruns/reports/{path.stem}.smoke.*/comparisons.json")
    told = json.loads(page.read_text())
    assert not told["missing"]
    # two seeds prove little: no truth may be violated
    states = {truth["arm"]: truth["state"] for truth in told["planted_truths"]}
    assert "violated" not in states.values()
    if path.stem == "planted-truths":
        assert set(states) == {"scratch-again", "supervised-pretrained", "random-frozen", "shuffled-labels"}


@pytest.mark.soak
def test_pretrained_on_one_kind_of_jets_labelled_on_another_tested_on_a_third(tmp_path: Path) -> None:
    named = os.environ.get("JETBENCH_CACHE")
    pool = ("--unlabelled", "jetclass-mini", "--set", "unlabelled.jets=600")
    asked = ("run", "--suite", "robustness", "--scale", "smoke", *pool)
    process = command(*asked, cwd=tmp_path, cache=Path(named) if named else None)
    output = wait(process, 500)
    assert process.returncode == 0, output
    ledger = Ledger(tmp_path / "mlruns" / "work")
    specs = {key: read_spec(ledger.folder(key)) for key in finished(tmp_path)}
    assert len(specs) == 15
    elsewhere = {key: (spec.objective.name, spec.unlabelled.name) for key, spec in specs.items() if spec.unlabelled}
    assert set(elsewhere.values()) == {("simclr", "jetclass-mini"), ("barlow-twins", "jetclass-mini")}
    assert {spec.dataset.name for spec in specs.values()} == {"top-vs-qcd"}
    assert sum(spec.start in elsewhere for spec in specs.values()) == 4  # both seeds of both arms
    (page,) = tmp_path.glob("mlruns/reports/robustness.smoke.*/comparisons.json")
    told = json.loads(page.read_text())
    assert not told["missing"]
    assert [one["name"] for one in told["also_test"]] == ["shower-low", "other-detector", "scale-up", "scale-down", "few-tops"]
    for one in told["also_test"]:
        assert {lost["arm"] for lost in one["losses"]} > {"scratch", "simclr", "barlow-twins"}
        assert {found["arm"] for found in one["differences_of_losses"]} > {"simclr", "barlow-twins"}


@pytest.mark.slow
def test_the_documented_commands_run_a_student_beside_the_objectives(folder: Path) -> None:
    """Its teacher is an arm of the suite; what the suite has trained is not trained again."""
    text = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
    block = next(one for one in re.findall(r"```sh\n(.*?)```", text, re.S) if "arms.distilled=" in one)
    named = os.environ.get("JETBENCH_CACHE")
    first, *others = [shlex.split(line) for line in block.replace("\\\n", "").splitlines()]
    known = set[str]()
    for program, *arguments in (first, *others):
        assert program == "jetbench"
        known = finished(folder)
        process = command(*arguments, cwd=folder, cache=Path(named) if named else None)
        output = wait(process, 500)
        assert process.returncode == 0, output
    assert len(finished(folder) - known) == 3  # the encoder that is taught, and at each of two seeds what is fine-tuned
    told = [json.loads(path.read_text()) for path in folder.glob("mlruns/reports/objectives.smoke.*/comparisons.json")]
    (student,) = [one for page in told for one in page["comparisons"] if one["arm"] == "distilled"]
    assert student["result"]["seeds"] == 2
