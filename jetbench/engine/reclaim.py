"""Freeing space in a store by rule: what may go, how much that is, and that nothing that somebody needs goes with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from jetbench.engine.custody import idle
from jetbench.engine.survey import Survey, survey, wanted_weights
from jetbench.errors import BusyError, StoreError, UnknownNameError
from jetbench.files import file_lock
from jetbench.plugins import kept_files
from jetbench.registry import nearest
from jetbench.suites.graph import Graph
from jetbench.suites.instance import AnyInstance
from jetbench.suites.instances import forget, latest_instance, remembered
from jetbench.suites.plan import Plan
from jetbench.suites.plans import plan_remembered
from jetbench.suites.trials import follow, front
from jetbench.suites.winner import winner
from jetbench.tracking.experiments import experiment_names
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.rows import Row, drop_experiment, drop_files, rows, shown
from jetbench.tracking.store import PATIENCE, Store

__all__ = ["RULES", "Reclaimer", "undisturbed"]


@contextmanager
def undisturbed(store: Store) -> Iterator[None]:
    """Own the store and every instance in it while inside. Raises `StoreError` where there is none, `BusyError` where a process
    runs an instance."""
    _refuse_missing(store)
    store.settle()
    with file_lock(store.root / ".lock", patience=PATIENCE), idle(store, sorted(path.stem for path in store.work.glob("*.lock"))):
        yield


class Reclaimer:
    """What the rules free of a store as it is now. Whoever frees something owns the store (`undisturbed`). Raises `StoreError`
    where there is none."""

    def __init__(self, store: Store) -> None:
        _refuse_missing(store)
        self.store = store
        self.ledger = Ledger(store.work)

    @cached_property
    def surveys(self) -> dict[str, Survey]:
        """Every instance that the store remembers, by its name. Raises `StoreError` for one that can no longer be planned: what
        it needs nobody knows."""
        return {
            name: survey(plan_remembered(one, self.store.root), self.ledger) for name, one in remembered(self.store.root).items()
        }

    @cached_property
    def lost(self) -> set[str]:
        """The names of instances that can no longer be planned: nobody can tell which runs are theirs."""
        return {name for name, one in remembered(self.store.root).items() if not _plannable(one, self.store.root)}

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        """What MLflow shows of each run, by its key."""
        found: dict[str, list[Row]] = {}
        for row in rows(self.store):
            found.setdefault(row.key, []).append(row)
        return found

    def checkpoints(self) -> list[Path]:
        """List the checkpoints of runs that have failed or were stopped: they start anew without them."""
        folders = [RunFolder(path) for path in sorted(self.store.work.iterdir()) if path.is_dir()]
        idle_ones = [folder for folder in folders if not folder.under_way()]
        return [path for folder in idle_ones for path in folder.checkpoints()]

    def trials(self) -> list[str]:
        """Return the keys of trials, finished or stopped by their study, with weights that won no study, and that nothing else
        needs."""
        lost = {key for found in self.surveys.values() for key in self._decided(found)}
        return self._unneeded(lost)

    def pretrainings(self) -> list[str]:
        """Return the keys of finished pretrainings whose weights nothing needs that is yet to be trained."""
        return self._unneeded(
            {key for found in self.surveys.values() for key, run in found.runs.items() if run.kind == "pretrain"}
        )

    def _decided(self, found: Survey) -> Iterator[str]:
        """The trials of the studies of an instance that have a winner, without those that are the last run of a cell."""
        for digest, asked in found.asked.items():
            kept = self._kept(found.plan, digest)
            yield from (key for key in asked if kept is not None and key not in kept)

    def _kept(self, plan: Graph, digest: str) -> set[str] | None:
        """The trials whose weights are results: those of a winner or a front, unless the winner is trained again for each seed;
        None before the study has decided."""
        study = plan.studies[digest]
        values, results = follow(plan, digest, self.ledger)
        won = winner(study, results)
        chosen = (won.number,) if won else front(study, results) if len(results) >= study.trials else ()
        if not chosen:
            return None
        retrained = isinstance(plan, Plan) and not plan.seeds_tune
        return set() if retrained else {chain[-1].key for number in chosen for chain in plan.trial(digest, values[number])}

    def _unneeded(self, keys: set[str]) -> list[str]:
        for found in self.surveys.values():
            lost = set(self._decided(found))
            keys = keys - wanted_weights(found, self.ledger)
            keys -= {key for key, run in found.runs.items() if run.kind != "pretrain" and key not in lost}
        return sorted(key for key in keys if self._left_weights(key))

    def _left_weights(self, key: str) -> bool:
        """Whether a run has ended and its weights are there; one that a study has stopped saves what it had come to."""
        if self.ledger.pruned(key):
            return bool(self.ledger.run(key).models())
        return self.ledger.done(key) and self.ledger.has_weights(key)

    def aside(self) -> list[Path]:
        """List what was set aside when runs were trained again."""
        return sorted(self.store.aside.iterdir()) if self.store.aside.is_dir() else []

    def plugins(self) -> list[Path]:
        """List the kept files of plug-ins that no instance rests on, and no run that is there."""
        files = kept_files(self.store.root)
        used = {plugin.sha256 for one in remembered(self.store.root).values() for plugin in one.plugins}
        idle_ones = {digest: path for digest, path in files.items() if digest not in used}
        specs = self._specs() if idle_ones else []
        return [path for digest, path in idle_ones.items() if not any(digest in text for text in specs)]

    def _specs(self) -> list[str]:
        """What every run that is there was, as it is written."""
        specs = [RunFolder(path).spec for path in self.store.work.iterdir() if path.is_dir()]
        return [spec.read_text() for spec in specs if spec.exists()]

    def own(self, name: str) -> list[str]:
        """Return the keys of the runs of an instance that no other one has; none of one that is `lost`."""
        if name in self.lost:
            return []
        others = {key for other, found in self.surveys.items() if other != name for key in found.runs}
        return [key for key in self.surveys[name].runs if key not in others]

    def named(self, instance: str) -> AnyInstance:
        """Find an instance by its name or the beginning of it. Raises `UnknownNameError` for the name of a suite or study: what
        is removed is named in full."""
        known = remembered(self.store.root)
        if kind := next((one.kind for one in known.values() if one.title == instance), None):
            raise UnknownNameError(f"{instance!r} is a {kind}; {nearest(instance, known)}")
        return latest_instance(self.store.root, instance)

    def weights_size(self, keys: Iterable[str]) -> int:
        """Return the bytes of these runs' weights, in their folders and in MLflow."""
        total = 0
        for key in keys:
            files = self.ledger.run(key).models()
            names = [path.name for path in files]
            total += size(files) + size(path for row in self.rows.get(key, ()) for path in row.copies(names))
        return total

    def instance_size(self, name: str) -> int:
        """Return the bytes of an instance: the folders of runs that are its own, its reports, and its artifacts in MLflow."""
        known = experiment_names(self.store, name)
        artifacts = {row.artifacts for found in self.rows.values() for row in found if row.experiment in known and row.artifacts}
        return size([*(self.ledger.folder(key) for key in self.own(name)), self._reports(name), *artifacts])

    def _reports(self, name: str) -> Path:
        return self.store.root / "reports" / name

    def drop_weights(self, keys: Iterable[str]) -> None:
        """Remove the weights of runs that have ended, which stay so; MLflow follows."""
        for key in keys:
            folder = self.ledger.run(key)
            _refuse_running(folder)
            before = shown(folder)
            names = _drop_models(folder) if self.ledger.pruned(key) else self.ledger.reclaim(key)
            drop_files(self.store, self.rows.get(key, ()), names, before, shown(folder))

    def drop_instance(self, name: str) -> None:
        """Remove an instance: its experiment in MLflow, its reports, the runs that are its own, then its memory, and the kept
        files of plug-ins that nothing rests on without it."""
        own = [self.ledger.run(key) for key in self.own(name)]
        for folder in own:
            _refuse_running(folder)
        drop_experiment(self.store, name)
        for path in (self._reports(name), *(folder.path for folder in own)):
            shutil.rmtree(path, ignore_errors=True)
        forget(self.store.root, name)
        self.store.lock_of(name).unlink(missing_ok=True)
        _remove(path.parent for path in self.plugins())


