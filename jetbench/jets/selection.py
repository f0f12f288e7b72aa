"""Reading jets in bounded memory: all of them block by block, or chosen ones in one pass through the file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from jetbench.jets.meta import PER_DEPOSIT

if TYPE_CHECKING:
    from jetbench.jets.container import Jets

__all__ = ["blocks", "deposit_bytes", "read_rows"]

J = TypeVar("J", bound="Jets")

BLOCK_BYTES = 1 << 24  # of the deposits of one block; the work on them takes about ten times as much
BLOCK_JETS = 1 << 17  # so that a block of empty jets is bounded as well
READ_DEPOSITS = 1 << 20  # in one stretch: 20 MB of three channels
GAP_DEPOSITS = 1 << 16  # a larger gap between two chosen jets is skipped, a smaller one read along: a few chunks of a file


def blocks(jets: J) -> Iterator[tuple[int, J]]:
    """Yield consecutive jets in memory with the row of the first; one block without jets where there are none."""
    most = BLOCK_BYTES // (4 * (2 + len(jets.meta.channels)))
    start = 0
    while start < len(jets) or start == 0:
        fitting = int(np.searchsorted(jets.offsets, jets.offsets[start] + most, "right")) - 1
        stop = min(max(fitting, start + 1), start + BLOCK_JETS)
        yield start, jets[start:stop]
        start = stop


def deposit_bytes(jets: Jets, rows: np.ndarray) -> np.ndarray:
    """Return the memory (k,) [bytes] that the deposits of the jets at `rows` (k,) take."""
    return (jets.offsets[rows + 1] - jets.offsets[rows]) * (4 * (2 + len(jets.meta.channels)))


def read_rows(jets: J, rows: np.ndarray) -> J:
    """Read the jets at `rows` (k,), in that order, into memory, in one pass through the file.

    Beside them, one stretch of the file is held; where the rows do not rise, the jets are held twice for a moment.
    """
    rising, places = np.unique(rows, return_inverse=True)
    chosen = _read_rising(jets, rising)
    return chosen if np.array_equal(rising, rows) else chosen.take(places)


def _read_rising(jets: J, rows: np.ndarray) -> J:
    offsets = np.concatenate([[0], np.cumsum(jets.offsets[rows + 1] - jets.offsets[rows])])
    columns: dict[str, Any] = {
        name: np.empty((int(offsets[-1]) if name in PER_DEPOSIT else len(rows), *column.shape[1:]), column.dtype)
        for name, column in jets.columns()
    }
    for first, last in _stretches(jets.offsets, rows):
        start = int(rows[first])
        part = jets[start : int(rows[last - 1]) + 1].take(rows[first:last] - start)
        for name, column in part.columns():
            a, b = (offsets[first], offsets[last]) if name in PER_DEPOSIT else (first, last)
            columns[name][a:b] = column
    targets = {name: columns.pop(f"targets/{name}") for name in jets.targets}
    return replace(jets, offsets=offsets, **columns, targets=targets, stored=None)


def _stretches(offsets: np.ndarray, rows: np.ndarray) -> Iterator[tuple[int, int]]:
    """(first, last): rows[first:last] are read at once. A stretch is longer than `READ_DEPOSITS` by one jet at most."""
    if len(rows) == 0:
        return
    far = offsets[rows[1:]] - offsets[rows[:-1] + 1] > GAP_DEPOSITS
    full = np.diff((offsets[rows] - offsets[rows[0]]) // READ_DEPOSITS) > 0
    edges = [0, *(np.flatnonzero(far | full) + 1).tolist(), len(rows)]
    yield from itertools.pairwise(edges)
