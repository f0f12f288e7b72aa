"""The contract of a network's encoder: shapes, seeds, gradients, state, and the same answer whatever else is in the batch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from jetbench.data.batch import JetTensors
from jetbench.models import HEAD_OPTIONS, ModelEntry
from jetbench.models.network import Network, build_network, network_for, shape_fault
from jetbench.objectives.base import Look, Objective, build_objective
from jetbench.registry import Entry
from jetbench.seeds import torch_rng
from jetbench.spec import Component
from jetbench.statistics.delong import auc
from jetbench.tasks import build_task
from jetbench.testing.network_case import SHOWN, NetworkCase, pull, small_view
from jetbench.testing.properties import Contract, LeftOut, expect
from jetbench.testing.rows import expect_described, expect_sensible_options, expect_true_defaults
from jetbench.testing.sets import SETS
from jetbench.testing.tensors import (
    copied,
    expect_close,
    expect_equal,
    expect_same_state,
    expect_untouched_generator,
    named,
    seeded,
    snapshot,
    stored,
)
from jetbench.testing.toys import toy_jets
from jetbench.testing.training import expect_exact_resume
from jetbench.views import views
from jetbench.views.inputs import Inputs

__all__ = ["CONTRACT", "expect_named"]

BF16 = 0.1  # of the size of features: what eight bits after the point leave in a network of dozens of layers
LEARNT = 0.8  # AUC of toy jets after a training of seconds
DRAWS = 4  # batches, each seen by other initial weights, one of which reaches every weight


CONTRACT: Contract[NetworkCase] = Contract(lambda entry, sample: NetworkCase(entry), lambda entry: entry.kind == "network")
holds = CONTRACT.property


@holds
def the_row_describes_the_code(case: NetworkCase) -> None:
    expect_described(case.entry)
    expect_true_defaults(case.entry, {"shapes"}, HEAD_OPTIONS)
    expect_sensible_options(case.entry)
    expect(set(HEAD_OPTIONS) <= set(dict(case.entry.defaults)), f"a network has the options {sorted(HEAD_OPTIONS)} of its head")


@holds
def features_have_the_shape_that_the_encoder_declares(case: NetworkCase) -> None:
    for component in (case.component, Component(name=case.entry.name, options=case.options)):
        encoder = network_for(component, case.view, 2, 0).encoder.eval()
        found = encoder(case.shown())
        expect(found.dtype == torch.float32, f"features are {found.dtype}, and fp32 is what heads and objectives work with")
        fault = shape_fault(found, SHOWN, encoder)
        expect(not fault, fault)
        expect(found.isfinite().all(), "features are not finite")
        expect(_varies(found), "the features of all jets are the same")


def _varies(features: Tensor) -> bool:
    return bool((features[1:] != features[:1]).any())


@holds
def weights_are_float32(case: NetworkCase) -> None:
    other = {name: t.dtype for name, t in named(case.encoder()).items() if t.is_floating_point() and t.dtype != torch.float32}
    expect(not other, f"weights and buffers are fp32, and these are not: {other}")


@holds
def local_features_have_their_shape_and_mask(case: NetworkCase) -> None:
    encoder, seen = case.encoder().eval(), case.shown()
    if not hasattr(encoder, "local"):
        raise LeftOut("it has no features of parts of a jet, so that no objective that needs them trains it")
    found, mask = encoder.local(seen)
    expect(found.dtype == torch.float32, f"local features are {found.dtype}, not fp32")
    expect(
        found.ndim == 3 and len(found) == SHOWN and found.shape[2] == encoder.local_features,
        f"local features have the shape {tuple(found.shape)}, and ({SHOWN}, parts, {encoder.local_features}) is declared",
    )
    expect(mask.dtype == torch.bool and mask.shape == found.shape[:2], f"the mask is {mask.dtype}, {tuple(mask.shape)}")
    expect(found[mask].isfinite().all(), "local features are not finite")
    expect(seen.mask is None or torch.equal(mask, seen.mask), "the mask of the parts is not that of the constituents")


@holds
def the_seed_alone_decides_the_initial_weights(case: NetworkCase) -> None:
    with expect_untouched_generator("building it moves torch's own generator"):
        one = case.encoder(1).state_dict()
    with seeded("elsewhere"):
        expect_same_state(case.encoder(1).state_dict(), one, "two encoders of one seed differ")
    other = case.encoder(2).state_dict()
    expect(any(not torch.equal(other[name], one[name]) for name in one), "encoders of two seeds have the same weights")


@holds
def a_gradient_reaches_every_weight(case: NetworkCase) -> None:
    """Some may be silent for a few jets, as a squeezed channel that is below zero, and none for all of several draws."""
    silent = set(dict(case.encoder().named_parameters()))
    for draw in range(DRAWS):
        encoder = case.encoder(draw).train()
        pull(encoder, case.shown(draw * SHOWN), draw)
        gradients = {name: p.grad for name, p in encoder.named_parameters() if p.grad is not None}
        broken = [name for name, gradient in gradients.items() if not gradient.isfinite().all()]
        expect(not broken, f"gradients that are not finite: {', '.join(broken)}")
        silent -= {name for name, gradient in gradients.items() if gradient.any()}
    expect(not silent, f"no gradient reaches {', '.join(sorted(silent))}")


@holds
def inputs_are_left_as_they_are(case: NetworkCase) -> None:
    encoder = case.encoder()
    for training in (True, False):
        seen = case.shown()
        before = copied(seen)
        encoder.train(training)(seen)
        for name, tensor in copied(seen).items():
            expect_equal(tensor, before[name], f"it writes into its input {name}")


@holds
def evaluation_is_repeatable(case: NetworkCase) -> None:
    encoder, seen = case.encoder().eval(), case.shown()
    with torch.no_grad():
        with seeded("one"):
            first = encoder(seen)
        with seeded("other"):
            expect_equal(encoder(seen), first, "in evaluation the same jets have other features the second time")


@holds
def evaluation_changes_no_state(case: NetworkCase) -> None:
    encoder = case.encoder().eval()
    before = snapshot(encoder)
    with torch.no_grad():
        encoder(case.shown())
    expect_same_state(snapshot(encoder), before, "evaluation changes the encoder")
    awake = [name or "the encoder" for name, module in encoder.named_modules() if module.training]
    expect(not awake, f"in evaluation these are in the mode of training: {', '.join(awake)}")


@holds
def in_evaluation_a_jet_is_what_it_is_alone(case: NetworkCase) -> None:
    encoder = case.encoder().eval()
    with torch.no_grad():
        together = encoder(case.shown())
        alone = torch.cat([encoder(case.shown(i, 1)) for i in range(SHOWN)])
    expect_close(alone, together, "in evaluation the features of a jet depend on the other jets of its batch")


@holds
def training_leaves_no_trace_but_in_the_state(case: NetworkCase) -> None:
    trained, other = _trained(case), case.encoder(7).eval()
    other.load_state_dict(stored(trained), strict=True)
    seen = case.shown(SHOWN)
    with torch.no_grad():
        expect_equal(other(seen), trained.eval()(seen), "an encoder that is given the state of a trained one sees something else")


def _trained(case: NetworkCase) -> nn.Module:
    """An encoder after three steps."""
    encoder: nn.Module = case.encoder(1).train()
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-2)
    for step in range(3):
        optimizer.zero_grad()
        pull(encoder, case.shown(step * SHOWN), step)
        optimizer.step()
    return encoder


@holds
def the_state_comes_back_from_a_file(case: NetworkCase) -> None:
    trained, other = _trained(case), case.encoder(7)
    found = stored(trained)
    expect_same_state(found, trained.state_dict(), "the state that was read differs from the one that was written")
    other.load_state_dict(found, strict=True)
    expect_same_state(other.state_dict(), trained.state_dict(), "the state that was loaded differs from the one that was written")


@holds
def a_stopped_training_goes_on_bit_for_bit(case: NetworkCase) -> None:
    task = build_task(Component(name="classification")).fitted(case.tensors.targets["label"].numpy(), case.tensors.meta)

    def build() -> tuple[Network, Objective]:
        network = case.network(3)
        return network, build_objective(Component(name="supervised"), network, task, Look(case.view), seed=3)

    expect_exact_resume(build, case.tensors.jets)


@holds
def it_is_finite_and_nearly_the_same_in_bf16(case: NetworkCase) -> None:
    network, seen = case.network().eval(), case.shown()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        coarse, outputs = network.encoder(seen).float(), network(seen)
    with torch.no_grad():
        fine = network.encoder(seen)
    expect(coarse.isfinite().all(), "features are not finite in bf16")
    expect(outputs.dtype == torch.float32, f"outputs are {outputs.dtype} in bf16; scores need fp32")
    apart = float((coarse - fine).norm() / fine.norm())
    expect(apart < BF16, f"in bf16 features differ by {apart:.2g} of their size, and {BF16} is allowed")


@holds
def it_learns_toy_jets(case: NetworkCase) -> None:
    """It tells jets of one prong from those of three after 24 steps, which is more than a network needs that learns at all."""
    jets = JetTensors(toy_jets(400)) if case.tensors.meta.in_gev else case.tensors
    view = small_view(case.entry.view, jets.batch(torch.arange(len(jets))))
    network, split = network_for(case.component, view, 2, seed=1), 3 * len(jets) // 4
    labels = jets.targets["label"].long()
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for chosen in _batches(split):
        every = network.every(view(jets.batch(chosen)))
        loss = torch.stack([nn.functional.cross_entropy(one, labels[chosen]) for one in every.unbind(1)]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        outputs = network.eval()(view(jets.batch(torch.arange(split, len(jets)))))
    found = float(auc(labels[split:].numpy(), (outputs[:, 1] - outputs[:, 0]).numpy()))
    expect(found > LEARNT, f"after 24 steps it ranks toy jets with an AUC of {found:.2f}, and {LEARNT} is expected")


def _batches(jets: int) -> Iterator[Tensor]:
    """24 batches of 64 jets, each with torch's generator seeded for it."""
    for step in range(24):
        with seeded("step", step):
            yield torch.randperm(jets)[:64]


