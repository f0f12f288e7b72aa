"""Numbers as people read them, with no more digits than their error allows."""

from __future__ import annotations

import math

__all__ = ["with_error"]


def with_error(value: float, error: float) -> str:
    """Write "0.007 ± 0.027": both to two digits of the error. An error of zero leaves three digits of the value."""
    if not error > 0:
        return f"{value:.3g} ± 0"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"
