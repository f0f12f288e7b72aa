"""Views for models that are fitted at once: a row of numbers per jet."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from jetbench.jets import Jets

__all__ = ["Table"]


class Table(ABC):
    """`columns` name the numbers."""

    columns: tuple[str, ...] = ()

    @classmethod
    @abstractmethod
    def rows(cls, jets: Jets) -> np.ndarray:
        """Compute the table (n, columns) float32 of jets in memory."""
