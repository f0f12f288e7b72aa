"""`jetbench study`, as a user calls it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli.program import command, wait
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from jetbench.cli import main
from jetbench.suites.instances import remember
from jetbench.suites.study_file import find_study, instantiate_study
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.mlflow_tracker import MlflowTracker

NAMES = ["deep-sets-width", "learning-rate", "pareto", "simclr-views"]
STUDY = """
study: mini-rates
question: Which learning rate suits toy jets?
common:
  dataset: {{name: {dataset}}}
  test_jets: 100
  labels: 50
  seeds: 2
  arms: {{sets: {{model: deep-sets, regime: scratch}}}}
  recipes: {{supervised: {{base: supervised-small, learning_rate: 0.0001, passes: 320, epochs: 2}}}}
  search: {{recipe.learning_rate: {{low: 0.0001, high: 0.01, log: true}}, recipe.warmup: null}}
  trials: 12
scales: {{quick: {{}}}}
"""


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def study_path(tmp_path: Path, toy_file: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.format(dataset=toy_file))
    return path


def test_piped_studies_have_one_name_a_line_and_each_can_be_shown() -> None:
    assert call("study", "ls").output.split() == NAMES
    for name in NAMES:
        assert f"study: {name}" in call("show", name).output


def test_mlflows_pages_open_on_the_study_that_was_run_last(
    study_path: Path, suite_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = instantiate_study(find_study(str(study_path)))
    remember(tmp_path, instantiate(find_suite(str(suite_path))))
    remember(tmp_path, instance)
    opened: list[object] = []
    monkeypatch.setattr(MlflowTracker, "place", lambda tracker: (tracker.experiment, None))
    monkeypatch.setattr("jetbench.tracking.ui.ui", lambda store, **told: opened.append(told["experiment_id"]))
    for name in ([], [instance.name]):
        assert call("ui", *name, "--store", tmp_path).exit_code == 0
    assert opened == [instance.name] * 2


@pytest.mark.parametrize("verb", ["run", "show", "export", "dashboard"])
def test_the_shell_completes_names_of_studies(verb: str) -> None:
    found = ShellComplete(main, {}, "jetbench", "_JETBENCH_COMPLETE").get_completions(["study", verb], "")
    assert [one.value for one in found] == NAMES
    (file,) = ShellComplete(main, {}, "jetbench", "_JETBENCH_COMPLETE").get_completions(["study", verb], "./my")
    assert file.type == "file"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "learning-rat"], "did you mean 'learning-rate'"),
        (["run", "learning-rate", "--scale", "smok"], "did you mean 'smoke'"),
        (["run", "learning-rate", "--set", "sampler=tbe"], "sampler: should be 'grid', 'random'"),
        (["run", "learning-rate", "--timeout", "soon"], "'soon' is no duration; write it as in 90s, 20m or 1h30m"),
        (["run", "learning-rate", "--trials", "0"], "0 is not in the range x>=1"),
        (["show", "learning-rate"], "no results of study 'learning-rate'; `jetbench study run learning-rate` makes them"),
        (["export", "learning-rate", "-o", "suite.yaml"], "no results of study 'learning-rate'"),
        (["dashboard", "learning-rate"], "no results of study 'learning-rate'"),
    ],
)
def test_a_users_mistake_is_a_message(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("study", *arguments)
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "suite.yaml").exists()


def test_a_dry_run_prints_the_plan_with_as_many_trials_as_are_asked_for(study_path: Path, tmp_path: Path) -> None:
    result = call("study", "run", study_path, "--store", tmp_path / "store", "--trials", 20, "--dry-run")
    assert result.exit_code == 0, result.output
    assert re.search(r"trial +40 +40 +0", result.output)
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
def test_a_study_from_its_timeout_to_the_suite_of_its_winner(study_path: Path, tmp_path: Path) -> None:
    run = ("study", "run", study_path)
    first = command(*run, "--timeout", "1s", cwd=tmp_path)
    output = wait(first, 300)
    assert first.returncode == 0, output
    assert "the time was over, and no new round was started; the same command goes on from there" in output
    begun = len(list(tmp_path.glob("mlruns/work/*/done.json")))
    assert begun < 24

    second = command(*run, cwd=tmp_path)
    output = wait(second, 600)
    assert second.returncode == 0, output
    assert "12 trials: 12 complete. * selected." in output
    assert "Selection: the smallest val/loss" in output
    assert len(list(tmp_path.glob("mlruns/work/*/done.json"))) == 24
    page = next(tmp_path.glob("mlruns/reports/mini-rates.quick.*/study.html"))
    assert "PED-ANOVA" in page.read_text()

    shown = wait(command("study", "show", study_path, cwd=tmp_path), 120)
    assert "12 trials: 12 complete" in shown
    check_tracked(tmp_path)

    exported = command("study", "export", "mini-rates", "-o", "suite.yaml", cwd=tmp_path)
    assert "run it: jetbench run --suite suite.yaml" in wait(exported, 60)
    suite = command("run", "--suite", "suite.yaml", "--set", "seeds=2", cwd=tmp_path)
    output = wait(suite, 300)
    assert suite.returncode == 0, output
    assert "sets-winner" in output

    shown = wait(command("study", "dashboard", "mini-rates", cwd=tmp_path), 60)
    journal = next(tmp_path.glob("mlruns/reports/mini-rates.quick.*/optuna.journal"))
    assert f"optuna-dashboard {journal}" in shown
    assert sum("CREATE_TRIAL" in line or json.loads(line)["op_code"] == 4 for line in journal.read_text().splitlines()) == 12


def check_tracked(folder: Path) -> None:
    """Every trial is in MLflow with parameters, metrics and weights; the page and its plots are a report's artifacts."""
    from jetbench.tracking import backend
    from jetbench.tracking.store import Store

    client = backend.load().MlflowClient(Store(folder / "mlruns").uri)
    (experiment,) = [e for e in client.search_experiments() if e.name.startswith("mini-rates.")]
    runs = client.search_runs([experiment.experiment_id], max_results=200)
    kinds = [run.data.tags["jetbench.kind"] for run in runs]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"trial": 24, "report": 1}
    trial = next(run for run in runs if run.data.tags["jetbench.kind"] == "trial")
    assert trial.data.metrics["val/loss"] > 0
    assert trial.data.metrics["cost/flops"] > 0
    assert float(trial.data.params["recipe.learning_rate"]) > 0
    names = {file.path for file in client.list_artifacts(trial.info.run_id)}
    assert "model.safetensors" in names
    report = next(run for run in runs if run.data.tags["jetbench.kind"] == "report")
    files = {file.path for file in client.list_artifacts(report.info.run_id)}
    assert {"study.html", "trials.csv", "sets-n50-history.png", "sets-n50-importance.png"} <= files
