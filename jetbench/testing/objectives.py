"""The contract of an objective: a loss with a gradient, labels only where they are declared, and a state that survives a stop."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from jetbench.data.batch import Batch
from jetbench.models.network import Network
from jetbench.objectives import objectives
from jetbench.objectives.base import Objective
from jetbench.objectives.distilled import PROBABILITIES
from jetbench.seeds import torch_rng
from jetbench.tasks import tasks
from jetbench.testing.objective_case import ROUNDS, SIZE, STEPS, Bench, Built, ObjectiveCase, steps_of, trial
from jetbench.testing.passes import CountedLook, counted_passes
from jetbench.testing.properties import Contract, LeftOut, expect
from jetbench.testing.rows import expect_described, expect_sensible_options, expect_true_defaults
from jetbench.testing.tensors import (
    copied,
    expect_equal,
    expect_same_state,
    expect_untouched_generator,
    seeded,
    snapshot,
    stored,
)
from jetbench.testing.training import expect_exact_resume

__all__ = ["CONTRACT"]

BF16, SAME = 0.1, 1e-5  # of the loss
GIVEN = {"network", "task", "look"}  # what whoever builds it fills in

CONTRACT: Contract[ObjectiveCase] = Contract(lambda entry, sample: ObjectiveCase(entry))
holds = CONTRACT.property


@holds
def the_row_describes_the_code(case: ObjectiveCase) -> None:
    entry = case.entry
    expect_described(entry)
    expect_true_defaults(entry, GIVEN)
    expect_sensible_options(entry)
    expect(all(name in tasks for name in entry.tasks), f"{entry.tasks}: not all of these are tasks")
    if entry.beside:
        chosen = dict(entry.defaults).get(entry.beside)
        expect(chosen in objectives, f"its option {entry.beside!r} is to name an objective, and its default is {chosen!r}")
    expect(entry.trains_head or not entry.taught, "what follows a teacher's scores trains the head that gives its own")


@holds
def the_loss_is_a_finite_number_in_fp32(case: ObjectiveCase) -> None:
    for bench in case.benches:
        out = trial(case, bench).out()
        loss = out["loss"].detach()
        told = f"the loss of {bench.model} is {loss.dtype} of the shape {tuple(loss.shape)}, and a number in fp32 is expected"
        expect(loss.shape == () and loss.dtype == torch.float32, told)
        expect(loss.isfinite(), f"the loss of {bench.model} is {float(loss)}")
        others = {name: value for name, value in out.items() if name != "loss"}
        attached = [name for name, value in others.items() if value.requires_grad or value.shape != ()]
        expect(not attached, f"diagnostics are numbers without a gradient, and these are not: {', '.join(attached)}")


@holds
def it_looks_at_each_jet_as_often_as_it_says(case: ObjectiveCase) -> None:
    for bench in case.benches:
        built = trial(case, bench)  # which is refused where row and class do not agree
        per_jet = built.objective.views_per_jet
        beside = 0 if built.objective.beside is None else built.objective.beside.views_per_jet
        expect(
            bool(beside) == bool(case.entry.beside), "an objective on the pool stands in its row and in its `beside`, or nowhere"
        )
        found = [len(seen) for seen in built.shown()]
        expect(found == [SIZE] * (per_jet + beside), f"it shows {found} jets, and {per_jet + beside} times {SIZE} are expected")


@holds
def it_sees_no_more_of_jets_than_is_counted(case: ObjectiveCase) -> None:
    """Passes are what budgets are equal in: in a step, jets are looked at and shown to what is trained so often and no more. What
    a teacher without a gradient sees of these looks is not counted, as published."""
    for bench in case.benches:
        look = CountedLook(bench.view, STEPS)
        built = trial(case, bench, look=look)
        beside = 0 if built.objective.beside is None else built.objective.beside.views_per_jet
        allowed = SIZE * (built.objective.views_per_jet + beside)
        for step in range(2):  # what it keeps of a step it may look at in the next
            look.jets.clear()
            with counted_passes(built.network, built.objective) as passes:
                steps_of(built, step, 1)
            told = f"in a step on {SIZE} jets, of which {allowed} passes are counted,"
            expect(sum(look.jets) <= allowed, f"{told} it looks at {sum(look.jets)}; count every look in `views`")
            expect(sum(passes) <= allowed, f"{told} trained encoders see {sum(passes)}; count every pass in `views`")


@holds
def a_gradient_reaches_the_encoder_and_its_own_weights(case: ObjectiveCase) -> None:
    for bench in case.benches:
        built = trial(case, bench)
        steps_of(built, steps=1)  # a queue is filled, a teacher differs
        for module in (built.network, built.objective):
            module.zero_grad()
        built.out(seed=1)["loss"].backward()
        expect(
            any(_has_gradient(p) for p in built.network.encoder.parameters()), f"no gradient reaches the encoder {bench.model}"
        )
        silent = [name for name, p in built.objective.named_parameters() if p.requires_grad and not _has_gradient(p)]
        expect(not silent, f"no gradient reaches its own weights {', '.join(silent)}; a teacher's have requires_grad=False")
        trained = any(_has_gradient(p) for p in built.network.head.parameters())
        told = "is" if trained else "is not"
        expect(
            trained == case.entry.trains_head, f"the head {told} trained, and its row says trains_head={case.entry.trains_head}"
        )


def _has_gradient(parameter: Tensor) -> bool:
    return parameter.grad is not None and bool(parameter.grad.isfinite().all()) and bool(parameter.grad.any())


@holds
def the_seed_alone_decides_what_it_begins_with(case: ObjectiveCase) -> None:
    for bench in case.benches:
        with expect_untouched_generator("building it moves torch's own generator"):
            one = case.build(bench)[1].state_dict()
        with seeded("elsewhere"):
            expect_same_state(case.build(bench)[1].state_dict(), one, "two of one seed differ")


@holds
def what_it_shows_follows_its_generator_alone(case: ObjectiveCase) -> None:
    for bench in case.benches:
        built = trial(case, bench)
        with expect_untouched_generator("it draws views from torch's own generator; draw from the one that is given"):
            first = built.objective.shown(built.batch, built.pool, torch_rng("views"))
        again = built.objective.shown(built.batch, built.pool, torch_rng("views"))
        for seen, other in zip(first, again, strict=True):
            for name, tensor in copied(seen).items():
                expect_equal(copied(other)[name], tensor, f"two looks with the same generator differ in {name}")


@holds
def labels_count_only_where_they_are_declared(case: ObjectiveCase) -> None:
    for bench in case.benches:
        built = trial(case, bench)
        own, loss = case.entry, float(built.out()["loss"].detach())
        other = _relabelled(built.batch)
        if own.labelled:
            found = _loss_of(case, bench, other)
            expect(found != loss, "its row says that it uses labels, and with other ones its loss is the same")
        else:
            found = _loss_of(case, bench, built.batch.replace(targets={}))
            expect(found == loss, f"its row says that it uses no labels, and without any its loss is {found} instead of {loss}")
        if own.taught:
            scores = {**other.targets, PROBABILITIES: built.batch.targets[PROBABILITIES]}
            found = _loss_of(case, bench, built.batch.replace(targets=scores))
            expect(found == loss, "it follows a teacher's scores, and with other labels beside them its loss is another")


@holds
def labels_of_the_pool_do_not_count(case: ObjectiveCase) -> None:
    for bench in case.benches:
        built = trial(case, bench)
        loss = float(built.out()["loss"].detach())
        bare = Built(*_again(case, bench), built.batch, built.pool.replace(targets={}))
        expect(float(bare.out()["loss"].detach()) == loss, "without the labels of the pool its loss is another")


@holds
def weights_of_jets_count_where_the_row_says_so(case: ObjectiveCase) -> None:
    if not case.entry.sample_weight:
        raise LeftOut("its row does not say that it knows weights of jets")
    bench = case.benches[0]
    batch, _ = case.batches(bench)
    equal = torch.ones(SIZE)
    plain, same = _loss_of(case, bench, batch), _loss_of(case, bench, batch.replace(weight=equal))
    expect(abs(same / plain - 1) < SAME, f"with equal weights the loss is {same} instead of {plain}")
    other = _loss_of(case, bench, batch.replace(weight=2 * (torch.arange(SIZE) % 2).float()))
    expect(
        abs(other / plain - 1) > SAME, f"the loss is {plain} whatever the weights of jets, and its row says sample_weight=True"
    )


def _again(case: ObjectiveCase, bench: Bench) -> tuple[Network, Objective]:
    network, objective = case.build(bench)
    return network.train(), objective.train()


def _relabelled(batch: Batch) -> Batch:
    """The same jets with one another's targets, so that other jets are of one class: classes alternate among the toy jets."""
    order = torch.cat([torch.arange(0, batch.size, 2), torch.arange(1, batch.size, 2)])
    return batch.replace(targets={name: target[order] for name, target in batch.targets.items()})


