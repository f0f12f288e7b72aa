"""Columns of a table as the numbers that a reader wants: one or more per jet, or one per constituent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.tables import Columns

__all__ = ["dense", "labels", "lists", "refuse"]


def refuse(faulty: Any, start: int, where: str, how: str) -> None:
    """Raise `DataFileError`, "WHERE ROW HOW", for the first of the rows (n,), counted from `start`, that is faulty."""
    faulty = np.asarray(faulty)
    if faulty.any():
        raise DataFileError(f"{where} {start + int(faulty.argmax())}{how}")


def dense(column: Any, shape: tuple[int, ...], key: str, path: Path) -> np.ndarray:
    """Return a column whose rows have one shape, as numpy has it (n, …). Raises `DataFileError` where a row has another."""
    try:
        values: np.ndarray = ak.to_numpy(column, allow_missing=False)
    except ValueError:
        values = np.empty(0)
    if values.shape[1:] != shape or len(values) != len(column):
        raise DataFileError(
            f"{path}: a row of {key!r} is missing or not of the first one's shape, {shape}, or {key!r} has missing values"
        )
    return values


def lists(columns: Columns, keys: Sequence[str], path: Path) -> dict[str, ak.Array]:
    """Return columns of lists of numbers (n, var), all of the same lengths. Raises `DataFileError` where one is none."""
    found: dict[str, ak.Array] = {}
    for key in keys:
        try:
            counts = ak.to_numpy(ak.num(columns[key]), allow_missing=False)
            content = ak.to_numpy(ak.flatten(columns[key]), allow_missing=False)
        except ValueError as error:
            raise DataFileError(f"{path}: {key!r} is no column of lists, or has empty cells") from error
        if content.ndim != 1 or content.dtype.kind not in "iufb":
            raise DataFileError(f"{path}: {key!r} is of the type {ak.type(columns[key])} where lists of numbers belong")
        found[key] = ak.unflatten(content, counts)
        if not np.array_equal(counts, ak.num(found[keys[0]]).to_numpy()):
            raise DataFileError(f"{path}: {key} and {keys[0]} have different numbers of constituents")
    return found


def labels(values: np.ndarray, classes: int, start: int, where: object) -> np.ndarray:
    """Return labels (n,) int32 from numbers. Raises `DataFileError` for one that is no whole number below `classes` (0: any)."""
    with np.errstate(all="ignore"):
        whole = np.isfinite(values) & (values == np.floor(values)) & (values >= 0) & (values < (classes or 2**31))
    if not whole.all():
        row = int((~whole).argmax())
        declared = f"0 … {classes - 1}" if classes else "whole numbers from 0 on"
        raise DataFileError(f"{where}: jet {start + row} has the label {values[row]}; labels are {declared}")
    return values.astype(np.int32)
