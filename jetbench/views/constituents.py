"""The constituents view: the hardest deposits of each jet as a padded set, with a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, cast

import torch
from torch import Tensor

from jetbench.data.batch import Batch
from jetbench.errors import SuiteError
from jetbench.jets import Channel
from jetbench.spec import Scalar
from jetbench.views.channels import Shown, show_channels, shown_channels
from jetbench.views.inputs import Inputs
from jetbench.views.mixing import Mixing
from jetbench.views.view import FittedView

__all__ = ["ETA", "LOG_PT", "PHI", "ConstituentsView", "hardest", "jetnet_features", "particle_features"]

SOFTEST = 1e-3  # of the jet's pT: what is below counts as that in the logarithms
ETA, PHI, LOG_PT = 0, 1, 3  # where these stand among all features
# of Δeta, Δphi and the share of pT, as the package jetnet normalises them for its ParticleNet (arXiv:2106.11535): x/most − shift
JETNET_MOST = (1.6211985349655151, 0.520724892616272, 0.8934717178344727)
JETNET_SHIFT = (0.0, 0.0, 0.5)

Features = Literal["all", "jetnet"]


class ConstituentsView(FittedView):
    """Batch -> `constituents` (n, number, features), in falling order of pT, padded with zeros, and their mask.

    The features of a deposit are Δeta, Δphi, its distance from the axis, the logarithms of its pT and of its share of the jet's
    pT, and the share of each channel in its pT (tracks, photons and neutral hadrons have one each; with `channels` "pt" it is 1).
    Each is shifted by `mean` and divided by `spread`, those of the deposits of the pool. `features` "jetnet" are the three that
    the package jetnet shows its ParticleNet, Δeta, Δphi and the share of the jet's pT, shifted and divided as there.
    """

    number: int
    channels: Shown = "all"
    features: Features = "all"
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    @classmethod
    def fit(cls, batch: Batch, options: Mapping[str, Scalar]) -> Self:
        number = int(options["number"] or 0)
        if number < 1:
            raise SuiteError(f"view.constituents.number is {number}; a jet has at least one constituent")
        shown, features = shown_channels(options), cast(Features, options.get("features", "all"))
        if features == "jetnet":
            mean = tuple(shift * most for shift, most in zip(JETNET_SHIFT, JETNET_MOST, strict=True))
            return cls(number=number, channels=shown, features=features, mean=mean, spread=JETNET_MOST)
        values = particle_features(show_channels(batch, shown)).double()
        spread = values.std(dim=0) if len(values) > 1 else values.new_ones(values.shape[1])
        return cls(
            number=number,
            channels=shown,
            mean=tuple(values.mean(dim=0).tolist()),
            spread=tuple(torch.where(spread > 0, spread, 1.0).tolist()),
        )

    def __call__(self, batch: Batch) -> Inputs:
        return self._padded(batch, self._scaled(self._features(batch)))

    def unscaled(self, batch: Batch) -> Inputs:
        return self._padded(batch, self._features(batch))

    def scale(self, inputs: Inputs) -> Inputs:
        assert inputs.mask is not None
        scaled = self._scaled(inputs["constituents"])
        return Inputs({"constituents": torch.where(inputs.mask[..., None], scaled, 0.0)}, inputs.mask)

    def told(self, channels: tuple[Channel, ...]) -> str:
        return (
            f"`constituents` (n, {self.number}, {len(self.mean)}) float32 holds the {self.number} deposits of the largest pT in "
            f"falling order; `mask` (n, {self.number}) bool is true where there is one, and the rest is zero. The features, "
            f"without scaling: Δeta and Δphi to the jet axis; {self._told_of_pt(channels)}."
        )

    def _told_of_pt(self, channels: tuple[Channel, ...]) -> str:
        share = "share in the pT of all deposits of the jet"
        if self.features == "jetnet":
            return f"the {share}"
        shown = ["pt"] if self.channels == "pt" else [channel.name for channel in channels]
        unit = next(channel.unit for channel in channels if channel.role == "pt") or "no unit"
        return (
            f"their distance from it; ln pT [{unit}]; ln of the {share}, of {SOFTEST:g} where it is less, in both logarithms; "
            f"the share in the deposit's own pT of {', '.join(shown)}"
        )

    def _features(self, batch: Batch) -> Tensor:
        return jetnet_features(batch) if self.features == "jetnet" else particle_features(show_channels(batch, self.channels))

    def _scaled(self, features: Tensor) -> Tensor:
        mean, spread = (torch.tensor(one, device=features.device) for one in (self.mean, self.spread))
        return (features - mean) / spread

    def _padded(self, batch: Batch, features: Tensor) -> Inputs:
        """The features of deposits (deposits, k) as a padded set of each jet."""
        kept, place = hardest(batch, self.number)
        padded = features.new_zeros(batch.size, self.number, features.shape[1])
        padded[batch.jet[kept], place] = features[kept]
        mask = torch.zeros(batch.size, self.number, dtype=torch.bool, device=features.device)
        mask[batch.jet[kept], place] = True
        return Inputs({"constituents": padded}, mask)

    def mixed(self, batch: Batch, mixing: Mixing) -> Inputs:
        """Show the union of both jets' deposits, the hardest of which are kept: sets have no places in common to be averaged."""
        return self(mixing.union(batch))

    def hide(self, batch: Batch, share: float, rng: torch.Generator) -> Inputs:
        """Hide deposits: what is shown is made of the others alone, shares in the pT of the jet as well. The place of a hidden
        one is its direction, its content the other features that it has in the whole jet."""
        drawn = torch.rand(len(batch.jet), generator=rng) < share
        shown, gone = self(batch.keep(~drawn)), self._padded(batch.keep(drawn), self._scaled(self._features(batch))[drawn])
        place, content = gone["constituents"].split(self.hidden_widths, dim=2)
        assert gone.mask is not None
        return shown.with_tensors(place=place, content=content, hidden=gone.mask)

    @property
    def hidden_widths(self) -> tuple[int, int]:
        directions = LOG_PT if self.features == "all" else PHI + 1
        return directions, len(self.mean) - directions

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"constituents": (self.number, len(self.mean))}


