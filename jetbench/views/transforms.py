"""Symmetries and detector effects, each on all deposits of a batch at once: (batch, rng, **strengths) -> batch.

Per-jet draws are made first and looked up per deposit. Strengths are those of protocol-level defaults: an image moves by less
than two pixels, a drop hits soft deposits, a zoom keeps at least 80 % of the area.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from jetbench.data.batch import Batch

__all__ = [
    "collinear_splitting",
    "crop_zoom",
    "dequantise",
    "drop",
    "energy_scale",
    "flip",
    "rotation",
    "smearing",
    "translation",
]


def _uniform(rng: Generator, low: float, high: float, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand(*shape, generator=rng)


def rotate(batch: Batch, angle: Tensor) -> Batch:
    """Turn each jet about its axis by angle (size,) [rad]."""
    cos, sin = angle.cos()[batch.jet], angle.sin()[batch.jet]
    return batch.replace(eta=cos * batch.eta - sin * batch.phi, phi=sin * batch.eta + cos * batch.phi)


def rotation(batch: Batch, rng: Generator, max_angle: float = math.pi) -> Batch:
    """Rotate about the jet axis by U[-max_angle, max_angle) (JetCLR, arXiv:2108.04253: all angles)."""
    return rotate(batch, _uniform(rng, -max_angle, max_angle, batch.size))


def reflect(batch: Batch, eta: Tensor, phi: Tensor) -> Batch:
    """Mirror the jets where the flags eta, phi (size,) are true."""
    return batch.replace(
        eta=torch.where(eta[batch.jet], -batch.eta, batch.eta), phi=torch.where(phi[batch.jet], -batch.phi, batch.phi)
    )


def flip(batch: Batch, rng: Generator, eta: bool = True, phi: bool = True) -> Batch:
    """Mirror in eta and in phi, each with probability one half."""
    coins = torch.rand(2, batch.size, generator=rng) < 0.5
    return reflect(batch, coins[0] & eta, coins[1] & phi)


def translation(batch: Batch, rng: Generator, distance: float = 0.05, extents: float = 0.0) -> Batch:
    """Shift each jet by U[-distance, distance] in eta and in phi, and by U[-extents, extents] of its own extent in them.

    The default is below one pixel of 24 over ±0.8. JetCLR (arXiv:2108.04253) has 1.0 of the extent, which is the difference
    of the largest and the smallest coordinate, and keeps phi within ±pi: that throws half the pT of an image out of its frame.
    """
    shift = _uniform(rng, -distance, distance, 2, batch.size)
    if extents:
        low, high = _ends(batch, torch.stack([batch.eta, batch.phi]))
        most = extents * (high - low)
        limits = torch.tensor([[math.inf], [math.pi]], device=most.device)  # a jet that is beyond already is not moved further
        down, up = torch.maximum(-most, (-limits - low).clamp(max=0)), torch.minimum(most, (limits - high).clamp(min=0))
        shift = shift + down + (up - down) * _uniform(rng, 0, 1, 2, batch.size)
    return batch.replace(eta=batch.eta + shift[0][batch.jet], phi=batch.phi + shift[1][batch.jet])


def _ends(batch: Batch, per_deposit: Tensor) -> tuple[Tensor, Tensor]:
    """The smallest and the largest in each jet of rows (k, deposits), (k, size) each; zeros for jets without deposits."""
    empty, jet = per_deposit.new_zeros(len(per_deposit), batch.size), batch.jet.expand_as(per_deposit)
    low, high = (empty.scatter_reduce(1, jet, per_deposit, end, include_self=False) for end in ("amin", "amax"))
    return low, high


def smearing(batch: Batch, rng: Generator, scale: float = 0.1, softest: float = 0.1) -> Batch:
    """Move each deposit by N(0, scale/pT) in eta and phi, pT [GeV] clipped below at `softest` (JetCLR, arXiv:2108.04253)."""
    sigma = scale / batch.pt().clamp(min=softest)
    noise = torch.randn(2, len(sigma), generator=rng) * sigma
    return batch.replace(eta=batch.eta + noise[0], phi=batch.phi + noise[1])


def collinear_splitting(batch: Batch, rng: Generator, number: int = 80, times: int = 2) -> Batch:
    """Split deposits in two at the same place, with shares r and 1−r of all that is summed and r ~ U(0, 1), `times` over.

    Each time a random choice of a jet's deposits is split, each of them once, as long as the jet has fewer than `number`. So
    JetCLR (arXiv:2108.04253) fills the padded slots of its 50 constituents, twice. With the number that constituents are cut at,
    no deposit is brought in or pushed out by that. Averages such as a time are those of the deposit that was split.
    """
    for _ in range(times):
        batch = _split(batch, rng, number)
    return batch


def _split(batch: Batch, rng: Generator, number: int) -> Batch:
    counts = torch.bincount(batch.jet, minlength=batch.size)
    free = (number - counts)[batch.jet]
    place = torch.arange(len(batch.jet), device=batch.jet.device) - (counts.cumsum(0) - counts)[batch.jet]
    shuffled = (batch.jet + torch.rand(len(batch.jet), generator=rng, dtype=torch.float64)).argsort()  # inside each jet
    split = torch.zeros_like(batch.jet, dtype=torch.bool)
    split[shuffled[place < free]] = True
    share = torch.where(split, _uniform(rng, 0, 1, len(split)), 1)[:, None]
    source = torch.repeat_interleave(1 + split.long())  # both prongs of a deposit follow each other
    second = torch.zeros_like(source, dtype=torch.bool)
    second[1:] = source[1:] == source[:-1]
    first, whole = (batch.values * share)[source], batch.values[source]
    shared = torch.where(second[:, None], whole - first, first)
    return batch.replace(
        jet=batch.jet[source],
        eta=batch.eta[source],
        phi=batch.phi[source],
        values=torch.where(_extensive(batch), shared, whole),
    )


def _extensive(batch: Batch) -> Tensor:
    """Which channels (channels,) are summed."""
    return torch.tensor([channel.combine == "sum" for channel in batch.meta.channels], device=batch.values.device)


def drop(batch: Batch, rng: Generator, rate: float = 0.3, pt_scale: float = 2.0) -> Batch:
    """Lose deposits as a detector does, the soft ones: with probability rate·exp(−pT/pt_scale) [GeV]."""
    lost = torch.rand(len(batch.jet), generator=rng) < rate * torch.exp(-batch.pt() / pt_scale)
    return batch.keep(~lost)


def energy_scale(batch: Batch, rng: Generator, sigma: float = 0.02, resolution: float = 0.0) -> Batch:
    """Multiply the extensive channels by a factor per jet, N(1, sigma), and per deposit, N(1, resolution), floored at zero.

    The factor of the jet is the brightness of its image: before a linear scaling to [0, 1] or after it is the same, up to a clip
    at 1 that some have. Averages such as a time are not made brighter.
    """
    factor = (1 + sigma * torch.randn(batch.size, generator=rng))[batch.jet]
    if resolution:
        factor = factor * (1 + resolution * torch.randn(len(factor), generator=rng))
    return batch.replace(values=torch.where(_extensive(batch), batch.values * factor.clamp(min=0)[:, None], batch.values))


def crop_zoom(batch: Batch, rng: Generator, area: float = 0.8, extent: float = 0.8) -> Batch:
    """Cut a random square that keeps at least `area` of the frame of ±extent and zoom it to the full frame. Deposits keep
    their energy (a bilinear resize of pixels would not)."""
    side = _uniform(rng, area, 1.0, batch.size).sqrt()
    centre = _uniform(rng, -1, 1, 2, batch.size) * (1 - side) * extent
    return batch.replace(
        eta=((batch.eta - centre[0][batch.jet]) / side[batch.jet]), phi=((batch.phi - centre[1][batch.jet]) / side[batch.jet])
    )


def dequantise(batch: Batch, rng: Generator) -> Batch:
    """Spread deposits that stand at pixel centres uniformly inside their pixel; other jets are returned as they are."""
    grid = batch.meta.grid
    if grid is None:
        return batch
    noise = torch.rand(2, len(batch.jet), generator=rng) - 0.5
    return batch.replace(
        eta=batch.eta + noise[0] * (2 * grid.eta_extent / grid.rows),
        phi=batch.phi + noise[1] * (2 * grid.phi_extent / grid.columns),
    )
