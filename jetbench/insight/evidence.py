"""What can be read of a finished run: scores and curves always, jets and a model where the dataset and the weights are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from jetbench.datainfo.sample import sample_rows
from jetbench.errors import DataFileError, JetbenchError
from jetbench.evaluation.artifacts import read_scores
from jetbench.inference import Predictor, load_predictor
from jetbench.insight.history import History, read_history
from jetbench.jets import Jets, open_jets
from jetbench.report.subjects import FinishedRun, Subject
from jetbench.spec import RunSpec
from jetbench.suites.instance import AnyInstance
from jetbench.tasks import build_task
from jetbench.tasks.task import Task
from jetbench.tracking.folder import noted
from jetbench.tracking.journal import committed, read

__all__ = ["MOST_JETS", "Dataset", "Evidence", "find_jets", "gather"]

MOST_JETS = 3000  # test jets that are looked at one by one: a minute's work


@dataclass(frozen=True, eq=False)
class Dataset:
    """The jets of a dataset; None where they are gone, and then `reason` says why."""

    jets: Jets | None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Evidence:
    """A finished run, with the jets of its dataset. `sample` are the test jets that are looked at one by one."""

    run: FinishedRun
    dataset: Dataset
    store: Path

    @property
    def spec(self) -> RunSpec:
        return self.run.spec

    @cached_property
    def task(self) -> Task:
        return build_task(self.spec.task)

    @property
    def tested(self) -> bool:
        """Whether the run has predicted test jets: a pretraining has not."""
        return self.run.folder.scores.exists()

    @cached_property
    def scores(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows of all test jets in the dataset (n,), their truth (n,), and what is predicted, (n,) or (n, K). Raises
        `DataFileError` where the run has predicted nothing."""
        return read_scores(self.run.folder.scores)

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """The metrics on the test jets, as `test/…`."""
        return noted(self.run.folder.tested)

    @cached_property
    def history(self) -> History | None:
        """The course of the training; None of a model that is fitted at once."""
        path = self.run.folder.journal
        seconds = noted(self.run.folder.metrics).get("cost/seconds", 0.0)
        metric = self.task.selector(self.spec.recipe.select_by)
        return read_history(read(path, 0, committed(path))[0], self.spec.recipe, metric, self._noise(), seconds)

    def _noise(self) -> float:
        """The standard error of the loss of the validation jets."""
        if not self.run.folder.losses.exists():
            return 0.0
        losses = np.load(self.run.folder.losses, allow_pickle=False)
        return float(losses.std(ddof=1) / np.sqrt(len(losses))) if len(losses) > 1 else 0.0

    @cached_property
    def test_rows(self) -> np.ndarray:
        """The rows of all test jets in the dataset (n,)."""
        return self.scores[0] if self.tested else self._split_rows()

    def _split_rows(self) -> np.ndarray:
        path = self.store / "splits" / str(noted(self.run.folder.split).get("file"))
        try:
            with np.load(path, allow_pickle=False) as split:
                return split["test"]
        except (OSError, KeyError, ValueError) as error:
            raise DataFileError(f"{path}: does not tell the test jets ({error}); run the suite again") from error

    @cached_property
    def sample(self) -> np.ndarray:
        """The places among the test jets of those that are looked at one by one (k,)."""
        return sample_rows(len(self.test_rows), MOST_JETS)

    @cached_property
    def jets(self) -> Jets:
        """The sampled test jets, in memory."""
        return self.jets_at(self.sample)

    def jets_at(self, places: np.ndarray) -> Jets:
        """Read the test jets at these places (k,). Raises `DataFileError` where the dataset is gone."""
        if self.dataset.jets is None:
            raise DataFileError(self.dataset.reason)
        return self.dataset.jets.take(self.test_rows[places])

    @cached_property
    def predictor(self) -> Predictor:
        return load_predictor(self.run.folder.path)

    @cached_property
    def no_model(self) -> str:
        """Why nothing inside the model can be shown; empty where it is a network that can be loaded."""
        try:
            return (
                "" if self.predictor.network is not None else f"{self.predictor.model_name} is fitted at once: it has no layers"
            )
        except JetbenchError as error:
            return str(error)


def gather(subject: Subject, store: Path) -> list[Evidence]:
    """Return what can be read of every run of a subject."""
    dataset = find_jets(subject.plan.instance, subject.runs[0].spec)
    return [Evidence(run, dataset, store) for run in subject.runs]


def find_jets(instance: AnyInstance, spec: RunSpec) -> Dataset:
    """Open the jets that a run was tested on, where they are still what they were."""
    try:
        found = instance.find_dataset()
        if not found.ready:
            reason = f"{spec.dataset.name} is no longer in the cache; the suite's `jetbench run` simulates it again"
        elif found.ref.sha256 != spec.dataset.sha256:
            reason = f"{found.path} holds other jets than the run was tested on"
        else:
            return Dataset(open_jets(found.path))
    except JetbenchError as error:
        reason = str(error)
    return Dataset(None, reason)
