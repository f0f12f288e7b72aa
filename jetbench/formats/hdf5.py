"""HDF5 files of strangers, opened without following a link out of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  registers the compressions (blosc, zstd, …) that the field's files use
import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.tables import BLOCK_BYTES, RAGGED, TEXT, ArrayTable, closed_on_error, first_few, row_bytes
from jetbench.jets.foreign import refuse_container
from jetbench.jets.guard import guarded

__all__ = ["HDF5Table", "array", "dataset", "groups", "has", "has_frames", "numeric", "open_hdf5", "rows_per_block", "text"]

DEPTH, MANY = 3, 100  # groups within each other, and members of a group, that are looked at
CHUNK_BYTES = 1 << 28  # of one chunk, which is decompressed as a whole
TEXT_BYTES = 1 << 22  # of one attribute


def open_hdf5(path: Path) -> h5py.File:
    """Open the file for reading. Raises `DataFileError` where it is no HDF5 file."""
    with guarded(path):
        refuse_container(path, "hdf5")
        return h5py.File(path, "r")


def has(path: Path, *keys: str) -> bool:
    """Say whether this is an HDF5 file with something at each of the keys; no for whatever cannot be read. No link is followed
    out of the file."""
    with suppress(DataFileError), open_hdf5(path) as file, guarded(path):
        return all(_there(file, key, path) for key in keys)
    return False


class Field:
    """A field of a compound dataset, sliced as a dataset is."""

    def __init__(self, owner: h5py.Dataset, name: str) -> None:
        self._owner, self._name = owner, name
        self.dtype, inner = owner.dtype[name].base, owner.dtype[name].shape
        self.shape, self.chunks = (*owner.shape, *inner), owner.chunks

    def __getitem__(self, rows: slice) -> np.ndarray:
        values: np.ndarray = self._owner.fields(self._name)[rows]
        return values


def array(file: h5py.File, key: str, path: Path) -> h5py.Dataset | Field:
    """Find the dataset of plain numbers at `key`, or such a field of a compound dataset; see `dataset`."""
    owner, _, name = key.rpartition("/")
    if names := _fields(file, owner, path):
        if name not in names:
            raise DataFileError(f"{path}: {owner!r} has no field {name!r}; it has {first_few(names)}")
        found = Field(dataset(file, owner, path), name)
    else:
        found = dataset(file, key, path)
    if not numeric(found.dtype):
        raise DataFileError(f"{path}: {key!r} holds {_kind(found.dtype)}")
    return found


def groups(owner: h5py.Group, above: str = "", depth: int = DEPTH) -> Iterator[str]:
    """Yield the groups of a file by their whole name; no link is followed, and none that lies deeper or whose name is no
    text."""
    for key in [key for key in list(owner)[:MANY] if isinstance(key, str)] if depth else []:
        if isinstance(owner.get(key, getlink=True), h5py.HardLink) and isinstance(owner[key], h5py.Group):
            yield f"{above}{key}"
            yield from groups(owner[key], f"{above}{key}/", depth - 1)


def has_frames(file: h5py.File) -> bool:
    """Say whether pandas has written frames into a file, in whatever layout."""
    return any("pandas_type" in file[key].attrs for key in groups(file))


def dataset(file: h5py.File, key: str, path: Path) -> h5py.Dataset:
    """Find the dataset at `key`, which may have a compound dtype, with at least one row. Nothing of its values is read.

    Raises `DataFileError` where the way to `key` leads over a link that is not a hard one, where the values lie in another
    file (external or virtual storage) or were never written, and for a chunk or a row too large for the memory of a reader.
    """
    with guarded(path):
        found = _walk(file, key, path)
        if found is None:
            hint = "; pandas has written it, and a card for this file says `format: pandas`" if has_frames(file) else ""
            raise DataFileError(f"{path}: no dataset {key!r}; the file has {first_few(file)}{hint}")
        if not isinstance(found, h5py.Dataset):
            group = isinstance(found, h5py.Group) and len(found)
            what = f"a group of datasets; name one of {first_few(found)}" if group else "no dataset"
            raise DataFileError(f"{path}: {key!r} is {what}")
        if found.is_virtual or found.external:
            raise DataFileError(
                f"{path}: the values of {key!r} lie in another file, which is not followed; copy them into one file"
            )
        if not found.shape or not found.shape[0]:
            raise DataFileError(f"{path}: {key!r} has shape {found.shape} and no rows")
        _check_written(found, key, path)
        return found


def numeric(dtype: np.dtype) -> bool:
    """Say whether the dtype is one of whole or floating-point numbers or of truth values."""
    return dtype.kind in "iufb" and dtype.itemsize <= 8


def text(owner: h5py.Group | h5py.Dataset, name: str, path: Path) -> bytes:
    """Read the fixed-length string attribute `name` as bytes. Raises `DataFileError` where there is none or it is too long."""
    with guarded(path):
        if name not in owner.attrs:
            raise DataFileError(f"{path}: {owner.name!r} has no attribute {name!r}")
        attribute = owner.attrs.get_id(name)
        if attribute.get_storage_size() > TEXT_BYTES or attribute.dtype.kind != "S" or attribute.shape:
            raise DataFileError(f"{path}: the attribute {name!r} of {owner.name!r} is no plain string")
        return bytes(owner.attrs[name])


def rows_per_block(columns: Sequence[h5py.Dataset | Field]) -> int:
    """Compute how many rows of all these datasets together make `BLOCK_BYTES`; whole chunks, unless a chunk is larger."""
    rows = max(1, BLOCK_BYTES // sum(map(row_bytes, columns)))
    chunk = max((column.chunks[0] for column in columns if column.chunks), default=1)
    return rows - rows % chunk if rows > chunk else rows


class HDF5Table(ArrayTable):
    """Datasets of plain numbers by key, and such of the `optional` ones as there are; `names` lists both."""

    def __init__(self, path: Path, keys: Sequence[str], optional: Sequence[str] = ()) -> None:
        self._file = open_hdf5(path)
        with guarded(path), closed_on_error(self._file):
            self.names = [*keys, *(key for key in optional if _there(self._file, key, path))]
            self._arrays = {key: array(self._file, key, path) for key in self.names}
            self.rows = self.shape(keys[0])[0]

    def block(self, keys: Sequence[str]) -> int:
        return rows_per_block([self._arrays[key] for key in keys])


def _there(file: h5py.File, key: str, path: Path) -> bool:
    owner, _, name = key.rpartition("/")
    return name in names if (names := _fields(file, owner, path)) else _walk(file, key, path) is not None


def _walk(file: h5py.File, key: str, path: Path) -> Any:
    """What is at the key, None for nothing. Raises `DataFileError` for a link that is not a hard one."""
    node: Any = file
    for part in [p for p in key.split("/") if p]:
        link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
        if link is None and isinstance(node, h5py.Dataset):
            held = f"; it holds {_kind(node.dtype)}" if node.dtype.hasobject else ""
            raise DataFileError(f"{path}: {node.name[1:]!r} has no field {part!r}{held}")
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise DataFileError(
                f"{path}: {key!r} is a link to another place, which is not followed; copy the data into this file"
            )
        node = node[part]
    return node


def _fields(file: h5py.File, key: str, path: Path) -> tuple[str, ...]:
    """The names of the fields of a compound dataset; none where there is no such dataset."""
    with suppress(DataFileError):
        found = _walk(file, key, path)
        return (isinstance(found, h5py.Dataset) and found.dtype.names) or ()
    return ()


def _kind(dtype: np.dtype) -> str:
    """What a dataset holds that is read in no other way, with the remedy."""
    if h5py.check_string_dtype(dtype) is not None:
        return TEXT
    if h5py.check_vlen_dtype(dtype) is not None:
        return RAGGED
    return f"{dtype} where numbers belong"


def _check_written(found: h5py.Dataset, key: str, path: Path) -> None:
    """HDF5 itself reads zeros where nothing was written."""
    row, chunk = row_bytes(found), found.dtype.itemsize * math.prod(found.chunks or (0,))
    if not row:
        raise DataFileError(f"{path}: {key!r} has shape {found.shape} and rows of nothing")
    if row > BLOCK_BYTES or chunk > CHUNK_BYTES:
        raise DataFileError(
            f"{path}: one row of {key!r} has {row} bytes, one chunk {chunk}: too large to read in bounded memory; rechunk it"
        )
    wanted = math.prod(-(-n // c) for n, c in zip(found.shape, found.chunks or found.shape, strict=True))
    written = found.id.get_num_chunks() if found.chunks else int(found.id.get_storage_size() > 0)
    if written != wanted:
        raise DataFileError(f"{path}: {key!r} does not fit into the file: of its {wanted} chunks {written} were written")