def _loss_of(case: ObjectiveCase, bench: Bench, batch: Batch) -> float:
    built = trial(case, bench)
    return float(Built(built.network, built.objective, batch, built.pool).out()["loss"].detach())


@holds
def inputs_are_left_as_they_are(case: ObjectiveCase) -> None:
    for bench in case.benches:
        built = trial(case, bench)
        jets = copied(built.batch)
        shown = built.shown()
        _expect_untouched(copied(built.batch), jets, "the batch")
        before = [copied(seen) for seen in shown]
        built.out(shown)["loss"].backward()
        for seen, was in zip(shown, before, strict=True):
            _expect_untouched(copied(seen), was, "its inputs")


def _expect_untouched(found: Mapping[str, Tensor], before: Mapping[str, Tensor], what: str) -> None:
    for name, tensor in before.items():
        expect_equal(found[name], tensor, f"it writes into {what}, {name}")


@holds
def after_a_step_it_moves_its_own_state_alone(case: ObjectiveCase) -> None:
    for bench in case.benches:
        built = trial(case, bench)
        built.out()["loss"].backward()
        before = snapshot(built.network)
        with seeded("after"):
            built.objective.after_step(built.network, 0.5)
        expect_same_state(snapshot(built.network), before, "after a step it moves the network")
        theirs = {id(p) for p in built.network.parameters()}
        shared = [name for name, p in built.objective.named_parameters() if id(p) in theirs]
        expect(not shared, f"its weights {', '.join(shared)} are the network's, so that they are trained and stored twice")


