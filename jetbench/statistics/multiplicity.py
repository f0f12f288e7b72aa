"""Many comparisons in one suite: the primary one stands alone, Holm guards the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jetbench.errors import RunError
from jetbench.statistics.comparison import Comparison, decide

__all__ = ["adjust_secondary", "holm"]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's (1979) adjusted p values, in the given order: the family-wise error stays below α under any dependence."""
    p = np.asarray(p_values, np.float64)
    if p.size and not (np.all(p >= 0) and np.all(p <= 1)):
        raise RunError(f"p values lie in [0, 1]: {list(p_values)}")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1)
    adjusted = np.empty(len(p))
    adjusted[order] = stepped
    return [float(value) for value in adjusted]


def adjust_secondary(comparisons: Mapping[str, Comparison], primary: str) -> dict[str, Comparison]:
    """Return the comparisons by name, each but the primary decided anew with adjusted p values.

    Differences and equivalences are two families, each adjusted at α: a reader who asks "which differ?" and one who asks "which
    are the same?" are both guarded. A comparison of one unit has no p value and takes no part. The intervals stay
    unadjusted.
    """
    if primary not in comparisons:
        raise RunError(f"the primary comparison {primary!r} is not among {sorted(comparisons)}")
    tested = [name for name, it in comparisons.items() if name != primary and it.p_difference is not None]
    differences = holm([comparisons[name].p_difference or 0.0 for name in tested])
    equivalences = holm([comparisons[name].p_equivalence or 0.0 for name in tested])
    adjusted = dict(comparisons)
    for name, p_difference, p_equivalence in zip(tested, differences, equivalences, strict=True):
        it = comparisons[name]
        adjusted[name] = decide(it.replace(adjusted_p_difference=p_difference, adjusted_p_equivalence=p_equivalence))
    return adjusted
