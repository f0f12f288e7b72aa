"""The order in which jets are seen: an endless stream of shuffles of the training jets, derived from the seed alone."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from jetbench.data.batch import Batch, JetTensors
from jetbench.seeds import numpy_rng

__all__ = ["Batches"]


class Batches:
    """Batch number `step` of a training on `rows`, without any state: shuffle k of the rows covers stream positions k·n to
    (k+1)·n. Two trainings on the same rows with the same seed see the same batches, whatever else differs."""

    def __init__(self, jets: JetTensors, rows: np.ndarray, batch_size: int, seed: int) -> None:
        self.jets = jets
        self.rows = rows
        self.batch_size = batch_size
        self.seed = seed
        self._shuffles: dict[int, np.ndarray] = {}

    def indices(self, step: int) -> Tensor:
        """Row numbers of the jets in batch `step` (batch_size,)."""
        positions = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        turn, place = np.divmod(positions, len(self.rows))
        self._shuffles = {k: self._shuffle(k) for k in np.unique(turn)}
        return torch.from_numpy(np.concatenate([self._shuffles[k][place[turn == k]] for k in self._shuffles]))

    def _shuffle(self, k: int) -> np.ndarray:
        if k in self._shuffles:
            return self._shuffles[k]
        return numpy_rng("order", self.seed, int(k)).permutation(self.rows)

    def batch(self, step: int) -> Batch:
        return self.jets.batch(self.indices(step))
