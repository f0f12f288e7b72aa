"""What the contract of a network asks of one that sees sets: no order of constituents, and no padding that matters."""

from __future__ import annotations

from typing import Any

import torch

from jetbench.seeds import torch_rng
from jetbench.testing.network_case import NetworkCase, pull
from jetbench.testing.properties import expect
from jetbench.testing.tensors import expect_close
from jetbench.views.inputs import Inputs

__all__ = ["SETS"]


def the_order_of_constituents_does_not_matter(case: NetworkCase) -> None:
    encoder, (seen, mask) = case.encoder().eval(), case.sets()
    order = torch.randperm(mask.shape[1], generator=torch_rng("order"))
    mixed = Inputs({name: tensor[:, order] for name, tensor in seen.tensors.items()}, mask[:, order])
    expect_close(encoder(mixed), encoder(seen), "features depend on the order of the constituents")


def padding_does_not_matter(case: NetworkCase) -> None:
    """Neither what fills it nor how much of it there is, and in training neither: statistics are those of constituents."""
    seen, mask = case.sets()
    filled = {name: torch.where(mask[..., None], tensor, 99.0) for name, tensor in seen.tensors.items()}
    more = {name: torch.cat([t, torch.full((len(t), 7, t.shape[2]), -3.0)], dim=1) for name, t in filled.items()}
    longer = Inputs(more, torch.cat([mask, mask.new_zeros(len(mask), 7)], dim=1))
    for training in (False, True):
        encoder = _without_dropout(case.encoder()).train(training)
        expected = encoder(seen)
        told = f"in {'training' if training else 'evaluation'} features depend on"
        expect_close(encoder(Inputs(filled, mask)), expected, f"{told} what fills the padding")
        expect_close(encoder(longer), expected, f"{told} how much padding there is")


def _without_dropout(encoder: Any) -> Any:
    for module in encoder.modules():
        for name in ("p", "dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)
    return encoder


def an_empty_jet_and_a_lonely_constituent_are_finite(case: NetworkCase) -> None:
    seen, mask = case.sets()
    for sizes in ((0,), (1,), (0, 0, 1), (1, 2)):
        few = torch.arange(mask.shape[1])[None] < torch.tensor(sizes)[:, None]
        tensors = {name: (t[: len(sizes)] * few[..., None]).requires_grad_() for name, t in seen.tensors.items()}
        encoder = case.encoder().train()
        pull(encoder, Inputs(tensors, few))
        gradients = [*tensors.values(), *encoder.parameters()]
        finite = all(one.grad is None or bool(one.grad.isfinite().all()) for one in gradients)
        expect(finite, f"gradients are not finite for jets of {' and '.join(map(str, sizes))} constituents")
        expect(encoder.eval()(Inputs(tensors, few)).isfinite().all(), f"features are not finite for jets of {sizes} constituents")


def padding_has_no_gradient_and_constituents_have_one(case: NetworkCase) -> None:
    seen, mask = case.sets()
    tensors = {name: tensor.clone().requires_grad_() for name, tensor in seen.tensors.items()}
    pull(case.encoder(), Inputs(tensors, mask))
    for name, tensor in tensors.items():
        expect(tensor.grad is not None, f"no gradient reaches the input {name}")
        assert tensor.grad is not None
        expect(tensor.grad[mask].any(dim=1).all(), f"no gradient reaches some constituents of {name}")
        expect(not tensor.grad[~mask].any(), f"the padding of {name} has a gradient")


SETS = (
    the_order_of_constituents_does_not_matter,
    padding_does_not_matter,
    an_empty_jet_and_a_lonely_constituent_are_finite,
    padding_has_no_gradient_and_constituents_have_one,
)
