"""What the contract of a task asks of finished runs: their files, their metrics with errors, and verdicts between arms."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

from jetbench.errors import JetbenchError
from jetbench.evaluation.artifacts import read_scores
from jetbench.statistics.comparison import Verdict
from jetbench.testing.judged import Judged, TaskCase, near
from jetbench.testing.properties import expect

__all__ = ["EVALUATIONS"]

SEEDS = 5


def an_evaluation_writes_its_files_and_finite_metrics(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        task, rows, predictions = one.task, np.arange(len(one.jets)), one.task.predict(one.blurred(5.0))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            metrics, files = task.evaluate(one.truth, predictions, rows, one.jets, folder)
            expect(sorted(folder.iterdir()) == sorted(files), "the files that it names are not those that it writes")
            broken = [key for key, value in metrics.items() if not key.startswith("test/") or not np.isfinite(value)]
            expect(not broken, f"metrics of an evaluation are finite and begin with test/: {', '.join(broken)}")
            expect(metrics[f"test/{task.headline.key}_se"] > 0, "the headline has no error")
            for path in (path for path in files if path.suffix == ".json"):
                expect(json.loads(path.read_text()), f"{path.name} is empty")
            other = folder / "other.h5"
            scored = task.score(one.truth, predictions, rows, one.meta, other)
            expect({f"test/{key}": value for key, value in scored.items()} == metrics, "other jets are scored by other metrics")
            expect(np.array_equal(read_scores(other)[2], predictions), "predictions that were written do not come back")

    case.each(check)


def predictions_without_sense_are_refused(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        rows, predictions = np.arange(len(one.jets)), one.task.predict(one.blurred(5.0))
        broken = predictions.copy()
        broken[3] = np.nan
        for what, given in (("that are not finite", broken), ("of fewer jets", predictions[1:])):
            with tempfile.TemporaryDirectory() as name:
                try:
                    one.task.evaluate(one.truth, given, rows, one.jets, Path(name))
                except JetbenchError:
                    expect(not list(Path(name).iterdir()), f"files are written of predictions {what}")
                else:
                    raise AssertionError(f"predictions {what} are evaluated")

    case.each(check)


def the_paired_metric_is_that_of_the_evaluation(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        task, halves = one.task, np.array([0.5, 0.5])
        arm, baseline = (np.stack([task.predict(one.blurred(noise, s)) for s in range(2)]) for noise in (3.0, 5.0))
        found, swapped = task.paired(one.truth, arm, baseline, halves), task.paired(one.truth, baseline, arm, halves)
        alone = task.choose(one.truth, arm[0], one.meta)[task.headline.key]
        expect(near(float(found.values[0]), alone), f"paired it is {found.values[0]:.6g}, and alone {alone:.6g}")
        same = np.allclose(swapped.baselines, found.values) and np.allclose(swapped.variances, found.variances)
        expect(same, "with arm and baseline swapped it is another comparison")
        expect(0 < found.variance_of_mean < found.variances.mean(), "a mean over two seeds has no smaller variance than one seed")
        expect(not task.paired(one.truth, arm, arm, halves).variances.any(), "an arm differs from itself by a variance")

    case.each(check)


def the_error_of_a_mean_contains_what_the_models_share(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        task, models = one.task, np.stack([one.task.predict(one.blurred(5.0, s)) for s in range(2)])
        weights = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
        covariance = task.covariance(one.truth, models, weights)
        expect(covariance.shape == (3, 3), f"the covariance has the shape {covariance.shape}")
        both = covariance[0, 0] + covariance[1, 1]
        expect(near(covariance[2, 2], (both + 2 * covariance[0, 1]) / 4), "the variance of a mean is not that of its models")
        twice = task.covariance(one.truth, models[[0, 0]], weights)
        expect(near(twice[2, 2], covariance[0, 0]), "a model with itself has another variance than alone")
        paired = task.paired(one.truth, models[:1], models[1:], np.ones(1)).variance_of_mean
        expect(near(both - 2 * covariance[0, 1], paired, 1e-4), "the variance of a difference is not that of the paired metric")

    case.each(check)


def a_better_arm_is_called_better(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        task = one.task
        good, poor = (np.stack([task.predict(one.blurred(n, s)) for s in range(SEEDS)]) for n in (2.0, 30.0))
        found = task.compare(one.truth, good, poor)
        expect(found.verdict is Verdict.BETTER, f"the better arm is called {found.verdict}")
        expect(task.compare(one.truth, poor, good).verdict is Verdict.WORSE, "the worse arm is not called worse")
        expect(task.compare(one.truth, good, good).verdict is Verdict.EQUIVALENT, "an arm is not equivalent to itself")
        expect(near(found.margin, task.margin(found.baseline.mean)), "the margin of a comparison is another")
        expect(found.probability_better.mean == 1, "a seed of the better arm is not always better")
        expect(found.larger_is_better == task.headline.larger_is_better, "a comparison has another direction than the headline")
        half = task.compare(one.truth, good, poor, shared=0.5).seed_error
        expect(near(half, found.seed_error * np.sqrt(1 + SEEDS)), "what seeds share has no part in the error")
        told = task.margin_text("scratch")
        expect("scratch" in told and " % of " in told, f"the margin is told as {told!r}")

    case.each(check)


EVALUATIONS = (
    an_evaluation_writes_its_files_and_finite_metrics,
    predictions_without_sense_are_refused,
    the_paired_metric_is_that_of_the_evaluation,
    the_error_of_a_mean_contains_what_the_models_share,
    a_better_arm_is_called_better,
)
