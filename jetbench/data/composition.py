"""A pool of unlabelled jets with given shares of its classes, and of a given size: whoever collects jets chooses what they are a
mixture of, and how many are enough."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from jetbench.data.splits import interleaved
from jetbench.errors import SuiteError

__all__ = ["class_counts", "compose", "composition", "take_jets"]


def class_counts(available: Sequence[int], shares: Sequence[float]) -> list[int]:
    """Count the jets per class of the largest sample with these shares from the `available` jets of each class, both (classes,).

    The shares are exact decimals; what rounding leaves over goes to the classes with the largest remainders.
    """
    exact = [Fraction(str(share)) for share in shares]
    exact = [share / sum(exact) for share in exact]
    size = min(int(jets / share) for jets, share in zip(available, exact, strict=True))
    counts = [int(size * share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: counts[i] - size * exact[i])
    for i in by_remainder[: size - sum(counts)]:
        counts[i] += 1
    return counts


def composition(labels: np.ndarray, class_names: Sequence[str], shares: Sequence[tuple[str, float]]) -> list[int]:
    """Count the jets of each named class in the largest sample with these shares from jets with labels (n,).

    Raises `SuiteError` where not one jet of a named class would be in it.
    """
    available = [int((labels == class_names.index(name)).sum()) for name, _ in shares]
    counts = class_counts(available, [share for _, share in shares])
    if not all(counts):
        found = ", ".join(f"{jets} {name}" for jets, (name, _) in zip(available, shares, strict=True))
        name = shares[counts.index(0)][0]
        raise SuiteError(
            f"there are {found} jets, and with the shares that the suite asks for none of {name!r} is left; raise its share or "
            "take more jets"
        )
    return counts


def compose(
    rows: np.ndarray,
    labels: np.ndarray,
    class_names: Sequence[str],
    shares: Sequence[tuple[str, float]],
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the rows (k,), rising, of the largest random sample of `rows` (n,) with labels (n,) whose classes have these shares.

    Raises `SuiteError` where not one jet of a named class would be in it.
    """
    counts = composition(labels, class_names, shares)
    by_class = [rows[labels == class_names.index(name)] for name, _ in shares]
    return np.sort(np.concatenate([rng.permutation(mine)[:count] for mine, count in zip(by_class, counts, strict=True)]))


def take_jets(rows: np.ndarray, labels: np.ndarray | None, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the rows (size,), rising, of a random sample of `rows` (n,): at one seed a smaller one is part of every larger one.

    With labels (n,) it has the shares of their classes, to within one jet of each. Raises `SuiteError` for fewer rows.
    """
    if size > len(rows):
        raise SuiteError(
            f"the unlabelled pool has {len(rows)} jets, fewer than the {size} of `pool_jets`; lower it or take more jets"
        )
    order = interleaved(np.zeros(len(rows)) if labels is None else labels, rng)
    return np.sort(rows[order[:size]])
