"""The contract of a task: what it owes the loop, the suites and the report."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import torch

from jetbench.errors import SuiteError
from jetbench.tasks.task import LEAST
from jetbench.testing.evaluations import EVALUATIONS
from jetbench.testing.judged import LATE, Judged, TaskCase, near
from jetbench.testing.properties import Contract, expect
from jetbench.testing.rows import expect_described, expect_sensible_options, expect_true_defaults, loaded_with

__all__ = ["CONTRACT"]

MODELS = 5  # that predict together

CONTRACT: Contract[TaskCase] = Contract(lambda entry, sample: TaskCase(entry))
holds = CONTRACT.property


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
        told = np.stack([task.predict(one.blurred(8.0, seed)) for seed in range(MODELS)])
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


CONTRACT.include(EVALUATIONS)


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