def particle_features(batch: Batch) -> Tensor:
    """Compute the features (deposits, 5 + channels) of each deposit, in no unit but radians and log GeV."""
    pt = batch.pt()
    total = batch.sum(pt)[batch.jet].clamp(min=torch.finfo(pt.dtype).tiny)
    share = (pt / total).clamp(min=SOFTEST)
    soft = (SOFTEST * total).clamp(min=torch.finfo(pt.dtype).tiny)
    columns = [batch.eta, batch.phi, torch.hypot(batch.eta, batch.phi), torch.maximum(pt, soft).log(), share.log()]
    fractions = batch.values / pt.clamp(min=torch.finfo(pt.dtype).tiny)[:, None]
    return torch.cat([torch.stack(columns, dim=1), fractions.clamp(-1e3, 1e3)], dim=1)


def jetnet_features(batch: Batch) -> Tensor:
    """Compute Δeta, Δphi [rad] and the share in the jet's pT of each deposit, (deposits, 3)."""
    pt = batch.pt()
    total = batch.sum(pt)[batch.jet].clamp(min=torch.finfo(pt.dtype).tiny)
    return torch.stack([batch.eta, batch.phi, pt / total], dim=1)


def hardest(batch: Batch, number: int) -> tuple[Tensor, Tensor]:
    """Return which deposits (kept,) are among the `number` of the largest pT of their jet, and their place there, 0 the hardest.
    Of equal ones the first in the file is harder."""
    falling = torch.argsort(batch.pt(), descending=True, stable=True)
    order = falling[torch.argsort(batch.jet[falling], stable=True)]
    counts = torch.bincount(batch.jet, minlength=batch.size)
    first = counts.cumsum(0) - counts
    place = torch.arange(len(order), device=order.device) - first[batch.jet[order]]
    inside = place < number
    return order[inside], place[inside]
