"""Sets of constituents for the encoders that see them: made up, of different sizes, the last one empty."""

from __future__ import annotations

import torch
from torch import Tensor

from jetbench.seeds import torch_rng
from jetbench.views.inputs import Inputs

NUMBER, FEATURES = 12, 8
SHAPES = {"constituents": (NUMBER, FEATURES)}
SIZES = (12, 9, 8, 5, 3, 2, 1, 0)


def toy_sets(sizes: tuple[int, ...] = SIZES, name: str = "sets") -> Inputs:
    """Jets of so many constituents, padded with zeros."""
    mask = torch.arange(NUMBER)[None] < torch.tensor(sizes)[:, None]
    return Inputs({"constituents": torch.randn(len(sizes), NUMBER, FEATURES, generator=torch_rng(name)) * mask[..., None]}, mask)


def mask_of(inputs: Inputs) -> Tensor:
    assert inputs.mask is not None
    return inputs.mask
