"""The contract of an augmentation: other jets of the same form, drawn from its generator alone, with what it says it keeps."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Jets
from jetbench.seeds import torch_rng
from jetbench.testing.properties import Contract, LeftOut, each, expect
from jetbench.testing.rows import expect_described, expect_known_needs, expect_sensible_options
from jetbench.testing.tensors import copied, expect_close, expect_equal, expect_untouched_generator
from jetbench.testing.toys import jets_for
from jetbench.views import AugmentationEntry

__all__ = ["CONTRACT"]

JETS, EXTENT = 40, 0.8
MASS = 0.1  # of the mass: what a jet whose deposits move by parts of a pixel may differ by, in the mean


@dataclass(frozen=True)
class AugmentationCase:
    """An augmentation with its default strengths, and toy jets of each sort that has what it needs."""

    entry: AugmentationEntry

    @cached_property
    def jets(self) -> dict[str, Jets]:
        return jets_for(self.entry.needs, JETS)

    def __call__(self, batch: Batch, *seed: str | int) -> Batch:
        given: dict[str, Any] = {"extent": EXTENT} if self.entry.framed else {}
        found: Batch = self.entry.load()(batch, torch_rng("augmentation", *seed), **given)
        return found

    def each(self, check: Callable[[Batch], None]) -> None:
        """Try something on each sort of jets."""
        expect(self.jets, f"no sort of toy jets has what it needs, {', '.join(self.entry.needs)}")
        each(((kind, JetTensors(jets).batch(torch.arange(JETS))) for kind, jets in self.jets.items()), check)


CONTRACT: Contract[AugmentationCase] = Contract(lambda entry, sample: AugmentationCase(entry))
holds = CONTRACT.property


@holds
def the_row_describes_the_code(case: AugmentationCase) -> None:
    entry = case.entry
    expect_described(entry)
    expect_sensible_options(entry)
    parameters = dict(inspect.signature(entry.load()).parameters)
    given = {"batch", "rng", *(["extent"] if entry.framed else [])}
    expect(given <= set(parameters), f"it is called with {', '.join(sorted(given))}, and has {', '.join(parameters)}")
    found = {name: one.default for name, one in parameters.items() if name not in given}
    expect(dict(entry.defaults) == found, f"the row has the strengths {dict(entry.defaults)}, and {entry.target} has {found}")


@holds
def the_result_is_a_batch_of_as_many_jets(case: AugmentationCase) -> None:
    def check(batch: Batch) -> None:
        found = case(batch)
        expect(found.size == batch.size and found.meta == batch.meta, "jets are gone, or their metadata is another")
        deposits = len(found.jet)
        forms = {name: len(getattr(found, name)) for name in ("eta", "phi", "values")}
        expect(set(forms.values()) == {deposits}, f"columns of deposits differ in length: {forms} and jet {deposits}")
        for name in ("eta", "phi", "values", "jet"):
            was, now = getattr(batch, name).dtype, getattr(found, name).dtype
            expect(now == was, f"{name} is {now}, and was {was}")
        expect(found.values.shape[1:] == batch.values.shape[1:], "there are other channels")
        rising = bool((found.jet[1:] >= found.jet[:-1]).all()) and bool((found.jet >= 0).all() & (found.jet < found.size).all())
        expect(rising, "deposits do not stand jet by jet")
        for name in ("eta", "phi", "values"):
            expect(getattr(found, name).isfinite().all(), f"{name} is not finite")

    case.each(check)


@holds
def the_batch_is_left_as_it_is(case: AugmentationCase) -> None:
    def check(batch: Batch) -> None:
        before = copied(batch)
        found = case(batch)
        for name, tensor in copied(batch).items():
            expect_equal(tensor, before[name], f"it writes into the batch, {name}")
        for name in ("jet_eta", *(f"targets.{target}" for target in batch.targets)):
            expect_equal(copied(found)[name], before[name], f"it changes {name}, which is the truth of a jet")

    case.each(check)


@holds
def its_generator_alone_decides(case: AugmentationCase) -> None:
    def check(batch: Batch) -> None:
        with expect_untouched_generator("it draws from torch's own generator; draw from the one that is given"):
            first = copied(case(batch, 1))
        again, other = copied(case(batch, 1)), copied(case(batch, 2))
        for name, tensor in first.items():
            expect_equal(again[name], tensor, f"with the same generator {name} is another")
        expect(any(_differ(first[name], other[name]) for name in first), "with another generator it does the same")

    case.each(check)


def _differ(one: Tensor, other: Tensor) -> bool:
    return one.shape != other.shape or not torch.equal(one, other)


@holds
def jets_without_deposits_stay_empty(case: AugmentationCase) -> None:
    def check(batch: Batch) -> None:
        found = case(batch.keep(batch.jet > 1))
        counts = torch.bincount(found.jet, minlength=found.size)
        expect(not counts[:2].any(), "jets without deposits have some")
        expect(not len(case(batch.keep(batch.jet < 0)).jet), "a batch without deposits has some")

    case.each(check)


@holds
def a_jet_takes_nothing_of_the_others(case: AugmentationCase) -> None:
    """With the same draws, other deposits of the last jet change nothing of the jets before it."""

    def check(batch: Batch) -> None:
        last = batch.jet == batch.size - 1
        other = batch.replace(
            eta=torch.where(last, -batch.eta, batch.eta), values=torch.where(last[:, None], 3 * batch.values, batch.values)
        )
        one, two = (found.keep(found.jet < batch.size - 1) for found in (case(batch), case(other)))
        for name in ("jet", "eta", "phi", "values"):
            expect_equal(getattr(two, name), getattr(one, name), f"{name} of a jet depends on the jets beside it")

    case.each(check)


@holds
def energies_are_not_below_zero(case: AugmentationCase) -> None:
    def check(batch: Batch) -> None:
        summed = [i for i, channel in enumerate(batch.meta.channels) if channel.combine == "sum"]
        expect((case(batch).values[:, summed] >= 0).all(), "a deposit has an energy below zero")

    case.each(check)


@holds
def sums_of_a_jet_are_kept_unless_the_row_says_otherwise(case: AugmentationCase) -> None:
    """Of what is added up: energies, and so the pT."""
    changes = "pt" in case.entry.changes
    seen = []

    def check(batch: Batch) -> None:
        found = case(batch)
        for i, channel in enumerate(batch.meta.channels):
            if channel.combine != "sum":
                continue
            before, after = batch.sum(batch.values[:, i]), found.sum(found.values[:, i])
            seen.append(not torch.allclose(after, before, rtol=1e-4))
            if not changes:
                expect_close(after, before, f"the sum of {channel.name} changes, and its row does not say so")

    case.each(check)
    expect(not changes or any(seen), "its row says that the pT of a jet is another by it, and it is the same")


@holds
def the_mass_is_kept_unless_the_row_says_otherwise(case: AugmentationCase) -> None:
    """Of narrow jets: Σ pT pT' ΔR², which turning, moving and mirroring it leave as it is; but for effects of a pixel's size."""
    if "constituents in GeV" not in case.jets:
        raise LeftOut("it needs other jets than constituents in GeV")
    batch = JetTensors(case.jets["constituents in GeV"]).batch(torch.arange(JETS))
    ratio = _mass(case(batch)) / _mass(batch)
    apart = float((ratio - 1).abs().mean())
    if "mass" in case.entry.changes:
        expect(apart > 1e-4, "its row says that the mass of a jet is another by it, and it is the same")
    else:
        expect(apart < MASS, f"the mass changes by {apart:.1%} in the mean, and its row does not say so")


def _mass(batch: Batch) -> Tensor:
    """The mass (size,) [GeV] of jets that are narrow: m² = Σ pT Σ pT (r² − r̄²)."""
    pt = batch.pt()
    total = batch.sum(pt)
    second = batch.sum(pt * (batch.eta.square() + batch.phi.square())) * total
    return (second - batch.sum(pt * batch.eta).square() - batch.sum(pt * batch.phi).square()).clamp(min=0).sqrt()


@holds
def pixels_stay_pixels_unless_the_row_says_that_deposits_move(case: AugmentationCase) -> None:
    if "pixels in GeV" not in case.jets:
        raise LeftOut("it needs other jets than pixels in GeV")
    batch = JetTensors(case.jets["pixels in GeV"]).batch(torch.arange(JETS))
    grid = batch.meta.grid
    assert grid is not None
    found = case(batch)
    places = [(found.eta / grid.eta_extent + 1) * grid.rows / 2, (found.phi / grid.phi_extent + 1) * grid.columns / 2]
    off = max(float((place - place.floor() - 0.5).abs().max()) for place in places)
    told = "moves deposits off the centres of their pixels" if off > 1e-3 else "leaves deposits at the centres of pixels"
    expect((off > 1e-3) == case.entry.geometric, f"it {told}, and its row says geometric={case.entry.geometric}")


@holds
def what_it_needs_of_jets_is_a_need_that_there_is(case: AugmentationCase) -> None:
    expect_known_needs(case.entry.needs)
