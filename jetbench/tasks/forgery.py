"""Is a target a number of the jet, or was it made from the label? Masses that were drawn class by class have been published."""

from __future__ import annotations

import numpy as np

from jetbench.jets import Jets
from jetbench.views.needs import unmet
from jetbench.views.observables import SIMPLE, simple_observables

__all__ = ["explained", "forgery", "largest_correlation"]

# two peaks of equal size at 80 and 173 GeV, each 10 GeV wide as jets make them, have 0.955; 0.99 is a width below 5 GeV
FUNCTION = 0.99
SHARE = 0.1  # what the classes explain at the least of a target that is said to be drawn class by class
JETS, LEAST = 2000, 400  # whose correlations are looked at; with fewer, chance is too large
CHANCE = 5.0  # standard errors 1/√n of a correlation: what no chance exceeds among a handful of observables


def forgery(jets: Jets, target: np.ndarray) -> str:
    """Say why numbers (n,) were made from the labels of the jets, as a clause after "these jets have a target that", with the
    numbers that show it; empty where nothing shows it, and for jets without labels.

    They are a function of the label where the means of the classes explain all of their variance, and were drawn class by class
    where the classes explain a part of it, in both cases only if nothing else of the jets that can be looked at explains
    anything: the masses of far-apart resonances are honest.
    """
    labels = np.asarray(jets.targets["label"][:]) if "label" in jets.targets else np.zeros(len(jets), np.int64)
    share = explained(labels, target)
    made = f"is a function of their label: the means of the classes explain {100 * share:.4g} % of its variance (R²)"
    if share < SHARE or len(jets) < LEAST or unmet(jets.meta, ("pt",)):
        return made if share >= FUNCTION else ""
    rows = np.unique(np.linspace(0, len(jets) - 1, JETS).astype(int))
    found, chance = largest_correlation(jets.take(rows), target[rows], labels[rows]), CHANCE / len(rows) ** 0.5
    if found >= chance:
        return ""
    if share >= FUNCTION:
        return made
    return (
        f"was made from their label: the means of the classes explain {100 * share:.3g} % of its variance (R²), and inside the "
        f"classes it follows nothing of the jets: its largest rank correlation with {', '.join(SIMPLE)} is {found:.2f}, which is "
        f"chance below {chance:.2f}"
    )


def explained(labels: np.ndarray, target: np.ndarray) -> float:
    """Return the share R² of the variance of a target (n,) that the means of the classes (n,) explain; 0 for a constant."""
    values = np.asarray(target, np.float64)
    total = np.square(values - values.mean()).sum()
    within = sum(np.square(values[labels == one] - values[labels == one].mean()).sum() for one in np.unique(labels))
    return float(1 - within / total) if total > 0 else 0.0


def largest_correlation(jets: Jets, target: np.ndarray, labels: np.ndarray) -> float:
    """Return the largest rank correlation, by size, of a target (n,) with a simple observable inside the classes (n,)."""
    ranks = _ranks(np.column_stack([target, simple_observables(jets)]), labels)
    size = np.sqrt(np.square(ranks).sum(axis=0))
    products = ranks[:, 1:].T @ ranks[:, 0]
    return float(np.abs(products / np.maximum(size[0] * size[1:], 1e-12)).max())


def _ranks(columns: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The rank of each value of the columns (n, k) among the jets of its class, less the mean rank."""
    from scipy.stats import rankdata

    ranks = np.empty(columns.shape)
    for one in np.unique(labels):
        own = labels == one
        ranks[own] = rankdata(columns[own], axis=0) - (own.sum() + 1) / 2
    return ranks
