"""Trees of ROOT files, of which no description of a class is believed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import uproot

from jetbench.errors import DataFileError
from jetbench.formats.tables import BLOCK_BYTES, Columns, first_few
from jetbench.jets.guard import guarded

__all__ = ["RootTable"]


class PlainFile(uproot.ReadOnlyFile):
    """A ROOT file whose own description of its classes is not used: uproot would generate code from it and run it."""

    @property
    def streamers(self) -> Any:
        raise ValueError("the file's classes are not those of a plain tree of numbers")


class RootTable:
    """The tree (TTree or RNTuple) of a name, wherever it lies in the file; of several cycles the last. Raises `DataFileError`
    where there is none, or several, and where the file has not the size that it declares."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        with guarded(path), contextlib.ExitStack() as closing:
            # an open file, because uproot takes a name for an address: "x.root:tree", "http:…"
            self._stream = closing.enter_context(open(path, "rb"))
            self._tree = self._find(name)
            self.rows = int(self._tree.num_entries)
            self.names: Collection[str] = set(self._tree.keys(recursive=False))
            closing.pop_all()  # all is well: close() will do it

    def shape(self, key: str) -> tuple[int, ...]:
        return (self.rows,)

    def block(self, keys: Sequence[str]) -> int:
        return int(self._tree.num_entries_for(BLOCK_BYTES, filter_name=list(keys)))

    def blocks(self, keys: Sequence[str], start: int, step: int) -> Iterator[Columns]:
        for block in self._tree.iterate(filter_name=list(keys), step_size=step, entry_start=start):
            yield {key: block[key] for key in keys}

    def close(self) -> None:
        self._stream.close()

    def _find(self, name: str) -> Any:
        file = PlainFile(self._stream, object_cache=None, array_cache=None, use_threads=False)
        if file.fEND > (size := self._stream.seek(0, os.SEEK_END)):
            raise ValueError(f"{file.fEND} bytes are declared, {size} are there")
        classes = file.root_directory.classnames(cycle=False)
        trees = [key for key, kind in classes.items() if kind in ("TTree", "ROOT::RNTuple")]
        found = [key for key in trees if key.split("/")[-1] == name]
        if not found:
            raise DataFileError(f"{self._path}: no tree named {name!r}; the file has {first_few(classes)}")
        if len(found) > 1:
            raise DataFileError(f"{self._path}: several trees named {name!r}: {first_few(found)}")
        return file.root_directory[found[0]]
