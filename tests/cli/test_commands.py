from __future__ import annotations

import csv
import json
import re
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import pytest
from cli.program import command, wait
from click.testing import CliRunner, Result

from jetbench.cli import main
from jetbench.jets import Jets, open_jets, save_jets
from jetbench.suites.instances import remember
from jetbench.suites.suite import find_suite, instantiate, suite_text


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_help_names_every_command() -> None:
    text = call("--help").output
    for name in (
        "run",
        "report",
        "results",
        "status",
        "diff",
        "inspect",
        "compare",
        "study",
        "calibrate",
        "ls",
        "show",
        "data",
        "doctor",
        "model",
        "predict",
        "store",
        "ui",
    ):
        assert re.search(rf"^  {name} ", text, re.M), name
    assert "--debug" in text
    assert call("--version").output.startswith("jetbench, version ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--suite", "ssl-vs-scrach"], "did you mean 'ssl-vs-scratch'"),
        (["run", "--suite", "ssl-vs-scratch", "--scale", "quik"], "did you mean 'quick'"),
        (["run", "--suite", "ssl-vs-scratch", "--dataset", "missing.h5"], "there is no such file"),
        (["run", "--suite", "ssl-vs-scratch", "--also-test", "missing.h5"], "missing.h5: there is no such file"),
        (["run", "--suite", "ssl-vs-scratch", "--also-test", "top-vs-qcd"], "--set also_test.seed=1 makes others"),
        (["run", "--suite", "ssl-vs-scratch", "--set", "sceds=3"], "did you mean 'seeds'"),
        (["run", "--suite", "ssl-vs-scratch", "--set", "labels=50"], "labels: should be a list (given: 50)"),
        (["run", "--suite", "ssl-vs-scratch", "--set", "arms.scratch=3"], "arms.scratch: should be a mapping (given: 3)"),
        (["run", "--suite", "ssl-vs-scratch", "--set", "dataset.options.mpj=true"], "no option 'mpj'; did you mean 'mpi'"),
        (["inspect", "simclr", "--store", "empty"], "has no results"),
        (["inspect", "simclr", "--suite", "ssl-vs-scratch", "--store", "empty"], "no results of suite 'ssl-vs-scratch'"),
        (["compare", "simclr", "--store", "empty"], "only 'simclr' is named; name two or more"),
        (["report", "ssl-vs-scratch", "--store", "empty"], "no results of suite 'ssl-vs-scratch'; `jetbench run"),
        (["report", "ssl-vs-scrach", "--store", "empty"], "did you mean 'ssl-vs-scratch'"),
        (["ui", "--store", "emtpy"], "there is no such folder of results"),
        (["data", "info", "top-vs-qcd", "--set", "contaned=false"], "did you mean 'contained'"),
        (["data", "info", "top-vs-qcd", "--set", "mpi=perhaps"], "mpi is 'perhaps'"),
        (["data", "info", "top-vs-qcd", "--set", "mpi=true"], "--seed 0 --set mpi=true`"),
        (["show", "resnet51"], "did you mean 'resnet15'"),
        (["data", "info", "top-vs-qcd", "--jets", "123456"], "not simulated yet"),
    ],
)
def test_a_users_mistake_is_a_message(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "emtpy").exists()


def test_what_was_run_is_suggested(suite_path: Path, tmp_path: Path) -> None:
    remember(tmp_path, instantiate(find_suite(str(suite_path))))
    assert "did you mean 'mini'" in call("status", "minni", "--store", tmp_path).output
    assert "did you mean 'quick'" in call("results", "mini", "--scale", "quik", "--store", tmp_path).output
    assert "`jetbench run --suite ssl-vs-scratch`" in call("report", "ssl-vs-scratch", "--store", tmp_path).output


def test_instances_are_completed_beside_suites(suite_path: Path, tmp_path: Path) -> None:
    instance = instantiate(find_suite(str(suite_path)))
    remember(tmp_path, instance)
    context = click.Context(main, info_name="jetbench")
    context.params = {"store": str(tmp_path)}
    parameter = main.commands["status"].params[0]
    assert [item.value for item in parameter.shell_complete(context, "mini")] == ["mini", instance.name]
    assert "ssl-vs-scratch" in [item.value for item in parameter.shell_complete(context, "")]


