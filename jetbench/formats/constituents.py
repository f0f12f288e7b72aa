"""Tables of constituents that a card describes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import vector

from jetbench.errors import DataFileError
from jetbench.formats.agreement import Agreement
from jetbench.formats.card import CardChannel, ConstituentCard, split
from jetbench.formats.cards import open_table
from jetbench.formats.columns import dense, labels, lists, refuse
from jetbench.formats.fourvectors import Axis, Constituents, with_rapidity
from jetbench.formats.particles import CHARGE, ENERGY, KINDS, PT, identify
from jetbench.formats.reader import Block, Reader, TableReader
from jetbench.formats.tables import BLOCK_BYTES, ArrayTable, Columns
from jetbench.jets import Jets, Meta

__all__ = ["ConstituentTable"]

UNKNOWN = "particles of an unknown PDG number taken as neutral, and as massless where nothing else tells their mass"
LOOK = 10  # jets that tell whether a file is of a format
TOLERANCES = {"pt": 1e-3, "eta": 1e-3, "mass": 1e-2, "constituents": 0.0}  # relative, but for eta and the number
Quantities = dict[str, ak.Array]


class ConstituentTable(TableReader):
    """A file of constituents with its `ConstituentCard`. Padding is where the mask is zero or, without one, where all of a
    constituent's momentum is zero. It is never recognised: a file does not tell its own meaning."""

    looks_right = Reader.looks_right

    def __init__(self, path: Path, card: ConstituentCard) -> None:
        ends = card.counts or card.offsets
        asked = _keys([*card.constituent_places(), *card.jet_places(), *card.label_places(), *([ends] if ends else [])])
        table: Any = open_table(path, card.format, [key for key in asked if key not in card.optional], card.optional)
        self.card, self._agreement = card.without(set(card.optional).difference(table.names)), Agreement()
        self._inner = _keys(self.card.constituent_places())
        self._outer = _keys([*self.card.jet_places(), *self.card.label_places()])
        super().__init__(path, FlatTable(table, card, self._inner, path) if ends else table)

    def _open(self) -> Sequence[str]:
        card, shapes = self.card, {key: self.table.shape(key) for key in dict.fromkeys([*self._inner, *self._outer])}
        rows_of_labels = 1 + (isinstance(card.label, str) and len(shapes[split(card.label)[0]]) == 2 and ":" not in card.label)
        for places, ndim in ((card.constituent_places(), 2), (card.jet_places(), 1), (card.label_places(), rows_of_labels)):
            for place in places:
                key, column = split(place)
                shape = shapes[key]
                features = shape[1 if card.layout == "NFC" and ndim == 2 and key in self._inner else -1] if shape else 0
                if len(shape) != ndim + (column is not None) or (column is not None and column >= features):
                    raise DataFileError(
                        f"{self.path}: {place!r} does not fit {key!r} of shape {shape}; the card says {card.layout}"
                    )
        widths = {shapes[key][-1 if card.layout == "NFC" else 1] for key in self._inner} if card.padded else {0}
        if len(widths) > 1:
            raise DataFileError(
                f"{self.path}: the arrays of constituents have room for {sorted(widths)} of them; they must agree"
            )
        if len({shape[0] for shape in shapes.values()}) > 1:
            raise DataFileError(
                f"{self.path}: the arrays have different numbers of rows: { ({key: shape[0] for key, shape in shapes.items()}) }"
            )
        self.meta = Meta(
            channels=(PT, ENERGY, *(channel.channel() for channel in card.channels), *((CHARGE, *KINDS) if card.pdg else ())),
            class_names=card.class_names,
            extent=card.radius,
            unknown=("jet_phi",) if card.axis == "given" and card.jet_phi is None else (),
            provenance=card.provenance(),
        )
        return list(shapes)

    def _jets(self, columns: Columns, start: int) -> Block:
        card = self.card
        inner = self._present(self._inner_columns(columns))
        outer = {place: dense(_pick(columns, place), (), place, self.path).astype(float) for place in card.jet_places()}
        targets = {name: outer[place] for name, place in card.targets.items()}
        if card.label is not None:
            targets["label"] = self._labels(columns, start)
        channels = {channel.name: _measured(inner[channel.place], channel) for channel in card.channels}
        for name, place in card.momentum.items():
            if name in ("pt", "mass"):
                negative = ak.any(inner[place] < 0, axis=1)
                refuse(negative, start, f"{self.path}: jet", f" has a constituent of negative {name} in {place!r}")
        axis = self._axis(outer)
        mass, strange = None, 0
        if card.pdg:
            mass, told, known = identify(inner[card.pdg])
            channels |= told
            strange = int(ak.sum(ak.any(~known, axis=1)))
        momentum = self._momentum({name: inner[place] for name, place in card.momentum.items()}, axis, mass)
        jets, repairs = Constituents(momentum, channels, targets, axis).jets(self.meta, start, self.path)
        self._compare(jets, outer)
        return jets, {**repairs, **({UNKNOWN: strange} if strange else {})}

    def is_likely(self) -> bool:
        """Say whether the first jets may be what the card says: their PDG numbers, if it has any, are known."""
        if self.card.pdg is None:
            return True
        first = self._present(self._inner_columns(next(self.table.blocks(self._keys, 0, min(LOOK, self.jets)))))
        numbers = ak.flatten(first[self.card.pdg])
        return len(numbers) > 0 and bool(identify(numbers.to_numpy())[2].all())

    def _labels(self, columns: Columns, start: int) -> np.ndarray:
        """Labels (n,) int32 from one column of them, or from a column for each class."""
        picked = [_pick(columns, place) for place in self.card.label_places()]
        shapes = [self.table.shape(split(place)[0])[1:] if ":" not in place else () for place in self.card.label_places()]
        places = zip(picked, shapes, self.card.label_places(), strict=True)
        found = np.column_stack([dense(column, shape, place, self.path) for column, shape, place in places])
        if found.shape[1] == 1 and (values := self.card.label_values):
            given = found[:, 0]
            unknown = ~np.isin(given, values)
            refuse(
                unknown, start, f"{self.path}: jet", f" has a label that is none of label_values: {', '.join(map(str, values))}"
            )
            return (given[:, None] == values).argmax(axis=1).astype(np.int32)
        if found.shape[1] == 1:
            return labels(found[:, 0].astype(float), len(self.card.class_names), start, self.path)
        if self.card.class_names and len(self.card.class_names) != found.shape[1]:
            raise DataFileError(
                f"{self.path}: the label has {found.shape[1]} columns, and the card names {len(self.card.class_names)} classes"
            )
        one = ((found == 0) | (found == 1)).all(axis=1) & (found.sum(axis=1) == 1)
        refuse(~one, start, f"{self.path}: jet", " is not of exactly one class by the columns of its label")
        return found.argmax(axis=1).astype(np.int32)

    def _inner_columns(self, columns: Columns) -> Quantities:
        axis_of_features = 1 if self.card.layout == "NFC" else -1
        return {place: _pick(columns, place, axis_of_features) for place in self.card.constituent_places()}

    def _present(self, inner: Quantities) -> Quantities:
        """The constituents that are no padding, as lists of float64."""
        found = {place: ak.values_astype(column, np.float64) for place, column in lists(inner, list(inner), self.path).items()}
        if self.card.layout == "flat":
            return found
        named = [self.card.mask] if self.card.mask else self.card.momentum.values()
        real = np.any([ak.flatten(found[place]) != 0 for place in named], axis=0)
        real = ak.unflatten(real, ak.num(found[next(iter(found))]))
        return {place: column[real] for place, column in found.items()}

    def _axis(self, outer: dict[str, np.ndarray]) -> Axis:
        if self.card.axis != "given":
            return self.card.axis
        assert self.card.jet_eta is not None  # or it would be no valid card
        jet_eta = outer[self.card.jet_eta]
        return jet_eta, outer[self.card.jet_phi] if self.card.jet_phi else np.zeros(len(jet_eta))

    def _momentum(self, q: Quantities, axis: Axis, mass: ak.Array | None) -> ak.Array:
        """Four-vectors; without an energy and a mass in the file it is the given `mass` [GeV], or zero."""
        if self.card.unit == "MeV":
            q = {name: column if name in ("eta", "rapidity", "phi") else column * 1e-3 for name, column in q.items()}
        if self.card.relative and isinstance(axis, tuple):
            q["eta"], q["phi"] = q["eta"] + axis[0], q["phi"] + axis[1]
        if "energy" not in q and "mass" not in q:
            q["mass"] = ak.zeros_like(q["phi"] if "phi" in q else q["px"]) if mass is None else mass
        return with_rapidity(q["pt"], q["rapidity"], q["phi"], q["mass"]) if "rapidity" in q else vector.zip(q)

    def _compare(self, jets: Jets, outer: dict[str, np.ndarray]) -> None:
        mine = {"pt": jets.jet_pt, "eta": jets.jet_eta, "mass": jets.targets["mass"], "constituents": np.diff(jets.offsets)}
        for name, place in self.card.checks.items():
            scale = 1e-3 if self.card.unit == "MeV" and name in ("pt", "mass") else 1.0
            relative = name in ("pt", "mass")
            self._agreement.compare(place, mine[name], outer[place] * scale, TOLERANCES[name], relative=relative)
        self.remarks = self._agreement.remarks()


