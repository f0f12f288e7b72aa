"""Jets that are probably the same while their bits differ: another precision, unit or order, or no soft deposits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jetbench.jets.container import Jets
from jetbench.jets.ragged import owners
from jetbench.jets.selection import blocks

__all__ = ["HARDEST", "Likenesses", "portraits"]

HARDEST = 6  # deposits that are compared: soft ones are what thresholds differ in
# Half precision has eleven bits: two roundings of a ratio differ by 2⁻¹⁰ in its logarithm at most, two of an absolute
# pseudorapidity of 2 to 4 by 2⁻⁹, and differences of two such by 2⁻⁸. Among 7e7 pairs of simulated jets none was nearer to being
# alike than fifteen times these (tests/jets/test_likeness.py asks for five).
LOG_PT, ANGLE = 2.0**-9, 2.0**-8


def portraits(block: Jets) -> np.ndarray:
    """Describe jets in memory by what survives another way to store them, (n, 15), in units of the tolerance.

    Five times the ratio of pT (as a logarithm), eta and phi of the second to sixth hardest deposit against the hardest one: no
    unit, no axis and no order (but of deposits with the same pT) matters, and neither does what is softer. NaN for jets with
    fewer than six deposits of some pT.
    """
    pt = block.pt()
    kept = np.flatnonzero(pt > 0)
    jet = owners(block.offsets)[kept]
    order = kept[np.lexsort((-pt[kept], jet))]
    counts = np.bincount(jet, minlength=len(block))
    known = np.flatnonzero(counts >= HARDEST)
    places = order[(np.cumsum(counts) - counts)[known, None] + np.arange(HARDEST)]
    found = np.full((len(block), 3 * (HARDEST - 1)), np.nan)
    log_pt = np.zeros(len(pt))  # deposits without pT stand at none of the places
    log_pt[kept] = np.log(pt[kept], dtype=np.float64)
    columns = ((log_pt, LOG_PT), (block.eta, ANGLE), (block.phi, ANGLE))
    found[known] = np.hstack([(column[places[:, 1:]] - column[places[:, :1]]) / size for column, size in columns])
    return found


class Likenesses:
    """The jets of one side, in a tree, asked for those of another side that look like one of them."""

    def __init__(self, jets: Jets, rows: np.ndarray) -> None:
        """Take the jets at `rows` (k,), which are held in memory by fifteen numbers each."""
        from scipy.spatial import KDTree

        found = np.concatenate([portraits(block.take(_within(rows, start, len(block)) - start)) for start, block in blocks(jets)])
        self._rows = np.sort(rows)[(known := np.isfinite(found[:, 0]))]
        self._tree = KDTree(found[known])

    def pairs(self, jets: Jets) -> Iterator[tuple[int, int]]:
        """Yield (row of the one side, row of `jets`) of each jet of a file that looks like one of these, read once in blocks."""
        for start, block in blocks(jets):
            found = portraits(block)
            known = np.flatnonzero(np.isfinite(found[:, 0]))
            apart, nearest = self._tree.query(found[known], p=np.inf, distance_upper_bound=1)
            alike = np.isfinite(apart)
            yield from zip(self._rows[nearest[alike]].tolist(), (start + known[alike]).tolist(), strict=True)


def _within(rows: np.ndarray, start: int, number: int) -> np.ndarray:
    """Those of `rows` (k,), in rising order, that are among so many from `start` on."""
    return np.sort(rows[(rows >= start) & (rows < start + number)])
