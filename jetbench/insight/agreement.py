"""How far models agree on the same jets: correlation of their predictions, the jets on which they disagree most, and the paired
test of their headline metric."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit
from scipy.stats import rankdata

from jetbench.errors import StoreError
from jetbench.insight.evidence import Evidence
from jetbench.report.pairing import Scores, paired
from jetbench.statistics.comparison import Comparison
from jetbench.statistics.resolution import overlap

__all__ = ["common_jets", "correlations", "disagreements", "paired_test", "seed_pairs", "signal_scores", "stretched"]

LEAST = 1e-12  # a probability is no nearer to 0 or 1 in log-odds


def signal_scores(predictions: ArrayLike) -> np.ndarray:
    """Return one number of each jet (n,): the probability that it is no background, of probabilities (n, K), and predictions (n,)
    as they are."""
    values = np.asarray(predictions, np.float64)
    return 1 - values[:, 0] if values.ndim == 2 else values


def stretched(probabilities: np.ndarray) -> np.ndarray:
    """Return the log-odds of probabilities (n,): near 0 and 1 they differ by more than their digits show."""
    return logit(probabilities.clip(LEAST, 1 - LEAST))


def correlations(predictions: Sequence[ArrayLike]) -> np.ndarray:
    """Return Spearman's rank correlations of the predictions of m models of the same jets, (m, m): 1 where two order all jets
    alike, NaN beside a model that gives all jets the same."""
    ranks = np.stack([rankdata(signal_scores(one)) for one in predictions])
    ranks -= ranks.mean(axis=1, keepdims=True)
    size = np.linalg.norm(ranks, axis=1)
    sizes = np.outer(size, size)
    return np.divide(ranks @ ranks.T, sizes, out=np.full(sizes.shape, np.nan), where=sizes > 0)


def disagreements(predictions: Sequence[ArrayLike], most: int) -> np.ndarray:
    """Return the places of the `most` jets whose predictions (n,) or (n, K) by several models lie furthest apart: by the largest
    distance of any two models in any column."""
    values = np.stack([np.asarray(one, np.float64) for one in predictions])
    apart = values.max(axis=0) - values.min(axis=0)
    return np.argsort(-(apart if apart.ndim == 1 else apart.max(axis=1)), kind="stable")[:most]


def common_jets(runs: Sequence[Evidence]) -> list[Scores]:
    """Return the scores of runs on the same test jets. Raises `StoreError` where they were tested on others, or predict another
    thing of them."""
    found = [one.scores for one in runs]
    rows, truth, predicted = found[0]
    if len({one.spec.dataset.sha256 for one in runs}) > 1 or any(not np.array_equal(rows, other) for other, _, _ in found):
        raise StoreError("these runs were not tested on the same jets, and cannot be set side by side")
    if any(not np.array_equal(truth, wanted) or given.ndim != predicted.ndim for _, wanted, given in found):
        raise StoreError("these runs predict different things of the same jets, and cannot be set side by side")
    return found


def seed_pairs(mine: Sequence[Evidence], other: Sequence[Evidence]) -> list[tuple[Evidence, Evidence]]:
    """Return the runs of the same seed, or the only run of each, whatever its seed."""
    if len(mine) == len(other) == 1:
        return [(mine[0], other[0])]
    by_seed = {one.spec.seed: one for one in other}
    return [(one, by_seed[one.spec.seed]) for one in mine if one.spec.seed in by_seed]


def paired_test(pairs: Sequence[tuple[Evidence, Evidence]], pool: int) -> Comparison:
    """Compare the first of each pair of runs with the second by the headline metric, as a report does: seeds share labels of a
    pool of so many jets, and may share an encoder."""
    mine, other = zip(*pairs, strict=True)
    labels = min(one.spec.labels or pool for one in (*mine, *other))
    clusters = _clusters(mine) or _clusters(other)
    scores = [[one.scores for one in side] for side in (mine, other)]
    return paired(mine[0].task, scores[0], scores[1], clusters, overlap(labels, pool))


def _clusters(runs: Sequence[Evidence]) -> list[int] | None:
    """Which pretraining each run starts from, as an index; None where each has its own, or none."""
    first = [one.run.chain[0].key for one in runs]
    return [first.index(key) for key in first] if len(set(first)) < len(first) else None
