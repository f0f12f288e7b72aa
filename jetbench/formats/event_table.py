"""Tables with an event in each row as tables of their jets: links say which candidates are of which jet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.card import Events
from jetbench.formats.columns import refuse
from jetbench.formats.tables import Columns, Table
from jetbench.jets.ragged import owner_of

__all__ = ["EventTable"]

LISTS = "`events` of the card says what is a list of jets, and what of candidates or of links"
INDICES = "indices count from 0 in each event, and -1 is no link"


class EventTable:
    """The jets of all events, one after another, as rows. What the card names for constituents (`inner`) becomes a list for each
    jet, in the order of its links; lists of jets are taken apart, and a number of the event is that of each of its jets.

    How many jets each event has is read from the whole file, eight bytes an event. Raises `DataFileError`, naming the event, for
    lists of other lengths than what they belong to, for links to jets or candidates that are not there, and for the same one
    twice.
    """

    def __init__(self, table: Table, events: Events, inner: Sequence[str], path: Path) -> None:
        self._table, self._events, self._path, self.names = table, events, path, table.names
        self._linked: Collection[str] = inner if events.jet or events.candidate else ()
        self._candidates = next((key for key in inner if key not in events.of_links), inner[0])
        for key, depth in ((events.jet, 2), (events.candidate, 2 if events.jet else 3)):
            if key and len(shape := table.shape(key)) != depth:
                what = "lists of indices belong" if depth == 2 else "a list of indices for each jet belongs"
                raise DataFileError(f"{path}: {key!r} is of shape {shape} where {what}; {LISTS}")
        self._offsets = np.concatenate([[0], np.cumsum(np.concatenate(list(self._numbers())))])
        self.rows = int(self._offsets[-1])

    def shape(self, key: str) -> tuple[int, ...]:
        shape = self._table.shape(key)
        return (self.rows, *shape[1 if len(shape) == 1 or key in self._linked else 2 :])

    def block(self, keys: Sequence[str]) -> int:
        return self._table.block(self._needed(keys)) * self.rows // self._table.rows

    def blocks(self, keys: Sequence[str], start: int, step: int) -> Iterator[Columns]:
        needed, waiting = self._needed(keys), dict[str, Any]()
        first = int(self.rows_of(np.array(start)))
        skip = start - int(self._offsets[first])
        for columns in self._table.blocks(needed, first, max(1, self._table.block(needed))):
            read = {key: column[skip:] for key, column in self._jets(columns, keys, first).items()}
            waiting = {key: ak.concatenate([waiting[key], read[key]]) for key in keys} if waiting else read
            while len(waiting[keys[0]]) >= step:
                yield {key: column[:step] for key, column in waiting.items()}
                waiting = {key: column[step:] for key, column in waiting.items()}
            first, skip = first + len(columns[needed[0]]), 0
        if waiting and len(waiting[keys[0]]):
            yield waiting

    def rows_of(self, jets: np.ndarray) -> np.ndarray:
        """Return the events in which jets lie, by their numbers in the file."""
        return owner_of(self._offsets, jets)

    def close(self) -> None:
        self._table.close()

    def _needed(self, keys: Sequence[str]) -> list[str]:
        """The columns to read for these: links, and what tells the number of candidates."""
        links = [key for key in (self._events.jet, self._events.candidate) if key]
        return list(dict.fromkeys([*keys, *links, *([self._candidates] if links else [])]))

    def _numbers(self) -> Iterator[np.ndarray]:
        """How many jets each event has (n,), block by block."""
        key, first = self._events.jets, 0
        for columns in self._table.blocks([key], 0, max(1, self._table.block([key]))):
            of_jets = columns[key].ndim > 1
            numbers = self._lengths(columns[key], key, first) if of_jets else self._whole(columns[key], key)
            refuse(numbers < 0, first, self._path, f"has a negative number of jets in {key!r}", remedy=LISTS, row="event")
            first += len(numbers)
            yield numbers

    def _jets(self, columns: Columns, keys: Sequence[str], first: int) -> Columns:
        """The columns of the jets of a block of events, of which the first has the number `first`."""
        jets = np.diff(self._offsets[first : first + len(columns[keys[0]]) + 1])
        of_jet, linked = self._links(columns, jets, first) if self._linked else (jets, {})
        found: dict[str, Any] = {}
        for key in keys:
            if key in self._linked:
                what = "links" if key in self._events.of_links else "candidates"
                there, place = linked[what]
                self._check(columns[key], key, there, what, first)
                found[key] = ak.unflatten(ak.flatten(columns[key])[place], of_jet)
            elif columns[key].ndim == 1:
                found[key] = columns[key][np.repeat(np.arange(len(jets)), jets)]
            else:
                self._check(columns[key], key, jets, "jets", first)
                found[key] = ak.flatten(columns[key])
        return found

    def _links(self, columns: Columns, jets: np.ndarray, first: int) -> tuple[np.ndarray, dict[str, tuple[np.ndarray, ...]]]:
        """How many links the jets of a block have, each of whose events has so many `jets` (n,); and of its links and candidates
        the numbers by event (n,), and the places of those that are in jets, sorted by jet."""
        jet_key, key = self._events.jet, self._events.candidate
        jet, candidate = columns[jet_key] if jet_key else None, columns[key] if key else None
        if jet is None:  # a list of candidates for each jet: its place in the event is the jet's number
            self._check(candidate, key, jets, "jets", first)
            both = ak.broadcast_arrays(ak.local_index(candidate, axis=1), candidate)
            jet, candidate = (ak.flatten(one, axis=2) for one in both)
        of_jet = self._places(jet, jet_key or key, jets, "jets", first)
        links = candidates = self._lengths(jet, jet_key or key, first)
        of_candidate = np.arange(len(of_jet))
        if candidate is not None:
            self._check(candidate, key, links, "links", first)
            candidates = self._lengths(columns[self._candidates], self._candidates, first)
            of_candidate = self._places(candidate, key, candidates, "candidates", first)
        link = np.flatnonzero((of_jet >= 0) & (of_candidate >= 0))
        self._refuse_twice(of_jet[link], of_candidate[link], jets, key, first)
        link = link[np.argsort(of_jet[link], kind="stable")]
        each = np.bincount(of_jet[link], minlength=int(jets.sum()))
        return each, {"links": (links, link), "candidates": (candidates, of_candidate[link])}

    def _refuse_twice(self, jet: np.ndarray, candidate: np.ndarray, jets: np.ndarray, key: str | None, first: int) -> None:
        """Raise `DataFileError` where two links are of the same jet and candidate, (k,) among all of a block's events, each of
        which has so many `jets` (n,)."""
        order = np.lexsort((candidate, jet))
        jet, candidate = jet[order], candidate[order]
        for i in np.flatnonzero((np.diff(jet) == 0) & (np.diff(candidate) == 0))[:1]:
            event = int(np.searchsorted(np.cumsum(jets), jet[i], "right"))
            told = f"links its jet {jet[i] - jets[:event].sum()} to the same candidate twice in {key!r}"
            raise DataFileError(f"{self._path}: event {first + event} {told}; a constituent is in its jet once")

    def _places(self, column: ak.Array, key: str | None, there: np.ndarray, what: str, first: int) -> np.ndarray:
        """Indices (k,) among all of a block's events of what they point to, of which each event has so many `there` (n,); -1 for
        none."""
        event = np.repeat(np.arange(len(there)), self._lengths(column, key, first))
        index = self._whole(ak.flatten(column), key)
        for i in np.flatnonzero((index < -1) | (index >= there[event]))[:1]:
            told = f"has the index {index[i]} in {key!r}, and {there[event[i]]} {what}"
            raise DataFileError(f"{self._path}: event {first + event[i]} {told}; {INDICES}")
        return np.where(index < 0, -1, index + (np.cumsum(there) - there)[event])

    def _check(self, column: ak.Array, key: str | None, wanted: np.ndarray, what: str, first: int) -> None:
        """Raise `DataFileError` where lists are not as long as what they belong to, (n,)."""
        found = self._lengths(column, key, first)
        for i in np.flatnonzero(found != wanted)[:1]:
            told = f"has {found[i]} values in {key!r}, and {wanted[i]} {what}"
            raise DataFileError(f"{self._path}: event {first + i} {told}; {LISTS}")

    def _lengths(self, column: ak.Array, key: str | None, first: int) -> np.ndarray:
        refuse(ak.is_none(column), first, self._path, f"has an empty cell in {key!r}", remedy=LISTS, row="event")
        return ak.to_numpy(ak.num(column), allow_missing=False)

    def _whole(self, column: ak.Array, key: str | None) -> np.ndarray:
        """A column (n,) of whole numbers as int64."""
        try:
            values = ak.to_numpy(column, allow_missing=False)
        except ValueError:
            values = np.empty(0)
        if values.dtype.kind not in "iu":
            raise DataFileError(f"{self._path}: {key!r} is of the type {ak.type(column)} where whole numbers belong; {LISTS}")
        return values.astype(np.int64)
