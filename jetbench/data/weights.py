"""Weights of jets in the supervised loss: a target of the jets, checked and scaled for one training."""

from __future__ import annotations

import numpy as np

from jetbench.errors import DataFileError
from jetbench.jets import Jets

__all__ = ["read_weights", "unit_weights"]


def read_weights(jets: Jets, name: str) -> np.ndarray:
    """Read the weights (n,) float64 of jets from the target `name`.

    Raises `DataFileError` where there is no such target, naming those that there are, and for a weight that is negative or not
    finite.
    """
    if name not in jets.targets:
        there = ", ".join(sorted(set(jets.targets) - {"label"})) or "none"
        raise DataFileError(f"sample_weight: these jets have no target {name!r}; targets that they have: {there}")
    weights = np.asarray(jets.targets[name][:], np.float64)
    faulty = ~(np.isfinite(weights) & (weights >= 0))
    if faulty.any():
        where = f"the first is {weights[faulty][0]:g}, of jet {int(faulty.argmax())}"
        raise DataFileError(f"sample_weight: {int(faulty.sum())} weights in {name!r} are negative or not finite; {where}")
    return weights


def unit_weights(weights: np.ndarray, rows: np.ndarray, what: str) -> np.ndarray:
    """Scale weights (n,) so that their mean over the `rows` (k,) is one: a learning rate means what it means without weights.

    Raises `DataFileError` where all of them are zero, naming `what` these rows are.
    """
    if not (mean := float(weights[rows].mean())):
        raise DataFileError(f"sample_weight: the weights of all {len(rows)} {what} are zero; more labels may have others")
    return weights / mean
