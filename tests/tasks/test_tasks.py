"""What every task owes the loop, the suites and the report, held for each that is registered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from jetbench.errors import SuiteError
from jetbench.evaluation.artifacts import read_scores
from jetbench.jets import Jets
from jetbench.registry import Entry
from jetbench.report.sections import sections
from jetbench.statistics.comparison import Verdict
from jetbench.tasks import tasks
from jetbench.tasks.task import Task

SEEDS = 5
SAMPLES = ["two classes", "four classes"]
pytestmark = pytest.mark.parametrize("entry", list(tasks), ids=lambda entry: entry.name)


@pytest.fixture(params=SAMPLES)
def jets(request: pytest.FixtureRequest, toy_jets: Jets, pronged_jets: Callable[[int, int], Jets]) -> Jets:
    return toy_jets if request.param == SAMPLES[0] else pronged_jets(400, 4)


def fitted(entry: Entry, jets: Jets) -> Task:
    """The task as all jets but the last ten, as training labels, have it."""
    task: Task = entry.load()()
    return task.fitted(task.target(jets)[:-10], jets.meta)


def perfect(task: Task, jets: Jets) -> torch.Tensor:
    """Outputs that no loss can be below by much: what the task encodes, with classes ten units apart."""
    encoded = task.encode(torch.from_numpy(task.target(jets)), jets.meta)
    return 10 * encoded if task.headline.larger_is_better else encoded


def blurred(task: Task, jets: Jets, noise: float, seed: int = 0) -> torch.Tensor:
    clean = perfect(task, jets)
    return clean + noise * torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))


def test_what_a_task_has_learnt_is_restored_from_what_it_tells(entry: Entry, jets: Jets) -> None:
    task = fitted(entry, jets)
    learnt = json.loads(json.dumps(task.learnt()))
    blank: Task = entry.load()()
    restored = blank.restored(learnt)
    assert restored.learnt() == task.learnt() != blank.learnt()
    outputs = blurred(task, jets, 1.0)
    np.testing.assert_array_equal(restored.predict(outputs), task.predict(outputs))


def test_outputs_become_a_loss_and_metrics_that_rank_them(entry: Entry, jets: Jets) -> None:
    task = fitted(entry, jets)
    target = torch.from_numpy(task.target(jets))
    encoded = task.encode(target, jets.meta)
    assert encoded.shape == (len(jets), task.outputs(jets.meta))
    assert encoded.dtype == torch.float32
    good, poor = blurred(task, jets, 0.1), blurred(task, jets, 30.0)
    assert task.loss(good, encoded) < task.loss(poor, encoded)
    judged = [task.validate(outputs, target) for outputs in (good, poor)]
    assert judged[0]["loss"] < judged[1]["loss"]
    assert judged[1]["loss"] == pytest.approx(float(task.loss(poor, encoded)), rel=1e-5)
    shown = task.diagnostics(poor, encoded)
    assert shown
    assert {key: float(value) for key, value in shown.items()} == pytest.approx({key: judged[1][key] for key in shown}, rel=1e-5)


def test_an_epoch_is_judged_by_what_the_task_names(entry: Entry, jets: Jets) -> None:
    task = fitted(entry, jets)
    target = torch.from_numpy(task.target(jets))
    good, poor = (task.validate(blurred(task, jets, noise), target) for noise in (0.1, 30.0))
    assert {"loss", task.headline.key} <= {metric.key for metric in task.selectors} == set(good)
    for metric in task.selectors:
        assert task.selector(metric.key) is metric
        assert metric.is_better(good[metric.key], poor[metric.key])
        assert not metric.is_better(good[metric.key], good[metric.key])
    with pytest.raises(SuiteError, match=f"selects no epoch by it; .*valid names: .*{task.headline.key}"):
        task.selector("speed")


def test_what_is_learnt_is_plain_and_of_the_training_labels(entry: Entry, jets: Jets) -> None:
    task, blank = fitted(entry, jets), entry.load()()
    learnt = task.learnt()
    assert json.loads(json.dumps(learnt)) == learnt
    assert blank.learnt() != learnt != task.fitted(task.target(jets)[:7], jets.meta).learnt()


def test_the_loss_has_a_gradient_and_diagnostics_have_none(entry: Entry, jets: Jets) -> None:
    task = fitted(entry, jets)
    encoded = task.encode(torch.from_numpy(task.target(jets)), jets.meta)
    outputs = blurred(task, jets, 1.0).requires_grad_()
    task.loss(outputs, encoded).backward()
    assert outputs.grad is not None
    assert outputs.grad.abs().sum() > 0
    assert not any(value.requires_grad for value in task.diagnostics(outputs, encoded).values())


def test_a_finished_training_is_judged_by_the_headline_and_the_loss(entry: Entry, jets: Jets) -> None:
    task = fitted(entry, jets)
    truth, key = task.target(jets), task.headline.key
    sharp, vague = (task.predict(blurred(task, jets, noise)) for noise in (3.0, 30.0))
    good, poor = (task.choose(truth, predictions, jets.meta) for predictions in (sharp, vague))
    assert set(good) == {key, f"{key}_se", "loss"}
    assert good[key] != poor[key]
    assert (good[key] > poor[key]) == task.headline.larger_is_better
    assert good["loss"] < poor["loss"]
    assert good[f"{key}_se"] > 0
    losses = task.losses(truth, sharp)
    assert losses.shape == truth.shape
    assert losses.mean() == pytest.approx(good["loss"], abs=0)
    assert losses.mean() == pytest.approx(task.validate(blurred(task, jets, 3.0), torch.from_numpy(truth))["loss"], rel=1e-4)


def test_an_evaluation_writes_its_files_and_finite_metrics_within_their_range(entry: Entry, jets: Jets, tmp_path: Path) -> None:
    task = fitted(entry, jets)
    predictions = task.predict(blurred(task, jets, 5.0))
    metrics, files = task.evaluate(task.target(jets), predictions, np.arange(len(jets)), jets, tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert all(name.startswith("test/") and np.isfinite(value) for name, value in metrics.items())
    headline, value = task.headline, metrics[f"test/{task.headline.key}"]
    assert metrics[f"test/{headline.key}_se"] > 0
    assert headline.low is None or value >= headline.low
    assert headline.high is None or value <= headline.high
    for path in (path for path in files if path.suffix == ".json"):
        assert json.loads(path.read_text())


def test_other_jets_are_scored_into_one_file_by_the_metrics_of_the_evaluation(entry: Entry, jets: Jets, tmp_path: Path) -> None:
    task = fitted(entry, jets)
    truth, predictions, rows = task.target(jets), task.predict(blurred(task, jets, 5.0)), np.arange(len(jets))
    (tmp_path / "tested").mkdir()
    tested, _ = task.evaluate(truth, predictions, rows, jets, tmp_path / "tested")
    scored = task.score(truth, predictions, rows, jets.meta, tmp_path / "other.h5")
    assert {f"test/{name}": value for name, value in scored.items()} == tested
    np.testing.assert_array_equal(read_scores(tmp_path / "other.h5")[2], predictions)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["other.h5"]


def test_the_paired_metric_is_that_of_the_evaluation(entry: Entry, jets: Jets, tmp_path: Path) -> None:
    task = fitted(entry, jets)
    truth = task.target(jets)
    arm, baseline = (np.stack([task.predict(blurred(task, jets, noise, s)) for s in range(2)]) for noise in (3.0, 5.0))
    found = task.paired(truth, arm, baseline, np.array([0.5, 0.5]))
    alone, _ = task.evaluate(truth, arm[0], np.arange(len(jets)), jets, tmp_path)
    assert found.values[0] == pytest.approx(alone[f"test/{task.headline.key}"])
    swapped = task.paired(truth, baseline, arm, np.array([0.5, 0.5]))
    np.testing.assert_allclose(swapped.baselines, found.values)
    np.testing.assert_allclose(swapped.variances, found.variances)
    assert 0 < found.variance_of_mean < found.variances.mean()
    assert task.paired(truth, arm, arm, np.array([0.5, 0.5])).variances.tolist() == [0, 0]


def test_the_error_of_a_mean_contains_what_the_models_share(entry: Entry, jets: Jets) -> None:
    task = fitted(entry, jets)
    truth, models = task.target(jets), np.stack([task.predict(blurred(task, jets, 5.0, s)) for s in range(2)])
    weights = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    covariance = task.covariance(truth, models, weights)
    assert covariance.shape == (3, 3)
    assert covariance[2, 2] == pytest.approx((covariance[0, 0] + covariance[1, 1] + 2 * covariance[0, 1]) / 4)
    twice = task.covariance(truth, models[[0, 0]], weights)
    assert twice[2, 2] == pytest.approx(covariance[0, 0])
    paired = task.paired(truth, models[:1], models[1:], np.ones(1)).variance_of_mean
    assert covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1] == pytest.approx(paired)


def test_a_better_arm_is_called_better(entry: Entry, jets: Jets) -> None:
    task = fitted(entry, jets)
    good, poor = (np.stack([task.predict(blurred(task, jets, n, s)) for s in range(SEEDS)]) for n in (2.0, 30.0))
    found = task.compare(task.target(jets), good, poor)
    assert (found.verdict, found.larger_is_better) == (Verdict.BETTER, task.headline.larger_is_better)
    assert found.margin == pytest.approx(task.margin(found.baseline.mean))
    assert found.probability_better.mean == 1
    assert task.compare(task.target(jets), poor, good).verdict is Verdict.WORSE
    assert task.compare(task.target(jets), good, good).verdict is Verdict.EQUIVALENT
    shared = task.compare(task.target(jets), good, poor, clusters=[0, 1, 0, 1, 0])
    assert (shared.units, shared.seeds) == (2, SEEDS)
    half = task.compare(task.target(jets), good, poor, shared=0.5)
    assert half.seed_error == pytest.approx(found.seed_error * np.sqrt(1 + SEEDS))


def test_jets_with_classes_are_split_by_them_for_every_task(entry: Entry, jets: Jets) -> None:
    """A pretraining without labels is shared by all tasks, and must see no test jet of any."""
    task: Task = entry.load()()
    np.testing.assert_array_equal(task.strata(jets), jets.targets["label"])


def test_strata_are_small_integers_from_zero_on(entry: Entry, jets: Jets) -> None:
    task = fitted(entry, jets)
    strata = task.strata(jets)
    assert strata.shape == (len(jets),)
    assert set(strata.tolist()) == set(range(strata.max() + 1))


def test_what_jets_lack_is_told(entry: Entry, jets: Jets) -> None:
    task = fitted(entry, jets)
    assert task.unmet(jets.meta, set(jets.targets)) == task.unmet(jets.meta, None) == ""
    bare = replace(jets, targets={}, meta=jets.meta.replace(class_names=()))
    assert task.unmet(bare.meta, set(bare.targets)).startswith("have no ")


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_enough_jets_stay_enough(entry: Entry, jets: Jets, part: str) -> None:
    task = fitted(entry, jets)
    strata = task.strata(jets)
    told = [task.shortage(part, strata[:n], jets.meta) for n in range(30)]  # type: ignore[arg-type]
    enough = [not text for text in told]
    assert not enough[0]
    assert enough[-1]
    assert enough == sorted(enough)
    assert "train" in told[0] or "validat" in told[0] or "test" in told[0]


def test_texts_name_the_metric_and_the_margin(entry: Entry, jets: Jets) -> None:
    task = fitted(entry, jets)
    assert task.headline.name in task.headline_of(jets.meta).name
    assert task.headline_of(jets.meta).key == task.headline.key
    assert task.margin_text("scratch").startswith("3 % of ")
    assert "scratch" in task.margin_text("scratch")
    assert {sections[name].name for name in task.sections} == set(task.sections)


def test_a_task_costs_no_torch_to_load(entry: Entry) -> None:
    code = f"import sys; from jetbench.tasks import tasks; tasks[{entry.name!r}].load()(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