def test_calibration_prints_tables_of_numbers() -> None:
    result = call("calibrate", "--replays", 10, "--jets", 200)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert all(
        len({line.count("|") for line in part.splitlines() if line.startswith("|")}) == 1 for part in tables(result.output)
    )
    assert any(line.startswith("| same arm, other seeds | 10 | ") for line in lines)
    assert any(line.startswith("| 67 % | 5 | ") for line in lines)
    assert any(
        re.fullmatch(r"\| training dominates \| 10 \| [\d.]+ \| [\d.]+ \([\d.]+\) \| [\d.]+ \([\d.]+\) \|", line)
        for line in lines
    )
    assert any(re.fullmatch(r"\| 3 \| 200 \| [\d.]+ \|", line) for line in lines)
    assert any(line.startswith("| +0.02 | ") for line in lines)


def tables(text: str) -> list[str]:
    return [part for part in text.split("\n\n") if part.startswith("|")]


def test_debug_shows_the_traceback() -> None:
    result = call("--debug", "show", "nobody")
    assert result.exception is not None
    assert "nothing is called 'nobody'" in str(result.exception)


def test_an_unknown_name_is_answered_with_the_nearest_ones_alone() -> None:
    said = " ".join(call("show", "simclr-smal").output.split())
    assert "nothing is called 'simclr-smal'; did you mean 'simclr-small' or" in said
    assert said.endswith("`jetbench ls` lists all names")
    assert said.count(",") == 0


KINDS = [
    "suites",
    "studies",
    "tasks",
    "models",
    "regimes",
    "objectives",
    "views",
    "augmentations",
    "pipelines",
    "faults",
    "recipes",
    "datasets",
    "formats",
]


def test_published_weights_are_imported_and_what_was_adapted_is_listed(tmp_path: Path) -> None:
    import torch
    from models.plain_resnet15 import trained_a_little

    torch.save({"state_dict": trained_a_little().state_dict()}, tmp_path / "weights.pt")
    result = call("model", "import", tmp_path / "weights.pt", "--model", "resnet15-bn", "-o", tmp_path / "imported")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "adapted: 'linear' is the head",
        "adapted: the head's one output z, a logit, becomes the two outputs (0, z), whose softmax is the sigmoid of z",
        f"{tmp_path / 'imported'}: resnet15-bn, 2 channels, 2 outputs",
    ]
    assert {path.name for path in (tmp_path / "imported").iterdir()} == {"model.safetensors", "bundle.json"}
    given = ("model", "import", tmp_path / "weights.pt", "-o", tmp_path / "other", "--model")
    assert "it lacks that model's first layer" in call(*given, "deep-sets").output
    assert "is no network" in call(*given, "boosted-trees").output
    assert "did you mean 'resnet15'" in call(*given, "resnet51").output
    assert "does not fit this model" in call(*given, "resnet15", "--set", "stages=16-32-64").output


@pytest.mark.parametrize("kind", KINDS)
def test_piped_lists_have_one_name_a_line_and_each_can_be_shown(kind: str) -> None:
    names = call("ls", kind).output.splitlines()
    assert names
    for name in names:
        shown = call("show", name)
        assert shown.exit_code == 0
        assert name in shown.output


def test_everything_piped_is_one_line_of_kind_name_and_summary() -> None:
    rows = [line.split(maxsplit=2) for line in call("ls").output.splitlines()]
    assert list(dict.fromkeys(row[0] for row in rows)) == KINDS
    assert all(len(row) == 3 for row in rows)
    assert {kind for kind, name, _ in rows if name == "simclr"} == {"regimes", "objectives"}
    assert [name for kind, name, _ in rows if kind == "formats"] == call("ls", "formats").output.split()


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_shows_what_there_is(kind: str) -> None:
    """And below it the suite of that name, where there is one."""
    shown = call("show", kind)
    assert shown.exit_code == 0
    entries, heading, text = shown.output.partition(f"# suite {kind}\n")
    rows = [line for line in entries.splitlines() if not line.startswith("   ")]
    assert [line.split()[0] for line in rows] == call("ls", kind).output.split()
    assert bool(heading) == (kind in call("ls", "suites").output.split())
    assert not heading or f"suite: {kind}\n" in text


def test_a_kind_says_where_each_comes_from() -> None:
    models = call("show", "models").output
    assert re.search(r"^  resnet15-bn +the electron/photon .*\n +source: .*1807\.11916.*; recipe: electron-photon$", models, re.M)
    suites = call("show", "suites").output
    assert re.search(r"^  ssl-vs-scratch .*\n +source: protocol of .*; recipe: supervised-small, simclr-small$", suites, re.M)


