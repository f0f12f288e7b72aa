"""Running sums over every jet of a collection that may be larger than memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from jetbench.jets import Jets, Meta
from jetbench.jets.hashes import jet_hashes

__all__ = ["Range", "Totals"]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ divided by the golden ratio: spreads small numbers (Knuth, TAOCP 3, 6.4)


@dataclass
class Range:
    """Count, extremes and moments of values that come in parts, by the pairwise update of Chan, Golub & LeVeque (1979)."""

    count: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    squares: float = 0.0  # about the mean

    def add(self, values: np.ndarray) -> None:
        if not len(values):
            return
        values = values.astype(np.float64)
        low, high, mean = float(values.min()), float(values.max()), float(values.mean())
        before = self.mean if self.mean is not None else mean
        total = self.count + len(values)
        self.squares += float(np.square(values - mean).sum())
        self.squares += (mean - before) ** 2 * self.count * len(values) / total
        self.mean = before + (mean - before) * len(values) / total
        self.minimum = low if self.minimum is None else min(self.minimum, low)
        self.maximum = high if self.maximum is None else max(self.maximum, high)
        self.count = total

    @property
    def standard_deviation(self) -> float | None:
        return (self.squares / self.count) ** 0.5 if self.count else None


@dataclass
class Totals:
    """Of every deposit: `values` per channel, all of them and those that are not zero, and how many stand outside the frame.
    Of every jet: its hash, its label, and the range of each target."""

    meta: Meta
    values: list[Range] = field(default_factory=list)
    hits: list[Range] = field(default_factory=list)
    outside: int = 0
    targets: dict[str, Range] = field(default_factory=dict)
    labels: list[np.ndarray] = field(default_factory=list)
    hashes: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = [Range() for _ in self.meta.channels]
        self.hits = [Range() for _ in self.meta.channels]

    def add(self, block: Jets) -> None:
        for i, (values, hits) in enumerate(zip(self.values, self.hits, strict=True)):
            column = block.values[:, i]
            values.add(column)
            hits.add(column[column != 0])
        self.outside += self._outside(block)
        for name, target in block.targets.items():
            if name == "label":
                self.labels.append(target)
            else:
                self.targets.setdefault(name, Range()).add(target)
        self.hashes.append(jet_hashes(block))

    def _outside(self, block: Jets) -> int:
        """Deposits outside the grid, or where there is none outside the extent."""
        grid, extent = self.meta.grid, self.meta.extent
        sides = (grid.eta_extent, grid.phi_extent) if grid else (extent, extent)
        if sides[0] is None or sides[1] is None:
            return 0
        return int(((np.abs(block.eta) > sides[0]) | (np.abs(block.phi) > sides[1])).sum())

    def copies(self, counts: np.ndarray) -> tuple[int, int]:
        """Count jets that are copies of an earlier one, and labels that contradict another copy's.

        `counts` (n,) are the deposits per jet; empty jets are copies of nothing.
        """
        hashes = np.concatenate(self.hashes)[counts > 0]
        different = len(np.unique(hashes))
        if not self.labels:
            return len(hashes) - different, 0
        labels = np.concatenate(self.labels)[counts > 0].astype(np.uint64)
        return len(hashes) - different, len(np.unique(hashes ^ (labels * GOLDEN))) - different