class FlatTable:
    """Arrays of the constituents of all jets as lists, by the number of each jet or by where each begins and the last ends."""

    def __init__(self, table: ArrayTable, card: ConstituentCard, inner: Sequence[str], path: Path) -> None:
        self._table, self._inner, self.names = table, inner, table.names
        counts = card.counts or card.offsets
        assert counts is not None  # or the card would be no valid one
        key, _ = split(counts)
        number = _pick({key: table.read(key, 0, table.shape(key)[0])}, counts)
        if card.offsets and number.ndim == 1:
            if number[0] != 0:
                raise DataFileError(
                    f"{path}: {counts!r} begins with {number[0]}; offsets begin with 0 and end with the last jet's end"
                )
            number = np.diff(number.astype(np.int64))
        length = min(table.shape(key)[0] for key in inner)
        if number.ndim != 1:
            raise DataFileError(f"{path}: {counts!r} does not fit {key!r} of shape {table.shape(key)}; the card says flat")
        if not len(number) or not ((number >= 0) & (number <= length) & (number == np.floor(number))).all():
            raise DataFileError(f"{path}: {counts!r} has values that count nothing: negative, broken or too large")
        if (total := number.sum()) != length:
            raise DataFileError(f"{path}: the counts add up to {total} constituents, but there are {length}")
        self.rows, self._offsets = len(number), np.concatenate([[0], np.cumsum(number.astype(np.int64))])

    def shape(self, key: str) -> tuple[int, ...]:
        shape = self._table.shape(key)
        return (self.rows, 0, *shape[1:]) if key in self._inner else shape

    def block(self, keys: Sequence[str]) -> int:
        largest = int(np.diff(self._offsets).max())
        return BLOCK_BYTES // sum(self._table.row_bytes(key) * (largest if key in self._inner else 1) for key in keys)

    def blocks(self, keys: Sequence[str], start: int, step: int) -> Iterator[Columns]:
        for first in range(start, self.rows, step):
            offsets = self._offsets[first : first + step + 1]
            rows = {key: (offsets[0], offsets[-1]) if key in self._inner else (first, first + len(offsets) - 1) for key in keys}
            read = {key: self._table.read(key, *rows[key]) for key in keys}
            yield {key: ak.unflatten(read[key], np.diff(offsets)) if key in self._inner else read[key] for key in keys}

    def close(self) -> None:
        self._table.close()


def _keys(places: Sequence[str]) -> list[str]:
    """The arrays in which places lie, each once."""
    return list(dict.fromkeys(split(place)[0] for place in places))


def _measured(values: ak.Array, channel: CardChannel) -> ak.Array:
    """The values of a channel in its unit, zero where nothing was measured."""
    scaled = values if channel.scale == 1 else values * channel.scale
    return scaled if channel.missing is None else ak.where(values == channel.missing, 0.0, scaled)


def _pick(columns: Columns, place: str, axis: int = -1) -> Any:
    key, column = split(place)
    if column is None:
        return columns[key]
    return columns[key][..., column] if axis == -1 else columns[key][:, column]