def test_a_name_of_two_kinds_has_a_heading_for_each_and_a_suite_alone_is_its_file() -> None:
    shown = call("show", "electron-photon").output
    suite, recipe = shown.split("# recipe electron-photon\n")
    assert suite == "# suite electron-photon\n" + suite_text("electron-photon")
    assert recipe.startswith("recipe electron-photon, revision 1: ")
    assert call("show", "ssl-vs-scratch").output == suite_text("ssl-vs-scratch")


def test_a_network_shows_its_size() -> None:
    shown = call("show", "resnet15-bn").output
    assert "recipe: electron-photon" in shown
    assert "size: image 3×32×32 → 64 features → 2 outputs; 174,738 parameters, 53,313,792 FLOPs for a jet" in shown
    assert "size: constituents 80×8 → 64 features → 2 outputs" in call("show", "deep-sets").output
    assert "published size: blocks=64-128-256, connected=256, neighbours=16" in call("show", "particlenet").output
    assert "published size" not in shown
    assert "size:" not in call("show", "boosted-trees").output


def test_what_is_shown_says_options_and_needs() -> None:
    shown = call("show", "simclr").output
    assert "options: projection=128, temperature=0.07" in shown
    assert "allowed: projection is at least 1; temperature is at least 0.01 and at most 1" in shown
    assert "stage pretraining: objective simclr, data pool, labels none" in shown
    assert "stage fine-tuning: objective supervised, data budget, labels true" in shown
    assert "needs of the jets: isotropic, GeV" in call("show", "smearing").output
    assert "steps: rotation(), collinear_splitting(number=50), smearing(scale=0.1), translation(" in call("show", "jetclr").output
    assert "needs a card" in call("show", "constituents").output
    lines = [" ".join(line.split()) for line in call("show", "images").output.splitlines()]
    assert {"cast default: False", "isotropic default: True", "pixels default: none"} <= set(lines)
    assert "code: jetbench.models.resnet:ResNet15" in call("show", "resnet15").output
    assert not any("code:" in call("show", data).output for data in ("scratch", "supervised-small"))


def test_a_view_of_constituents_names_its_features_in_their_order() -> None:
    (line,) = [one for one in call("show", "constituents").output.splitlines() if one.startswith("features, in this order")]
    names = line.split(": ", 1)[1].split(", and for each channel its share")[0]
    assert names == "Δeta, Δphi [rad], distance from the axis, ln pT, ln of the share in the pT of the jet"
    assert "for each channel its share in the deposit's own pT" in line


@pytest.mark.parametrize("name", ["report", "status", "results", "ui"])
def test_a_suite_that_is_given_as_an_option_is_told_its_place(name: str) -> None:
    result = call(name, "--suite", "ssl-vs-scratch")
    assert result.exit_code == 2
    assert f"No such option '--suite': the suite stands without it, as in 'main {name} SUITE'" in result.output
    assert "the suite stands" not in call(name, "--other", "ssl-vs-scratch").output


def test_a_dry_run_prints_the_plan_and_runs_nothing(suite_path: Path, tmp_path: Path) -> None:
    result = call("run", "--suite", suite_path, "--store", tmp_path / "store", "--dry-run")
    assert result.exit_code == 0
    assert re.search(r"final +12 +12 +0 ", result.output)
    assert re.search(r"^simclr +50 +resnet15/simclr-pretraining +2 planned", result.output, re.M)
    assert re.search(r"^compared with scratch: simclr", result.output, re.M)
    assert re.search(r"(about \d+ min|less than a minute) with \d+ trainings at a time", result.output)
    again = call("run", "--suite", suite_path, "--store", tmp_path / "store", "--dry-run", "--rerun", "all")
    assert "--rerun all would train 0 runs again" in again.output
    assert not (tmp_path / "store").exists()


def test_a_dry_run_of_a_file_says_what_its_classes_cannot_give(suite_path: Path, tmp_path: Path) -> None:
    """The suite asks for 50 labels, of which 10 validate; of 12 each class has one that validates, and trials need two."""
    result = call("run", "--suite", suite_path, "--store", tmp_path / "store", "--dry-run", "--set", "labels=[12]")
    assert result.exit_code == 1
    assert re.search(
        r"label budget 12: the class '\w+' has 1 of 2 validation labels, .*; the smallest label budget that gives as many is 20",
        result.output.replace("\n", " "),
    )


