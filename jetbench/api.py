"""What a script calls: plan a suite or study, run it, and have its results."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from jetbench.engine.array import Remaining, execute_one, remaining
from jetbench.engine.clusters import cluster_pool
from jetbench.engine.devices import cores, gpus, places
from jetbench.engine.engine import execute
from jetbench.engine.events import Event
from jetbench.engine.forecast import describe
from jetbench.engine.pool import MakePool, local_pool
from jetbench.engine.prepare import prepare
from jetbench.engine.rerun import chosen, set_aside
from jetbench.engine.scheduler import address_in, scheduler_pool
from jetbench.engine.status import Watcher
from jetbench.engine.survey import survey
from jetbench.engine.sync import sync
from jetbench.errors import StoreError
from jetbench.jets import open_jets
from jetbench.plugins import scope
from jetbench.report.collect import collect
from jetbench.report.differing import Differences, find_differences
from jetbench.report.results import Results
from jetbench.report.subjects import find_subject
from jetbench.suites.budgets import check_budgets, check_equal_classes
from jetbench.suites.contradictions import contradictions
from jetbench.suites.extras import refuse_missing_packages
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.suites.instance import AnyInstance
from jetbench.suites.instances import latest, latest_instance, latest_study_instance, named, remember, remembered
from jetbench.suites.names import named_plans
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.plans import plan_remembered
from jetbench.suites.study_file import find_study, instantiate_study, study_names
from jetbench.suites.study_planning import StudyPlan, make_study_plan
from jetbench.suites.suite import find_suite, instantiate, suite_names
from jetbench.suites.trials import Searching, searchings
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.server import LOCAL, tracking_server
from jetbench.tracking.shared_views import RUNS, packed, view_tag
from jetbench.tracking.store import Store, store_root

if TYPE_CHECKING:
    from jetbench.inference import Ensemble

__all__ = [
    "Execution",
    "Progress",
    "Session",
    "StudySession",
    "compare_specs",
    "latest_execution",
    "latest_session",
    "latest_study",
    "load",
    "open_session",
    "open_study",
    "remembered_sessions",
]

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # what is being made, jets done and jets in all


@dataclass
class Execution:
    """A plan and the store that it runs in."""

    plan: Graph
    store: Store

    @property
    def default_store(self) -> bool:
        return self.store.root == store_root()

    @property
    def pages(self) -> str:
        """The command that leads to MLflow's pages, or the address of a server that the environment does not name."""
        if self.store.tracking_uri != tracking_server():
            return self.store.tracking_uri or f"jetbench ui --tracking-uri {LOCAL}"
        return "jetbench ui" + ("" if self.default_store else f" --store {self.store.root}")

    @property
    def folder(self) -> Path:
        """Where what is shown of it is written."""
        return self.store.root / "reports" / self.plan.instance.name

    def forecast(self, jobs: int | None = None) -> str:
        """Say in words what is planned, what is done, and how long the rest should take with `jobs` trainings at a time."""
        return describe(self.plan, self.store, len(places(jobs, cores(), gpus())), jobs or cores())

    def watcher(self) -> Watcher:
        """Return what looks at the state of every run, as often as it is asked."""
        return Watcher(self.plan, self.store, len(places(None, cores(), gpus())), cores())

    def searchings(self) -> list[Searching]:
        """Return every study of the plan with its trials so far."""
        return searchings(self.plan, Ledger(self.store.work))

    @property
    def tracker(self) -> MlflowTracker:
        from jetbench.report.review.runs import trainings_view

        instance = self.plan.instance
        kind = instance.kind
        tags = (
            (f"jetbench.{kind}", instance.title),
            ("jetbench.scale", instance.scale),
            (
                "mlflow.note.content",
                f"**{instance.question}**\n\n{kind.capitalize()} `{instance.title}`, scale `{instance.scale}`.",
            ),
            (view_tag(RUNS), packed(trainings_view(self.plan.task.headline))),
        )
        return MlflowTracker(self.store, instance.name, tags)

    def run(
        self,
        jobs: int | None = None,
        progress: Progress | None = None,
        timeout: float | None = None,
        scheduler: str | Path | None = None,
        cluster: Path | None = None,
    ) -> Generator[Event, None, None]:
        """Make the data, run what is not finished, publish it; events as they happen.

        `jobs` is how many trainings, or processes that make data, run at a time. After `timeout` seconds studies begin no further
        round of trials, and what has begun is trained to its end. With a `scheduler` of Dask, by its address or the path of its
        file, its workers train, with a `cluster` file the jobs of a batch system; raises `RunError` where that makes no sense,
        nobody answers, or workers are not fit.
        """
        end = time.monotonic() + (math.inf if timeout is None else timeout)
        self.store.prepare()
        remember(self.store.root, self.plan.instance)
        told = progress or (lambda what, done, total: None)
        yield from execute(
            self.plan,
            self.store,
            self.tracker,
            lambda: places(jobs, cores(), gpus()),
            lambda crew: prepare(self.plan, crew or jobs or cores(), told),
            pool=self._pool(jobs, scheduler, cluster),
            late=lambda: time.monotonic() > end,
        )

    def _pool(self, jobs: int | None, scheduler: str | Path | None, cluster: Path | None) -> MakePool:
        lock = self.store.lock_of(self.plan.instance.name)
        if cluster is not None:
            return cluster_pool(cluster, lock, jobs)
        if scheduler is None:
            return local_pool
        return scheduler_pool(address_in(scheduler) if isinstance(scheduler, Path) else scheduler, lock, jobs)

    def rerun(self, what: str) -> list[PlannedRun]:
        """Return the runs that `set_aside` would set aside."""
        return chosen(what, survey(self.plan, Ledger(self.store.work)))

    def sync(self) -> Iterator[Event]:
        """Ship what the tracker lacks of runs that have ended or were stopped, and the page where one was written; events tell of
        it as `engine.sync.sync` says. Raises `StoreError` where the tracker cannot be reached, `BusyError` where a process
        executes the instance."""
        self.store.prepare()
        yield from sync(self.plan, self.store, self.tracker)

    def set_aside(self, what: str) -> list[str]:
        """Set runs aside, so that `run` trains them anew: "failed" (the diverged ones; others that failed are tried again
        anyway), "all", or a run by name or key, with all that depend on it. Returns what to tell people.

        Raises `UnknownNameError` for a run that there is not, `BusyError` where a process runs one of them.
        """
        return set_aside(self.plan, what, self.store)


