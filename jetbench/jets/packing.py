"""Columns of float32 stored as small whole numbers, so that there is less to decompress, wherever that loses no bit."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from jetbench.jets.images import pixel_centres
from jetbench.jets.meta import Meta

__all__ = ["Packing", "pack", "packing"]


class Packing(Protocol):
    """A way to write numbers as codes of an unsigned integer type."""

    def codes(self, numbers: np.ndarray) -> np.ndarray:
        """Return the codes nearest to these finite numbers (rows, ...) float32."""

    def numbers(self, codes: np.ndarray) -> np.ndarray:
        """Return what the codes stand for, float32. Raises `IndexError` where a code stands for nothing."""


def packing(name: str, meta: Meta) -> Packing:
    """Choose how the column `name` is packed if it fits: places as pixels of the grid, everything else as bytes."""
    if meta.grid and name == "eta":
        return PixelCentres(meta.grid.rows, meta.grid.eta_extent)
    if meta.grid and name == "phi":
        return PixelCentres(meta.grid.columns, meta.grid.phi_extent)
    return Bytes()


def pack(numbers: np.ndarray, packing: Packing) -> np.ndarray | None:
    """Return the codes of float32 numbers, or None where codes would lose a bit (of -0.0, or of a place between pixels)."""
    if numbers.dtype != np.float32:
        return None
    codes = packing.codes(numbers)
    same = packing.numbers(codes).view(np.uint32) == np.ascontiguousarray(numbers).view(np.uint32)
    return codes if same.all() else None


class Bytes:
    """Whole numbers from 0 to 255, as the channels of the field's images have."""

    def codes(self, numbers: np.ndarray) -> np.ndarray:
        return numbers.clip(0, 255).astype(np.uint8)

    def numbers(self, codes: np.ndarray) -> np.ndarray:
        return codes.astype(np.float32)


class PixelCentres:
    """The centres of `pixels` equal pixels that fill ±extent, as the pixels' indices."""

    def __init__(self, pixels: int, extent: float) -> None:
        self._centres, self._extent = pixel_centres(pixels, extent), extent

    def codes(self, numbers: np.ndarray) -> np.ndarray:
        last = len(self._centres) - 1
        pixels = (numbers / self._extent + 1) * ((last + 1) / 2)
        return pixels.clip(0, last).astype(np.min_scalar_type(last))

    def numbers(self, codes: np.ndarray) -> np.ndarray:
        return self._centres.take(codes)