def test_the_invariance_card_has_a_row_per_augmentation(toy_file: Path) -> None:
    result = call("data", "views", toy_file)
    assert result.exit_code == 0, repr(result.exception)
    rows = card_rows(result.output)
    assert set(rows) >= {"none", "rotation", "flip", "drop", "crop_zoom", "collinear_splitting"}
    assert rows["none"][:9] == [0] * 9
    assert rows["flip"][:4] == [0] * 4
    assert abs(rows["rotation"][0]) < 1
    assert rows["drop"][5] < 0
    assert abs(rows["crop_zoom"][0]) > 1
    assert rows["collinear_splitting"][5] > 10
    assert rows["collinear_splitting"][:4] == [0] * 4


def card_rows(text: str) -> dict[str, list[float]]:
    """Numbers of each augmentation, a mean and its spread one after the other."""
    rows = [line for line in text.splitlines() if "±" in line and not line.startswith("shifts")]
    return {name.strip(): [float(x) for x in line.replace("±", "").split()] for name, line in ((r[:20], r[20:]) for r in rows)}


def test_the_card_of_a_suite_has_the_strengths_of_its_runs(toy_file: Path, suite_path: Path, tmp_path: Path) -> None:
    """A suite whose strengths are not the defaults, for its pretraining, and with a recipe's own for the rest."""
    harsh = "augmentation: [flip, {energy_scale: {sigma: 0.3}}]"
    text = suite_path.read_text().replace("base: simclr-small", f"base: simclr-small, {harsh}")
    assert harsh in text
    (tmp_path / "harsh.yaml").write_text(text)
    result = call("data", "views", toy_file, "--suite", tmp_path / "harsh.yaml", "--plot", tmp_path / "card.png")
    assert result.exit_code == 0, repr(result.exception)
    assert "\nsupervised: rotation(max_angle=3.14159), flip(eta=True, phi=True), translation(" in result.output
    front, _, simclr = result.output.partition("\nsimclr: flip(eta=True, phi=True), energy_scale(resolution=0, sigma=0.3)\n")
    rows, usual = card_rows(simclr), card_rows(call("data", "views", toy_file).output)
    assert list(rows) == ["flip", "energy_scale", "all together"]
    assert list(card_rows(front)) == ["none", "rotation", "flip", "translation", "all together"]
    assert min(rows["energy_scale"][3], rows["all together"][3]) > 20 > 3 > usual["energy_scale"][3]
    assert (tmp_path / "card.png").exists()
    assert "--scale is that of a suite" in call("data", "views", toy_file, "--scale", "smoke").output


def test_the_card_of_a_suite_says_what_the_jets_do_not_allow(toy_jets: Jets, suite_path: Path, tmp_path: Path) -> None:
    channels = tuple(channel.replace(unit="") for channel in toy_jets.meta.channels)
    save_jets(tmp_path / "jets.h5", [replace(toy_jets, meta=toy_jets.meta.replace(channels=channels))])
    text = call("data", "views", tmp_path / "jets.h5", "--suite", suite_path).output
    assert "skipped smearing: deposits with pT in GeV are needed; these jets give no unit" in text
    _, _, simclr = text.partition("\nsimclr: rotation(")
    assert [line.split()[0] for line in simclr.splitlines() if "±" in line][:4] == [
        "rotation",
        "flip",
        "translation",
        "energy_scale",
    ]


