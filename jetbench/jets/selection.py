"""Chosen jets of a file, read forwards once in large contiguous stretches, in bounded memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from jetbench.jets.container import PER_DEPOSIT, Jets

__all__ = ["deposit_bytes", "read_rows"]

J = TypeVar("J", bound=Jets)

READ_DEPOSITS = 1 << 20  # in one stretch: 20 MB of three channels
GAP_DEPOSITS = 1 << 16  # a larger gap between two chosen jets is skipped, a smaller one read along: a few chunks of a file


def deposit_bytes(jets: Jets, rows: np.ndarray) -> np.ndarray:
    """Memory (k,) [bytes] that the deposits of the jets at `rows` (k,) take."""
    return (jets.offsets[rows + 1] - jets.offsets[rows]) * (4 * (2 + len(jets.meta.channels)))


def read_rows(jets: J, rows: np.ndarray) -> J:
    """The jets at `rows` (k,), in that order, in memory. Beside them, one stretch of the file is held; where the rows do not
    rise, they are held twice for a moment."""
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
    return replace(jets, offsets=offsets, **columns, targets=targets, stored_digest=None)


def _stretches(offsets: np.ndarray, rows: np.ndarray) -> Iterator[tuple[int, int]]:
    """(first, last): rows[first:last] are read at once. A stretch is longer than `READ_DEPOSITS` by one jet at most."""
    if len(rows) == 0:
        return
    far = offsets[rows[1:]] - offsets[rows[:-1] + 1] > GAP_DEPOSITS
    full = np.diff((offsets[rows] - offsets[rows[0]]) // READ_DEPOSITS) > 0
    edges = [0, *(np.flatnonzero(far | full) + 1).tolist(), len(rows)]
    yield from itertools.pairwise(edges)
