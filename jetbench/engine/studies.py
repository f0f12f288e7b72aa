"""What the driver asks of a study: which trials are open, and who has won. Both are pure functions of the trials that have
ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jetbench.suites.graph import Graph, Links, PlannedRun
from jetbench.suites.outcomes import ended
from jetbench.suites.pruning import Bar, Ended, Result, bar_for, bar_of, result_so_far
from jetbench.suites.replay import open_round
from jetbench.suites.winner import Winner, winner
from jetbench.tracking.ledger import Ledger

__all__ = ["Search"]


class Search:
    """A study under way: the results so far, and which trials of its open round are still to come. `failed` tells of a run, by
    its key, whether it has failed for good; no round is opened once it is `late`."""

    def __init__(
        self,
        plan: Graph,
        digest: str,
        ledger: Ledger,
        failed: Callable[[str], bool] = lambda key: False,
        late: Callable[[], bool] = lambda: False,
    ) -> None:
        self.plan, self.digest, self.ledger, self.failed, self.late = plan, digest, ledger, failed, late
        self.study = plan.studies[digest]
        self.results: dict[int, Result] = {}
        self.trials: dict[str, PlannedRun] = {}  # last runs that were asked for so far, by key
        self._bars: dict[int, Bar] = {}  # what each trial of the open round is held against
        self._round: dict[
            int, tuple[Links, ...]
        ] = {}  # chains of the open trials; a sampler may try a value twice: the same runs
        self._ended: dict[str, Ended | None] = {}  # of the open round, by the key of a chain's last run; None while it runs

    @property
    def name(self) -> str:
        return self.plan.study_name(self.digest)

    @property
    def hopeless(self) -> bool:
        """Whether all its trials have ended and none of them can win."""
        return len(self.results) >= self.study.trials and not any(result.compared for result in self.results.values())

    @property
    def in_last_round(self) -> bool:
        """Whether all that it asks for has been asked for: its winner is known once that has ended."""
        asked = all(chain[-1].key in self._ended for chains in self._round.values() for chain in chains)
        return asked and len(self.results) + len(self._round) >= self.study.trials

    def limits(self, key: str) -> tuple[tuple[int, float], ...]:
        """Return the limits that the run of an open trial is held against: that of its first seed."""
        bars = (self._bars[number] for number, chains in self._round.items() if chains[0][-1].key == key)
        return tuple(sorted(next(bars, Bar()).limits.items()))

    def book(self, chain: Links) -> None:
        """Note that a chain of runs of the open round has ended, whatever came of it."""
        self._ended[chain[-1].key] = ended(self.study, [run.spec for run in chain], self.ledger, self.failed)

    def advance(self) -> list[Links] | Winner | None:
        """Return the chains of runs that are to end next, or the winner; None while others are still to come, or where nobody can
        win. A chain may come a second time: its run was stopped for another study, and is to go on for this one."""
        while True:
            if not self._round and not self._open_round():
                return winner(self.study, self.results)
            so_far = {number: self._result_so_far(number) for number in self._round}
            results = {number: found for number, found in so_far.items() if isinstance(found, Result)}
            if len(results) < len(so_far):
                return list(self._released(so_far)) or None
            self.results |= results
            self._round, self._ended = {}, {}

    def _open_round(self) -> bool:
        asked = {} if self.late() else open_round(self.study, self.results)
        bar = bar_of(self.study, self.results.values())
        self._bars = {number: bar_for(self.study, values, bar) for number, values in asked.items()}
        self._round = {number: self.plan.trial(self.digest, values) for number, values in asked.items()}
        return bool(asked)

    def _result_so_far(self, number: int) -> Result | int:
        return result_so_far(self.study, self._bars[number], [self._ended.get(chain[-1].key) for chain in self._round[number]])

    def _released(self, so_far: dict[int, Result | int]) -> Iterator[Links]:
        """The chains of open trials that may run and do not yet."""
        for number, seeds in so_far.items():
            for chain in self._round[number][: seeds if isinstance(seeds, int) else 0]:
                key = chain[-1].key
                found = self._ended.get(key)
                if key not in self._ended or (found is not None and found.state == "pruned"):
                    self._ended[key] = None
                    self.trials[key] = chain[-1]
                    yield chain
