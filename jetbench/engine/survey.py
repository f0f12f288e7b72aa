"""Where a plan stands: the state of every run, read from the folders and locks of a store, and nothing is changed by it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from jetbench.errors import StoreError
from jetbench.files import file_lock
from jetbench.suites.graph import Graph, Links, PlannedRun
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.trials import follow
from jetbench.tracking.ledger import Ledger

__all__ = [
    "ENDED",
    "STATES",
    "State",
    "Survey",
    "key_called",
    "keys_called",
    "reopen_reclaimed",
    "searched",
    "survey",
    "wanted_weights",
]

State = Literal["planned", "running", "stopped", "done", "diverged", "pruned", "failed", "stale"]
STATES: tuple[State, ...] = get_args(State)
ENDED = {"done", "diverged", "pruned"}
LOST = ("failed", "diverged")  # what nothing can start from
SHORTEST = 4  # digits of a key that are taken for one


@dataclass(frozen=True)
class Survey:
    """The runs of a plan by key, each after what it starts from, with the trials that searches have asked for so far, and their
    states.

    A "running" run is owned by a process, a "stopped" one has begun and goes on from its checkpoint. A "diverged" or "pruned" one
    is a trial, and has ended with that. A "stale" one was finished and is trained again: a file of it is damaged, or its weights
    were reclaimed and another run has to start from them. By the digest of a study, `asked` are the keys of the last runs of its
    trials that are known so far, and `unknown` is how many a search has yet to choose.
    """

    plan: Graph
    runs: dict[str, PlannedRun]
    states: dict[str, State]
    unknown: dict[str, int]
    asked: dict[str, list[str]]

    def called(self, what: str) -> list[str]:
        """Return the keys of the runs that `keys_called` finds."""
        return keys_called(what, self.runs)

    def one_called(self, what: str) -> str | None:
        """Return the key of the run that `key_called` finds. Raises `StoreError` as it does."""
        return key_called(what, self.runs)

    def chain(self, key: str) -> list[PlannedRun]:
        """Return a run after those that it starts from, first to last."""
        found: list[PlannedRun] = []
        start: str | None = key
        while start is not None:
            found.insert(0, self.runs[start])
            start = self.runs[start].spec.start
        return found

    @property
    def open(self) -> int:
        """How many runs are yet to end."""
        return sum(state not in ENDED for state in self.states.values()) + sum(self.unknown.values())

    @cached_property
    def blocked(self) -> set[str]:
        """The keys of runs that cannot begin: what they start from has failed, or a trial of the study that they wait for."""
        found: set[str] = set()
        waiting = {digest for digest in self.asked if self._waits_for_failed(digest)}
        for key, run in self.runs.items():
            start = run.spec.start
            lost = start is not None and (start in found or self.states.get(start) in LOST)
            if self.states[key] != "done" and (lost or self.plan.study_of(key) in waiting):
                found.add(key)
        return found

    def _waits_for_failed(self, digest: str) -> bool:
        """Whether a study cannot decide before a failed trial is mended."""
        return not self.plan.failures_count and any(self.states[key] == "failed" for key in self.asked[digest])

    def cell(self, cell: CellKey) -> State:
        """Return the state of a cell's last run; where the cell has a study of its own, that of the study."""
        assert isinstance(self.plan, Plan)
        digest = self.plan.tuned.get(cell)
        if digest is None or not self.plan.seeds_tune:
            return self.states[self.plan.cells[cell]]
        states = [self.states[key] for key in self.asked[digest]]
        if self.unknown.get(digest) or not all(state in ENDED for state in states):
            return next((state for state in ("failed", "running", "stale", "stopped") if state in states), "planned")
        return "done" if "done" in states else "failed"


def keys_called(what: str, runs: Mapping[str, PlannedRun]) -> list[str]:
    """Return the keys of the runs, by key, that have this name, or else of those whose keys begin so."""
    named = [key for key, run in runs.items() if run.name == what]
    return named or ([key for key in runs if key.startswith(what)] if len(what) >= SHORTEST else [])


def key_called(what: str, runs: Mapping[str, PlannedRun]) -> str | None:
    """Return the key of the run, of these by key, that has this name, or else whose key begins so; None for none. Raises
    `StoreError` for several keys that begin so."""
    found = keys_called(what, runs)
    if len(found) > 1:
        raise StoreError(f"{len(found)} runs have keys that begin with {what}; write more of it")
    return found[0] if found else None