def _drop_models(folder: RunFolder) -> list[str]:
    """Remove the weights of a run that a study has stopped; returns the names of their files."""
    gone = folder.models()
    _unlink(gone)
    return [path.name for path in gone]


def _plannable(instance: AnyInstance, root: Path) -> bool:
    try:
        plan_remembered(instance, root)
    except StoreError:
        return False
    return True


def _refuse_missing(store: Store) -> None:
    if not store.work.is_dir():
        raise StoreError(f"{store.root} holds no results; name another folder with --store")


def _refuse_running(folder: RunFolder) -> None:
    """A training may outlive the process that ran its instance."""
    if folder.under_way():
        raise BusyError(f"another process trains the run of {folder.path}; wait for it, or stop it first")


def size(paths: Iterable[Path]) -> int:
    """Return the bytes of files, and of all files below folders."""
    total = 0
    for path in paths:
        files = path.rglob("*") if path.is_dir() else [path]
        total += sum(file.stat().st_size for file in files if file.is_file())
    return total


@dataclass(frozen=True)
class Rule:
    """What a rule frees: a text for people, how many bytes and of how many things, and how it is done."""

    text: str
    look: Callable[[Reclaimer], tuple[int, int]]
    free: Callable[[Reclaimer], None]


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        shutil.rmtree(path)


RULES = {
    "checkpoints": Rule(
        "checkpoints of runs that failed or were stopped, which then start anew",
        lambda one: (size(one.checkpoints()), len(one.checkpoints())),
        lambda one: _unlink(one.checkpoints()),
    ),
    "trials": Rule(
        "weights of trials that did not win",
        lambda one: (one.weights_size(one.trials()), len(one.trials())),
        lambda one: one.drop_weights(one.trials()),
    ),
    "pretrainings": Rule(
        "weights of finished pretrainings that nothing unfinished starts from",
        lambda one: (one.weights_size(one.pretrainings()), len(one.pretrainings())),
        lambda one: one.drop_weights(one.pretrainings()),
    ),
    "aside": Rule(
        "what was set aside when runs were trained again",
        lambda one: (size(one.aside()), len(one.aside())),
        lambda one: _remove(one.aside()),
    ),
    "plugins": Rule(
        "files of plug-ins that no instance and no run rests on",
        lambda one: (size(one.plugins()), len(one.plugins())),
        lambda one: _remove(path.parent for path in one.plugins()),
    ),
}
