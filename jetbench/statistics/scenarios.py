"""Planted truths from which test samples and the scores of trained arms are drawn.

In `Binormal` the scores are drawn directly, with a planted training variance and a copula that makes jets hard for every model,
for one arm, or for one model; in `Logistic` small models are really trained on label subsets. A draw takes milliseconds.
"""

from __future__ import annotations

from functools import cache
from typing import Protocol

import numpy as np
from scipy.special import expit, ndtr, ndtri

from jetbench.seeds import numpy_rng
from jetbench.statistics.resolution import overlap
from jetbench.values import Value

__all__ = ["Binormal", "Draw", "Logistic", "Scenario"]

TRAINED = 1500  # pairs of models whose mean difference stands for the truth: a tenth of the error of five seeds and less
DRAWN = 100_000  # trainings whose mean ε_B stands for the truth: its error is below a part in a thousand
Draw = tuple[np.ndarray, np.ndarray, np.ndarray]  # labels (n,), the arm's scores (seeds, n), the baseline's


class Scenario(Protocol):
    """A planted truth. `difference` is the arm's mean AUC minus the baseline's, over all trainings, pools and test samples;
    `shared` the share of their labels that two seeds have in common."""

    @property
    def difference(self) -> float: ...

    @property
    def shared(self) -> float: ...

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
        labels, separation = np.arange(self.jets) % 2, self._separation(rng)
        of_arm = rng.normal(size=(2, 1, self.jets))
        if self.same:
            of_arm[1] = of_arm[0]
        arm_part = 1 - self.common - self.own
        noise = np.sqrt(self.common) * rng.normal(size=self.jets) + np.sqrt(arm_part) * of_arm
        scores = separation[..., None] * labels + noise + np.sqrt(self.own) * rng.normal(size=(2, self.seeds, self.jets))
        return labels, scores[0], scores[1]

    def _separation(self, rng: np.random.Generator) -> np.ndarray:
        """By how much the means of the two classes differ (2, seeds), for the arm and the baseline: of unit variances the AUC is
        Φ(separation / √2)."""
        areas = np.stack([np.full(self.seeds, self.auc + self.effect), np.full(self.seeds, self.auc)])
        areas += self.training * self._noise(rng)
        if self.encoders:
            areas += self.encoder * rng.normal(size=(2, self.encoders))[:, np.arange(self.seeds) % self.encoders]
        return np.sqrt(2) * ndtri(areas.clip(0.01, 0.9999))

    def rejection(self, efficiency_percent: int) -> float:
        """Return the baseline's R_x = 1/mean(ε_B) over all trainings: where a share s of the signal passes, ε_B = Φ(Φ⁻¹(s) −
        separation)."""
        many = self.replace(seeds=DRAWN, encoders=DRAWN if self.encoders else None)
        separation = many._separation(numpy_rng("rejection", self.canonical()))[1]
        return 1 / float(ndtr(ndtri(efficiency_percent / 100) - separation).mean())

    @property
    def difference(self) -> float:
        return self.effect

    @property
    def shared(self) -> float:
        return 0.0

    def _noise(self, rng: np.random.Generator) -> np.ndarray:
        shape = (2, self.seeds)
        return 1 - rng.exponential(size=shape) if self.skewed else rng.normal(size=shape)

    def clusters(self) -> np.ndarray | None:
        return np.arange(self.seeds) % self.encoders if self.encoders else None


class Logistic(Value):
    """Ridge-logistic models on normal features whose means differ by `separation` along one direction.

    Each seed draws its own label subset, `labels` jets for the baseline and `arm_labels` for the arm; equal numbers and penalties
    make the two one arm with other seeds, unequal ones plant an effect. With a `pool` of so many jets, one for all seeds of a
    draw, a seed's subset is taken from it, the same for both arms.
    """

    seeds: int = 5
    jets: int = 3000
    features: int = 12
    labels: int = 150
    arm_labels: int = 150
    separation: float = 2.1
    ridge: float = 1.0
    arm_ridge: float = 1.0
    pool: int | None = None

    def draw(self, rng: np.random.Generator) -> Draw:
        labels, test = self._sample(rng, self.jets)
        pool = self._sample(rng, self.pool) if self.pool else None
        arm, baseline = zip(*(self._trained(rng, pool) for _ in range(self.seeds)), strict=True)
        return labels, np.stack(arm) @ test.T, np.stack(baseline) @ test.T

    @property
    def difference(self) -> float:
        if (self.labels, self.ridge) == (self.arm_labels, self.arm_ridge):
            return 0.0
        return _trained_difference(self.replace(seeds=1, jets=2, pool=None))

    @property
    def shared(self) -> float:
        return overlap(self.labels, self.pool) if self.pool else 0.0

    def _trained(self, rng: np.random.Generator, pool: tuple[np.ndarray, np.ndarray] | None) -> tuple[np.ndarray, np.ndarray]:
        """Weights (features,) of one seed's two models."""
        both = (self.arm_labels, self.arm_ridge), (self.labels, self.ridge)
        if pool is None:
            arm, baseline = (self._fit(*self._sample(rng, budget), ridge) for budget, ridge in both)
        else:
            order = 2 * rng.permutation(len(pool[0]) // 2)  # a jet and its neighbour are of two classes
            rows = np.stack([order, order + 1], axis=1).ravel()
            arm, baseline = (self._fit(pool[0][rows[:budget]], pool[1][rows[:budget]], ridge) for budget, ridge in both)
        return arm, baseline

    def _sample(self, rng: np.random.Generator, jets: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(jets) % 2
        features = rng.normal(size=(jets, self.features))
        features[:, 0] += self.separation * (labels - 0.5)
        return labels, features

    def _fit(self, labels: np.ndarray, features: np.ndarray, ridge: float, steps: int = 8) -> np.ndarray:
        """Weights (features,) by Newton's method; the penalised loss is convex and eight steps are past its convergence."""
        weights = np.zeros(self.features)
        for _ in range(steps):
            p = expit(features @ weights)
            curvature = features.T @ (features * (p * (1 - p))[:, None]) + ridge * np.eye(self.features)
            weights -= np.linalg.solve(curvature, features.T @ (p - labels) + ridge * weights)
        return weights

    def clusters(self) -> np.ndarray | None:
        return None


@cache
def _trained_difference(models: Logistic) -> float:
    """The AUC of weights w is Φ(w₀·separation/(√2·|w|)); its mean is that over models trained on jets of their own."""
    rng, jets = numpy_rng("truth", models.canonical()), max(models.labels, models.arm_labels)
    weights = np.array([models._trained(rng, models._sample(rng, jets)) for _ in range(TRAINED)])  # the same jets for both
    areas = ndtr(weights[..., 0] * models.separation / (np.sqrt(2) * np.linalg.norm(weights, axis=-1)))
    return float((areas[:, 0] - areas[:, 1]).mean())
