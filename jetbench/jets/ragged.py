"""Index arithmetic of ragged columns, where jet i owns the places offsets[i]:offsets[i+1], and the arithmetic of angles."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["gather", "owner_of", "owners", "wrap_phi"]


def owners(offsets: np.ndarray) -> np.ndarray:
    """Return the index (deposits,) of the jet that each deposit belongs to, of offsets (n+1,) that begin at zero."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def owner_of(offsets: np.ndarray, places: ArrayLike) -> np.ndarray:
    """Return the index of the jet that the deposit at each of `places`, of any shape, belongs to."""
    return np.asarray(np.searchsorted(offsets, places, side="right")) - 1


def gather(offsets: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the offsets (k+1,) of the jets at `rows` (k,), in that order, and the places (deposits,) of what they own."""
    counts = np.diff(offsets)[rows]
    chosen = np.concatenate([[0], np.cumsum(counts)])
    return chosen, np.repeat(offsets[rows] - chosen[:-1], counts) + np.arange(chosen[-1])


def wrap_phi(angle: np.ndarray) -> np.ndarray:
    """Return angles [rad], or differences of angles, turned by whole turns into [-π, π)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi
