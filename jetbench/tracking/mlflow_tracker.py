"""MLflow as a sink: one experiment per suite instance, flat runs with explicit ids, no global state."""

from __future__ import annotations

import getpass
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.errors import StoreError
from jetbench.tracking import backend
from jetbench.tracking.arm_card import Overview
from jetbench.tracking.backend import speaking_plainly
from jetbench.tracking.experiments import DESCRIPTION, experiment_in, open_experiment
from jetbench.tracking.folder import RunFolder, noted
from jetbench.tracking.holdings import KEY, SHIPPED, Holding, digest, from_client, from_database, prefix, shipped
from jetbench.tracking.journal import Record, committed, read
from jetbench.tracking.mlflow_arms import ARM, KIND, log_pictures, publish_arms, publish_description
from jetbench.tracking.places import CONTENT, OVERVIEW, STORE
from jetbench.tracking.server import refuse_absent
from jetbench.tracking.shared_views import ARMS, RUNS, view_tag
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import Kind, Pairs, RunCard, Status, Tracker

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["MlflowTracker"]

CHUNK = 900  # metrics per request, of 1000 entities that MLflow takes
BELONGING = ("jetbench.suite", "jetbench.study")
LONGEST_PARAM, LONGEST_TAG, LONGEST_DIGEST = 6000, 8000, 32


