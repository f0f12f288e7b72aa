"""What the driver asks of a study: which trials are open, and who has won. Both are pure functions of the finished trials."""

from __future__ import annotations

from collections.abc import Mapping

from jetbench.spec import RunSpec
from jetbench.suites.plan import PlannedRun, run_name
from jetbench.suites.tuning import Result, Study, Tuner, Winner
from jetbench.tracking.ledger import Ledger

__all__ = ["Search", "decided", "open_round", "winner"]


def open_round(study: Study, results: Mapping[int, Result]) -> dict[int, RunSpec]:
    """The trials of the first round that is not finished, by number; empty where the study has all that it asks for."""
    tuner = Tuner(study, None)
    while trials := tuner.pending():
        if not trials.keys() <= results.keys():
            return trials
        tuner.tell_round({number: results[number] for number in trials})
    return {}


def winner(study: Study, results: Mapping[int, Result]) -> Winner:
    """What a study decides whose rounds are all finished."""
    tuner = Tuner(study, None)
    while trials := tuner.pending():
        tuner.tell_round({number: results[number] for number in trials})
    return tuner.winner()


def decided(study: Study, ledger: Ledger) -> Winner | None:
    """The winner of a study by the folders of its trials; None where some are yet to be run."""
    results: dict[int, Result] = {}
    while trials := open_round(study, results):
        keys = {number: spec.digest() for number, spec in trials.items()}
        if not all(ledger.done(key) for key in keys.values()):
            return None
        results |= {number: _result(ledger, key) for number, key in keys.items()}
    return winner(study, results)


class Search:
    """A study under way: the results so far, and which trials of its open round are still to come."""

    def __init__(self, study: Study, arm: str, ledger: Ledger) -> None:
        self.study, self.arm, self.ledger = study, arm, ledger
        self.results: dict[int, Result] = {}
        self._open: dict[str, list[int]] = {}  # a sampler may try a value twice: that is one run with two numbers

    @property
    def name(self) -> str:
        return f"{self.arm}/n{self.study.template.labels}"

    def book(self, key: str) -> None:
        """Note that a trial of the open round is finished."""
        numbers = self._open.pop(key, [])
        if numbers:
            self.results |= dict.fromkeys(numbers, _result(self.ledger, key))

    def advance(self) -> list[PlannedRun] | Winner | None:
        """The trials of a new round, or the winner; None while trials of the open round are still to come."""
        if self._open:
            return None
        trials = open_round(self.study, self.results)
        if not trials:
            return winner(self.study, self.results)
        planned = {number: PlannedRun(spec, run_name(spec, self.arm), self.arm) for number, spec in trials.items()}
        for number, run in planned.items():
            self._open.setdefault(run.key, []).append(number)
        return list(planned.values())


def _result(ledger: Ledger, key: str) -> Result:
    metrics = ledger.metrics(key)
    return Result(metrics["val/auc"], metrics["val/loss"], metrics["val/auc_se"])
