"""Places of a card in the columns of a table: numbers per jet, and labels, for cards of every kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.card import Card, split
from jetbench.formats.columns import classes_of_flags, dense, labels, refuse
from jetbench.formats.tables import Columns, Table, first_few

__all__ = ["PerJet", "keys_of", "pick", "shapes_of"]

Shapes = Mapping[str, tuple[int, ...]]


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

    def __init__(self, card: Card, places: Sequence[str], shapes: Shapes, path: Path) -> None:
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
        return classes_of_flags(found, start, self.path)

    def _values(self, columns: Columns, place: str, start: int) -> np.ndarray:
        """The values (n, k) at a place, a row of k for each jet."""
        row = self._rows[place]
        return dense(pick(columns, place), row, place, start, self.path).reshape(-1, *(row or (1,)))


def _row(place: str, shapes: Shapes, path: Path, flags: bool = False) -> tuple[int, ...]:
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
