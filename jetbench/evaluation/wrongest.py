"""The jets that a model is most wrong about."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["wrongest"]


def wrongest(losses: ArrayLike, most: int, labels: ArrayLike | None = None) -> dict[int, np.ndarray]:
    """Return by class the places of up to `most` of its jets of the largest loss, the largest first, of losses (n,) and labels
    (n,); of jets without classes all as one class, 0. Equal losses keep their order."""
    values = np.asarray(losses, np.float64)
    classes = np.zeros(len(values), np.int64) if labels is None else np.asarray(labels, np.int64)
    order = np.argsort(-values, kind="stable")
    return {one: order[classes[order] == one][:most] for one in np.unique(classes).tolist()}
