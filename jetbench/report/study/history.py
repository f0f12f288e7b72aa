"""How a search went on: the best so far against what had been spent by then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jetbench.report.study.fronts import hypervolume, unit_box
from jetbench.report.study.ranking import losses
from jetbench.report.study.spent import ended
from jetbench.suites.trials import Searching

__all__ = ["History", "history"]


@dataclass(frozen=True, eq=False)
class History:
    """After each trial that has ended, in the order of their numbers (n,): labelled and unlabelled passes spent until then, those
    of pruned and diverged trials among them, and the best so far: the score of a single aim, of several the hypervolume of the
    front. NaN before the first trial that was trained to its end."""

    labelled: np.ndarray
    unlabelled: np.ndarray
    best: np.ndarray


def history(searching: Searching) -> History:
    """Follow a search trial by trial."""
    trials = ended(searching)
    best = _best_score(searching) if len(searching.study.aims) == 1 else _dominated(searching)
    return History(
        labelled=np.cumsum([trial.labelled_passes for trial in trials]),
        unlabelled=np.cumsum([trial.unlabelled_passes for trial in trials]),
        best=best,
    )


def _best_score(searching: Searching) -> np.ndarray:
    (aim,), trials = searching.study.aims, ended(searching)
    worst = -np.inf if aim.larger_is_better else np.inf
    scores = np.array([trial.scores[0] if trial.state == "complete" else worst for trial in trials], dtype=float)
    best = np.maximum.accumulate(scores) if aim.larger_is_better else np.minimum.accumulate(scores)
    return np.where(np.isfinite(best), best, np.nan)


def _dominated(searching: Searching) -> np.ndarray:
    """The hypervolume in the box of all finished trials, so that it only grows."""
    trials = ended(searching)
    complete = [trial for trial in trials if trial.state == "complete"]
    points = unit_box(losses(searching.study, complete))
    known = np.cumsum([trial.state == "complete" for trial in trials])
    return np.array([hypervolume(points[:number]) if number else np.nan for number in known])
