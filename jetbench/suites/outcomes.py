"""How the runs of a study's trials have ended, as their folders tell it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from jetbench.errors import StoreError
from jetbench.spec import RunSpec
from jetbench.suites.graph import Graph
from jetbench.suites.pruning import Bar, Ended, Point, Result, result_so_far
from jetbench.suites.replay import Values
from jetbench.suites.studies import VALIDATION_LOSS, Aim, Study
from jetbench.tracking.journal import committed, read
from jetbench.tracking.ledger import Ledger

__all__ = ["curve", "ended", "failure_counts", "look"]


def failure_counts(plan: Graph, ledger: Ledger, key: str) -> bool:
    """Tell whether the failure of a run is an outcome for its studies: in a suite never, since it is to be mended; in a study
    where it has been noted, and not for what test jets alone have caused, which no trial is to lose by."""
    return plan.failures_count and ledger.failure(key) is not None and not ledger.sealed(key)


def ended(study: Study, chain: Sequence[RunSpec], ledger: Ledger, failed: Callable[[str], bool]) -> Ended | None:
    """Return how a chain of runs has ended, by its last run, or by one before that has come to nothing; None where it has not.
    `failed` tells of a run, by its key, whether a failure counts that is no divergence: else it is yet to be tried again."""
    last = chain[-1].digest()
    if ledger.done(last):
        losses = ledger.losses(last)
        scores = tuple(_score(aim, last, float(losses.mean()), ledger) for aim in study.aims)
        return Ended("complete", losses, scores, curve(study, last, ledger))
    if ledger.pruned(last):
        return Ended("pruned", curve=curve(study, last, ledger))
    for key in (last, *(run.digest() for run in chain[:-1])):
        if not ledger.done(key) and (ledger.diverged(key) or failed(key)):
            return Ended("diverged" if ledger.diverged(key) else "failed", curve=curve(study, last, ledger))
    return None


def look(study: Study, ledger: Ledger, failed: Callable[[str], bool]) -> Callable[[Values, Bar], Result | None]:
    """Return what `replay.walk` asks: what the trial with some values came to, by the folders of its runs; `failed` as for
    `ended`."""

    def result(values: Values, bar: Bar) -> Result | None:
        found = result_so_far(study, bar, [ended(study, chain, ledger, failed) for chain in study.chains(values)])
        return found if isinstance(found, Result) else None

    return result


def _score(aim: Aim, key: str, loss: float, ledger: Ledger) -> float:
    """The score of a finished run. Raises `StoreError` for a metric that it has not noted."""
    if aim == VALIDATION_LOSS:
        return loss
    metrics = ledger.metrics(key)
    if aim.metric not in metrics:
        raise StoreError(f"{ledger.run(key).metrics} has no {aim.metric}; delete the folder and run the study again")
    return metrics[aim.metric]


def curve(study: Study, key: str, ledger: Ledger) -> tuple[Point, ...]:
    """Return what a run has noted at the end of each epoch on the validation labels; nothing of a run without epochs."""
    path, aim = ledger.run(key).journal, study.aims[0].metric
    noted = [record for record in read(path, 0, committed(path))[0] if {"train/passes", "val/loss"} <= record.metrics.keys()]
    return tuple(
        Point(one.step + 1, one.metrics["train/passes"], one.metrics["val/loss"], one.metrics.get(aim, math.nan)) for one in noted
    )