class MlflowTracker(Tracker):
    """Fills one experiment; threads may share it.

    The tag `jetbench.shipped` says how much of which journal a run holds. A run whose journal has changed under it (trained
    again, or resumed from an older checkpoint) is moved to MLflow's bin and replaced, since MLflow cannot take points back.
    """

    def __init__(self, store: Store, experiment: str, experiment_tags: Pairs = ()) -> None:
        self.store = store
        self.experiment = experiment
        self.experiment_tags = experiment_tags
        self._lock = threading.RLock()
        self._connection: tuple[MlflowClient, str] | None = None
        self._runs: dict[str, str] = {}
        self._holdings: dict[str, Holding] | None = None

    def connect(self) -> None:
        with speaking_plainly(f"cannot open {self.store.uri}"):
            self._connected()

    @property
    def experiment_id(self) -> str:
        """MLflow's id of the experiment, which is made where there is none."""
        self.connect()
        return self._connected()[1]

    def awake(self) -> None:
        if self.store.tracking_uri:
            refuse_absent(self.store.tracking_uri)

    def holds(self, key: str, folder: RunFolder, *, sealed: bool = False, status: Status = "FINISHED") -> bool:
        """Tell whether MLflow has all of a run that has ended so; it is imported for that only where a server has to be asked."""
        found = self._held().get(key)
        return found is not None and found.all_of(folder, sealed=sealed, status=status)

    def _held(self) -> dict[str, Holding]:
        """What the experiment holds, as of the first question and less what this tracker has touched since."""
        with self._lock:
            if self._holdings is None and self.store.tracking_uri is None:
                self.store.settle()
                self._holdings = from_database(self.store, self.experiment)
            elif self._holdings is None:
                self._holdings = {}
                # a server that is away is reported by whoever then tries to publish
                with suppress(StoreError), speaking_plainly(f"cannot look into {self.store.uri}"):
                    self._holdings = from_client(*self._connected())
            return self._holdings or {}

    def publish(self, run: RunCard, since: int = 0) -> int:
        until = committed(run.journal)
        if since and until <= since:
            return since
        with speaking_plainly(f"cannot publish {run.name}"):
            client, _ = self._connected()
            run_id = self._runs.get(run.key)
            if not since or run_id is None:
                found, since = self._attach(run)
                run_id = found.info.run_id
                if found.info.status in ("FAILED", "KILLED") or (found.info.status == "FINISHED" and since < until):
                    client.update_run(run_id, status="RUNNING")
            records, offset = read(run.journal, since, until)
            if records:
                self._send(run_id, records, {SHIPPED: prefix(run.journal, offset)})
        return offset

    def finish(self, run: RunCard, status: Status, artifacts: Sequence[Path] = ()) -> None:
        with speaking_plainly(f"cannot finish {run.name}"):
            client, _ = self._connected()
            found, _ = self._attach(run)
            content = digest(artifacts)
            if found.info.status == status and found.data.tags.get(CONTENT) == content:
                return
            run_id = found.info.run_id
            if found.data.tags.get(CONTENT) != content:
                for path in artifacts:
                    client.log_artifact(run_id, str(path))
                log_pictures(client, run_id, [path for path in artifacts if path.suffix == ".png"])
                self._tell_test(run_id, run)
                client.set_tag(run_id, CONTENT, content)
            client.set_terminated(run_id, status, end_time=_last_time(run.journal))

    def _tell_test(self, run_id: str, run: RunCard) -> None:
        """Log the metrics on the test jets at step 0: MLflow then compares them as bars."""
        metrics = {} if run.sealed else noted(RunFolder(run.folder).tested)
        if metrics:
            self._send(run_id, [Record(_last_time(run.journal) / 1000, 0, metrics)], {})

    def log_report(self, files: Iterable[Path], name: str = "report", kind: Kind = "report") -> bool:
        files = list(files)
        held = self._held().get(name)
        if held is not None and (held.status, held.content) == ("FINISHED", digest(files)):
            return False
        with speaking_plainly(f"cannot publish the {name}"):
            client, _ = self._connected()
            wanted = {KEY: name, KIND: kind, **self._common_tags()}
            with self._lock:
                self._held().pop(name, None)
                found = self._find(name) or self._create(name, wanted, int(time.time() * 1000))
            if found.data.tags.get(CONTENT) == (content := digest(files)) and found.info.status == "FINISHED":
                return False
            for path in files:
                client.log_artifact(found.info.run_id, str(path))
            self._describe(found, wanted | {CONTENT: content}, {})
            client.set_terminated(found.info.run_id, "FINISHED")
        return True

    def log_overview(self, digest: str, make: Callable[[], Overview], page: str, name: str = "report") -> int:
        held, arms = self._held().get(name), sum(key.startswith(ARM) for key in self._held())
        if held is not None and held.overview == f"{arms}:{digest}":
            return 0
        told = make()
        with speaking_plainly("cannot publish the comparison"):
            client, experiment_id = self._connected()
            common = self._common_tags()
            sent = publish_arms(client, experiment_id, told.arms, common)
            report = self._find(name) or self._create(name, {KEY: name, KIND: "report", **common}, int(time.time() * 1000))
            publish_description(client, experiment_id, told, f"{report.info.run_id}/artifacts/{page}")
            client.set_tag(report.info.run_id, OVERVIEW, f"{len(told.arms)}:{digest}")
        return sent

    def place(self) -> tuple[str | None, str | None]:
        """Return the id of the experiment, and the name of the view that shows the comparison, or while there is none its
        trainings: what links to MLflow's pages contain. An experiment that an earlier version has made may have no view at all.
        MLflow is not imported for an experiment of a local store, and none is made in the copy of a database."""
        known = None if self.store.tracking_uri else experiment_in(self.store, self.experiment)
        if known is None and self.store.copy:
            return None, None
        if known is None:
            experiment_id = self.experiment_id
            with speaking_plainly(f"cannot look into {self.store.uri}"):
                known = experiment_id, self._connected()[0].get_experiment(experiment_id).tags
        return known[0], next((name for name in (ARMS, RUNS) if view_tag(name) in known[1]), None)

    def _connected(self) -> tuple[MlflowClient, str]:
        with self._lock:
            if self._connection is None:
                self.awake()
                client = self.store.client()
                tags = {**self._belonging(), **dict(self.experiment_tags)}
                self._connection = client, open_experiment(client, self.store, self.experiment, tags)
            backend.forget_places()
            return self._connection

    def _attach(self, run: RunCard) -> tuple[Run, int]:
        """The run of this key, found or created and described by its card, and the offset up to which it holds the journal."""
        client, _ = self._connected()
        own = dict(run.origin + run.state + run.tags)
        wanted = {KEY: run.key, KIND: run.kind, **self._common_tags(), **own}
        if run.note:
            wanted[DESCRIPTION] = run.note
        with self._lock:
            if self._holdings is not None:
                self._holdings.pop(run.key, None)
            found = self._find(run.key)
            since = shipped(run.journal, found.data.tags.get(SHIPPED)) if found else 0
            if found and since is None:
                client.delete_run(found.info.run_id)
                found = None
            if found is None:
                found = self._create(run.name, wanted, _first_time(run.journal))
            if found.info.run_name != run.name:
                client.update_run(found.info.run_id, name=run.name)
            self._describe(found, wanted, dict(run.params))
            self._name_datasets(found, run)
            self._runs[run.key] = found.info.run_id
        return found, since or 0

    def _find(self, key: str) -> Run | None:
        """The run of this key. A server that dies before it answers is asked again, which may create a second one: the run that
        holds most stays."""
        client, experiment_id = self._connected()
        query = f"tags.`jetbench.key` = '{key}'"
        found = client.search_runs([experiment_id], query, order_by=["attributes.start_time DESC"])
        most = max(found, key=lambda run: int(run.data.tags.get(SHIPPED, "0").partition(":")[0]), default=None)
        for twin in found:
            if twin is not most:
                client.delete_run(twin.info.run_id)
        return most

    def _create(self, name: str, tags: dict[str, str], start: int) -> Run:
        client, experiment_id = self._connected()
        return client.create_run(experiment_id, start, {name: value[:LONGEST_TAG] for name, value in tags.items()}, name)

    def _common_tags(self) -> dict[str, str]:
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a container's user without a name
            user = "unknown"
        source = {"mlflow.source.name": "jetbench", "mlflow.source.type": "LOCAL"}
        return {**self._belonging(), STORE: self.store.identify(), "mlflow.user": user, **source}

    def _belonging(self) -> dict[str, str]:
        """The suite or study that the experiment is of."""
        told = {name: value for name, value in self.experiment_tags if name in BELONGING}
        return told or {BELONGING[0]: self.experiment}

    def _describe(self, run: Run, tags: dict[str, str], params: dict[str, str]) -> None:
        """Send what the run does not say yet: a process may have died between its creation and its parameters."""
        from mlflow.entities import Param, RunTag

        new_tags = {name: _cut(value, LONGEST_TAG) for name, value in tags.items()}
        new_params = {name: _cut(value, LONGEST_PARAM) for name, value in params.items() if name not in run.data.params}
        self._connected()[0].log_batch(
            run.info.run_id,
            params=[Param(name, value) for name, value in new_params.items()],
            tags=[RunTag(name, value) for name, value in new_tags.items() if run.data.tags.get(name) != value],
        )

    def _name_datasets(self, found: Run, run: RunCard) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        if not run.datasets or (found.inputs and found.inputs.dataset_inputs):
            return
        context = [InputTag("mlflow.data.context", "training")]
        inputs = [
            DatasetInput(Dataset(name, digest[:LONGEST_DIGEST], "jetbench", f'{{"digest": "{digest}"}}'), context)
            for name, digest in run.datasets
        ]
        self._connected()[0].log_inputs(found.info.run_id, inputs)

    def _send(self, run_id: str, records: Sequence[Record], tags: dict[str, str]) -> None:
        """The tags go with the last request: what they claim is then there. Points sent twice are stored once."""
        from mlflow.entities import Metric, RunTag

        client, _ = self._connected()
        metrics = [
            Metric(name, value, round(record.time * 1000), record.step)
            for record in records
            for name, value in record.metrics.items()
        ]
        for record in records:
            tags |= {f"jetbench.nonfinite.{name}": f"{value} at step {record.step}" for name, value in record.nonfinite.items()}
        while len(metrics) > CHUNK:
            client.log_batch(run_id, metrics[:CHUNK])
            metrics = metrics[CHUNK:]
        client.log_batch(run_id, metrics, tags=[RunTag(name, value) for name, value in tags.items()])


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _first_time(journal: Path) -> int:
    """When the run began, in milliseconds, by its journal; else now."""
    records, _ = read(journal, 0, committed(journal))
    return round((records[0].time if records else time.time()) * 1000)


def _last_time(journal: Path) -> int:
    records, _ = read(journal, 0, committed(journal))
    return round((records[-1].time if records else time.time()) * 1000)
