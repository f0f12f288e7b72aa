"""Columns of a table as the numbers that a reader wants, one or more per jet or one per constituent, by the places of a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.card import Card, split
from jetbench.formats.tables import Columns, Table, first_few

__all__ = [
    *("DROP", "UNSELECTED", "FaultyRowsError", "PerJet"),
    *("dense", "keys_of", "labels", "lists", "pick", "refuse", "shapes_of"),
]

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
        """Return the error with the number that the row has in the file, of a block with the rows (n,) of it."""
        before, after = self.around  # another error: one that the frame that raises it names would keep the file open
        error = FaultyRowsError(f"{before}{event[int(self.faulty.argmax())]}{after}")
        error.faulty, error.cause, error.remedy, error.around = self.faulty, self.cause, self.remedy, self.around
        return error


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


def lists(columns: Columns, start: int, path: Path) -> dict[str, ak.Array]:
    """Return columns of lists of numbers (n, var), all of the same lengths. Raises `DataFileError` where one is none."""
    found: dict[str, ak.Array] = {}
    for key, column in columns.items():
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
        first = next(iter(found))
        differ = counts != ak.num(found[first]).to_numpy()
        refuse(differ, start, path, f"has different numbers of constituents in {key!r} and {first!r}")
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


def _classes_of_flags(flags: np.ndarray, start: int, path: object) -> np.ndarray:
    """Return labels (n,) int32 from a column of 0 and 1 for each class (n, classes). Raises `DataFileError` for a row in which
    not exactly one is 1."""
    one = ((flags == 0) | (flags == 1)).all(axis=1) & (flags.sum(axis=1) == 1)
    refuse(~one, start, path, "is not of exactly one class by the columns of its label")
    return flags.argmax(axis=1).astype(np.int32)


def keys_of(places: Sequence[str]) -> list[str]:
    """List the columns of the table in which places lie, each once."""
    return list(dict.fromkeys(split(place)[0] for place in places))


def shapes_of(table: Table, keys: Sequence[str], path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of columns, each key once. Raises `DataFileError` where they have different numbers of rows."""
    shapes = {key: table.shape(key) for key in dict.fromkeys(keys)}
    rows = {key: shape[0] for key, shape in shapes.items()}
    if len(set(rows.values())) > 1:
        turned = [key for key, shape in shapes.items() if len(shape) > 1 and shape[0] != shape[-1] and shape[-1] in rows.values()]
        hint = f"; {first_few(turned)} may have the axes in the order of Julia or MATLAB: write the transpose" if turned else ""
        raise DataFileError(f"{path}: the arrays have different numbers of rows: {rows}{hint}")
    return shapes


def pick(columns: Columns, place: str, axis: int = -1) -> Any:
    """Return a column of the table, or of one the part that a place names along the last axis or the second, `axis` 1."""
    key, column = split(place)
    if column is None:
        return columns[key]
    return columns[key][..., column] if axis == -1 else columns[key][:, column]


class PerJet:
    """What a card says of whole jets, taken out of columns of these `shapes`: numbers, labels and weights.

    Raises `DataFileError` where a shape does not fit: a place is one number per jet, also as a column (N, 1); a label may be a
    row of flags for the classes.
    """

    def __init__(self, card: Card, places: Sequence[str], shapes: Mapping[str, tuple[int, ...]], path: Path) -> None:
        self.card, self.path, self._rows = card, path, {place: _row(place, shapes, path) for place in places}
        rows_of_flags = isinstance(card.label, str)
        for place in card.label_places():
            self._rows[place] = _row(place, shapes, path, flags=rows_of_flags)
            if card.label_values and self._rows[place] not in ((), (1,)):
                raise DataFileError(
                    f"{path}: {place!r} is a row of flags for each jet, whose order tells the classes; leave label_values out"
                )
        if card.weights is not None:
            self._rows[card.weights] = _row(card.weights, shapes, path)

    def numbers(self, columns: Columns, place: str, start: int) -> np.ndarray:
        """Return the numbers (n,) at a place."""
        return self._values(columns, place, start)[:, 0]

    def targets(self, columns: Columns, start: int) -> dict[str, np.ndarray]:
        """Return labels (n,) int32 as `label` and weights (n,) as `weight`, where the card has them."""
        found = {} if self.card.label is None else {"label": self._labels(columns, start)}
        if (place := self.card.weights) is not None:
            with np.errstate(over="ignore"):
                found["weight"] = weights = self.numbers(columns, place, start).astype(np.float32)
            wrong = ~np.isfinite(weights) | (weights < 0)
            refuse(wrong, start, self.path, f"has a weight in {place!r} that is NaN, infinite or negative")
        return found

    def _labels(self, columns: Columns, start: int) -> np.ndarray:
        card = self.card
        found = np.concatenate([self._values(columns, place, start) for place in card.label_places()], axis=1)
        if found.shape[1] == 1 and (values := card.label_values):
            known = found == np.array(values)
            refuse(~known.any(axis=1), start, self.path, f"has a label that is none of {', '.join(map(str, values))}")
            return known.argmax(axis=1).astype(np.int32)
        if found.shape[1] == 1:
            return labels(found[:, 0].astype(float), len(card.class_names), start, self.path)
        if card.class_names and len(card.class_names) != found.shape[1]:
            raise DataFileError(
                f"{self.path}: the label has {found.shape[1]} columns, and the card names {len(card.class_names)} classes; "
                "name the column of each class, as in [jets:53, jets:54], or one column of numbers"
            )
        return _classes_of_flags(found, start, self.path)

    def _values(self, columns: Columns, place: str, start: int) -> np.ndarray:
        """The values (n, k) at a place, a row of k for each jet."""
        row = self._rows[place]
        return dense(pick(columns, place), row, place, start, self.path).reshape(-1, *(row or (1,)))


def _row(place: str, shapes: Mapping[str, tuple[int, ...]], path: Path, flags: bool = False) -> tuple[int, ...]:
    """The shape of a row at a place with one number per jet, or with flags."""
    key, column = split(place)
    shape = shapes[key]
    row = shape[1:] if column is None else shape[1:-1]
    inside = column is None or (len(shape) > 1 and column < shape[-1])
    if not inside or (row not in ((), (1,)) and not (flags and column is None and len(row) == 1)):
        wanted = "one number for each jet, or a row of flags for the classes, belongs" if flags else "one number per jet belongs"
        lists = "; rows are jets, and not events with lists of them, unless the card has `events`" if 0 in shape[1:] else ""
        raise DataFileError(f"{path}: {place!r} does not fit {key!r} of shape {shape}, where {wanted}{lists}")
    return row
