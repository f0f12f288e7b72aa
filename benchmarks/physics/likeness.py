"""How well simulated jets resemble those of a reference set: whole distributions, not tails alone.

    jetbench data make top-vs-qcd --jets 4000 --cache jets.h5; jetbench data convert top-tagging.h5 -o reference.h5
    python -m benchmarks.physics.likeness jets.h5 reference.h5

For each class: the AUC with which boosted trees
tell the two samples apart, and of each observable the medians and the Kolmogorov-Smirnov distance; for both, the AUC with which
the observable tells the classes apart.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from jetbench.jets import Jets, open_jets
from jetbench.statistics.delong import delong
from jetbench.views.observables import OBSERVABLES, observables

FOLDS = 5
MEDIAN_ERROR = math.sqrt(math.pi / 2)  # of a median, in standard errors of a normal sample's mean


@dataclass(frozen=True)
class Median:
    """Medians of an observable in both samples, the error of their difference, and the Kolmogorov-Smirnov distance."""

    name: str
    ours: float
    theirs: float
    error: float
    distance: float

    @property
    def agrees(self) -> bool:
        """Whether they differ by less than 5 % or by less than two standard errors."""
        return abs(self.ours - self.theirs) < max(0.05 * self.theirs, 2 * self.error)


def told_apart(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """The AUC with which trees tell samples of observables (n, 12) and (m, 12) apart, and DeLong's error: scikit-learn's
    HistGradientBoostingClassifier as it comes, each jet scored by trees that were grown on four fifths of the others."""
    table, truth = np.concatenate([ours, theirs]), np.repeat([0, 1], [len(ours), len(theirs)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    trees = HistGradientBoostingClassifier(random_state=0)
    scores = cross_val_predict(trees, table, truth, cv=folds, method="predict_proba")[:, 1]
    return separation(scores[truth == 0], scores[truth == 1])


def separation(low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """AUC and DeLong's error of one column."""
    areas, covariance = delong(np.repeat([0, 1], [len(low), len(high)]), np.concatenate([low, high])[None])
    return float(areas[0]), math.sqrt(covariance[0, 0])


def medians(ours: np.ndarray, theirs: np.ndarray) -> Iterator[Median]:
    """Compare samples of observables (n, 12) and (m, 12) one by one."""
    for column, name in enumerate(OBSERVABLES):
        one, other = ours[:, column], theirs[:, column]
        error = MEDIAN_ERROR * math.hypot(_spread(one) / math.sqrt(len(one)), _spread(other) / math.sqrt(len(other)))
        yield Median(name, float(np.median(one)), float(np.median(other)), error, float(ks_2samp(one, other).statistic))


def _spread(values: np.ndarray) -> float:
    """Half of the range that holds the middle 68 %: a standard deviation that tails do not move."""
    low, high = np.quantile(values, [0.16, 0.84])
    return float(high - low) / 2


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("ours", type=Path)
    parser.add_argument("theirs", type=Path)
    options = parser.parse_args()
    compare(open_jets(options.ours)[:], open_jets(options.theirs)[:])


def compare(ours: Jets, theirs: Jets) -> None:
    """Print all comparisons, class by class."""
    mine, other = observables(ours), observables(theirs)
    labels = ours.targets["label"], theirs.targets["label"]
    for label, name in enumerate(ours.meta.class_names):
        one, two = mine[labels[0] == label], other[labels[1] == label]
        area, error = told_apart(one, two)
        print(f"\n{name}: {len(one)} and {len(two)} jets, told apart with AUC {area:.3f} ± {error:.3f}")
        print(f"{'observable':<18}{'median':>10}{'reference':>11}{'error':>9}{'KS':>7}")
        for found in medians(one, two):
            print(
                f"{found.name:<18}{found.ours:>10.4g}{found.theirs:>11.4g}{found.error:>9.2g}{found.distance:>7.3f}"
                f"{'' if found.agrees else '  differs'}"
            )
    print(f"\n{'AUC between classes':<22}{'':>8}{'reference':>12}")
    for column, name in enumerate(OBSERVABLES):
        pairs = [[t[lab == label, column] for label in (0, 1)] for t, lab in ((mine, labels[0]), (other, labels[1]))]
        (area, _), (reference, error) = (separation(*pair) for pair in pairs)
        print(f"{name:<22}{area:>8.3f}{reference:>12.3f} ± {error:.3f}")


if __name__ == "__main__":
    main()
