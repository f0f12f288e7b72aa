"""R_x over the seeds of an arm: the background rejection 1/ε_B where x % of the signal is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from jetbench.evaluation.multiclass import signal_against_background
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT
from jetbench.statistics.mean_rejection import RESOLVED_FROM, MeanRejection, mean_rejection
from jetbench.suites.plan import CellKey

__all__ = ["UNRESOLVED", "rejection_limits", "rejection_text", "run_rejection", "seed_rejection"]

OPEN = 1e5  # a rejection beyond which no tagger is known and few test samples have a jet left
UNRESOLVED = (
    f"“>” marks one that is not resolved, with fewer than {RESOLVED_FROM} background jets left per seed: "
    f"what stands behind it is the lower end of its {LEVEL_TEXT} interval"
)


def seed_rejection(results: Results, arm: str, labels: int, percent: int, signal: int = 1) -> MeanRejection | None:
    """Return R_x of an arm at a budget, of many classes that of the class `signal` against the first; None where no seed is
    finished."""
    seeds = results.seeds(arm, labels)
    if not seeds:
        return None
    found = [results.scores(CellKey(arm, labels, seed))[1:] for seed in seeds]
    if found[0][1].ndim > 1:
        found = [signal_against_background(truth, scores, signal) for truth, scores in found]
    return mean_rejection(
        found[0][0],
        np.stack([scores for _, scores in found]),
        percent,
        clusters=results.clusters(arm, labels, seeds),
        shared=results.shared(labels),
    )


def run_rejection(metrics: Mapping[str, float], key: str) -> MeanRejection:
    """Return what the test metrics of a run say of a rejection, "background_rejection_30" or of one class of many."""
    return MeanRejection(
        rejection=metrics.get(key),
        low=metrics[f"{key}_low"],
        high=metrics.get(f"{key}_high"),
        left=metrics[key.replace("rejection", "left", 1)],
        seeds=1,
    )


def rejection_text(found: MeanRejection) -> str:
    """Write "375", or ">120" where it is not resolved: a lower bound is never rounded up."""
    if not found.resolved or found.rejection is None:
        return f">{math.floor(found.low)}"
    return _number(found.rejection)


def rejection_limits(found: MeanRejection) -> str:
    """Write its interval, or how few jets are left where it is not resolved; of an upper end that few seeds leave wide open, only
    that it is."""
    if not found.resolved or found.high is None:
        # one jet in one of two seeds leaves a weaker bound than none in both, and is not none
        return "<1 left" if 0 < found.left < 1 else f"{math.floor(found.left)} left"
    if found.high > OPEN:
        return f"{_number(found.low)} or more"
    return f"{_number(found.low)}–{_number(found.high)}"


def _number(value: float) -> str:
    return f"{value:.{0 if value >= 10 else 1}f}"
