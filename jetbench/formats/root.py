"""Trees of ROOT files, of which no description of a class is believed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import uproot

from jetbench.errors import DataFileError
from jetbench.formats.expressions import shape_of
from jetbench.formats.tables import BLOCK_BYTES, Columns, closed_on_error, first_few
from jetbench.jets.foreign import refuse_container
from jetbench.jets.guard import guarded

__all__ = ["RootTable"]

NUMBERS = ("bool", "int", "uint", "float")  # what the types of numbers begin with


class PlainFile(uproot.ReadOnlyFile):
    """A ROOT file whose own description of its classes is not used: uproot would generate code from it and run it."""

    @property
    def streamers(self) -> Any:
        raise ValueError("the file's classes are not those of a plain tree of numbers")


class RootTable:
    """The tree (TTree or RNTuple) of a name, wherever it lies in the file, or of a path in it; of several cycles the last.

    A branch within another one has its path as a name, `Jet/Jet.PT`, or what stands last in it where no other is called so; a
    field of an RNTuple's record is `Jet.pt`. Raises `DataFileError` where there is no such tree, or several, and where the file
    has not the size that it declares.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        with guarded(path):
            refuse_container(path, "root")
            # an open file, because uproot takes a name for an address: "x.root:tree", "http:…"
            with closed_on_error(open(path, "rb")) as self._stream:
                self._tree = self._find(name)
                self._of_fields = isinstance(self._tree, uproot.behaviors.RNTuple.HasFields)
                self.rows, paths = int(self._tree.num_entries), list(self._tree.keys(recursive=True))
                if not self.rows:
                    raise DataFileError(f"{path}: the tree {name!r} has no entries; leave the file out")
                last = Counter(key.rpartition("/")[2] for key in paths)
                self.names: Collection[str] = {*paths, *(key for key, times in last.items() if times == 1)}

    def shape(self, key: str) -> tuple[int, ...]:
        """Return the shape of a branch of numbers, or of lists of them. Raises `DataFileError` for any other."""
        try:
            first = next(self.blocks([key], 0, 1))[key]
        except Exception as error:
            if isinstance(getattr(self._tree[key], "interpretation", None), uproot.AsObjects):
                raise self._refused(key) from error  # it would need the file's own code
            raise
        shape, kind = shape_of(self.rows, first)
        if not (isinstance(kind, ak.types.NumpyType) and kind.primitive.startswith(NUMBERS)):
            raise self._refused(key)
        return shape

    def block(self, keys: Sequence[str]) -> int:
        return int(self._tree.num_entries_for(BLOCK_BYTES, **self._filter(keys)))

    def blocks(self, keys: Sequence[str], start: int, step: int) -> Iterator[Columns]:
        for block in self._tree.iterate(**self._filter(keys), step_size=step, entry_start=start):
            yield {key: self._pick(block, key) for key in keys}

    def close(self) -> None:
        self._stream.close()

    def _filter(self, keys: Sequence[str]) -> dict[str, Any]:
        """What makes uproot read these branches and no other."""
        if self._of_fields:
            return {"filter_name": list(keys)}
        branches = [self._tree[key] for key in keys]
        wanted, names = {id(branch) for branch in branches}, {branch.name for branch in branches}
        if len(names) < len(wanted):
            raise DataFileError(
                f"{self._path}: of the branches {first_few(keys)} two have the same last name; rename one of them"
            )
        return {"filter_branch": lambda branch: id(branch) in wanted}

    def _pick(self, block: ak.Array, key: str) -> ak.Array:
        """A branch of what uproot has read, by its own name without those that it lies in, or a field within a field."""
        for part in key.split(".") if self._of_fields else [self._tree[key].name]:
            if part not in block.fields:
                raise self._refused(key)
            block = block[part]
        return block

    def _refused(self, key: str) -> DataFileError:
        kind = getattr(self._tree[key], "typename", "") or "record"
        return DataFileError(
            f"{self._path}: the branch {key!r} is of the type {kind}, of which no numbers are read; write numbers, or lists "
            "(docs/cards.md shows how for references, as of Delphes)"
        )

    def _find(self, name: str) -> Any:
        file = PlainFile(self._stream, object_cache=None, array_cache=None, use_threads=False)
        if file.fEND > (size := self._stream.seek(0, os.SEEK_END)):
            raise ValueError(f"{file.fEND} bytes are declared, {size} are there")
        classes = file.root_directory.classnames(cycle=False)
        trees = [key for key, kind in classes.items() if kind in ("TTree", "ROOT::RNTuple")]
        found = [name] if name in trees else [key for key in trees if key.split("/")[-1] == name]
        if not found:
            raise DataFileError(f"{self._path}: no tree named {name!r}; the file has {first_few(classes)}")
        if len(found) > 1:
            raise DataFileError(f"{self._path}: several trees named {name!r}: {first_few(found)}")
        return file.root_directory[found[0]]
