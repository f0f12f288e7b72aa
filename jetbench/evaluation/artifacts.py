"""The files of one evaluation: the scores, from which every number can be made again, and what is shown of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import DataFileError, RunError
from jetbench.evaluation.classification import confusion, evaluate_binary
from jetbench.evaluation.multiclass import class_confusion, evaluate_classes, signal_against_background
from jetbench.evaluation.plots import PALETTE, RocLine, confusion_plot, roc_line, roc_plot, save_png
from jetbench.files import write_atomically, write_json
from jetbench.statistics.samples import binary_labels, class_labels
from jetbench.tracking.folder import RunFolder

__all__ = ["evaluate_scores", "read_scores", "write_evaluation", "write_predictions", "write_scores"]

FORMAT = "jetbench-scores"
COLUMNS: dict[int, dict[str, type]] = {  # by version of the format
    1: {"index": np.int64, "label": np.int8, "score": np.float64},  # two classes: one score per jet
    2: {"index": np.int64, "label": np.int16, "score": np.float64},  # more: one score per jet and class
    3: {"index": np.int64, "truth": np.float64, "prediction": np.float64},  # a number of each jet
}
DIMENSIONS = {1: [1, 1, 1], 2: [1, 1, 2], 3: [1, 1, 1]}


def write_evaluation(
    folder: Path,
    labels: ArrayLike,
    scores: ArrayLike,
    indices: ArrayLike,
    class_names: Sequence[str],
    threshold: float = 0.5,
) -> tuple[dict[str, float], tuple[Path, ...]]:
    """Write scores.h5, roc.json, roc.png, confusion.json and confusion.png; return the metrics as `test/<name>`, and the files.

    labels (n,) in 0 … K−1; scores: of two classes the probabilities of signal (n,), of more those of all classes (n, K); indices
    (n,), each jet's row in its dataset; class_names: background first; `threshold` on the score of two classes. Scores are
    float64: near 1, where background rejection is decided, float32 would tie them.
    Raises `RunError` for what cannot be evaluated (before anything is written) and `StoreError` where nothing can be written.
    """
    values = np.asarray(scores, np.float64)
    metrics = evaluate_scores(labels, values, class_names, threshold)
    if len(class_names) == 2:
        lines, table = [roc_line(f"{class_names[1]} vs {class_names[0]}", labels, values)], confusion(labels, values, threshold)
        curves, rule = _curve(lines[0]), {"threshold": threshold}
    else:
        table = class_confusion(labels, values)
        lines = _signal_lines(labels, values, class_names)
        curves, rule = {line.name: _curve(line) for line in lines}, {}
    kept = RunFolder(folder).scores
    roc, drawn, counts, matrix = (folder / name for name in ("roc.json", "roc.png", "confusion.json", "confusion.png"))
    write_scores(kept, indices, labels, values)
    write_json(roc, curves)
    save_png(roc_plot(_drawn(lines)), drawn)
    write_json(counts, {"classes": list(class_names), "counts": table.tolist(), **rule})
    save_png(confusion_plot(table, class_names), matrix)
    return {f"test/{name}": value for name, value in metrics.items()}, (kept, roc, drawn, counts, matrix)


def evaluate_scores(labels: ArrayLike, scores: ArrayLike, class_names: Sequence[str], threshold: float = 0.5) -> dict[str, float]:
    """Return the metrics of a classifier by name, arguments as for `write_evaluation`; writes nothing."""
    if len(class_names) == 2:
        return evaluate_binary(labels, scores, threshold)
    return evaluate_classes(labels, scores, class_names)


def write_scores(path: Path, indices: ArrayLike, labels: ArrayLike, scores: ArrayLike) -> None:
    """Write columns index (n,), label (n,) and score, (n,) of two classes or (n, K) of more, whole or not at all; equal input,
    equal bytes."""
    values = np.asarray(scores)
    version = min(values.ndim, 2)
    truth = binary_labels(labels) if version == 1 else class_labels(labels, values.shape[1])
    _write_columns(path, version, [np.asarray(indices), truth, values])


def write_predictions(path: Path, indices: ArrayLike, truth: ArrayLike, predictions: ArrayLike) -> None:
    """Write columns index, truth and prediction, each (n,), whole or not at all; equal input, equal bytes."""
    _write_columns(path, 3, [np.asarray(column) for column in (indices, truth, predictions)])


def _write_columns(path: Path, version: int, columns: Sequence[np.ndarray]) -> None:
    if len(shapes := {column.shape[:1] for column in columns}) != 1:
        raise RunError(f"{', '.join(COLUMNS[version])} have different shapes {sorted(shapes)}")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for (name, kind), column in zip(COLUMNS[version].items(), columns, strict=True):
            file.create_dataset(name, data=column.astype(kind), chunks=column.shape, fletcher32=True)
        file.attrs.update(format=FORMAT, version=version)
    write_atomically(path, buffer.getvalue())


def read_scores(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read indices (n,) int64, the truth (n,) and the predictions: integer labels with scores float64, (n,) of two classes or
    (n, K) of more, or the true and the predicted number of each jet, float64; raises `DataFileError` for a missing or damaged
    file."""
    if not path.is_file():
        raise DataFileError(f"{path}: there is no such file; the run has not been evaluated")
    try:
        with h5py.File(path, "r") as file:
            version = int(file.attrs.get("version", 0))
            if file.attrs.get("format") != FORMAT or version not in COLUMNS:
                raise DataFileError(
                    f"{path}: no scores of format version {' or '.join(map(str, COLUMNS))}; evaluate the run again"
                )
            columns = [file[name][:] for name in COLUMNS[version]]
    except (KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise DataFileError(f"{path}: damaged ({error}); evaluate the run again") from error
    shapes, types = [column.shape for column in columns], [column.dtype for column in columns]
    dimensions = [len(shape) for shape in shapes]
    if len({shape[:1] for shape in shapes}) != 1 or dimensions != DIMENSIONS[version] or types != list(COLUMNS[version].values()):
        found = [f"{column.dtype} {column.shape}" for column in columns]
        raise DataFileError(f"{path}: damaged (columns {', '.join(found)}); evaluate the run again")
    return columns[0], columns[1], columns[2]


def _signal_lines(labels: ArrayLike, scores: np.ndarray, class_names: Sequence[str]) -> list[RocLine]:
    """Every signal class against the background."""
    names = [f"{name} vs {class_names[0]}" for name in class_names]
    return [roc_line(names[one], *signal_against_background(labels, scores, one)) for one in range(1, len(class_names))]


def _drawn(lines: Sequence[RocLine]) -> list[RocLine]:
    """Those of the smallest AUC where there are more curves than a plot can tell apart, in the given order."""
    hardest = {line.name for line in sorted(lines, key=lambda line: line.area.mean)[: len(PALETTE)]}
    return [line for line in lines if line.name in hardest]


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