@dataclass
class StudySession(Execution):
    """A planned study instance and the store that it runs in."""

    plan: StudyPlan

    def sync(self) -> Iterator[Event]:
        yield from super().sync()
        if self.folder.is_dir():
            yield from (Event("published", what) for what in self.publish(self.searchings()))

    def write(self, found: list[Searching], folder: Path | None = None) -> list[Path]:
        """Write the page of the study, with its trials so far, into the store or another folder; returns the files, the page
        first."""
        from jetbench.report.study.write import write_study

        return write_study(self.plan.instance, found, folder or self.folder, contradictions(self.plan))

    def publish(self, found: list[Searching]) -> tuple[str, ...]:
        """Write the page of the study into the store and into the tracker; returns what this lacked, in words."""
        return ("the page",) if self.tracker.log_report(self.write(found)) else ()


@dataclass
class Session(Execution):
    """A planned suite instance and the store that it runs in."""

    plan: Plan

    def results(self) -> Results:
        return collect(self.plan, self.store)

    def remaining(self) -> Remaining:
        """List the runs that are not finished, each after all that it needs, for processes that execute one each (`run_one`)."""
        self.store.prepare_work()
        remember(self.store.root, self.plan.instance)
        return remaining(self.plan, self.store)

    def run_one(self, run: str, jobs: int | None = None, progress: Progress | None = None) -> Generator[Event, None, None]:
        """Execute a single run, by its name or key, beside whatever other processes execute, and publish nothing; events as
        `engine.array.execute_one` says. The data are made where they are missing, in `jobs` processes."""
        self.store.prepare_work()
        told = progress or (lambda what, done, total: None)
        place, ready = lambda: places(1, cores(), gpus())[0], lambda: prepare(self.plan, jobs or cores(), told)
        with closing(execute_one(self.plan, self.store, run, place, ready)) as events:
            first = next(events)  # a run that is none of the plan's is an error, and leaves no trace
            if self.plan.instance.name not in remembered(self.store.root):
                remember(self.store.root, self.plan.instance)
            yield first
            yield from events

    def sync(self) -> Iterator[Event]:
        yield from super().sync()
        if self.folder.is_dir():
            yield from (Event("published", what) for what in self.publish_report(self.results()))

    def write_report(self, results: Results, folder: Path | None = None) -> list[Path]:
        """Write the report into the store or another folder; returns the files, the page first."""
        from jetbench.report.write import write_report

        return write_report(results, folder or self.folder)

    def publish_report(self, results: Results) -> tuple[str, ...]:
        """Write the report into the store and into the tracker, with a run for each arm and budget there; returns what the
        tracker lacked, in words."""
        from jetbench.report.review.overview import overview, overview_digest
        from jetbench.report.words import count

        files = self.write_report(results)
        page, tracker = next(path for path in files if path.suffix == ".html"), self.tracker
        report = tracker.log_report(files)
        arms = tracker.log_overview(overview_digest(results), lambda: overview(results), page.name)
        return (*([f"{count(arms, 'run')} of arms"] if arms else []), *(["the report"] if report else []))