@holds
def its_state_comes_back_from_a_file(case: ObjectiveCase) -> None:
    """One of another seed that is given network and state goes on with the same losses."""
    for bench in case.benches:
        built, other = trial(case, bench), trial(case, bench, seed=8)
        steps_of(built)
        other.network.load_state_dict(stored(built.network), strict=True)
        other.objective.load_state_dict(stored(built.objective), strict=True)
        expected, found = steps_of(built, ROUNDS), steps_of(other, ROUNDS)
        told = "one that is given the state of another goes on otherwise; teachers and queues are submodules or buffers"
        expect(found == expected, f"{told}: losses {found} against {expected}")


@holds
def a_stopped_training_goes_on_bit_for_bit(case: ObjectiveCase) -> None:
    for bench in case.benches:
        expect_exact_resume(lambda bench=bench: case.build(bench), bench.jets)  # type: ignore[misc]


@holds
def it_is_finite_and_nearly_the_same_in_bf16(case: ObjectiveCase) -> None:
    for bench in case.benches:
        fine = trial(case, bench).out()["loss"].detach()
        with torch.autocast("cpu", torch.bfloat16):
            coarse = trial(case, bench).out()["loss"].detach()
        expect(coarse.dtype == torch.float32, f"under bf16 the loss is {coarse.dtype}; compute it in fp32")
        expect(coarse.isfinite(), f"under bf16 the loss is {float(coarse)}")
        apart = abs(float(coarse) / float(fine) - 1)
        expect(
            apart < BF16, f"under bf16 the loss is {float(coarse):.4g} instead of {float(fine):.4g}; up to {BF16:.0%} is allowed"
        )
