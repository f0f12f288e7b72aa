"""Runs of four classes, in this process: trial and final run of a network, every fitted model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from jetbench.errors import DataFileError, DivergenceError, RunError, SealedError
from jetbench.evaluation.artifacts import read_scores
from jetbench.jets import Jets, open_jets, save_jets
from jetbench.runs.job import JetFiles, Job
from jetbench.runs.run import run
from jetbench.statistics.delong import auc
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tasks.classification import Classification
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.journal import read
from jetbench.tracking.ledger import Ledger
from jetbench.views.observables import observables

Toy = Callable[[int, int], Jets]

FLOORS = """
    mass-likelihood: {{model: mass-likelihood, regime: fit}}
    class-prior: {{model: class-prior, regime: fit}}
    mixup: {{model: resnet15, regime: mixup}}
"""


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory, pronged_jets: Toy, suite_text: str) -> tuple[Plan, Path]:
    """A plan of 60 labels on 240 jets of four classes, and the folder of the data."""
    folder, jets = tmp_path_factory.mktemp("four"), pronged_jets(240, 4)
    save_jets(folder / "jets.h5", [jets])
    np.save(folder / "observables.npy", observables(jets))
    text = suite_text.replace("\n  recipes:", f"{FLOORS}  recipes:", 1).format(dataset=folder / "jets.h5")
    (folder / "mini.yaml").write_text(text)
    overrides = ("labels=[60]", "seeds=1", "recipes.supervised.passes=96", "model_options.boosted-trees.trees=10")
    return make_plan(instantiate(find_suite(str(folder / "mini.yaml")), overrides=overrides)), folder


def files(path: Path) -> JetFiles:
    return JetFiles(path, open_jets(path).digest)


def finish(four: tuple[Plan, Path], store: Path, arm: str, kind: str) -> tuple[dict[str, float], Path]:
    """Figures and folder of an arm's first run of a kind."""
    plan, folder = four
    planned = next(one for one in plan.runs.values() if (one.arm, one.kind) == (arm, kind))
    spec = planned.spec.with_values([("recipe.learning_rate", 0.01)])
    job = Job(planned.key, "mini", spec, store, files(folder / "jets.h5"), None, folder / "observables.npy")
    ledger = Ledger(job.work)
    ledger.folder(job.key).mkdir(parents=True)
    run(job, Event())
    return ledger.metrics(job.key) | ledger.tested(job.key), ledger.folder(job.key)


def test_jets_that_were_replaced_after_the_plan_are_not_trained_on(toy_jets: Jets, tmp_path: Path) -> None:
    path = tmp_path / "jets.h5"
    save_jets(path, [toy_jets[:20]])
    seen = files(path)
    assert len(seen.open()) == 20
    save_jets(path, [toy_jets[20:40]])
    with pytest.raises(DataFileError, match=r"jets.h5: replaced by other jets since the training was planned"):
        seen.open()


@pytest.mark.parametrize("arm", ["scratch", "mixup", "boosted-trees", "mass-likelihood", "class-prior"])
def test_a_final_run_is_evaluated_class_by_class(four: tuple[Plan, Path], arm: str, tmp_path: Path) -> None:
    metrics, folder = finish(four, tmp_path, arm, "final")
    _, labels, scores = read_scores(folder / "scores.h5")
    assert scores.shape == (100, 4)
    assert metrics["test/auc"] == auc(labels, scores)
    assert {"test/auc_QCD", "test/auc_X3", "test/background_left_50_t_bqq", "test/f1"} <= set(metrics)
    least = {"boosted-trees": 0.9, "mass-likelihood": 0.6, "class-prior": 0.5}
    assert metrics["test/auc"] >= least.get(arm, 0.3)
    assert (folder / "confusion.png").stat().st_size > 1000


@pytest.mark.parametrize("arm", ["scratch", "boosted-trees"])
def test_a_trial_is_judged_by_the_mean_over_pairs(four: tuple[Plan, Path], arm: str, tmp_path: Path) -> None:
    metrics, _ = finish(four, tmp_path, arm, "trial")
    assert 0 < metrics["val/auc"] <= 1
    assert metrics["val/auc_se"] >= 0
    assert metrics["val/loss"] > 0


@pytest.mark.parametrize("arm", ["scratch", "boosted-trees"])
def test_what_the_test_jets_say_is_kept_apart(four: tuple[Plan, Path], arm: str, tmp_path: Path) -> None:
    """A trial has it too, sealed: neither its metrics nor its journal nor what a tracker gets show any of it."""
    metrics, path = finish(four, tmp_path, arm, "trial")
    folder = RunFolder(path)
    assert metrics["test/auc"] > 0
    shown = folder.artifacts(sealed=True)
    assert {folder.metrics, folder.spec, folder.losses} <= set(shown)
    assert {path.name for path in set(folder.artifacts()) - set(shown)} == {
        *("test.json", "scores.h5", "confusion.json", "confusion.png", "roc.json", "roc.png")
    }
    assert not any("test/" in path.read_text() for path in (folder.journal, folder.metrics))
    losses = np.load(folder.losses)
    assert losses.shape == (12,)
    assert losses.mean() == pytest.approx(metrics["val/loss"], abs=0)


