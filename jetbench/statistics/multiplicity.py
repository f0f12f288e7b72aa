"""Many comparisons in one suite: Holm guards the primary ones among themselves, and all the rest among themselves."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from jetbench.errors import RunError
from jetbench.statistics.comparison import Comparison, decide

__all__ = ["adjust", "holm"]

Key = TypeVar("Key", bound=Hashable)


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


def adjust(comparisons: Mapping[Key, Comparison], primary: Collection[Key]) -> dict[Key, Comparison]:
    """Return the comparisons by key, each decided anew with p values that are adjusted for the number of primary comparisons, or
    of all others. A primary one that is missing yet, or has one unit only, counts all the same.

    Differences and equivalences are two families, each adjusted at α: a reader who asks "which differ?" and one who asks "which
    are the same?" are both guarded. A comparison of one unit has no p value and takes no part. The intervals stay
    unadjusted.
    """
    tested = {key for key, it in comparisons.items() if it.p_difference is not None}
    first = [key for key in primary if key in tested]
    rest = [key for key in comparisons if key in tested and key not in primary]
    missing = len(primary) - len(first)
    return {**comparisons, **_adjusted(comparisons, first, missing), **_adjusted(comparisons, rest)}


def _adjusted(comparisons: Mapping[Key, Comparison], family: Sequence[Key], missing: int = 0) -> dict[Key, Comparison]:
    """The comparisons of a family, adjusted for its number and that of others which are `missing` yet."""
    found, number = [comparisons[key] for key in family], len(family) + missing
    differences = holm([*(it.p_difference or 0.0 for it in found), *[1.0] * missing])
    equivalences = holm([*(it.p_equivalence or 0.0 for it in found), *[1.0] * missing])
    return {
        key: decide(it.replace(adjusted_p_difference=p_difference, adjusted_p_equivalence=p_equivalence, family=number))
        for key, it, p_difference, p_equivalence in zip(family, found, differences, equivalences, strict=False)
    }
