"""The files of one evaluation: the scores, from which every number can be made again, and what is shown of them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import DataFileError, RunError
from jetbench.evaluation.classification import confusion, evaluate_binary
from jetbench.evaluation.figures import RocLine, confusion_figure, roc_figure, roc_line, save_png
from jetbench.evaluation.files import write_atomically
from jetbench.statistics.samples import binary_labels

__all__ = ["read_scores", "write_evaluation", "write_scores"]

FORMAT = "jetbench-scores"
VERSION = 1
COLUMNS = {"index": np.int64, "label": np.int8, "score": np.float64}


def write_evaluation(
    folder: Path,
    labels: ArrayLike,
    scores: ArrayLike,
    indices: ArrayLike,
    class_names: Sequence[str],
    threshold: float = 0.5,
) -> dict[str, float]:
    """Write scores.h5, roc.json, roc.png, confusion.json and confusion.png, and return the metrics as `test/<name>`.

    labels (n,) in {0, 1}; scores (n,), the probabilities of signal; indices (n,), each jet's row in its dataset; class_names:
    background, then signal. Scores are float64: near 1, where background rejection is decided, float32 would tie them.
    Raises `RunError` for what cannot be evaluated (before anything is written) and `StoreError` where nothing can be written.
    """
    if len(class_names) != 2:
        raise RunError(f"{len(class_names)} classes {list(class_names)}: a binary evaluation names background and signal")
    values = np.asarray(scores, np.float64)
    metrics = evaluate_binary(labels, values, threshold)
    line, table = roc_line(f"{class_names[1]} vs {class_names[0]}", labels, values), confusion(labels, values, threshold)
    write_scores(folder / "scores.h5", indices, labels, values)
    _write_json(folder / "roc.json", _curve(line))
    save_png(roc_figure([line]), folder / "roc.png")
    _write_json(folder / "confusion.json", {"classes": list(class_names), "counts": table.tolist(), "threshold": threshold})
    save_png(confusion_figure(table, class_names), folder / "confusion.png")
    return {f"test/{name}": value for name, value in metrics.items()}


def write_scores(path: Path, indices: ArrayLike, labels: ArrayLike, scores: ArrayLike) -> None:
    """Write columns index (n,) int64, label (n,) int8 and score (n,) float64, whole or not at all; equal input, equal bytes."""
    columns = dict(zip(COLUMNS, (np.asarray(indices), binary_labels(labels), np.asarray(scores)), strict=True))
    if len(shapes := {column.shape for column in columns.values()}) != 1:
        raise RunError(f"indices, labels and scores have different shapes {sorted(shapes)}")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, column in columns.items():
            file.create_dataset(name, data=column.astype(COLUMNS[name]), chunks=column.shape, fletcher32=True)
        file.attrs.update(format=FORMAT, version=VERSION)
    write_atomically(path, buffer.getvalue())


def read_scores(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices (n,) int64, labels (n,) int8 and scores (n,) float64; raises `DataFileError` for a missing or damaged file."""
    if not path.is_file():
        raise DataFileError(f"{path}: there is no such file; the run has not been evaluated")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT or file.attrs.get("version") != VERSION:
                raise DataFileError(f"{path}: no scores of format version {VERSION}; evaluate the run again")
            columns = [file[name][:] for name in COLUMNS]
    except (KeyError, OSError, RuntimeError, ValueError) as error:
        raise DataFileError(f"{path}: damaged ({error}); evaluate the run again") from error
    if len({column.shape for column in columns}) != 1 or [column.dtype for column in columns] != list(COLUMNS.values()):
        found = [f"{column.dtype} {column.shape}" for column in columns]
        raise DataFileError(f"{path}: damaged (columns {', '.join(found)}); evaluate the run again")
    return columns[0], columns[1], columns[2]


def _curve(line: RocLine) -> dict[str, Any]:
    return {
        "signal_efficiency": line.signal_efficiency.tolist(),
        "background_efficiency": line.background_efficiency.tolist(),
        "auc": line.area.mean,
        "auc_low": line.area.low,
        "auc_high": line.area.high,
        "signal_total": line.area.n - line.background_total,
        "background_total": line.background_total,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_atomically(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
