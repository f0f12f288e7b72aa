"""Tables of constituents that a card describes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import vector

from jetbench.errors import DataFileError
from jetbench.formats.card import CardChannel, ConstituentCard, split
from jetbench.formats.columns import UNSELECTED, PerJet, keys_of, lists, pick, refuse, shapes_of
from jetbench.formats.containers import open_table
from jetbench.formats.event_table import EventTable
from jetbench.formats.fourvectors import Axis, Constituents, with_rapidity
from jetbench.formats.particles import identify
from jetbench.formats.reader import Agreement, Block, Reader, TableReader
from jetbench.formats.tables import BLOCK_BYTES, ArrayTable, Columns, closed_on_error
from jetbench.jets import Jets
from jetbench.jets.guard import guarded

__all__ = ["ConstituentTable"]

UNKNOWN = "particles of an unknown PDG number taken as {}"
LOOK = 10  # jets that tell whether a file is of a format
TOLERANCES = {"pt": 1e-3, "eta": 1e-3, "mass": 1e-2, "constituents": 0.0}  # relative, but for eta and the number
ROWS_ARE_JETS = ": a list of constituents in every row, which is a jet and not an event, of which `events` says more"
ROWS_ARE_EVENTS = ", and events: a list of constituents for every jet, or what links of `events` make one of"
KNOWN = 0.9  # share of PDG numbers that are in the table; candidates of forward calorimeters, 1 and 2 in CMS, are not
NOT_NEGATIVE = {"pt", "mass", "energy"}
NOTHING = "has a constituent with NaN in every place of its momentum"
SAME = "has a constituent with the same negative number in every place of its momentum"
PADDING = ": if that is padding, name a `mask` in the card, or write zeros there"
DIRECTIONS = ("eta", "rapidity", "phi")  # of a constituent without momentum they mean nothing, and centred files have some
Quantities = dict[str, ak.Array]


class ConstituentTable(TableReader):
    """A file of constituents with its `ConstituentCard`. Padding is where the mask is zero or, without one, where all of a
    constituent's momentum is zero. It is never recognised: a file does not tell its own meaning."""

    looks_right = Reader.looks_right

    def __init__(self, path: Path, card: ConstituentCard) -> None:
        ends = card.counts or card.offsets
        rest = [*([ends] if ends else []), *(card.events.places() if card.events else [])]
        asked = keys_of([*card.constituent_places(), *card.jet_places(), *card.told_places(), *rest])
        table: Any
        table, self.card = open_table(path, card, asked)
        self._agreement = Agreement()
        self._inner = keys_of(self.card.constituent_places())
        self._outer = keys_of([*self.card.jet_places(), *self.card.told_places()])
        with guarded(path), closed_on_error(table):
            if ends:
                table = FlatTable(table, card, self._inner, path)
            elif card.events:
                table = EventTable(table, card.events, self._inner, path)
        super().__init__(path, table)

    def rows_of(self, jets: np.ndarray) -> np.ndarray:
        return self.table.rows_of(jets) if isinstance(self.table, EventTable) else jets

    def _open(self) -> Sequence[str]:
        card, shapes = self.card, shapes_of(self.table, [*self._inner, *self._outer], self.path)
        for place in card.constituent_places():
            key, column = split(place)
            shape = shapes[key]
            features = shape[1 if card.layout == "NFC" else -1] if shape else 0
            if len(shape) != 2 + (column is not None) or (column is not None and column >= features):
                rows = ROWS_ARE_EVENTS if card.events else ROWS_ARE_JETS
                said = card.layout + (rows if card.layout == "lists" else "")
                raise DataFileError(f"{self.path}: {place!r} does not fit {key!r} of shape {shape}; the card says {said}")
        widths = {shapes[key][-1 if card.layout == "NFC" else 1] for key in self._inner} if card.padded else {0}
        if len(widths) > 1:
            raise DataFileError(
                f"{self.path}: the arrays of constituents have room for {sorted(widths)} of them; they must agree"
            )
        self._per_jet = PerJet(card, card.jet_places(), shapes, self.path)
        self.meta = card.meta()
        self._check_weights()
        return list(shapes)

    def _check_weights(self) -> None:
        there = {channel.name for channel in self.meta.channels}
        for channel in self.meta.channels:
            if channel.weight is not None and channel.weight not in there:
                raise DataFileError(
                    f"{self.path}: the channel {channel.name!r} is a mean weighted by {channel.weight!r}, of which the file has "
                    "no values; leave both out of the card, or weight it by pt"
                )

    def _jets(self, columns: Columns, start: int) -> Block:
        card = self.card
        if (place := card.selection) is not None:
            chosen = self._per_jet.numbers(columns, place, start) != 0
            refuse(~chosen, start, self.path, f"{UNSELECTED} {place}", remedy=UNSELECTED)
        inner = self._present(columns, start)
        outer = {place: self._per_jet.numbers(columns, place, start).astype(float) for place in card.jet_places()}
        targets = {name: outer[place] for name, place in card.targets.items()} | self._per_jet.targets(columns, start)
        channels = {channel.name: _measured(inner[channel.place], channel) for channel in card.channels}
        self._check_momenta(inner, start)
        axis = self._axis(outer)
        mass, strange = None, 0
        if card.pdg:
            mass, told, known = identify(inner[card.pdg])
            channels |= told
            strange = int(ak.sum(ak.any(~known, axis=1)))
        momentum = self._momentum({name: inner[place] for name, place in card.momentum.items()}, axis, mass)
        jets, repairs = Constituents(momentum, channels, targets, axis).jets(self.meta, start, self.path)
        self._compare(jets, outer)
        unknown = UNKNOWN.format("neutral" if {"energy", "mass"} & set(card.momentum) else "massless and neutral")
        return jets, {**repairs, **({unknown: strange} if strange else {})}

    def _check_momenta(self, inner: Quantities, start: int) -> None:
        """Refuse what looks like padding that no mask tells, and what is negative where nothing may be."""
        momentum = [inner[place] for place in self.card.momentum.values()]
        nothing = ak.any(reduce(and_, map(np.isnan, momentum)), axis=1)
        refuse(nothing, start, self.path, NOTHING, NOTHING + PADDING)
        same = reduce(and_, [column == momentum[0] for column in momentum], momentum[0] < 0)
        refuse(ak.any(same, axis=1), start, self.path, SAME, SAME + PADDING)
        for name, place in self.card.momentum.items():
            if name in NOT_NEGATIVE:
                cause = f"has a constituent of negative {name} in {place!r}"
                refuse(ak.any(inner[place] < 0, axis=1), start, self.path, cause, cause + self._exchanged(place))

    def _exchanged(self, place: str) -> str:
        """What else may be wrong where a place holds no such quantity: axes the other way round, where the array allows it."""
        key = split(place)[0]
        places = map(split, self.card.constituent_places())
        columns = [column for other, column in places if other == key and column is not None]
        other, axis = ("NCF", 2) if self.card.layout == "NFC" else ("NFC", 1)
        if not self.card.padded or not columns or self.table.shape(key)[axis] <= max(columns):
            return ""
        order = "constituents before features" if other == "NCF" else "features before constituents"
        return f"; if the array has {order}, the card says `layout: {other}`"

    def is_likely(self) -> bool:
        """Say whether the first jets may be what the card says: of their PDG numbers, if it has any, nearly all are known."""
        if self.card.pdg is None:
            return True
        first = self._present(next(self.table.blocks(self._keys, 0, min(LOOK, self.jets))), 0)
        numbers = ak.flatten(first[self.card.pdg])
        return len(numbers) > 0 and bool(identify(numbers.to_numpy())[2].mean() >= KNOWN)

    def _present(self, columns: Columns, start: int) -> Quantities:
        """The constituents that are no padding, as lists of float64."""
        axis_of_features = 1 if self.card.layout == "NFC" else -1
        inner = {place: pick(columns, place, axis_of_features) for place in self.card.constituent_places()}
        inner = lists(inner, start, self.path)
        found = {place: ak.values_astype(column, np.float64) for place, column in inner.items()}
        if self.card.layout == "flat":
            return found
        sizes = [place for name, place in self.card.momentum.items() if name not in DIRECTIONS]
        named = [self.card.mask] if self.card.mask else sizes
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
        number = pick({key: table.read(key, 0, table.shape(key)[0])}, counts)
        if card.offsets and number.ndim == 1:
            if number[0] != 0:
                raise DataFileError(
                    f"{path}: {counts!r} begins with {number[0]}; offsets begin with 0 and end with the last jet's end: counts "
                    "stand in the key `counts`, and awkward's offsets of a part of an array need ak.to_packed before"
                )
            number = np.diff(number.astype(np.int64))
        length = min(table.shape(key)[0] for key in inner)
        if number.ndim != 1:
            raise DataFileError(f"{path}: {counts!r} does not fit {key!r} of shape {table.shape(key)}; the card says flat")
        if not len(number) or not ((number >= 0) & (number <= length) & (number == np.floor(number))).all():
            raise DataFileError(f"{path}: {counts!r} has values that count nothing: negative, broken or too large")
        if (total := number.sum()) != length:
            if card.offsets:
                raise DataFileError(f"{path}: the offsets end with {total}, but there are {length} constituents")
            ends = number[0] == 0 and number[-1] == length and (np.diff(number) >= 0).all()
            hint = f"; they begin with 0, never fall and end with {length}: the card says `offsets: {counts}`" if ends else ""
            raise DataFileError(f"{path}: the counts add up to {total} constituents, but there are {length}{hint}")
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


def _measured(values: ak.Array, channel: CardChannel) -> ak.Array:
    """The values of a channel in its unit, zero where nothing was measured."""
    scaled = values if channel.scale == 1 else values * channel.scale
    if channel.missing is None:
        return scaled
    absent = np.isnan(values) if channel.missing == "nan" else values == channel.missing
    return ak.where(absent, 0.0, scaled)
