"""A finished run as a teacher: what `jetbench predict` has written of the jets of a suite, whether it fits them, and what labels
stand behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from jetbench.errors import DataFileError, LeakError
from jetbench.spec import DatasetRef, ScoresRef

__all__ = ["TransferSet", "find_scores", "read_teacher", "scores_path"]

WRITTEN = "`jetbench predict RUN DATA -o FILE` writes them, DATA being the jets of the suite"
NUMBERS = 3  # version of the format that holds no classes
# what a run may have been told beside budgets of labels
TOLD = {
    "pool": "all labels of its pool",
    "scores": "the scores of another teacher",
    "weights": "imported weights",
    "unknown": "unknown labels of a run that is gone",
}


class TransferSet(NamedTuple):
    """The jets that a student learns by: their dataset, how many they are, test jets included, their classes, and how many of
    them are test jets."""

    dataset: DatasetRef
    jets: int
    class_names: tuple[str, ...]
    test_jets: int


def scores_path(name: str) -> Path:
    """Return where a file of scores lies that a suite names."""
    return Path(name).expanduser().absolute()


def find_scores(name: str, transfer: TransferSet) -> ScoresRef:
    """Find the scores that `jetbench predict` has written of the jets of a suite to a file.

    Raises `DataFileError` where there are none, or those of other jets or classes, and `LeakError` where the teacher may have
    been trained on test jets of the suite.
    """
    attributes, probabilities = _attributes(name), _probabilities(scores_path(name))
    _refuse_unlike(name, attributes, len(probabilities), transfer)
    _refuse_leak(name, attributes, transfer)
    return ScoresRef(name=name, teacher=_teacher(attributes, transfer), sha256=_digest(probabilities))


def read_teacher(path: Path, planned: ScoresRef) -> np.ndarray:
    """Read the probabilities of all classes (n, classes), float64, that the teacher gives to each jet of its dataset.

    Raises `DataFileError` where the file holds others than were planned.
    """
    probabilities = _probabilities(path)
    if _digest(probabilities) != planned.sha256:
        raise DataFileError(f"{path}: replaced by other scores since the training was planned; start the command again")
    return probabilities


def _attributes(name: str) -> dict[str, Any]:
    """What the file says of itself."""
    path = scores_path(name)
    try:
        with h5py.File(path, "r") as file:
            found = dict(file.attrs)
        return {**found, **{key: json.loads(found[key]) for key in ("trained_on", "class_names")}}
    except OSError as error:
        reason = error if path.exists() else "there is no such file"
        raise DataFileError(f"{name}: no scores can be read there ({reason}); {WRITTEN}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataFileError(f"{name}: does not say whose scores it has, and of which jets; {WRITTEN}") from error


def _probabilities(path: Path) -> np.ndarray:
    from jetbench.evaluation.artifacts import read_scores  # scipy, which a plan without a teacher does without

    scores = read_scores(path)[2]  # of all jets of a dataset in their order
    return np.stack([1 - scores, scores], axis=1) if scores.ndim == 1 else scores


def _digest(probabilities: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(probabilities, "<f8").tobytes()).hexdigest()


def _refuse_unlike(name: str, attributes: Mapping[str, Any], jets: int, transfer: TransferSet) -> None:
    """The teacher has seen the jets of the suite, all of them, and tells their classes apart."""
    if attributes["dataset_digest"] != transfer.dataset.sha256 or jets != transfer.jets:
        others = f"{jets} of {attributes['dataset']!r}, than the {transfer.jets} of {transfer.dataset.name!r} here"
        simulated = "simulated ones by the same --jets, --seed and --set"
        raise DataFileError(f"{name}: its scores are of other jets, {others}; {WRITTEN}, {simulated}")
    numbers, classes = attributes["version"] == NUMBERS, tuple(attributes["class_names"])
    if numbers or classes != transfer.class_names:
        told, here = "numbers" if numbers else f"the classes {', '.join(classes)}", ", ".join(transfer.class_names)
        raise DataFileError(f"{name}: holds {told}, and these jets have the classes {here}; take a run that tells these apart")


def _refuse_leak(name: str, attributes: Mapping[str, Any], transfer: TransferSet) -> None:
    """The test jets of a dataset are the first ones of one order, whatever their number."""
    for run, trained in attributes["trained_on"].items():
        if trained["dataset_digest"] == transfer.dataset.sha256 and trained["test_jets"] < transfer.test_jets:
            raise LeakError(
                f"{name}: {run} has kept {trained['test_jets']} test jets of {transfer.dataset.name!r} apart and may have been "
                f"trained on others of the {transfer.test_jets} here; lower test_jets, or take a run that has as many"
            )


def _teacher(attributes: Mapping[str, Any], transfer: TransferSet) -> str:
    """Who the teacher is, how many runs, and the labels of each: "scratch/n1000 (5 runs, each of 1000 labels)"."""
    runs = list(attributes["trained_on"].values())
    told = " and ".join(dict.fromkeys(_words(one) for run in runs for one in run["told"]))
    several = f"{len(runs)} runs, each of " if len(runs) > 1 else ""
    other = any(run["dataset_digest"] != transfer.dataset.sha256 for run in runs)
    return f"{attributes['name']} ({several}{told}{' of other jets, these test jets perhaps among them' if other else ''})"


def _words(told: int | str) -> str:
    return f"{told} labels" if isinstance(told, int) else TOLD[told]
