"""Predictions of jets in a file: written block by block, whole or not at all, with what made them in its attributes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from jetbench.errors import DataFileError, StoreError
from jetbench.evaluation.artifacts import COLUMNS, FORMAT, read_scores
from jetbench.files import refuse_output, replacing
from jetbench.inference.ensemble import Ensemble
from jetbench.inference.predictor import Predictor
from jetbench.inference.sources import JetSource
from jetbench.jets import Jets, Meta
from jetbench.jets.disk import Disk
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.specs import read_spec

__all__ = ["Judged", "judged", "pools", "write_predictions"]

CHUNK = 1 << 14  # rows at most
JUDGED = 1 << 24  # jets: a metric of more would need memory that predicting does not
UNKNOWN = {"label": -1, "truth": np.nan}  # what stands for the truth of jets that do not tell it


class Judged(NamedTuple):
    """The headline metric of predictions and its error, by key; where there is none, the `reason`."""

    metrics: dict[str, float]
    reason: str = ""


def write_predictions(
    ensemble: Ensemble, source: JetSource, path: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """Predict the jets of a source into a file of the columns of a run's scores.h5: `index`, the row of each jet; its `label` (−1
    where the jets do not tell it) and `score`, or `truth` (NaN) and `prediction` of a number; and beside it what each member
    predicts, as `score_1` in the order of the attribute `runs`. Attributes name runs with the labels
    that these were told, classes and dataset.

    Raises `StoreError` where the file is there already, its folder is not, or it cannot be written, and errors as
    `Ensemble.stream` does.
    """
    refuse_output(path)
    disk: Disk | None = None
    try:
        with replacing(path) as temporary, Disk(temporary, "w+") as disk:
            with h5py.File(disk, "w") as file:
                file.attrs.update(_attributes(ensemble, source))
                _write(file, ensemble, source, disk, progress)
            if disk.error is not None:
                raise disk.error
    except (OSError, RuntimeError) as error:
        cause = (disk and disk.error) or error  # HDF5 fails in strange ways where it reads back what was never written
        if not isinstance(cause, OSError):  # of a model
            raise
        raise StoreError(f"{path}: cannot be written ({cause}); is the disk full or the folder read-only?") from error


def _attributes(ensemble: Ensemble, source: JetSource) -> dict[str, Any]:
    keys = {name: member.key for name, member in ensemble.members.items()}
    return {
        "format": FORMAT,
        "version": _version(ensemble),
        "name": ensemble.name,
        "runs": json.dumps(keys),
        "trained_on": json.dumps({name: _trained_on(member) for name, member in ensemble.members.items()}),
        "mean_of": ensemble.task.averaged if len(keys) > 1 else "",
        "class_names": json.dumps(ensemble.meta.class_names),
        "dataset": source.name,
        "dataset_digest": source.digest,
    }


def _trained_on(member: Predictor) -> dict[str, Any]:
    """The jets that a run was trained on, how many of them it was tested on instead, and what it was told of labels."""
    spec = member.spec
    return {"dataset_digest": spec.dataset.sha256, "test_jets": spec.test_jets, "told": _told(member.folder)}


def _told(folder: Path) -> list[int | str]:
    """The label budgets of a run and of those that it starts from, first to last; "pool" for all labels of a pool, "scores" for a
    teacher's in place of labels, "weights" for imported ones, and "unknown" for a run that is gone."""
    try:
        spec = read_spec(folder)
    except DataFileError:
        return ["unknown"]
    before: list[int | str] = ["weights"] if spec.weights else []
    before = before if spec.start is None else _told(Ledger(folder.parent).folder(spec.start))
    seen = {"none": [], "scores": ["scores"]}.get(spec.targets, ["pool" if spec.labels is None else spec.labels])
    return [*before, *seen]


def pools(ensemble: Ensemble) -> set[str]:
    """Return the digests of the datasets that the runs, or those that they start from, have seen as a pool of its own."""
    return {digest for member in ensemble.members.values() for digest in _pools(member.folder)}


def _pools(folder: Path) -> Iterator[str]:
    """Those of a run and of what it starts from, as far back as that is kept."""
    with suppress(DataFileError):
        spec = read_spec(folder)
        if spec.unlabelled is not None:
            yield spec.unlabelled.sha256
        if spec.start is not None:
            yield from _pools(Ledger(folder.parent).folder(spec.start))


def _version(ensemble: Ensemble) -> int:
    if ensemble.task.column != "label":
        return 3
    return 1 if len(ensemble.meta.class_names) == 2 else 2


def _write(file: h5py.File, ensemble: Ensemble, source: JetSource, disk: Disk, progress: Callable[[int, int], None]) -> None:
    kinds, done, rows = COLUMNS[_version(ensemble)], 0, max(1, min(CHUNK, source.jets))
    index, truth, score = kinds
    for block in ensemble.stream(source):
        n = len(block.jets)
        columns = {index: np.arange(done, done + n), truth: _truth(ensemble, block.jets, truth), score: block.together}
        if len(block.each) > 1:
            columns |= {f"{score}_{i}": each for i, each in enumerate(block.each, 1)}
        for name, column in columns.items():
            _extend(file, name, column.astype(kinds.get(name, np.float64)), rows)
        done += n
        progress(done, source.jets)
        if disk.error is not None:
            raise disk.error


def _truth(ensemble: Ensemble, jets: Jets, column: str) -> np.ndarray:
    """What the task asks of each jet (n,), where they tell it and a label means what it has meant to the runs."""
    task = ensemble.task
    same = task.column != "label" or jets.meta.class_names == ensemble.meta.class_names
    return task.target(jets) if same and task.column in jets.predictable() else np.full(len(jets), UNKNOWN[column])


def _extend(file: h5py.File, name: str, rows: np.ndarray, chunk: int) -> None:
    """Append rows to a column, stored in chunks of so many rows: each takes its whole space, however few are in it."""
    if name not in file:
        empty, shape = rows[:0], rows.shape[1:]
        file.create_dataset(name, data=empty, maxshape=(None, *shape), chunks=(chunk, *shape), fletcher32=True)
    column = file[name]
    column.resize(len(column) + len(rows), axis=0)
    column[len(column) - len(rows) :] = rows


def judged(ensemble: Ensemble, path: Path, meta: Meta) -> Judged:
    """Judge the predictions in a file by the truth of its jets, which share `meta`, where they tell it and are not too many."""
    task, classes = ensemble.task, ensemble.meta.class_names
    with h5py.File(path, "r") as file:
        if (jets := len(file["index"])) > JUDGED:
            return Judged({}, f"of more than {JUDGED:,} jets it would take too much memory".replace(",", " "))
    if task.column == "label" and meta.class_names and meta.class_names != classes:
        return Judged(
            {}, f"the jets have the classes {', '.join(meta.class_names)}, and the run tells {', '.join(classes)} apart"
        )
    _, truth, scores = read_scores(path)
    known = np.isfinite(truth) & ((truth >= 0) | (task.column != "label"))
    if not known.all():
        told = f"{jets - known.sum()} of {jets} jets have no value of" if known.any() else "the jets do not tell"
        return Judged({}, f"{told} {task.column!r}, which the run predicts")
    return Judged(task.choose(truth, scores, ensemble.meta), task.shortage("test", truth, ensemble.meta))