CONTRACT.include(SETS)


@holds
def images_of_any_size_have_features(case: NetworkCase) -> None:
    if case.entry.view != "image":
        raise LeftOut("its view shows no images")
    for channels, rows, columns in ((1, 16, 16), (2, 33, 40), (8, 125, 125)):
        encoder = build_network(case.component, {"image": (channels, rows, columns)}, 2, 0).encoder
        found = encoder(Inputs({"image": torch.rand(3, channels, rows, columns, generator=torch_rng("image"))}))
        told = f"images of {channels} channels and {rows}×{columns} pixels have features of the shape {tuple(found.shape)}"
        expect(tuple(found.shape) == (3, encoder.features) and found.isfinite().all(), told)


@holds
def what_the_row_names_is_registered(case: NetworkCase) -> None:
    expect_named(case.entry)


def expect_named(entry: ModelEntry) -> None:
    """Raise `UnknownNameError` or `AssertionError` where a row names a view, task or recipe that there is not."""
    from jetbench.recipes import recipes
    from jetbench.tasks import tasks

    named_rows: list[Entry] = [views[entry.view], *(tasks[name] for name in entry.tasks)]
    named_rows += [views[entry.other_view]] if entry.other_view else []
    named_rows += [recipes[entry.recipe]] if entry.recipe else []
    expect(all(row.name for row in named_rows), "a row that it names has no name")
