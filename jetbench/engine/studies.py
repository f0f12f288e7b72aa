"""What the driver asks of a study: which trials are open, and who has won. Both are pure functions of the trials that have
ended."""

from __future__ import annotations

from jetbench.suites.plan import Plan, PlannedRun
from jetbench.suites.studies import Result, open_round
from jetbench.suites.winner import Winner, winner
from jetbench.tracking.ledger import Ledger

__all__ = ["Search"]


class Search:
    """A study under way: the results so far, and which trials of its open round are still to come."""

    def __init__(self, plan: Plan, digest: str, ledger: Ledger) -> None:
        self.plan, self.digest, self.ledger = plan, digest, ledger
        self.study = plan.studies[digest]
        self.results: dict[int, Result] = {}
        self.trials: dict[str, PlannedRun] = {}  # that were asked for so far, by key
        self._open: dict[str, list[int]] = {}  # a sampler may try a value twice: that is one run with two numbers

    @property
    def name(self) -> str:
        return self.plan.study_name(self.digest)

    @property
    def hopeless(self) -> bool:
        """Whether all its trials have ended and every one of them has diverged."""
        return len(self.results) >= self.study.trials and all(result.losses is None for result in self.results.values())

    def book(self, key: str) -> None:
        """Note that a trial of the open round has ended: finished, or diverged."""
        if numbers := self._open.pop(key, []):
            diverged = self.ledger.diverged(key) and not self.ledger.done(key)
            found = Result(None if diverged else self.ledger.losses(key))
            self.results |= dict.fromkeys(numbers, found)

    def advance(self) -> list[PlannedRun] | Winner | None:
        """Return the trials of a new round, or the winner; None while trials are still to come, or where nobody can win."""
        if self._open:
            return None
        trials = open_round(self.study, self.results)
        if not trials:
            return winner(self.study, self.results)
        planned = {number: self.plan.trial(self.digest, spec) for number, spec in trials.items()}
        for number, run in planned.items():
            self.trials[run.key] = run
            self._open.setdefault(run.key, []).append(number)
        return list(planned.values())
