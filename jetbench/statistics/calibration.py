"""The instrument tested on itself: how often `compare` errs where the truth is planted.

A scenario draws the scores of two arms on one test sample, seed by seed. In `Binormal` the scores are drawn directly, with a
planted training variance and a copula that makes jets hard for every model, for one arm, or for one model; in `Logistic`
small models are really trained on label subsets. Hundreds of replays take seconds.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol

import numpy as np
from scipy.special import expit, ndtri

from jetbench.seeds import numpy_rng
from jetbench.statistics.comparison import Verdict, compare, seed_weights, unit_mean
from jetbench.statistics.delong import mean_difference_variance, paired_delong
from jetbench.statistics.intervals import Interval, clopper_pearson
from jetbench.values import Value

__all__ = ["Binormal", "Logistic", "Rates", "Scenario", "calibrate"]

MARGIN = 0.03  # of what the baseline's AUC leaves to one (protocol, section 5)
Draw = tuple[np.ndarray, np.ndarray, np.ndarray]  # labels (n,), the arm's scores (seeds, n), the baseline's


class Scenario(Protocol):
    """A planted truth from which test samples and trained arms are drawn."""

    def draw(self, rng: np.random.Generator) -> Draw: ...

    def clusters(self) -> np.ndarray | None: ...

    def canonical(self) -> str: ...


class Binormal(Value):
    """Scores that are normal in each class, half of the `jets` being signal.

    auc: the baseline's; effect: the arm's AUC minus it. training: standard deviation of one trained model's AUC between
    seeds; skewed draws it from a reversed exponential (a few bad trainings). common, arm: parts of a score's variance that every
    model and that every model of one arm share, the rest being each model's own. same: the two arms are one, so they share
    the arm's part too. encoders: seeds share so many encoders per arm, each with a standard deviation `encoder` of AUC.
    """

    seeds: int = 5
    jets: int = 3000
    auc: float = 0.93
    effect: float = 0.0
    training: float = 0.004
    skewed: bool = False
    common: float = 0.6
    own: float = 0.2
    same: bool = True
    encoders: int | None = None
    encoder: float = 0.004

    def draw(self, rng: np.random.Generator) -> Draw:
        labels = np.arange(self.jets) % 2
        areas = np.stack([np.full(self.seeds, self.auc + self.effect), np.full(self.seeds, self.auc)])
        areas += self.training * self._noise(rng)
        if self.encoders:
            areas += self.encoder * rng.normal(size=(2, self.encoders))[:, np.arange(self.seeds) % self.encoders]
        separation = np.sqrt(2) * ndtri(areas.clip(0.01, 0.9999))  # AUC = Φ(separation / √2) for unit variances
        of_arm = rng.normal(size=(2, 1, self.jets))
        if self.same:
            of_arm[1] = of_arm[0]
        arm_part = 1 - self.common - self.own
        noise = np.sqrt(self.common) * rng.normal(size=self.jets) + np.sqrt(arm_part) * of_arm
        scores = separation[..., None] * labels + noise + np.sqrt(self.own) * rng.normal(size=(2, self.seeds, self.jets))
        return labels, scores[0], scores[1]

    def _noise(self, rng: np.random.Generator) -> np.ndarray:
        shape = (2, self.seeds)
        return 1 - rng.exponential(size=shape) if self.skewed else rng.normal(size=shape)

    def clusters(self) -> np.ndarray | None:
        return np.arange(self.seeds) % self.encoders if self.encoders else None


class Logistic(Value):
    """Ridge-logistic models on normal features whose means differ by `separation` along one direction.

    Each seed draws its own label subset, `labels` jets for the baseline and `arm_labels` for the arm; equal numbers make the
    two one arm with other seeds, unequal ones plant an effect of the right sign.
    """

    seeds: int = 5
    jets: int = 3000
    features: int = 12
    labels: int = 150
    arm_labels: int = 150
    separation: float = 2.1
    ridge: float = 1.0

    def draw(self, rng: np.random.Generator) -> Draw:
        labels, test = self._sample(rng, self.jets)
        arm, baseline = (
            np.stack([test @ self._fit(*self._sample(rng, budget)) for _ in range(self.seeds)])
            for budget in (self.arm_labels, self.labels)
        )
        return labels, arm, baseline

    def _sample(self, rng: np.random.Generator, jets: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(jets) % 2
        features = rng.normal(size=(jets, self.features))
        features[:, 0] += self.separation * (labels - 0.5)
        return labels, features

    def _fit(self, labels: np.ndarray, features: np.ndarray, steps: int = 8) -> np.ndarray:
        """Weights (features,) by Newton's method; the penalised loss is convex and eight steps are past its convergence."""
        weights = np.zeros(self.features)
        for _ in range(steps):
            p = expit(features @ weights)
            curvature = features.T @ (features * (p * (1 - p))[:, None]) + self.ridge * np.eye(self.features)
            weights -= np.linalg.solve(curvature, features.T @ (p - labels) + self.ridge * weights)
        return weights

    def clusters(self) -> np.ndarray | None:
        return None


class Rates(Value):
    """Shares of the verdicts over replays, each with its Clopper–Pearson interval, and the mean width of an error."""

    better: Interval
    worse: Interval
    equivalent: Interval
    undecided: Interval
    replays: int
    difference: float
    deviation: float
    total_error: float


def calibrate(scenario: Scenario, replays: int, seed: int = 0, clustered: bool = True, sharp: bool = False) -> Rates:
    """Return the verdict shares of `compare` over so many replays of the scenario; the same seed gives the same numbers.

    `clustered=False` withholds the encoders' indices from `compare`, to show what ignoring them does; `sharp` takes
    the test sample's error from the variance of the mean difference. The mean and the
    standard deviation over replays of the measured difference stand beside the mean total error that `compare` claimed.
    """
    verdicts: Counter[Verdict] = Counter()
    measured, claimed = [], []
    for replay in range(replays):
        labels, arm, baseline = scenario.draw(numpy_rng("calibration", scenario.canonical(), seed, replay))
        clusters = scenario.clusters() if clustered else None
        weights = seed_weights(len(arm), clusters)
        variance = mean_difference_variance(labels, arm, baseline, weights) if sharp else None
        areas, others, variances = paired_delong(labels, arm, baseline)
        margin = MARGIN * (1 - unit_mean(others, clusters))
        found = compare(areas, others, variances, margin, clusters=clusters, test_variance=variance)
        verdicts[found.verdict] += 1
        measured.append(found.difference)
        claimed.append(found.total_error or 0.0)
    shares = {verdict.value: clopper_pearson(verdicts[verdict], replays) for verdict in Verdict}
    return Rates(
        **shares,
        replays=replays,
        difference=float(np.mean(measured)),
        deviation=float(np.std(measured)),
        total_error=float(np.mean(claimed)),
    )