def open_session(
    suite: str | Path,
    *,
    scale: str | None = None,
    dataset: str | Path | None = None,
    unlabelled: str | Path | None = None,
    also_test: str | Path | None = None,
    overrides: tuple[str, ...] = (),
    store: str | Path | None = None,
    tracking_uri: str | None = None,
) -> Session:
    """Plan a suite by name or path, and report to an MLflow server where `tracking_uri` or the environment names one. Raises
    `JetbenchError` where suite, scale, dataset or overrides make no sense."""
    labelled, pool, also = (None if jets is None else str(jets) for jets in (dataset, unlabelled, also_test))
    instance = instantiate(find_suite(str(suite)), scale, labelled, pool, overrides, also)
    plan = make_plan(_with_file(instance, str(suite), suite_names()))
    _check(plan)
    return Session(plan, _store(store, tracking_uri))


def open_study(
    study: str | Path,
    *,
    scale: str | None = None,
    dataset: str | Path | None = None,
    unlabelled: str | Path | None = None,
    overrides: tuple[str, ...] = (),
    store: str | Path | None = None,
    tracking_uri: str | None = None,
) -> StudySession:
    """Plan a study by name or path, and report to an MLflow server where `tracking_uri` or the environment names one. Raises
    `JetbenchError` where study, scale, dataset or overrides make no sense."""
    labelled, pool = (None if jets is None else str(jets) for jets in (dataset, unlabelled))
    instance = instantiate_study(find_study(str(study)), scale, labelled, pool, overrides)
    plan = make_study_plan(_with_file(instance, str(study), study_names()))
    _check(plan)
    return StudySession(plan, _store(store, tracking_uri))


AnyKind = TypeVar("AnyKind", bound=AnyInstance)


def _with_file(instance: AnyKind, given: str, shipped: list[str]) -> AnyKind:
    """The instance, which keeps the path that it was found by where it is none of the shipped ones."""
    found: AnyKind = instance if given in shipped else instance.replace(file=given)
    return found


def _check(plan: Graph) -> None:
    """Refuse, before anything is simulated, a model without its package, and budgets that the classes of the dataset cannot give:
    equal ones where it is not made yet. What else is wrong with a file is told when it is prepared."""
    refuse_missing_packages(plan.instance.settings)
    dataset = plan.instance.find_dataset()
    if not dataset.ready:
        check_equal_classes(plan)
        return
    jets = open_jets(dataset.path)
    if not plan.task.unmet(jets.meta, tuple(jets.targets)):
        check_budgets(plan, plan.task.strata(jets), jets.event[:])


