"""A look at the arrays of a file of any container: what they are called, their shapes and types, and some of their rows."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from jetbench.errors import DataFileError
from jetbench.jets.foreign import container_of, refuse_unreadable
from jetbench.jets.guard import guarded

__all__ = ["LEAST", "MANY", "Array", "Look", "is_square", "listed", "look_at"]

LOOK_BYTES = 1 << 20  # of each array: 1 MB
MANY, DEPTH = 100, 4  # arrays of a group that are looked at, and groups within each other
ROOM = 64 << 20  # of all that is kept beyond so many arrays: trees of events have a thousand branches
LEAST = 8  # pixels along a side of an image; fewer are features
ROWS = 512  # of lists, whose lengths are not known before
Rows = Callable[[int, int], Any]  # (start, stop): the rows between


@dataclass(frozen=True, eq=False)
class Array:
    """An array, column or branch by its key. `shape` has None where rows are lists of different lengths; `rows` are some from the
    beginning and the end, lists filled with zeros, and `some` says how many; without numbers `rows` is None, and `words` are
    strings, such as the names of columns. `trouble` is why it was not read, `tree` the name of its tree in a ROOT file, and
    `lengths` are those of the lists. Lists of lists have no `rows`, and `inner` are their lists one after another."""

    key: str
    shape: tuple[int | None, ...]
    dtype: str
    rows: np.ndarray | None = None
    words: tuple[str, ...] = ()
    trouble: str = ""
    tree: str = ""
    lengths: np.ndarray | None = None
    inner: Array | None = None

    @property
    def some(self) -> int:
        looked = self.lengths if self.rows is None else self.rows
        return 0 if looked is None else len(looked)

    @property
    def size(self) -> int:
        """How many numbers there are, or lists."""
        return math.prod(size or 1 for size in self.shape)

    @property
    def whole(self) -> bool:
        """Whether all rows were looked at."""
        return self.some == self.shape[0]


@dataclass(frozen=True, eq=False)
class Look:
    """A file: its `container`, its arrays, and `remarks` on what is not among them."""

    path: Path
    container: str
    arrays: tuple[Array, ...]
    remarks: tuple[str, ...] = ()


def is_square(array: Array) -> bool:
    """Tell whether an array (N, A, B) is a stack of images rather than a table of features."""
    return len(array.shape) == 3 and array.shape[1] == array.shape[2] and (array.shape[1] or 0) >= LEAST


def look_at(path: Path) -> Look:
    """Look at a file in bounded memory; nothing in it is executed. Raises `DataFileError` for what is no such container."""
    refuse_unreadable(path)
    with guarded(path), open(path, "rb") as file:
        begin = file.read(8)
    if not (container := container_of(begin)):
        raise DataFileError(f"{path}: none of HDF5, npz, npy, parquet and ROOT; convert it to one of them")
    with guarded(path):
        found = list(ARRAYS[container](path))
    sizes = np.cumsum([_bytes(array) for array in found])
    kept = tuple(array for i, array in enumerate(found) if i < MANY or sizes[i] <= ROOM)
    return Look(path, container, kept, (f"{len(found) - MANY} more arrays",) if len(found) > MANY else ())


def _bytes(array: Array) -> int:
    return sum(one.rows.nbytes for one in (array, array.inner) if one is not None and one.rows is not None)


def _array(key: str, shape: tuple[int, ...], dtype: np.dtype, read: Rows) -> Array:
    """An array that can be sliced, some rows of which are read."""
    if not shape or not shape[0]:
        return Array(key, shape, str(dtype), trouble="a single value" if not shape else "no rows")
    if dtype.kind not in "iufbSU":
        return Array(key, shape, str(dtype), trouble="no numbers")
    size = max(1, dtype.itemsize * math.prod(shape[1:]))
    if size > 16 * LOOK_BYTES:
        return Array(key, shape, str(dtype), trouble="rows too large to read in bounded memory")
    fit = max(2, LOOK_BYTES // size)
    try:
        if shape[0] <= fit:
            rows = np.asarray(read(0, shape[0]))
        else:
            rows = np.concatenate([read(0, fit - fit // 2), read(shape[0] - fit // 2, shape[0])])
    except DataFileError:
        raise
    except Exception as error:
        return Array(key, shape, str(dtype), trouble=f"not read ({type(error).__name__})")
    if dtype.kind in "SU":
        words = [word.decode(errors="replace") if isinstance(word, bytes) else str(word) for word in rows.reshape(-1)[:MANY]]
        return Array(key, shape, str(dtype), words=tuple(words))
    return Array(key, shape, str(dtype), rows)


def _hdf5(path: Path) -> Iterator[Array]:
    import h5py

    from jetbench.formats.hdf5 import open_hdf5

    with closing(open_hdf5(path)) as file:
        frames: list[str] = []
        for key, link in _walk(file):
            if not isinstance(link, h5py.HardLink):
                yield Array(key, (), "link", trouble="a link to another place, which is not followed")
            elif isinstance(node := file[key], h5py.Dataset):
                yield from _dataset(file, key, node, path)
            elif "pandas_type" in node.attrs:
                frames.append(key)
        if frames:
            yield from _frame(path, frames)


def _walk(owner: Any, above: str = "", depth: int = DEPTH) -> Iterator[tuple[str, Any]]:
    """Keys and links below a group, but nothing of a pandas frame, which has columns of its own."""
    import h5py

    for name in list(owner)[:MANY]:
        link, key = owner.get(name, getlink=True), f"{above}{name}"
        yield key, link
        node = owner[name] if isinstance(link, h5py.HardLink) else None
        if isinstance(node, h5py.Group) and depth > 1 and "pandas_type" not in node.attrs:
            yield from _walk(node, f"{key}/", depth - 1)


def _dataset(file: Any, key: str, node: Any, path: Path) -> Iterator[Array]:
    """A dataset, or the fields of one of a compound dtype."""
    from jetbench.formats.hdf5 import dataset, numeric

    words = node.dtype.kind == "O" and node.ndim == 1 and node.dtype.metadata and len(node) <= MANY
    if words:  # strings of any length, which h5py makes objects of itself
        yield Array(key, node.shape, "text", words=tuple(str(word) for word in node.asstr()[:]))
        return
    try:
        if node.dtype.kind not in "SU":
            dataset(file, key, path)
    except DataFileError as error:
        yield Array(key, node.shape, str(node.dtype), trouble=str(error).removeprefix(f"{path}: "))
        return
    for field in node.dtype.names or ("",):
        dtype = node.dtype[field] if field else node.dtype
        inner, shape = dtype.base, (*node.shape, *dtype.shape)
        place = f"{key}/{field}" if field else key
        if not numeric(inner) and inner.kind not in "SU":
            yield Array(place, shape, str(inner), trouble="no numbers")
            continue
        source = node.fields(field) if field else node
        yield _array(place, shape, inner, lambda start, stop, source=source: source[start:stop])  # type: ignore[misc]


def _frame(path: Path, frames: list[str]) -> Iterator[Array]:
    from jetbench.formats.pandas_table import PandasTable

    try:
        with closing(PandasTable(path)) as table:
            keys = sorted(table.names)
            first = next(iter(table.blocks(keys, 0, min(table.rows, table.block(keys), ROWS))), {})
            for key, rows in first.items():
                yield Array(key, (table.rows,), f"{rows.dtype}, a column of a pandas frame", np.asarray(rows))
    except DataFileError as error:
        yield Array(", ".join(frames), (), "pandas", trouble=str(error).removeprefix(f"{path}: "))


def _npz(path: Path) -> Iterator[Array]:
    from jetbench.formats.npz import NpzTable

    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    for name in names[: MANY + 1]:
        try:
            with closing(NpzTable(path, [name])) as table:
                dtype = table.read(name, 0, 1).dtype
                yield _array(name, table.shape(name), dtype, lambda start, stop, t=table, n=name: t.read(n, start, stop))  # type: ignore[misc]
        except DataFileError as error:
            yield Array(name, (), "", trouble=str(error).removeprefix(f"{path}: "))


def _npy(path: Path) -> Iterator[Array]:
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    yield _array("array", values.shape, values.dtype, lambda start, stop: np.array(values[start:stop]))


def _parquet(path: Path) -> Iterator[Array]:
    from jetbench.formats.parquet import ParquetTable

    with closing(ParquetTable(path)) as table:
        for key in sorted(table.names):
            try:
                table.shape(key)
            except DataFileError as error:
                if "ragged" not in str(error):
                    yield Array(key, (table.rows,), "", trouble=str(error).removeprefix(f"{path}: "))
                    continue
            step = max(1, min(table.rows, ROWS, table.block([key]) // 16))
            yield listed(key, table.rows, next(iter(table.blocks([key], 0, step)))[key])


def listed(key: str, rows: int, values: Any) -> Array:
    """Look at an awkward column of numbers, of lists of them, or of lists of lists: images where all of these are as long."""
    import awkward as ak

    with suppress(ValueError):
        dense = ak.to_numpy(values, allow_missing=False)
        looked = Array(key, (rows, *dense.shape[1:]), str(dense.dtype), dense)
        if dense.dtype.kind in "iufb" and (dense.ndim not in (2, 3) or is_square(looked)):
            return looked
    with suppress(ValueError):
        if values.ndim == 3 and (inner := listed(key, int(ak.sum(ak.num(values))), ak.flatten(values))).lengths is not None:
            lengths = ak.to_numpy(ak.num(values), allow_missing=False)
            return Array(key, (rows, None, None), f"{inner.dtype} of lists", lengths=lengths, inner=inner)
    if values.ndim != 2:
        return Array(key, (rows,), str(ak.type(values))[:60], trouble="no numbers, or lists of different depths")
    filled = ak.to_numpy(ak.fill_none(ak.pad_none(values, int(ak.max(ak.num(values)) or 0), clip=True), 0))
    return Array(key, (rows, None), f"{filled.dtype}, lists", filled, lengths=ak.to_numpy(ak.num(values)))


def _ends(branch: Any, rows: int) -> Any:
    """Some entries from the beginning and the end: classes may stand one after the other."""
    import awkward as ak

    if rows <= ROWS:
        return branch.array()
    return ak.concatenate([branch.array(entry_stop=ROWS // 2), branch.array(entry_start=rows - ROWS // 2)])


def _root(path: Path) -> Iterator[Array]:
    from jetbench.formats.root import PlainFile

    with open(path, "rb") as stream:
        directory = PlainFile(stream, object_cache=None, array_cache=None, use_threads=False).root_directory
        trees = [key for key, kind in directory.classnames(cycle=False).items() if kind in ("TTree", "ROOT::RNTuple")]
        for name in trees:
            tree = directory[name]
            for branch in tree.keys(recursive=False):
                try:
                    found = listed(branch, int(tree.num_entries), _ends(tree[branch], int(tree.num_entries)))
                except Exception as error:  # whatever kind of branch it is, the others are looked at
                    found = Array(branch, (int(tree.num_entries),), "", trouble=f"not read ({type(error).__name__})")
                yield replace(found, tree=name)


ARRAYS: dict[str, Callable[[Path], Iterator[Array]]] = {
    "hdf5": _hdf5,
    "npz": _npz,
    "npy": _npy,
    "parquet": _parquet,
    "root": _root,
}
