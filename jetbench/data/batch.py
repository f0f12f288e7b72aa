"""A batch of jets as ragged tensors, gathered for all jets at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from jetbench.jets import Jets, Meta

__all__ = ["Batch", "JetTensors"]


@dataclass(frozen=True, eq=False)
class Batch:
    """`size` jets: jet (deposits,) the row of the jet that a deposit belongs to, rising; eta, phi (deposits,) relative to the
    jet axis; values (deposits, channels); jet_eta (size,); targets, each (size,)."""

    meta: Meta
    size: int
    jet: Tensor
    eta: Tensor
    phi: Tensor
    values: Tensor
    jet_eta: Tensor
    targets: dict[str, Tensor]

    def replace(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def keep(self, mask: Tensor) -> Self:
        """Only the deposits where mask (deposits,) is true; jets may become empty, none disappears."""
        return replace(self, jet=self.jet[mask], eta=self.eta[mask], phi=self.phi[mask], values=self.values[mask])

    def pt(self) -> Tensor:
        """Transverse momentum of each deposit (deposits,) [GeV]: the sum of its channels with the role "pt".

        Raises `DataFileError` where there is none.
        """
        return self.values[:, self.meta.pt_channels()].sum(dim=1)

    def sum(self, per_deposit: Tensor) -> Tensor:
        """Sum over each jet's deposits (size,)."""
        return torch.zeros(self.size, dtype=per_deposit.dtype).index_add_(0, self.jet, per_deposit)


class JetTensors:
    """Jets in memory as tensors, from which batches are gathered without a loop over jets."""

    def __init__(self, jets: Jets) -> None:
        self.meta = jets.meta
        self.offsets = torch.from_numpy(np.ascontiguousarray(jets.offsets))
        self.eta, self.phi, self.values, self.jet_eta = (
            torch.from_numpy(np.ascontiguousarray(column[:], dtype=np.float32))
            for column in (jets.eta, jets.phi, jets.values, jets.jet_eta)
        )
        self.targets = {name: torch.from_numpy(np.ascontiguousarray(column[:])) for name, column in jets.targets.items()}

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def batch(self, indices: Tensor) -> Batch:
        """The jets at `indices` (size,), int64, in that order."""
        starts = self.offsets[indices]
        counts = self.offsets[indices + 1] - starts
        ends = counts.cumsum(0)
        jet = torch.repeat_interleave(torch.arange(len(indices)), counts)
        deposits = torch.arange(len(jet)) + (starts - ends + counts)[jet]
        return Batch(
            meta=self.meta,
            size=len(indices),
            jet=jet,
            eta=self.eta[deposits],
            phi=self.phi[deposits],
            values=self.values[deposits],
            jet_eta=self.jet_eta[indices],
            targets={name: column[indices] for name, column in self.targets.items()},
        )