def test_the_training_jets_are_judged_as_the_test_jets_are(four: tuple[Plan, Path], tmp_path: Path) -> None:
    """Trees know the jets that they were grown on better than others; a network has moved."""
    trees, _ = finish(four, tmp_path, "boosted-trees", "final")
    assert trees["trained/auc"] > trees["test/auc"]
    network, folder = finish(four, tmp_path, "scratch", "final")
    assert {"trained/auc", "trained/auc_se", "trained/loss", "trained/encoder_change"} <= set(network)
    assert network["trained/encoder_change"] > 0
    assert read(folder / "metrics.jsonl")[0][-1].metrics["trained/auc"] == network["trained/auc"]


@pytest.mark.parametrize("arm", ["scratch", "boosted-trees"])
def test_costs_are_measured(four: tuple[Plan, Path], arm: str, tmp_path: Path) -> None:
    metrics, _ = finish(four, tmp_path, arm, "final")
    costs = {name.removeprefix("cost/"): value for name, value in metrics.items() if name.startswith("cost/")}
    assert min(value for name, value in costs.items() if name != "unlabelled_passes" and not name.startswith("param")) > 0
    of_any = {"inference_jets_per_second", "labelled_passes", "parameters", "peak_memory", "seconds", "unlabelled_passes"}
    of_networks = {"flops", "passes_to_best", "seconds_to_best"} if arm == "scratch" else set()
    assert set(costs) - {"peak_device_memory"} == of_any | of_networks | {"training_jets_per_second"}
    assert 50 < costs["peak_memory"] < 1e5


def test_what_the_task_learns_of_the_training_labels_is_stored_with_the_weights(four: tuple[Plan, Path], tmp_path: Path) -> None:
    _, folder = finish(four, tmp_path, "scratch", "final")
    shares = json.loads((folder / "bundle.json").read_text())["labels"]["shares"]
    assert sum(shares) == pytest.approx(1)
    assert shares == pytest.approx([0.25] * 4, abs=0.02)


def test_a_run_writes_down_the_size_of_its_network(four: tuple[Plan, Path], tmp_path: Path) -> None:
    metrics, folder = finish(four, tmp_path, "scratch", "final")
    told = json.loads((folder / "environment.json").read_text())["network"]
    assert told["parameters"] == str(int(metrics["cost/parameters"]))
    assert told["flops"] == str(int(metrics["cost/flops"]))
    assert told["shapes"] == "image 3×8×8 → 16 features → 4 outputs"
    _, folder = finish(four, tmp_path, "boosted-trees", "final")
    assert json.loads((folder / "environment.json").read_text())["network"] == {}


@pytest.mark.parametrize("kind", ["trial", "final"])
@pytest.mark.parametrize("arm", ["scratch", "boosted-trees"])
def test_the_journal_says_nothing_twice(four: tuple[Plan, Path], arm: str, kind: str, tmp_path: Path) -> None:
    """The curve of the validation has a point for each epoch, and what has no curve has one point."""
    metrics, folder = finish(four, tmp_path, arm, kind)
    points = [(name, record.step) for record in read(folder / "metrics.jsonl")[0] for name in record.metrics]
    assert len(points) == len(set(points))
    epochs = [step for name, step in points if name == "val/auc"]
    assert epochs == ([0, 1] if arm == "scratch" else [0])
    told = {name for name in metrics if not name.startswith("test/")}
    assert told == {name for name, _ in points if not name.startswith("train/")} - {"val/accuracy"} | {"train/jets"}


@pytest.mark.parametrize("error", [DivergenceError("predictions are not finite"), MemoryError("no room")])
def test_a_trial_does_not_diverge_by_what_it_says_of_test_jets(
    four: tuple[Plan, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It would lose its study by jets that nobody is to choose by: the run fails instead, in a way that no study counts."""

    def evaluate(*given: object) -> None:
        raise error

    monkeypatch.setattr(Classification, "evaluate", evaluate)
    with pytest.raises(SealedError, match=f"{error}.* of test jets alone"):
        finish(four, tmp_path, "boosted-trees", "trial")


def test_a_class_without_training_labels_is_named(four: tuple[Plan, Path], tmp_path: Path, pronged_jets: Toy) -> None:
    plan, folder = four
    jets = pronged_jets(240, 4)
    rare = np.flatnonzero(np.asarray(jets.targets["label"]) == 3)[1:]
    save_jets(tmp_path / "rare.h5", [jets.take(np.setdiff1d(np.arange(240), rare))])
    planned = next(one for one in plan.runs.values() if (one.arm, one.kind) == ("class-prior", "final"))
    job = Job(planned.key, "mini", planned.spec, tmp_path, files(tmp_path / "rare.h5"), None, folder / "observables.npy")
    Ledger(job.work).folder(job.key).mkdir(parents=True)
    with pytest.raises(RunError, match="the class 'X3' has 0 of 48 training labels and needs 1; raise the label budget"):
        run(job, Event())
