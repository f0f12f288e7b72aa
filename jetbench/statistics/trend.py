"""Whether a noisy curve still goes somewhere at its end."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import RunError

__all__ = ["LEAST_LEVELS", "relative_change"]

LEAST_LEVELS = 5  # of a line's two parameters and an error that three degrees of freedom give


def relative_change(levels: ArrayLike) -> tuple[float, float]:
    """Return the change from the first to the last of equally spaced levels (n,) along their least-squares line, and its standard
    error from the scatter around the line, both as shares of the mean level.

    Raises `RunError` for fewer than five levels, for one that is not finite, and for a mean that is not positive.
    """
    y = np.asarray(levels, np.float64)
    if y.ndim != 1 or len(y) < LEAST_LEVELS or not np.isfinite(y).all() or y.mean() <= 0:
        raise RunError(f"a trend needs {LEAST_LEVELS} finite levels with a mean above zero, not {y.tolist()}")
    x = np.linspace(-0.5, 0.5, len(y))
    spread = float(x @ x)
    slope = float(x @ y) / spread
    scatter = y - y.mean() - slope * x
    error = math.sqrt(float(scatter @ scatter) / (len(y) - 2) / spread)
    return slope / float(y.mean()), error / float(y.mean())