def searched(plan: Graph) -> dict[str, int]:
    """Return the studies whose trials a search chooses as it goes, by digest, and how many last runs these have."""
    unknown = {
        digest: (study.trials - len(study.known_values())) * study.runs_per_trial for digest, study in plan.studies.items()
    }
    return {digest: count for digest, count in unknown.items() if count}


def survey(plan: Graph, ledger: Ledger, ended: dict[str, State] | None = None) -> Survey:
    """Look at every run. `ended` holds states that cannot change any more, of an earlier look, and takes up those of this one."""
    known = {} if ended is None else ended
    present = {entry.name for entry in os.scandir(ledger.work)} if ledger.work.is_dir() else set()
    runs, unknown = dict(plan.runs), searched(plan)
    trials: dict[str, list[str]] = {}
    for digest in plan.studies:
        if digest in unknown:
            chains, unknown[digest] = _asked(plan, digest, ledger)
        else:
            chains = [chain for values in plan.studies[digest].known_values() for chain in plan.trial(digest, values)]
        for run in (run for chain in chains for run in chain):
            runs.setdefault(run.key, run)
        trials[digest] = list(dict.fromkeys(chain[-1].key for chain in chains))
    states = {key: known.get(key) or _state(plan, run, ledger, present) for key, run in runs.items()}
    known |= {key: state for key, state in states.items() if state in ENDED}
    found = Survey(plan, runs, states, {digest: count for digest, count in unknown.items() if count}, trials)
    for key in wanted_weights(found, ledger):
        if states[key] == "done" and not ledger.has_weights(key):
            states[key] = "stale"
    return found


def _state(plan: Graph, run: PlannedRun, ledger: Ledger, present: set[str]) -> State:
    folder = ledger.run(run.key)
    if folder.path.name not in present:
        return "planned"
    if ledger.done(run.key):
        return "done"
    if folder.under_way():
        return "running"
    tried = run.kind == "trial" or plan.failures_count  # for a study that is an outcome
    if tried and ledger.pruned(run.key):
        return "pruned"
    if ledger.failure(run.key) is not None:
        return "diverged" if tried and ledger.diverged(run.key) else "failed"
    if folder.done.exists():
        return "stale"
    return "stopped" if folder.environment.exists() else "planned"


def _asked(plan: Graph, digest: str, ledger: Ledger) -> tuple[list[Links], int]:
    """The chains of runs of the trials that a search has asked for, and how many last runs are to come. Of a trial that has ended
    before its last seed the others are not among them."""
    study = plan.studies[digest]
    values, results = follow(plan, digest, ledger)
    chains: list[Links] = []
    for number, tried in values.items():
        chains += plan.trial(digest, tried)[: results[number].runs if number in results else None]
    return chains, (study.trials - len(values)) * study.runs_per_trial


def wanted_weights(found: Survey, ledger: Ledger) -> set[str]:
    """Return the keys of the runs whose weights something needs that is yet to be trained: the runs that start from them, or
    trials that a search has yet to choose."""
    wanted = _shared_starts(found.plan, found.unknown)
    for key, run in reversed(found.runs.items()):
        again = key in wanted and not ledger.has_weights(key)
        if run.spec.start is not None and (found.states[key] not in ENDED or again):
            wanted.add(run.spec.start)
    return {key for key in wanted if key in found.runs}


def reopen_reclaimed(plan: Graph, ledger: Ledger) -> None:
    """Declare finished runs not done whose weights were reclaimed and are wanted again: they are trained once more."""
    starts = {run.spec.start for run in plan.runs.values() if run.spec.start} | _shared_starts(plan, plan.studies)
    if not any(ledger.done(start) and not ledger.has_weights(start) for start in starts):
        return  # as always but after `store gc`
    for key, state in survey(plan, ledger).states.items():
        if state == "stale":
            _reopen(key, ledger)


def _reopen(key: str, ledger: Ledger) -> None:
    """Declare one of them not done, unless another process has it trained meanwhile."""
    with file_lock(ledger.run(key).lock, wait=False) as mine:
        if mine and ledger.done(key) and not ledger.has_weights(key):
            ledger.declare_open(key)


def _shared_starts(plan: Graph, digests: Iterable[str]) -> set[str]:
    """The keys of what trials of these studies start from where they do not search it: at every seed a run of its own."""
    studies = [plan.studies[digest] for digest in digests]
    return {chain[-1].start for study in studies for chain in study.chains(study.unsearched) if chain[-1].start}
