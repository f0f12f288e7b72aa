"""The trials of a study as people look at them: what each tried, what came of it, and what it has cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from jetbench.spec import Scalar
from jetbench.statistics.pareto import on_front
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.suites.outcomes import curve, failure_counts, look
from jetbench.suites.pruning import Result
from jetbench.suites.replay import Values, walk
from jetbench.suites.studies import Study
from jetbench.suites.winner import Lead, lead, winner
from jetbench.tracking.ledger import Ledger

__all__ = ["Searching", "State", "Trial", "follow", "front", "searchings"]

State = Literal["complete", "pruned", "diverged", "failed", "open"]


@dataclass(frozen=True)
class Trial:
    """A trial by its number in the study. `values` are what it tried, by path; `scores` are one per aim, means over its seeds: of
    a pruned trial those that it had when it was stopped, and none where nothing was measured. Passes and `seconds` are those of
    all its runs; what an earlier trial of the arm at this budget had trained costs nothing again, and one that `pretrained` has
    trained an encoder of its own before what it is judged by. `curve` holds passes and
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
    pretrained: bool = False


@dataclass(frozen=True)
class Searching:
    """An arm of a study file, or a study of a suite's tuning, with its trials so far. `winner` is the number of the trial that
    the study selects, None before its end and where it has several aims, and `lead` how far that is ahead; `front` the numbers on
    the Pareto front of several aims."""

    name: str
    arm: str
    study: Study
    trials: tuple[Trial, ...]
    winner: int | None
    front: tuple[int, ...]
    lead: Lead | None = None


def searchings(plan: Graph, ledger: Ledger) -> list[Searching]:
    """Return every study of a plan with its trials so far, in the order of the plan."""
    accounts: dict[tuple[str, int | None], _Account] = {}  # studies of an arm at a budget share what they have trained together
    places = {digest: (plan.named[digest][0], study.template.labels) for digest, study in plan.studies.items()}
    return [_searching(plan, digest, accounts.setdefault(place, _Account(ledger))) for digest, place in places.items()]


def _searching(plan: Graph, digest: str, account: _Account) -> Searching:
    study = plan.studies[digest]
    arm, name = plan.named[digest]
    values, results = follow(plan, digest, account.ledger)
    trials = tuple(_trial(plan, digest, number, values[number], results.get(number), account) for number in sorted(values))
    won = winner(study, results)
    ahead = lead(study, results, won) if won else None
    return Searching(name, arm, study, trials, won.number if won else None, front(study, results), ahead)


def follow(plan: Graph, digest: str, ledger: Ledger) -> tuple[dict[int, Values], dict[int, Result]]:
    """Follow a study of a plan as far as its rounds are whole: the values of its trials, and what they came to, by number."""
    study = plan.studies[digest]
    return walk(study, look(study, ledger, partial(failure_counts, plan, ledger)))


def _trial(plan: Graph, digest: str, number: int, values: Values, result: Result | None, account: _Account) -> Trial:
    study, chains = plan.studies[digest], plan.trial(digest, values)
    known = chains if result is None else chains[: result.runs]
    stopped = {chains[0][-1].key: result.curve[-1].passes} if result and _at_a_rung(result) else {}
    booked = [(run, account.book(run, stopped.get(run.key))) for chain in known for run in chain]
    spent = [cost for _, cost in booked]
    last = [chain[-1] for chain in known]
    points = result.curve if result else curve(study, last[0].key, account.ledger)
    return Trial(
        number=number,
        values=values,
        state=result.state if result else "open",
        scores=result.scores if result else (),
        labelled_passes=sum(cost.get("cost/labelled_passes", 0.0) for cost in spent),
        unlabelled_passes=sum(cost.get("cost/unlabelled_passes", 0.0) for cost in spent),
        seconds=sum(cost.get("cost/seconds", 0.0) for cost in spent),
        curve=tuple((point.passes, point.loss) for point in points),
        runs=tuple(run.name for run in last),
        keys=tuple(run.key for run in last),
        pretrained=any(any(cost.values()) for run, cost in booked if not run.spec.on_budget),
    )


def _at_a_rung(result: Result) -> bool:
    return result.state == "pruned" and result.losses is None


def _share(cost: Mapping[str, float], passes: float) -> dict[str, float]:
    """What a run of a cost with labels has cost after so many passes: it may have gone on for another study or suite."""
    whole = cost.get("cost/labelled_passes", 0.0)
    return {name: value * min(1.0, passes / whole) for name, value in cost.items()} if whole else dict(cost)


class _Account:
    """What runs have cost, each once."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._booked: dict[str, dict[str, float]] = {}

    def book(self, run: PlannedRun, passes: float | None = None) -> dict[str, float]:
        """Book what a run has cost, in full or after so many passes, and return what of it was not booked yet: the run may have
        gone on for a later trial with the same values."""
        cost, before = self.ledger.costs(run.key), self._booked.get(run.key, {})
        cost = cost if passes is None else _share(cost, passes)
        self._booked[run.key] = {name: max(value, before.get(name, 0.0)) for name, value in cost.items()}
        return {name: value - before.get(name, 0.0) for name, value in self._booked[run.key].items()}


def front(study: Study, results: Mapping[int, Result]) -> tuple[int, ...]:
    """Return the numbers of the trials that no other one beats in an aim without being beaten in another; none for one aim."""
    if len(study.aims) < 2:
        return ()
    scored = {number: result.scores for number, result in results.items() if result.compared}
    signs = np.array([-1 if aim.larger_is_better else 1 for aim in study.aims])
    there = on_front(signs * np.array(list(scored.values())).reshape(len(scored), len(signs)))
    return tuple(number for number, best in zip(scored, there, strict=True) if best)
