"""Batches of a training by their number, from memory or from a file several times larger."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from jetbench.data.batch import BUFFER_BYTES, Batch, JetTensors, join
from jetbench.data.order import Order
from jetbench.jets.selection import deposit_bytes

__all__ = ["Batches"]


class Batches:
    """Batch number `step` of a training on `rows`: it depends on rows, sizes of jets and seed alone. Two trainings on the same
    rows with the same seed see the same batches, whatever else differs.

    At most `buffer_bytes` of deposits are in memory: those of the buffer that the last batch ended in.
    """

    def __init__(self, jets: JetTensors, rows: np.ndarray, batch_size: int, seed: int, buffer_bytes: int = BUFFER_BYTES) -> None:
        self.jets = jets
        self.batch_size = batch_size
        self.order = Order(rows, deposit_bytes(jets.jets, rows), buffer_bytes, seed)
        self._buffer: tuple[int, int] | None = None
        self._content = np.zeros(0, np.int64)
        self._held: JetTensors | None = None

    def _stretches(self, step: int) -> list[tuple[tuple[int, int], np.ndarray]]:
        return list(self.order.stretches(step * self.batch_size, (step + 1) * self.batch_size))

    def indices(self, step: int) -> Tensor:
        """Return the row numbers of the jets in batch `step` (batch_size,)."""
        return torch.from_numpy(np.concatenate([rows for _, rows in self._stretches(step)]))

    def batch(self, step: int) -> Batch:
        return join([self._gather(buffer, rows) for buffer, rows in self._stretches(step)])

    def _gather(self, buffer: tuple[int, int], rows: np.ndarray) -> Batch:
        if self._held is None or buffer != self._buffer:
            self._held = None  # the old buffer is gone before the new one comes
            self._buffer, self._content = buffer, self.order.content(buffer)
            self._held = self.jets.hold(self._content)
        return self._held.batch(torch.from_numpy(np.searchsorted(self._content, rows)))
