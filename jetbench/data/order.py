"""The order in which jets are seen: an endless stream of shuffles of the training jets, derived from the seed alone.

Jets that fit into the buffer are permuted as a whole. More of them are shuffled as they can be read: runs of neighbours in the
file make blocks, the blocks are shuffled, a buffer is filled with the blocks that come next, and its jets are shuffled.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jetbench.seeds import numpy_rng

__all__ = ["Order"]

BLOCKS = 64  # in a buffer, fewer where they would hold less than 4 jets: enough to mix, and each is still read at disk speed


class Order:
    """The stream of the jets at `rows` (n,), of `sizes` (n,) [bytes]: shuffle k covers its positions k·n to (k+1)·n.

    No buffer holds more than `buffer_bytes`, unless a single jet does. The order depends on the arguments and on nothing else:
    any position can be asked for at any time.
    """

    def __init__(self, rows: np.ndarray, sizes: np.ndarray, buffer_bytes: int, seed: int) -> None:
        self.rows = rows
        self.seed = seed
        self._per_buffer = max(1, min(BLOCKS, buffer_bytes // (4 * int(sizes.max(initial=1)))))
        self._blocks = None if sizes.sum() <= buffer_bytes else _blocks(rows, sizes, buffer_bytes // self._per_buffer)
        self._turns: dict[int, list[np.ndarray]] = {}

    def stretches(self, start: int, stop: int) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
        """Yield positions start to stop of the stream as (buffer, rows that follow each other in it), in their order."""
        n = len(self.rows)
        turns = range(start // n, -(-stop // n))
        self._turns = {k: self._turns.get(k) or self._shuffle(k) for k in turns}
        pieces = [((k, i), rows) for k in turns for i, rows in self._piece(k, max(start - k * n, 0), min(stop - k * n, n))]
        if self._blocks is None:
            yield (0, 0), np.concatenate([rows for _, rows in pieces])
        else:
            yield from pieces

    def content(self, buffer: tuple[int, int]) -> np.ndarray:
        """Return all rows of a buffer that the latest stretches name, rising."""
        return np.sort(self.rows if self._blocks is None else self._turns[buffer[0]][buffer[1]])

    def _piece(self, k: int, start: int, stop: int) -> list[tuple[int, np.ndarray]]:
        """(buffer, rows) of positions start to stop of shuffle k."""
        piece, first = [], 0
        for i, rows in enumerate(self._turns[k]):
            part = rows[max(start - first, 0) : max(stop - first, 0)]
            if len(part):
                piece.append((i, part))
            first += len(rows)
        return piece

    def _shuffle(self, k: int) -> list[np.ndarray]:
        """The rows of shuffle k, buffer by buffer."""
        rng = numpy_rng("order", self.seed, k)
        if self._blocks is None:
            return [rng.permutation(self.rows)]
        blocks = rng.permutation(len(self._blocks))
        buffers = np.array_split(blocks, -(-len(blocks) // self._per_buffer))
        return [rng.permutation(np.concatenate([self._blocks[block] for block in buffer])) for buffer in buffers]


def _blocks(rows: np.ndarray, sizes: np.ndarray, block_bytes: int) -> list[np.ndarray]:
    """The rows, rising, in runs of at most `block_bytes`, or of one jet."""
    order = np.argsort(rows, kind="stable")
    before = np.cumsum(sizes[order]) - sizes[order]
    length = max(block_bytes - int(sizes.max()), 1)  # a run that starts before a multiple of it may end a jet later
    return np.split(rows[order], np.flatnonzero(np.diff(before // length)) + 1)
