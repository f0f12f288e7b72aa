"""The trials of a study as people look at them: what each tried, what came of it, and what it has cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jetbench.spec import Scalar
from jetbench.suites.studies import Study

if TYPE_CHECKING:
    from jetbench.suites.plan import Plan
    from jetbench.tracking.ledger import Ledger

__all__ = ["Searching", "State", "Trial", "searchings", "selection_rule"]

State = Literal["complete", "pruned", "diverged", "failed", "open"]


@dataclass(frozen=True)
class Trial:
    """A trial by its number in the study. `values` are what it tried, by path; `scores` are one per aim, means over its seeds: of
    a pruned trial those that it had when it was stopped, and none where nothing was measured. Passes and `seconds` are those of
    all its runs; a pretraining that an earlier trial of the study had trained costs nothing again. `curve` holds passes and
    validation loss of its first seed's last run, epoch by epoch. `runs` name its last runs, one per seed that was trained, and
    `keys` are theirs."""

    number: int
    values: Mapping[str, Scalar]
    state: State
    scores: tuple[float, ...]
    labelled_passes: float
    unlabelled_passes: float
    seconds: float
    curve: tuple[tuple[float, float], ...]
    runs: tuple[str, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Searching:
    """An arm of a study file, or a study of a suite's tuning, with its trials so far. `winner` is the number of the trial that
    the study selects, None before its end and where it has several aims; `front` the numbers on the Pareto front of these."""

    name: str
    arm: str
    study: Study
    trials: tuple[Trial, ...]
    winner: int | None
    front: tuple[int, ...]


def searchings(plan: Plan, ledger: Ledger) -> list[Searching]:
    """Return every study of a plan with its trials so far, in the order of the plan."""
    raise NotImplementedError


def selection_rule(study: Study) -> str:
    """Say by what rule a study selects its winner."""
    raise NotImplementedError
