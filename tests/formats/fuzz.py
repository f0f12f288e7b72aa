"""Damage to files, and the one thing that a reader may do about it: raise a `JetbenchError`, or read jets that are valid."""

from __future__ import annotations

import contextlib
import traceback
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from jetbench.errors import JetbenchError
from jetbench.formats import formats
from jetbench.formats.card import Card
from jetbench.processes import context, die_with_parent, hidden_main

HEAD = 4096  # most headers lie here, so that half of the damage is done here


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """The content cut short, or with up to eight bytes replaced, or with a stretch of one value, or parts of it doubled."""
    place = st.one_of(st.integers(0, min(HEAD, len(content)) - 1), st.integers(0, len(content) - 1))
    edits = st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=8)
    stretch = st.tuples(place, st.integers(1, 64), st.sampled_from([0, 1, 0x7F, 0xFF]))
    return st.one_of(
        st.integers(0, len(content) - 1).map(lambda size: content[:size]),
        edits.map(lambda changes: _replace(content, changes)),
        edits.map(lambda changes: _replace(content, [(at, content[at] ^ (1 << value % 8)) for at, value in changes])),
        stretch.map(lambda s: content[: s[0]] + bytes([s[2]]) * s[1] + content[s[0] + s[1] :]),
        st.tuples(place, place).map(lambda p: content[: max(p)] + content[min(p) :]),
    )


def _replace(content: bytes, changes: list[tuple[int, int]]) -> bytes:
    copy = bytearray(content)
    for at, value in changes:
        copy[at] = value
    return bytes(copy)


class Child:
    """A process that reads damaged files, until a library does not survive one; then the next one does."""

    def __init__(self) -> None:
        self._connection: Connection | None = None

    def reads(self, *job: object) -> None:
        """Do `survives` there. That the process is killed is an error of the file, which readers make of it; any other end is
        an error of the test."""
        if self._connection is None:
            self._connection, there = Pipe()
            self._process = context().Process(target=_serve, args=(there,), daemon=True)
            with hidden_main():
                self._process.start()
            there.close()
        try:
            self._connection.send(job)
            escaped = self._connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            assert (self._process.exitcode or 0) < 0, "it ended by no signal"
            self._connection = None
        else:
            assert not escaped, escaped


CHILD = Child()


def survives(path: Path, content: bytes, format: str, card: Card | None = None) -> None:
    """Write the content to `path` and do with it all that a conversion does, in a child process; any error but a `JetbenchError`
    escapes."""
    path.write_bytes(content)
    CHILD.reads(path, format, card)


def _serve(connection: Connection) -> None:
    die_with_parent()
    with contextlib.suppress(EOFError):
        while True:
            try:
                _read(*connection.recv())
                escaped = ""
            except Exception:
                escaped = traceback.format_exc()
            connection.send(escaped)


def _read(path: Path, format: str, card: Card | None) -> None:
    reader = formats[format].load()
    if card is None:
        reader.recognises(path)
    with contextlib.suppress(JetbenchError), contextlib.closing(reader(path, *([card] if card else []))) as source:
        last = (source.jets - 1) // source.block * source.block
        for start in {0, last}:
            jets, repairs = next(iter(source.blocks(start)))
            _is_valid(source, jets, repairs)


def _is_valid(source, jets, repairs) -> None:  # type: ignore[no-untyped-def]
    assert jets.meta == source.meta
    assert 0 < len(jets) <= source.block
    assert jets.eta.dtype == jets.phi.dtype == jets.values.dtype == np.float32
    assert all(count >= 0 for count in repairs.values())
    for name, column in jets.columns():
        assert np.isfinite(column).all(), name
