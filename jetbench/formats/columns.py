"""Columns of a table as the numbers that a reader wants: one or more per jet, or one per constituent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.tables import Columns

__all__ = ["DROP", "UNSELECTED", "FaultyRowsError", "classes_of_flags", "dense", "labels", "lists", "refuse"]

UNSELECTED = "does not pass the selection"  # the remedy, and cause, of rows that a card's selection always leaves out
DROP = "`jetbench data convert --drop bad` leaves such rows out"
EVERY = (
    "so it is with all {} rows that were read, of which `jetbench data convert --drop bad` would leave none: is the card, or the "
    "format, the right one?"
)


class FaultyRowsError(DataFileError):
    """Rows of a block that cannot be jets: `faulty` (n,) says which, `cause` what each of them has or is, `remedy` what to do.
    `around` is the message before and after the number of the row."""

    faulty: np.ndarray
    cause: str
    remedy: str
    around: tuple[str, str]

    def counted_by(self, event: np.ndarray) -> FaultyRowsError:
        """Give the message the number that the row has in the file, of a block with the rows (n,) of it."""
        before, after = self.around
        self.args = (f"{before}{event[int(self.faulty.argmax())]}{after}",)
        return self


def refuse(faulty: Any, start: int, path: object, cause: str, told: str = "", remedy: str = DROP, row: str = "jet") -> None:
    """Raise `FaultyRowsError` where one of the rows (n,) is faulty: "PATH: jet ROW CAUSE; REMEDY", of the first of them, counted
    from `start`; `told` says more of that one than the cause, and `row` what it is if no jet. With the remedy `DROP` a conversion
    may leave such rows out, and counts them by their cause; where every row is faulty, the message does not advise it."""
    faulty = np.asarray(faulty, bool)
    if faulty.any():
        error = FaultyRowsError()
        error.faulty, error.cause, error.remedy = faulty, cause, remedy
        every = remedy == DROP and len(faulty) > 1 and faulty.all()
        error.around = f"{path}: {row} ", f" {told or cause}; {EVERY.format(len(faulty)) if every else remedy}"
        raise error.counted_by(start + np.arange(len(faulty)))


def dense(column: Any, shape: tuple[int, ...], key: str, start: int, path: Path) -> np.ndarray:
    """Return a column whose rows have one shape, as numpy has it (n, …). Raises `DataFileError` where a row has another."""
    if isinstance(column, ak.Array):
        refuse(ak.is_none(column), start, path, f"has an empty cell in {key!r}")
    try:
        values: np.ndarray = ak.to_numpy(column, allow_missing=False)
    except ValueError:
        values = np.empty(0)
    if values.shape[1:] != shape or len(values) != len(column):
        raise DataFileError(
            f"{path}: a row of {key!r} is missing or not of the first one's shape, {shape}, or {key!r} has missing values"
        )
    return values


def lists(columns: Columns, keys: Sequence[str], start: int, path: Path) -> dict[str, ak.Array]:
    """Return columns of lists of numbers (n, var), all of the same lengths. Raises `DataFileError` where one is none."""
    found: dict[str, ak.Array] = {}
    for key in keys:
        column = columns[key]
        if isinstance(column, ak.Array):
            refuse(_with_gaps(column), start, path, f"has empty cells in {key!r}")
        try:
            counts = ak.to_numpy(ak.num(column), allow_missing=False)
            content = ak.to_numpy(ak.flatten(column), allow_missing=False)
        except ValueError as error:
            raise DataFileError(f"{path}: {key!r} is no column of lists, or has empty cells") from error
        if content.ndim != 1 or content.dtype.kind not in "iufb":
            raise DataFileError(f"{path}: {key!r} is of the type {ak.type(column)} where lists of numbers belong")
        found[key] = ak.unflatten(content, counts)
        differ = counts != ak.num(found[keys[0]]).to_numpy()
        refuse(differ, start, path, f"has different numbers of constituents in {key!r} and {keys[0]!r}")
    return found


def _with_gaps(column: ak.Array) -> np.ndarray:
    """Which rows (n,) are no list, or lack an element of theirs."""
    inner = ak.any(ak.is_none(column, axis=1), axis=1) if column.ndim > 1 else False
    return np.asarray(ak.is_none(column) | ak.fill_none(inner, True))


def labels(values: np.ndarray, classes: int, start: int, path: object) -> np.ndarray:
    """Return labels (n,) int32 from numbers. Raises `DataFileError` for one that is no whole number below `classes` (0: any)."""
    with np.errstate(all="ignore"):
        whole = np.isfinite(values) & (values == np.floor(values)) & (values >= 0) & (values < (classes or 2**31))
    declared = f"0 … {classes - 1}" if classes else "whole numbers from 0 on"
    first = values[(~whole).argmax()] if len(values) else 0
    told = f"has the label {first} where labels are {declared}: `label_values` of a card says which numbers stand for classes"
    refuse(~whole, start, path, f"has a label that is none of {declared}", told)
    return values.astype(np.int32)


def classes_of_flags(flags: np.ndarray, start: int, path: object) -> np.ndarray:
    """Return labels (n,) int32 from a column of 0 and 1 for each class (n, classes). Raises `DataFileError` for a row in which
    not exactly one is 1."""
    one = ((flags == 0) | (flags == 1)).all(axis=1) & (flags.sum(axis=1) == 1)
    refuse(~one, start, path, "is not of exactly one class by the columns of its label")
    return flags.argmax(axis=1).astype(np.int32)
