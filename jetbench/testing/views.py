"""The contract of a view for networks: fitted without labels, then a map of each jet by itself, which JSON gives back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Jets
from jetbench.seeds import torch_rng
from jetbench.testing.network_case import small_view
from jetbench.testing.properties import Contract, LeftOut, each, expect
from jetbench.testing.rows import expect_described, expect_known_needs, expect_sensible_options, is_table
from jetbench.testing.tensors import copied, expect_close, expect_equal, expect_untouched_generator
from jetbench.testing.toys import jets_for, kinds_of_jets
from jetbench.views import ViewEntry, views
from jetbench.views.inputs import Inputs
from jetbench.views.mixing import Mixing
from jetbench.views.needs import unmet
from jetbench.views.view import FittedView

__all__ = ["CONTRACT", "expect_needs_told", "expect_settled", "with_more"]

JETS, SHOWN, SHARE = 60, 12, 0.4


@dataclass(frozen=True)
class ViewCase:
    """A view, and toy jets of each sort that has what it needs."""

    entry: ViewEntry

    @cached_property
    def jets(self) -> dict[str, Jets]:
        return jets_for(self.entry.needs, JETS)

    def each(self, check: Callable[[FittedView, Batch], None]) -> None:
        """Try something on each sort of jets."""
        expect(self.jets, f"no sort of toy jets has what it needs, {', '.join(self.entry.needs)}")
        each(self.jets.items(), lambda jets: check(small_view(self.entry.name, _batch(jets)), _batch(jets, SHOWN)))


def _batch(jets: Jets, size: int = JETS) -> Batch:
    return JetTensors(jets).batch(torch.arange(size))


CONTRACT: Contract[ViewCase] = Contract(lambda entry, sample: ViewCase(entry), lambda entry: not is_table(entry))
holds = CONTRACT.property


@holds
def the_row_describes_the_code(case: ViewCase) -> None:
    expect_described(case.entry)
    expect_sensible_options(case.entry)
    expect(not case.entry.tabled, "it shows no table, so that there is none to be kept in the cache")
    expect(not case.entry.like or case.entry.like in views, f"it is like {case.entry.like!r}, and there is no such view")


@holds
def options_are_settled_once_and_for_all(case: ViewCase) -> None:
    expect_settled(case.entry, case.jets)


def expect_settled(entry: ViewEntry, sorts: dict[str, Jets]) -> None:
    """Raise `AssertionError` where settled options are not plain ones that can be written down."""

    def check(jets: Jets) -> None:
        settled = entry.settle(jets.meta, {})
        expect(settled == entry.settle(jets.meta, {}), "options are settled otherwise the second time")
        expect(settled == tuple(sorted(settled)), f"settled options are not sorted by name: {settled}")
        other = entry.settle(jets.meta.replace(class_names=("a", "b", "c")), {})
        expect(settled == other, "options depend on the classes of the jets")

    each(sorts.items(), check)


@holds
def what_is_needed_of_jets_is_told(case: ViewCase) -> None:
    expect_needs_told(case.entry)


def expect_needs_told(entry: ViewEntry) -> None:
    """Raise `AssertionError` where jets that lack what is needed are not told why."""
    expect_known_needs(entry.needs)
    for kind, jets in kinds_of_jets(2).items():
        reason = unmet(jets.meta, entry.needs)
        expect(not reason or "needed; " in reason, f"of {kind}, the reason is no sentence: {reason!r}")
    for option, needs in entry.option_needs:
        expect(option in dict(entry.defaults), f"its row says what the option {option!r} needs, and it has none of that name")
        expect(needs, f"its row says that the option {option!r} needs something, and not what")
        expect_known_needs(needs)


@holds
def tensors_have_the_declared_shapes(case: ViewCase) -> None:
    def check(view: FittedView, batch: Batch) -> None:
        seen = view(batch)
        found = {name: tuple(tensor.shape[1:]) for name, tensor in seen.tensors.items()}
        expect(found == view.shapes, f"it shows {found} of each jet, and declares {view.shapes}")
        for name, tensor in seen.tensors.items():
            expect(tensor.dtype == torch.float32, f"{name} is {tensor.dtype}, not fp32")
            expect(len(tensor) == batch.size, f"{name} is of {len(tensor)} jets, and {batch.size} were shown")
            expect(tensor.isfinite().all(), f"{name} is not finite")
        if seen.mask is not None:
            form = seen.mask.dtype, seen.mask.shape[0]
            expect(form == (torch.bool, batch.size), f"the mask is {form[0]} of {form[1]} jets")

    case.each(check)


@holds
def what_is_masked_is_zero(case: ViewCase) -> None:
    def check(view: FittedView, batch: Batch) -> None:
        seen = view(batch)
        if seen.mask is None:
            raise LeftOut("it shows no sets")
        for name, tensor in seen.tensors.items():
            expect(not tensor[~seen.mask].any(), f"{name} is not zero where there is no element")

    case.each(check)


@holds
def labels_have_no_part_in_it(case: ViewCase) -> None:
    """Neither in what is fitted nor in what is shown: it is fitted on the pool, whose labels nobody has."""

    def check(jets: Jets) -> None:
        batch = _batch(jets)
        bare = batch.replace(targets={})
        view, other = small_view(case.entry.name, batch), small_view(case.entry.name, bare)
        expect(view == other, "it is fitted otherwise without labels")
        _expect_same(view(bare), view(batch), "it shows something else without labels")

    each(case.jets.items(), check)


@holds
def a_jet_is_shown_as_it_is_alone(case: ViewCase) -> None:
    """What is fitted is fitted once: nothing that is shown later depends on the jets beside it."""

    def check(view: FittedView, batch: Batch) -> None:
        before = view.model_dump_json()
        together = view(batch)
        alone = Inputs.join([view(one) for one in _one_by_one(batch)])
        _expect_close(alone, together, "what it shows of a jet depends on the jets beside it")
        expect(view.model_dump_json() == before, "it is another view after it has shown jets")

    case.each(check)


def _one_by_one(batch: Batch) -> list[Batch]:
    found = []
    for i in range(batch.size):
        mine = batch.jet == i
        targets = {name: target[i : i + 1] for name, target in batch.targets.items()}
        one = batch.replace(size=1, jet_eta=batch.jet_eta[i : i + 1], targets=targets, jet=batch.jet[mine] * 0)
        found.append(one.replace(eta=batch.eta[mine], phi=batch.phi[mine], values=batch.values[mine]))
    return found


@holds
def the_order_of_deposits_does_not_matter(case: ViewCase) -> None:
    def check(view: FittedView, batch: Batch) -> None:
        order = torch.randperm(len(batch.jet), generator=torch_rng("order"))
        order = order[torch.argsort(batch.jet[order], stable=True)]
        mixed = batch.replace(eta=batch.eta[order], phi=batch.phi[order], values=batch.values[order])
        _expect_close(view(mixed), view(batch), "what it shows depends on the order of a jet's deposits in the file")

    case.each(check)


@holds
def a_jet_without_deposits_is_shown(case: ViewCase) -> None:
    def check(view: FittedView, batch: Batch) -> None:
        for kept in (batch.keep(batch.jet > 0), batch.keep(batch.jet < 0)):
            seen = view(kept)
            finite = all(bool(tensor.isfinite().all()) for tensor in seen.tensors.values())
            expect(finite, "a jet without deposits is not finite")
            expect(seen.mask is None or not seen.mask[0].any(), "a jet without deposits has elements")

    case.each(check)


@holds
def the_batch_is_left_as_it_is(case: ViewCase) -> None:
    def check(view: FittedView, batch: Batch) -> None:
        before = copied(batch)
        view(batch), view.unscaled(batch), view.hide(batch, SHARE, torch_rng("hide"))
        for name, tensor in copied(batch).items():
            expect_equal(tensor, before[name], f"it writes into the batch, {name}")

    case.each(check)


@holds
def a_fitted_view_comes_back_from_json(case: ViewCase) -> None:
    def check(view: FittedView, batch: Batch) -> None:
        again = type(view).model_validate(json.loads(view.model_dump_json()))
        expect(again == view, "JSON gives back another view")
        _expect_same(again(batch), view(batch), "the view that JSON gives back shows something else")

    case.each(check)


@holds
def what_is_shown_unscaled_is_scaled_to_what_is_shown(case: ViewCase) -> None:
    def check(view: FittedView, batch: Batch) -> None:
        _expect_close(view.scale(view.unscaled(batch)), view(batch), "`scale` of `unscaled` is not what it shows")
        told = view.told(batch.meta.channels)
        expect(
            told.endswith(".") and all(f"`{name}`" in told for name in view.shapes),
            f"`told` is no sentence of its tensors: {told!r}",
        )

    case.each(check)


@holds
def mixed_jets_look_like_jets(case: ViewCase) -> None:
    """A jet that is mixed with itself is itself."""

    def check(view: FittedView, batch: Batch) -> None:
        seen = view.mixed(batch, Mixing(0.7, torch.randperm(batch.size, generator=torch_rng("mixed"))))
        expect({name: tuple(t.shape[1:]) for name, t in seen.tensors.items()} == view.shapes, "mixed jets have other shapes")
        expect(all(bool(t.isfinite().all()) for t in seen.tensors.values()), "mixed jets are not finite")
        _expect_close(
            view.mixed(batch, Mixing(0.7, torch.arange(batch.size))), view(batch), "a jet that is mixed with itself is another"
        )

    case.each(check)


@holds
def what_is_hidden_has_the_declared_widths(case: ViewCase) -> None:
    def check(view: FittedView, batch: Batch) -> None:
        with expect_untouched_generator("it hides by torch's own generator; draw from the one that is given"):
            seen = view.hide(batch, SHARE, torch_rng("hide"))
        _expect_same(view.hide(batch, SHARE, torch_rng("hide")), seen, "with the same generator something else is hidden")
        hidden = seen["hidden"]
        expect(hidden.dtype == torch.bool and hidden.ndim == 2, f"`hidden` is {hidden.dtype} of the shape {tuple(hidden.shape)}")
        expect(hidden.any() and not hidden.all(), "nothing is hidden, or everything")
        for name, width in zip(("place", "content"), view.hidden_widths, strict=True):
            form = (*hidden.shape, width)
            expect(tuple(seen[name].shape) == form, f"`{name}` has the shape {tuple(seen[name].shape)}, and {form} is declared")
        shown = {name: tuple(seen[name].shape[1:]) for name in view.shapes}
        expect(shown == view.shapes, f"with a part hidden it shows {shown}, and declares {view.shapes}")

    case.each(check)


@holds
def it_reads_no_more_channels_than_it_says(case: ViewCase) -> None:
    if case.entry.reads == "all":
        raise LeftOut("it may look at every channel")

    def check(jets: Jets) -> None:
        view = small_view(case.entry.name, _batch(jets))
        _expect_same(
            view(_batch(with_more(jets), SHOWN)), view(_batch(jets, SHOWN)), "a channel without pT changes what it shows"
        )

    each(case.jets.items(), check)


def with_more(jets: Jets) -> Jets:
    """Return the same jets with one channel more, which carries no pT."""
    from jetbench.jets import Channel

    channels = (*jets.meta.channels, Channel(name="charge", unit=""))
    values = np.concatenate([jets.values, np.sin(np.arange(len(jets.values), dtype=np.float32))[:, None]], axis=1)
    return replace(jets, meta=jets.meta.replace(channels=channels), values=values)


def _tensors(seen: Inputs) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in copied(seen).items() if not name.startswith("target")}


def _expect_same(found: Inputs, expected: Inputs, told: str) -> None:
    for name, tensor in _tensors(expected).items():
        expect_equal(_tensors(found)[name], tensor, told)


def _expect_close(found: Inputs, expected: Inputs, told: str) -> None:
    for name, tensor in _tensors(expected).items():
        if tensor.is_floating_point():
            expect_close(_tensors(found)[name], tensor, told)
        else:
            expect_equal(_tensors(found)[name], tensor, told)
