"""The contract of a task: what it owes the loop, the suites and the report."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from jetbench.errors import JetbenchError, SuiteError
from jetbench.evaluation.artifacts import read_scores
from jetbench.spaces import Configured
from jetbench.statistics.comparison import Verdict
from jetbench.tasks.task import LEAST
from jetbench.testing.judged import LATE, Judged, samples
from jetbench.testing.properties import Contract, each, expect
from jetbench.testing.rows import expect_described, expect_sensible_options, expect_true_defaults, loaded_with

__all__ = ["CONTRACT"]

SEEDS = 5


@dataclass(frozen=True)
class TaskCase:
    """A task, and toy jets that allow it."""

    entry: Configured

    def each(self, check: Callable[[Judged], None]) -> None:
        """Try something on each sample of toy jets."""
        found = list(samples(self.entry))
        expect(found, "no toy jets allow it: they have classes, masses and a pT")
        each(found, check)


CONTRACT: Contract[TaskCase] = Contract(lambda entry, sample: TaskCase(entry))
holds = CONTRACT.property


def near(found: float | None, expected: float, relative: float = 1e-5) -> bool:
    return found is not None and bool(np.isclose(found, expected, rtol=relative, atol=1e-12))


@holds
def the_row_describes_the_code(case: TaskCase) -> None:
    expect_described(case.entry)
    expect_true_defaults(case.entry, ())
    expect_sensible_options(case.entry)


@holds
def it_costs_no_torch_to_load(case: TaskCase) -> None:
    """A plan asks tasks for much, and no command that plans waits for torch."""
    expect(
        "torch" not in loaded_with(case.entry.target),
        "importing it imports torch; import torch inside of the methods that need it",
    )


@holds
def outputs_become_a_loss_and_metrics_that_rank_them(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        task, encoded = one.task, one.encoded
        form = (len(one.jets), task.outputs(one.meta))
        expect(tuple(encoded.shape) == form, f"encoded targets have the shape {tuple(encoded.shape)}, and {form} is declared")
        expect(encoded.dtype == torch.float32, f"encoded targets are {encoded.dtype}, not fp32")
        good, poor = one.blurred(0.1), one.blurred(30.0)
        expect(task.loss(good, encoded) < task.loss(poor, encoded), "the loss of better outputs is not smaller")
        judged = [task.validate(outputs, one.target) for outputs in (good, poor)]
        expect(judged[0]["loss"] < judged[1]["loss"], "the validation loss of better outputs is not smaller")
        expect(near(judged[1]["loss"], float(task.loss(poor, encoded))), "the loss of the validation is not that of the training")
        shown = {key: float(value) for key, value in task.diagnostics(poor, encoded).items()}
        expect(shown, "a step of a training shows nothing beside its loss")
        apart = {key: value for key, value in shown.items() if not near(value, judged[1][key])}
        expect(not apart, f"what a step shows is not what the validation says: {apart}")

    case.each(check)


@holds
def the_loss_has_a_gradient_and_diagnostics_have_none(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        outputs = one.blurred(1.0).requires_grad_()
        loss = one.task.loss(outputs, one.encoded)
        expect(loss.shape == () and loss.dtype == torch.float32, f"the loss is {loss.dtype} of the shape {tuple(loss.shape)}")
        loss.backward()
        expect(outputs.grad is not None and outputs.grad.any(), "no gradient reaches the outputs")
        attached = [name for name, value in one.task.diagnostics(outputs, one.encoded).items() if value.requires_grad]
        expect(not attached, f"diagnostics have a gradient: {', '.join(attached)}")

    case.each(check)


@holds
def an_epoch_is_judged_by_what_the_task_names(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        task = one.task
        good, poor = (task.validate(one.blurred(noise), one.target) for noise in (0.1, 30.0))
        keys = {metric.key for metric in task.selectors}
        expect({"loss", task.headline.key} <= keys, f"the loss and the headline are among its selectors, not {sorted(keys)}")
        expect(keys == set(good), f"a validation gives {sorted(good)}, and the selectors are {sorted(keys)}")
        for metric in task.selectors:
            expect(task.selector(metric.key) is metric, f"the selector {metric.key!r} is another one")
            expect(metric.is_better(good[metric.key], poor[metric.key]), f"{metric.name} is no better for better outputs")
        try:
            task.selector("speed")
        except SuiteError as error:
            expect(task.headline.key in str(error), f"the error does not list what an epoch is selected by: {error}")
        else:
            raise AssertionError("an epoch may be selected by what there is not")

    case.each(check)


@holds
def predictions_are_float64_and_perfect_outputs_predict_the_truth(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        found = one.task.predict(one.perfect())
        expect(found.dtype == np.float64, f"predictions are {found.dtype}; near the best score float32 would tie jets")
        expect(len(found) == len(one.jets) and np.isfinite(found).all(), "predictions are not finite, one for each jet")
        perfect, blurred = (one.task.losses(one.truth, p).mean() for p in (found, one.task.predict(one.blurred(3.0))))
        expect(perfect < 0.01 * blurred, f"perfect outputs lose {perfect:.3g}, and blurred ones {blurred:.3g}")

    case.each(check)


@holds
def models_predict_together(case: TaskCase) -> None:
    """One alone says what it says; of several the noise is averaged, and what all say is what they say together."""

    def check(one: Judged) -> None:
        task = one.task
        told = np.stack([task.predict(one.blurred(8.0, seed)) for seed in range(SEEDS)])
        together = task.together(told)
        expect(task.averaged, "it does not say what is averaged")
        expect(together.shape == told.shape[1:], f"together they predict {together.shape}, each alone {told.shape[1:]}")
        expect(
            np.allclose(task.together(told[:1]), told[0], rtol=1e-9, atol=1e-15),
            "one model together with none says something else",
        )
        twice = task.together(np.stack([together, together]))
        expect(np.allclose(twice, together, rtol=1e-9), "what all say is not what they say together")
        losses = [task.losses(one.truth, each_one).mean() for each_one in (together, *told)]
        expect(losses[0] < min(losses[1:]), "together they are no better than the best alone, with noise of their own")

    case.each(check)


@holds
def what_is_learnt_is_plain_and_comes_back(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        learnt = one.task.learnt()
        expect(json.loads(json.dumps(learnt)) == learnt, f"what it has learnt is not plain: {learnt}")
        restored = one.blank.restored(json.loads(json.dumps(learnt)))
        expect(restored.learnt() == learnt, "what is restored has learnt something else")
        same = np.array_equal(restored.predict(one.blurred(1.0)), one.task.predict(one.blurred(1.0)))
        expect(same, "what is restored predicts something else")
        few = one.blank.fitted(one.truth[:7], one.meta).learnt()
        expect(one.blank.learnt() != learnt != few, "what it has learnt is not of the training labels")

    case.each(check)


@holds
def a_finished_training_is_judged_by_the_headline_and_the_loss(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        task, key = one.task, one.task.headline.key
        sharp, vague = (task.predict(one.blurred(noise)) for noise in (3.0, 30.0))
        good, poor = (task.choose(one.truth, predictions, one.meta) for predictions in (sharp, vague))
        expect(set(good) == {key, f"{key}_se", "loss"}, f"it is judged by {sorted(good)}, not by {key}, {key}_se and loss")
        expect(task.headline.is_better(good[key], poor[key]), f"{task.headline.name} is no better for better predictions")
        expect(good["loss"] < poor["loss"], "the loss of better predictions is not smaller")
        expect(good[f"{key}_se"] > 0, "the headline has no error")
        losses = task.losses(one.truth, sharp)
        expect(losses.shape == one.truth.shape, f"losses have the shape {losses.shape}, and jets {one.truth.shape}")
        expect(losses.mean() == good["loss"], "the loss is not the mean of what each jet adds to it")
        validated = task.validate(one.blurred(3.0), one.target)["loss"]
        expect(near(float(losses.mean()), validated, 1e-4), "the loss of predictions is not that of the outputs behind them")

    case.each(check)


@holds
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


@holds
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


@holds
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


@holds
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


@holds
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


@holds
def strata_are_small_integers_and_the_classes_where_there_are_some(case: TaskCase) -> None:
    """A pretraining without labels is shared by all tasks, and must see no test jet of any."""

    def check(one: Judged) -> None:
        strata = one.task.strata(one.jets)
        expect(strata.shape == (len(one.jets),), f"strata have the shape {strata.shape}")
        expect(set(strata.tolist()) == set(range(strata.max() + 1)), "strata are no integers from 0 on")
        expect(np.array_equal(one.blank.strata(one.jets), one.jets.targets["label"]), "jets with classes are not split by them")

    case.each(check)


@holds
def what_jets_lack_is_told(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        told = one.task.unmet(one.meta, set(one.jets.targets)), one.task.unmet(one.meta, None)
        expect(told == ("", ""), f"these jets allow it, and it says that they {told}")
        bare = replace(one.jets, targets={}, meta=one.meta.replace(class_names=(), unknown=("jet_pt",)))
        reason = one.task.unmet(bare.meta, set(bare.targets))
        expect(reason.startswith("have "), f"of jets without targets it says {reason!r}, which does not go on after 'these jets'")

    case.each(check)


@holds
def enough_jets_stay_enough(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        strata = one.task.strata(one.jets)
        for part in LEAST:
            told = [one.task.shortage(part, strata[:n], one.meta) for n in range(3 * LATE)]
            enough = [not text for text in told]
            expect(not enough[0] and enough[-1], f"{part}: no jets are enough, or {len(told)} are not")
            expect(enough == sorted(enough), f"{part}: what was enough is not enough with more jets")

    case.each(check)


@holds
def the_report_has_what_it_names(case: TaskCase) -> None:
    def check(one: Judged) -> None:
        from jetbench.report.sections import sections

        named = one.task.headline_of(one.meta)
        expect(
            one.task.headline.name in named.name and named.key == one.task.headline.key, f"the headline is called {named.name}"
        )
        missing = [name for name in one.task.sections if name not in sections]
        expect(not missing, f"there are no sections {', '.join(missing)} of the report")

    case.each(check)
