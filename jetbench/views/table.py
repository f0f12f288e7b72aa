"""Views for models that are fitted at once: a row of numbers per jet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from jetbench.jets import Jets
from jetbench.spec import Options

__all__ = ["Table"]


class Table(ABC):
    """`columns` name the numbers."""

    columns: tuple[str, ...] = ()

    @classmethod
    @abstractmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        """Compute the table (n, columns) float32 of jets, 0 where a jet has no such number; `options` are settled for them."""

    @classmethod
    def counted_rows(cls, jets: Jets) -> tuple[np.ndarray, dict[str, int]]:
        """Compute the table; also count, by column, the jets that have no such number."""
        return cls.rows(jets), {}

    @classmethod
    def remarks(cls, undefined: Mapping[str, int], jets: int) -> list[str]:
        """Say in sentences how many of all jets have no number in a column, from what `counted_rows` has counted."""
        return [f"{count} of {jets} jets have no {column}: 0 stands for it" for column, count in undefined.items()]
