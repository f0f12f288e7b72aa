"""A batch of jets as ragged tensors, gathered for all jets at once from memory, or from a file in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from jetbench.jets import Jets, Meta
from jetbench.jets.selection import deposit_bytes

__all__ = ["BUFFER_BYTES", "Batch", "JetTensors", "join"]

BUFFER_BYTES = 1 << 28  # of deposits in memory at a time: 256 MB
SWEEP_BYTES = 1 << 25  # of deposits on file that one look at all of them holds at a time: 32 MB


@dataclass(frozen=True, eq=False)
class Batch:
    """`size` jets: jet (deposits,) the row of the jet that a deposit belongs to, rising; eta, phi (deposits,) relative to the
    jet axis; values (deposits, channels); jet_eta (size,); targets, each (size,) or (size, classes); weight (size,) in a
    supervised loss, None where all jets have the same."""

    meta: Meta
    size: int
    jet: Tensor
    eta: Tensor
    phi: Tensor
    values: Tensor
    jet_eta: Tensor
    targets: dict[str, Tensor]
    weight: Tensor | None = None

    def replace(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def keep(self, mask: Tensor) -> Self:
        """Keep only the deposits where mask (deposits,) is true; jets may become empty, none disappears."""
        return replace(self, jet=self.jet[mask], eta=self.eta[mask], phi=self.phi[mask], values=self.values[mask])

    def pt(self) -> Tensor:
        """Return the transverse momentum of each deposit (deposits,) [GeV]: the sum of its channels with the role "pt".

        Raises `DataFileError` where there is none.
        """
        return self.values[:, self.meta.pt_channels()].sum(dim=1)

    def summed(self) -> Self:
        """Keep of each deposit its pT alone, as the only channel. Raises `DataFileError` where no channel has the role "pt"."""
        return replace(self, meta=self.meta.summed(), values=self.pt()[:, None])

    def sum(self, per_deposit: Tensor) -> Tensor:
        """Sum over each jet's deposits (size,)."""
        return per_deposit.new_zeros(self.size).index_add_(0, self.jet, per_deposit)


def join(batches: Sequence[Batch]) -> Batch:
    """Put the jets of several batches into one, in their order."""
    first = batches[0]
    if len(batches) == 1:
        return first
    starts = np.cumsum([0, *(b.size for b in batches)]).tolist()
    return Batch(
        meta=first.meta,
        size=starts[-1],
        jet=torch.cat([b.jet + start for b, start in zip(batches, starts, strict=False)]),
        eta=torch.cat([b.eta for b in batches]),
        phi=torch.cat([b.phi for b in batches]),
        values=torch.cat([b.values for b in batches]),
        jet_eta=torch.cat([b.jet_eta for b in batches]),
        targets={name: torch.cat([b.targets[name] for b in batches]) for name in first.targets},
        weight=None if first.weight is None else torch.cat([b.weight for b in batches if b.weight is not None]),
    )


class JetTensors:
    """Jets as tensors, from which batches are gathered without a loop over jets. Targets (n,) are in memory, `pt` among them; the
    deposits stay where the jets have them, and those of a file are read when they are asked for. `weight` (n,) is None until a
    training has one."""

    def __init__(self, jets: Jets) -> None:
        self.meta = jets.meta
        self.weight: Tensor | None = None
        self.jets = jets
        self.offsets = torch.from_numpy(np.ascontiguousarray(jets.offsets))
        self.jet_eta = _tensor(jets.jet_eta[:], np.float32)
        self.targets = {name: _tensor(column[:]) for name, column in jets.predictable().items()}
        if jets.in_memory:
            self.eta, self.phi, self.values = (_tensor(column, np.float32) for column in (jets.eta, jets.phi, jets.values))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def hold(self, rows: np.ndarray) -> JetTensors:
        """Return the jets at `rows` (k,) alone, in that order, in memory, with the targets that they have here."""
        held = JetTensors(replace(self.jets, targets={}).take(rows))
        held.targets = {name: column[torch.from_numpy(rows)] for name, column in self.targets.items()}
        held.weight = None if self.weight is None else self.weight[torch.from_numpy(rows)]
        return held

    def batch(self, indices: Tensor) -> Batch:
        """Gather the jets at `indices` (size,), int64, in that order."""
        if not self.jets.in_memory:
            return self.hold(indices.numpy()).batch(torch.arange(len(indices), device=indices.device))
        starts = self.offsets[indices]
        counts = self.offsets[indices + 1] - starts
        ends = counts.cumsum(0)
        jet = torch.repeat_interleave(torch.arange(len(indices), device=counts.device), counts)
        deposits = torch.arange(len(jet), device=jet.device) + (starts - ends + counts)[jet]
        return Batch(
            meta=self.meta,
            size=len(indices),
            jet=jet,
            eta=self.eta[deposits],
            phi=self.phi[deposits],
            values=self.values[deposits],
            jet_eta=self.jet_eta[indices],
            targets={name: column[indices] for name, column in self.targets.items()},
            weight=None if self.weight is None else self.weight[indices],
        )

    def sweep(self, rows: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, Batch]]:
        """Yield every jet at `rows` (k,) once, in batches of at most `size` with their places in `rows`. A file is read
        forwards."""
        places = np.arange(len(rows)) if self.jets.in_memory else np.argsort(rows, kind="stable")
        for part in self._parts(rows, places):
            held = self if self.jets.in_memory else self.hold(rows[part])
            for chosen in np.array_split(np.arange(len(part)), max(1, -(-len(part) // size))):
                indices = rows[part[chosen]] if self.jets.in_memory else chosen
                yield part[chosen], held.batch(torch.from_numpy(indices))

    def _parts(self, rows: np.ndarray, places: np.ndarray) -> list[np.ndarray]:
        """The places in parts whose deposits on file take no more than `SWEEP_BYTES`, or one jet."""
        if self.jets.in_memory:
            return [places]
        ends = np.cumsum(deposit_bytes(self.jets, rows[places]))
        return np.split(places, np.flatnonzero(np.diff(ends // SWEEP_BYTES)) + 1)


def _tensor(column: np.ndarray, dtype: type | None = None) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(column, dtype=dtype))
