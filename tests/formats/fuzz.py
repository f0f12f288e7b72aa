"""Damage to files, and the one thing that a reader may do about it: raise a `JetbenchError`, or read jets that are valid."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from jetbench.errors import JetbenchError
from jetbench.formats.reader import Reader

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


def survives(path: Path, content: bytes, reader: type[Reader], opened: Callable[[Path], Reader] | None = None) -> None:
    """Write the content to `path` and do with it all that a conversion does; any error but a `JetbenchError` escapes."""
    path.write_bytes(content)
    reader.recognises(path)
    with contextlib.suppress(JetbenchError):
        source = (opened or reader)(path)
        with contextlib.closing(source):
            for start in {0, max(0, source.jets - source.block)}:
                jets, repairs = source.read(start, min(start + source.block, source.jets))
                _is_valid(source, jets, repairs)


def _is_valid(source, jets, repairs) -> None:  # type: ignore[no-untyped-def]
    assert jets.meta == source.meta
    assert 0 < len(jets) <= source.block
    assert jets.eta.dtype == jets.phi.dtype == jets.values.dtype == np.float32
    assert all(count >= 0 for count in repairs.values())
    for name, column in jets.columns():
        assert np.isfinite(column).all(), name
