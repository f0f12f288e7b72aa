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

__all__ = ["Pupil", "find_scores", "read_teacher", "scores_path"]

# what a run was told beside budgets of labels, and before them
TOLD = {
    "pool": "all labels of its pool",
    "scores": "the scores of another teacher",
    "weights": "imported weights",
    "unknown": "a run that is gone",
}


class Pupil(NamedTuple):
    """The jets that are to be taught of: their dataset, how many they are, their classes, and how many of them are test jets."""

    dataset: DatasetRef
    jets: int
    class_names: tuple[str, ...]
    test_jets: int


def scores_path(name: str) -> Path:
    """Return where a file of scores lies that a suite names."""
    return Path(name).expanduser().absolute()


def find_scores(name: str, pupil: Pupil) -> ScoresRef:
    """Find the scores that `jetbench predict` has written of the jets of a suite to a file.

    Raises `DataFileError` where there are none, or those of other jets or classes, and `LeakError` where the teacher may have
    been trained on test jets of the suite.
    """
    path, attributes = scores_path(name), _attributes(name)
    probabilities = _probabilities(path)
    _refuse_unlike(name, attributes, probabilities, pupil)
    return ScoresRef(name=name, teacher=_teacher(attributes, pupil), sha256=_digest(probabilities))


def read_teacher(path: Path, planned: ScoresRef) -> np.ndarray:
    """Read the probabilities of all classes (n, K), float64, that the teacher gives to each jet of its dataset.

    Raises `DataFileError` where the file holds others than were planned.
    """
    probabilities = _probabilities(path)
    if _digest(probabilities) != planned.sha256:
        raise DataFileError(f"{path}: replaced by other scores since the training was planned; start the command again")
    return probabilities


def _remedy(name: str, dataset: str = "DATA") -> str:
    return f"`jetbench predict RUN {dataset} -o {name}` writes them, of the jets of the suite"


def _attributes(name: str) -> Mapping[str, Any]:
    """What the file says of itself."""
    path = scores_path(name)
    try:
        with h5py.File(path, "r") as file:
            found = dict(file.attrs)
        runs, classes = json.loads(found["trained_on"]), json.loads(found["class_names"])
        return {**found, "trained_on": runs, "class_names": tuple(classes)}
    except OSError as error:
        reason = error if path.exists() else "there is no such file"
        raise DataFileError(f"{name}: no scores can be read there ({reason}); {_remedy(name)}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataFileError(f"{name}: does not say what its scores are of and by whom; {_remedy(name)}") from error


def _probabilities(path: Path) -> np.ndarray:
    from jetbench.evaluation.artifacts import read_scores  # scipy, which a plan without a teacher does without

    index, _, scores = read_scores(path)
    if not np.array_equal(index, np.arange(len(index))):
        raise DataFileError(f"{path}: its scores are not of all jets of a dataset in their order; {_remedy(str(path))}")
    return np.stack([1 - scores, scores], axis=1) if scores.ndim == 1 else scores


def _digest(probabilities: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(probabilities, "<f8").tobytes()).hexdigest()


def _refuse_unlike(name: str, attributes: Mapping[str, Any], probabilities: np.ndarray, pupil: Pupil) -> None:
    jets, dataset = len(probabilities), pupil.dataset
    remedy = _remedy(name, dataset.name)
    if attributes["dataset_digest"] != dataset.sha256 or jets != pupil.jets:
        of = f"{jets} jets of {attributes['dataset']!r}"
        raise DataFileError(f"{name}: its scores are of {of}, not of the {pupil.jets} jets of {dataset.name!r}; {remedy}")
    if attributes["version"] == 3 or attributes["class_names"] != pupil.class_names:
        told = "numbers" if attributes["version"] == 3 else f"the classes {', '.join(attributes['class_names'])}"
        needed = ", ".join(pupil.class_names)
        raise DataFileError(
            f"{name}: its scores are of {told}, and these jets have the classes {needed}, in this order; {remedy}"
        )
    for run in attributes["trained_on"].values():
        if run["dataset_digest"] == dataset.sha256 and run["test_jets"] < pupil.test_jets:
            raise LeakError(
                f"{name}: {attributes['name']} had {run['test_jets']} test jets of {dataset.name!r} and may have been trained on "
                f"others of the {pupil.test_jets} here; lower test_jets, or take a run of a suite with as many"
            )


def _teacher(attributes: Mapping[str, Any], pupil: Pupil) -> str:
    """Who the teacher is, how many runs, and the labels of each: "scratch/n1000 (5 runs, each of 1000 labels)"."""
    runs = list(attributes["trained_on"].values())
    told = " and ".join(dict.fromkeys(_words(one) for run in runs for one in run["told"]))
    several = f"{len(runs)} runs, each of " if len(runs) > 1 else ""
    other = any(run["dataset_digest"] != pupil.dataset.sha256 for run in runs)
    return f"{attributes['name']} ({several}{told}{' of other jets, these test jets perhaps among them' if other else ''})"


def _words(told: int | str) -> str:
    return f"{told} labels" if isinstance(told, int) else TOLD[told]
