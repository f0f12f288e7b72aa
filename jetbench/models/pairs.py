"""What two constituents are to each other: the pairwise features of the Particle Transformer, and the bias that they lend to its
attention."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from jetbench.models.sets import SetNorm, where_real
from jetbench.views.constituents import ETA, LOG_PT, PHI

__all__ = ["PairBias", "pair_features"]

COLUMNS = [ETA, PHI, LOG_PT]
WIDTH = 64  # of both hidden layers
NEAREST = 1e-8  # rad: what is nearer counts as that in the logarithms, as published


def pair_features(eta: Tensor, phi: Tensor, log_pt: Tensor) -> Tensor:
    """Return ln kT, ln z, ln Δ and ln m² (n, number, number, 4) of pairs of massless constituents (n, number), with angles in
    radians and the logarithm of pT in GeV (Qu, Li, Qian, arXiv:2202.03772)."""
    apart = [one[:, :, None] - one[:, None] for one in (eta, phi)]
    angle = (apart[0].square() + apart[1].square()).clamp(min=NEAREST**2).log() / 2
    first, second = log_pt[:, :, None], log_pt[:, None]
    softer = torch.minimum(first, second)
    # m² = 2 pT pT' (cosh Δη − cos Δφ), without the difference of two numbers that are nearly one
    opening = (apart[0] / 2).sinh().square() + (apart[1] / 2).sin().square()
    mass = first + second + math.log(4) + opening.clamp(min=NEAREST**2).log()
    return torch.stack([softer + angle, softer - torch.logaddexp(first, second), angle, mass], dim=-1)


class PairBias(nn.Module):
    """Scaled features of constituents (n, number, features) and their mask -> what is added to the attention of each head
    (n, heads, number, number): a normalisation and a network of three layers of the pairwise features; zero for a constituent
    with itself, and for padding.

    What the view has subtracted and divided by belongs to the view and not to the weights.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, heads: int) -> None:
        super().__init__()
        hidden = [nn.Linear(4, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, heads)]
        self.layers = nn.Sequential(SetNorm(4), *hidden)
        self.register_buffer("mean", torch.zeros(len(COLUMNS)), persistent=False)
        self.register_buffer("spread", torch.ones(len(COLUMNS)), persistent=False)

    def unscale(self, mean: Sequence[float], spread: Sequence[float]) -> None:
        for buffer, given in ((self.mean, mean), (self.spread, spread)):
            buffer.copy_(torch.tensor([given[column] for column in COLUMNS]))

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        known = features[..., COLUMNS].float() * self.spread + self.mean
        itself = torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
        there = mask[:, :, None] & mask[:, None] & ~itself
        return where_real(self.layers, pair_features(*known.unbind(-1)), there).permute(0, 3, 1, 2)
