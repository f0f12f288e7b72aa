"""A pool of unlabelled jets with given shares of its classes: whoever collects jets chooses what they are a mixture of."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from jetbench.errors import SuiteError

__all__ = ["class_counts", "compose"]


def class_counts(available: Sequence[int], shares: Sequence[float]) -> list[int]:
    """Jets per class of the largest sample with these shares from the `available` jets of each class, both (classes,).

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


def compose(
    rows: np.ndarray,
    labels: np.ndarray,
    class_names: Sequence[str],
    shares: Sequence[tuple[str, float]],
    rng: np.random.Generator,
) -> np.ndarray:
    """The rows (k,), rising, of the largest random sample of `rows` (n,) with labels (n,) whose classes have these shares.

    Raises `SuiteError` where the jets of a class do not make up its share of a single jet.
    """
    by_class = [rows[labels == class_names.index(name)] for name, _ in shares]
    counts = class_counts([len(mine) for mine in by_class], [share for _, share in shares])
    if not sum(counts):
        found = ", ".join(f"{len(mine)} {name}" for mine, (name, _) in zip(by_class, shares, strict=True))
        raise SuiteError(f"the unlabelled pool has {found} jets, from which the shares of the suite's `pool` cannot be taken")
    return np.sort(np.concatenate([rng.permutation(mine)[:count] for mine, count in zip(by_class, counts, strict=True)]))