def latest_study(
    study: str | None = None,
    *,
    scale: str | None = None,
    store: str | Path | None = None,
    tracking_uri: str | None = None,
) -> StudySession:
    """Find the study instance that was run last in a store, of a study and scale where they are named. Raises `StoreError` for
    none."""
    root = _store(store, tracking_uri)
    return StudySession(cast(StudyPlan, plan_remembered(latest_study_instance(root.root, study, scale), root.root)), root)


def latest_session(
    suite: str | None = None,
    *,
    scale: str | None = None,
    store: str | Path | None = None,
    tracking_uri: str | None = None,
) -> Session:
    """Find the instance that was run last in a store, of a suite and scale where they are named. Raises `StoreError` for none."""
    root = _store(store, tracking_uri)
    return Session(cast(Plan, plan_remembered(latest(root.root, suite, scale), root.root)), root)


def latest_execution(
    name: str | None = None,
    *,
    scale: str | None = None,
    store: str | Path | None = None,
    tracking_uri: str | None = None,
) -> Execution:
    """Find the instance of a suite or study that was run last in a store, by the name of that or by its own. Raises `StoreError`
    for none."""
    root = _store(store, tracking_uri)
    return Execution(plan_remembered(latest_instance(root.root, name, scale), root.root), root)


def remembered_sessions(
    names: tuple[str, ...] = (), *, store: str | Path | None = None, tracking_uri: str | None = None
) -> Iterator[Session | StudySession]:
    """Yield the instances of suites and studies by these names, or every one of a store that can still be planned, the latest
    last. Raises `StoreError` for none, for a name that there is not, and for one that can no longer be planned."""
    root = _store(store, tracking_uri)
    found = [latest_instance(root.root, name) for name in names] or list(remembered(root.root).values())
    if not found:
        raise StoreError(f"{root.root} has no results; name another folder with --store")
    for instance in found:
        try:
            plan = plan_remembered(instance, root.root)
        except StoreError as error:
            if names:
                raise
            log.warning("%s", error)
            continue
        yield Session(plan, root) if isinstance(plan, Plan) else StudySession(cast(StudyPlan, plan), root)


def compare_specs(
    one: str, other: str, *, suite: str | Path | None = None, scale: str | None = None, store: str | Path | None = None
) -> Differences:
    """List what sets two arms or runs apart, by names or beginnings of keys: in the latest instance of a store that has them; in
    that of a `suite`, or of the beginning of an instance's name; or in a suite or suite file that the store has not run."""
    root = _store(store, LOCAL)
    if suite is None or (not Path(suite).is_file() and named(root.root, str(suite), scale)):
        plans = named_plans(root.root, str(suite) if suite else None, scale)
        return find_differences(one, other, plans, root)
    return find_differences(one, other, [open_session(suite, scale=scale, store=store).plan], root)


def load(run: str, *, suite: str | None = None, store: str | Path | None = None) -> Ensemble:
    """Load what a store has finished, to predict other jets: `jetbench.load("scratch/n1000/s0").predict("jets.h5")`.

    `run` is an arm with its label budget, "scratch/n1000", whose seeds predict together, or without, at its largest finished one;
    one of its seeds; or any run by its name or the beginning of its key, as `find_subject` finds it. `members` of what is
    returned are the runs by name, each with its `network`, `task` and `preprocessing`.

    Raises `StoreError` as `find_subject` does, `DataFileError` where the files of a run are damaged or gone,
    `MissingPackageError` where a model needs a package of an extra.
    """
    from jetbench.report.loading import load_subject

    root = _store(store, LOCAL)
    with scope():  # what the runs rest on counts for them alone: the next plan is of what was given
        return load_subject(find_subject(run, root, suite), root)


def _store(store: str | Path | None, tracking_uri: str | None = None) -> Store:
    return Store(store_root(str(store) if store else None), tracking_server(tracking_uri))