def test_a_simulation_is_written_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By simulation and as a copy of what the cache has; never over other jets."""
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    make = ("data", "make", "electron-vs-photon", "--jets", 20)
    simulated, copied = tmp_path / "here" / "simulated.h5", tmp_path / "there" / "copied.h5"
    assert call(*make, "-o", simulated).output.splitlines()[-1] == str(simulated)
    assert not list((tmp_path / "cache").glob("*.h5"))
    cached = call(*make).output.splitlines()[-1]
    assert call(*make, "-o", copied).exit_code == 0
    assert open_jets(copied).digest == open_jets(simulated).digest == open_jets(Path(cached)).digest
    other = call(*make, "--seed", 1, "-o", simulated)
    assert "holds jets of another recipe" in other.output
    assert "there already, and nothing makes it" in call("data", "make", simulated, "-o", copied).output


@pytest.mark.slow
def test_a_suite_from_ctrl_c_to_report(suite_path: Path, tmp_path: Path) -> None:
    """Run, stop half-way, continue, skip, review: as a user would, with MLflow."""
    run = ("run", "--suite", suite_path)
    first = command(*run, cwd=tmp_path)
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("mlruns/work/*/done.json")):
        assert first.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    first.send_signal(signal.SIGINT)
    output = wait(first, 90)
    assert first.returncode == 130, output
    assert "goes on from there" in output
    assert "Traceback" not in output

    second = command(*run, cwd=tmp_path)
    output = wait(second, 400)
    assert second.returncode == 0, output
    assert "report: " in output
    assert re.search(
        r"^and there the comparison: http://127\.0\.0\.1:5000/#/experiments/1/runs\?.*&viewStateShareKey=arms$", output, re.M
    )
    assert "Warning" not in output
    assert "FastJet" not in output

    started = time.monotonic()
    third = command(*run, cwd=tmp_path)
    assert "runs were finished before" in wait(third, 120)
    assert third.returncode == 0
    assert time.monotonic() - started < 60

    page = next(tmp_path.glob("mlruns/reports/*/report.html"))
    assert "boosted-trees" in page.read_text()
    rows = json.loads(wait(command("results", "mini", "--format", "json", cwd=tmp_path), 60))
    assert {row["metric"] for row in rows} >= {"test/auc", "test/background_left_50", "cost/labelled_passes"}
    table = list(csv.DictReader(wait(command("results", "mini", "--format", "csv", cwd=tmp_path), 60).splitlines()))
    assert len(table) == len(rows)
    assert re.search(r"(\d+) of \1 runs done, finished", wait(command("status", "mini", cwd=tmp_path), 60))
    check_tracked(tmp_path)


def check_tracked(folder: Path) -> None:
    """Every run is in MLflow, finished, flat, with its metrics, ROC picture and weights."""
    from jetbench.tracking import backend
    from jetbench.tracking.store import Store

    client = backend.load().MlflowClient(Store(folder / "mlruns").uri)
    experiments = [e for e in client.search_experiments() if e.name.startswith("mini.")]
    assert len(experiments) == 1
    runs = client.search_runs([experiments[0].experiment_id], max_results=200)
    kinds = [run.data.tags["jetbench.kind"] for run in runs]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"pretrain": 3, "trial": 6, "final": 12, "report": 1, "arm": 6}
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert not any("mlflow.parentRunId" in run.data.tags for run in runs)
    final = next(run for run in runs if run.info.run_name == "resnet15/simclr/n100/s1")
    assert final.data.metrics["test/auc"] > 0.5
    assert [m.step for m in client.get_metric_history(final.info.run_id, "val/auc")] == [0, 1]
    names = {file.path for file in client.list_artifacts(final.info.run_id)}
    assert {"roc.png", "roc.json", "scores.h5", "model.safetensors", "bundle.json", "spec.yaml", "images"} <= names
    arm = next(run for run in runs if run.info.run_name == "simclr/n100")
    assert final.info.run_id in arm.data.tags["jetbench.runs"].split()
    assert {file.path for file in client.list_artifacts(arm.info.run_id)} >= {
        "roc.png",
        "learning_curves.png",
        "wrongest_jets.json",
    }
    side_by_side = {
        run.info.run_name
        for run in runs
        if run.data.tags["jetbench.kind"] == "arm" and client.list_artifacts(run.info.run_id, "images")
    }
    assert side_by_side == {"scratch/n50", "simclr/n50"}  # at the budget that the question is about
    tags = client.get_experiment(experiments[0].experiment_id).tags
    assert "| 100 | **simclr** | 2 |" in tags["mlflow.note.content"]
    assert "mlflow.sharedViewState.arms" in tags


@pytest.mark.slow
def test_a_suite_of_four_classes_from_data_to_report(
    suite_text: str, pronged_jets: Callable[[int, int], Jets], tmp_path: Path
) -> None:
    save_jets(tmp_path / "jets.h5", [pronged_jets(400, 4)])
    suite = tmp_path / "mini.yaml"
    suite.write_text(suite_text.format(dataset=tmp_path / "jets.h5"))
    refused = command("run", "--suite", suite, "--set", "labels=[30]", cwd=tmp_path)
    assert "and needs 2; the smallest label budget that gives as many is" in wait(refused, 60)
    assert refused.returncode == 1
    process = command("run", "--suite", suite, "--set", "labels=[50]", cwd=tmp_path)
    output = wait(process, 300)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    rows = json.loads(wait(command("results", "mini", "--format", "json", cwd=tmp_path), 60))
    assert {row["metric"] for row in rows} >= {"test/auc", "test/auc_QCD", "test/background_left_50_X3"}
    page = next(tmp_path.glob("mlruns/reports/*/report.html")).read_text()
    assert "Class by class" in page
    assert "test AUC (one-vs-one)" in page
