"""Events in the rows of a file: lists of jets with the lists of their constituents, or links between jets and candidates."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.card import Events
from jetbench.formats.guess_arrays import Array, Look, listed
from jetbench.formats.guess_rules import by_name, quoted
from jetbench.formats.tables import Columns

__all__ = ["OfEvents", "jets_of_events"]

JET = re.compile(r"(?:^|[/._])(?:fat)?jets?_?(?:idx|index|indices)$", re.IGNORECASE)  # as in FatJetPFCands_jetIdx
INDEX = re.compile(r"(?:idx|index|indices)g?$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class OfEvents:
    """The jets of the events that were looked at, as a `look` whose rows are jets, with the `lines` of a card that say so, and
    the keys of the `numbers` of events, which each of its jets has."""

    look: Look
    lines: tuple[str, ...]
    numbers: frozenset[str]


@dataclass(eq=False)
class Looked:
    """The events that were looked at, as a table: awkward columns of the same length."""

    columns: Mapping[str, Any]
    rows: int
    names: Collection[str]

    def shape(self, key: str) -> tuple[int, ...]:
        return (self.rows, *[0] * (self.columns[key].ndim - 1))

    def block(self, keys: Sequence[str]) -> int:
        return self.rows

    def blocks(self, keys: Sequence[str], start: int, step: int) -> Iterator[Columns]:
        yield {key: self.columns[key][start:] for key in keys}

    def close(self) -> None: ...


def jets_of_events(look: Look) -> OfEvents | None:
    """Find jets within events: those with a list of constituents each, or those that links tell; None where there are none."""
    lists = [a for a in look.arrays if a.lengths is not None]
    rows = min((a.some for a in lists), default=0)
    lists = [replace(array, lengths=array.lengths[:rows]) for array in lists if array.lengths is not None]
    found = [*_nested(lists), *sorted(_linked(lists), key=_links, reverse=True)]
    tried = ((events, _jets(look, lists, events, [array.key for array in inner], rows)) for events, inner in found)
    fitting = [(events, jets) for events, jets in tried if jets is not None]
    if not fitting:
        return None
    events, jets = fitting[0]
    others = [f"# CHECK: or  {_line(other)}" for other, _ in fitting[1:]]
    told = "rows are events" if events.jet or events.candidate else "CHECK: rows are events of jets, and no jets of subjets"
    lines = (f"{_line(events)}  # {told}", *_beside(lists, events), *others)
    return OfEvents(replace(look, arrays=jets), lines, frozenset(array.key for array in look.arrays if array.lengths is None))


def _line(events: Events) -> str:
    return f"events: {{{', '.join(f'{name}: {quoted(key)}' for name, key in events.model_dump(exclude_defaults=True).items())}}}"


def _beside(lists: Sequence[Array], events: Events) -> Iterator[str]:
    """What has a value for each link, which only `of_links` can name."""
    if events.jet and events.candidate:
        stem = _stem(events.jet)
        for array in lists:
            if _stem(array.key) == stem and array.key not in (events.jet, events.candidate):
                channel = f"channels: [{{name: NAME, place: {quoted(array.key)}}}]"
                yield f"#   {array.key}: a channel of the links by  {channel}  and  of_links: [{quoted(array.key)}]  in `events`"


def _stem(key: str) -> str:
    """What stands before the last word of a name: the collection to which it belongs; empty where nothing does."""
    found = re.match(r"(.*)[/._][^/._]*$", key)
    return found[1] if found else ""


def _alike(lists: Iterable[Array], array: Array) -> list[Array]:
    """The lists that are as long as those of an array in every event."""
    return [other for other in lists if _as_long(other, array)]


def _as_long(one: Array, other: Array) -> bool:
    return one.lengths is not None and other.lengths is not None and np.array_equal(one.lengths, other.lengths)


def _particles(lists: Sequence[Array]) -> list[Array]:
    """Those of some lists that are as long as the momentum among them; none without a momentum."""
    momentum = by_name({array.key: array.key for array in lists})
    of_momentum = [array for array in lists if momentum is not None and array.key in momentum.places.values()]
    found = _alike(lists, of_momentum[0]) if of_momentum else []
    return found if all(array in found for array in of_momentum) else []


def _collections(lists: Sequence[Array]) -> dict[str, list[Array]]:
    """The lists of numbers by the beginning of their names."""
    found: dict[str, list[Array]] = {}
    for array in lists:
        if array.inner is None:
            found.setdefault(_stem(array.key), []).append(array)
    return found


def _nested(lists: Sequence[Array]) -> Iterator[tuple[Events, list[Array]]]:
    """Lists of lists: of constituents, or of the indices of candidates."""
    nested = [array for array in lists if array.inner is not None]
    for array in nested:
        assert array.inner is not None
        alike = [one for one in _alike(nested, array) if one.inner and _as_long(one.inner, array.inner)]
        plain = [one for one in _alike(lists, array) if one.inner is None]
        jets = next(iter(plain), array).key
        if array is alike[0] and _particles(alike):
            yield Events(jets=jets), alike
        for candidates in map(_particles, _collections(lists).values()):
            if candidates and _points(array, candidates[0]):
                yield Events(jets=jets, candidate=array.key), candidates


def _linked(lists: Sequence[Array]) -> Iterator[tuple[Events, list[Array]]]:
    """Lists of the indices of jets, beside those of candidates or beside the candidates themselves."""
    collections = _collections(lists)
    for array in (one for one in lists if one.inner is None and JET.search(one.key)):
        stem, beside = _stem(array.key), [one for one in collections[_stem(array.key)] if one is not array]
        # FatJetPFCands_jetIdx are links to FatJet rather than to Jet: the longest name with which it begins
        of_jets = max((key for key in collections if key not in ("", stem) and stem.startswith(key)), key=len, default=None)
        if of_jets is None or not _points(array, jets := collections[of_jets][0]):
            continue
        for index in (one for one in beside if INDEX.search(one.key)):
            for key in (one for one in collections if one not in (stem, of_jets) and one.lower().rstrip("s") in stem.lower()):
                if (candidates := _particles(collections[key])) and _points(index, candidates[0]):
                    yield Events(jets=jets.key, jet=array.key, candidate=index.key), candidates
        if candidates := _particles(beside):
            yield Events(jets=jets.key, jet=array.key), candidates


def _links(found: tuple[Events, list[Array]]) -> int:
    """How many candidates there are: those of particle flow are more than secondary vertices or leptons."""
    return sum(int(array.lengths.sum()) for array in found[1][:1] if array.lengths is not None)


def _points(array: Array, to: Array) -> bool:
    """Whether whole numbers are indices of what stands in other lists of the same events, or −1."""
    assert array.lengths is not None
    assert to.lengths is not None
    values, lengths = _flat(array), array.lengths
    if array.inner is not None and array.inner.lengths is not None:
        first = np.concatenate([[0], np.cumsum(array.inner.lengths)])[np.concatenate([[0], np.cumsum(lengths)])]
        lengths = np.diff(first)
    there = np.repeat(to.lengths, lengths)
    values = values[: len(there)]
    return values.dtype.kind in "iu" and bool((values >= -1).all() and (values < there).all() and (values >= 0).any())


def _flat(array: Array) -> np.ndarray:
    """The numbers of lists one after another (k,), of the events that were looked at."""
    of = array.inner or array
    assert of.rows is not None
    assert of.lengths is not None
    lengths = of.lengths
    flat: np.ndarray = of.rows[: len(lengths)][np.arange(of.rows.shape[1]) < lengths[:, None]]
    return flat


def _column(array: Array) -> Any:
    import awkward as ak

    if array.lengths is None:
        return ak.Array(array.rows)
    lists = _flat(array) if array.inner is None else ak.unflatten(_flat(array), array.inner.lengths)
    return ak.unflatten(lists[: array.lengths.sum()], array.lengths)


def _jets(look: Look, lists: Sequence[Array], events: Events, inner: Sequence[str], rows: int) -> tuple[Array, ...] | None:
    """The arrays of the jets of all events that were looked at: of their constituents, of the jets, and of the events; None
    where what was taken for links is none."""
    from jetbench.formats.event_table import EventTable

    (of_jets,) = (array for array in lists if array.key == events.jets)
    jets = [array for array in _alike(lists, of_jets) if array.inner is None]
    if events.jet or events.candidate:  # lists of other things may be as long by chance
        jets = [array for array in jets if _stem(array.key) == _stem(of_jets.key)]
    single = [a for a in look.arrays if a.lengths is None and a.rows is not None and a.rows.ndim == 1]
    single = [replace(a, rows=a.rows[:rows]) for a in single if a.rows is not None and a.some >= rows]
    wanted = {array.key: array for array in [*jets, *single] if array.key not in inner}
    needed = {key: array for array in lists if (key := array.key) in (*inner, *events.places())}
    columns = {key: _column(array) for key, array in (wanted | needed).items()}
    table = Looked(columns, rows, columns.keys())
    keys = [*inner, *(key for key in wanted if key not in (events.jet, events.candidate))]
    try:
        opened = EventTable(table, events, inner, look.path)
        found = next(opened.blocks(keys, 0, max(1, opened.rows)), {})
    except DataFileError:
        return None
    return tuple(listed(key, opened.rows, column) for key, column in found.items()) or None
