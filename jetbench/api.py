"""What a script calls: plan a suite, run it, and have its results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jetbench.engine.child import PRELOAD
from jetbench.engine.engine import Event, execute
from jetbench.engine.prepare import prepare
from jetbench.processes import context
from jetbench.report.results import Results, collect
from jetbench.suites.budgets import check_equal_classes
from jetbench.suites.instances import latest, remember
from jetbench.suites.plan import Plan, make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.store import Store, store_root

__all__ = ["Session", "latest_session", "open_session"]


@dataclass
class Session:
    """A planned suite instance and the store that it runs in."""

    plan: Plan
    store: Store

    @property
    def default_store(self) -> bool:
        return self.store.root == store_root()

    def workers(self, jobs: int | None) -> int:
        """Return trainings at a time: as asked, or one per core that this process may use."""
        return jobs or len(os.sched_getaffinity(0))

    def results(self) -> Results:
        return collect(self.plan, self.store)

    def publish_report(self, results: Results) -> Path:
        """Write the report into the store and into the tracker; returns the page."""
        from jetbench.report.write import write_report

        files = write_report(results, self.store.root / "reports" / self.plan.instance.name)
        self.tracker.log_report(files)
        return next(path for path in files if path.suffix == ".html")

    @property
    def tracker(self) -> MlflowTracker:
        instance = self.plan.instance
        tags = (
            ("jetbench.suite", instance.suite),
            ("jetbench.scale", instance.scale),
            ("mlflow.note.content", f"**{instance.question}**\n\nSuite `{instance.suite}`, scale `{instance.scale}`."),
        )
        return MlflowTracker(self.store, instance.name, tags)

    def run(self, workers: int | None = None, progress: Callable[[str, int, int], None] | None = None) -> Iterator[Event]:
        """Make the data, run what is not finished, publish it; events as they happen."""
        workers = self.workers(workers)
        context(PRELOAD)  # its imports are done while jets are simulated
        self.store.prepare()
        remember(self.store.root, self.plan.instance)
        tracker = self.tracker
        tracker.connect()
        prepared = prepare(self.plan, workers, progress or (lambda what, done, total: None))
        yield from execute(self.plan, self.store, tracker, prepared, workers)


def open_session(
    suite: str | Path,
    *,
    scale: str | None = None,
    dataset: str | Path | None = None,
    unlabelled: str | Path | None = None,
    overrides: tuple[str, ...] = (),
    store: str | Path | None = None,
) -> Session:
    """Plan a suite, with a dataset and an unlabelled pool of choice, each by name or path.

    Raises `JetbenchError` where suite, scale, dataset or overrides make no sense.
    """
    instance = instantiate(find_suite(str(suite)), scale, _text(dataset), _text(unlabelled), overrides)
    plan = make_plan(instance)
    if not instance.find_dataset().ready:
        check_equal_classes(plan)
    return Session(plan, _store(store))


def latest_session(suite: str | None = None, *, scale: str | None = None, store: str | Path | None = None) -> Session:
    """Find the instance that was run last in a store, of a suite and scale where they are named. Raises `StoreError` for none."""
    root = _store(store)
    return Session(make_plan(latest(root.root, suite, scale)), root)


def _text(name: str | Path | None) -> str | None:
    return None if name is None else str(name)


def _store(store: str | Path | None) -> Store:
    return Store(store_root(str(store) if store else None))
