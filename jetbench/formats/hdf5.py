"""HDF5 files of strangers: opened without following a link out of them, and believed no further than their size allows."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  registers the compressions (blosc, zstd, …) that the field's files use
import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.reader import BLOCK_BYTES
from jetbench.jets.guard import guarded

__all__ = ["array", "dataset", "has", "numeric", "open_hdf5", "rows_per_block", "text"]

CHUNK_BYTES = 1 << 28  # of one chunk, which is decompressed as a whole
TEXT_BYTES = 1 << 22  # of one attribute
HEADER = b"\x89HDF\r\n\x1a\n"
BLOSC = 32001
BLOSC_SIZES = struct.Struct("<4x3I")  # bytes before, block, bytes after compression, of C-Blosc's 16-byte header
# filters by number (HDF5 registered filter plugins): those that jets are compressed with and that bear damaged data
FILTERS = {
    h5py.h5z.FILTER_DEFLATE: "deflate",
    h5py.h5z.FILTER_SHUFFLE: "shuffle",
    h5py.h5z.FILTER_FLETCHER32: "fletcher32",
    32000: "lzf",
    BLOSC: "blosc",
    32004: "lz4",
    32008: "bitshuffle",
    32015: "zstd",
    32026: "blosc2",
}


def open_hdf5(path: Path) -> h5py.File:
    """Open the file for reading. Raises `DataFileError` where it is no HDF5 file."""
    if not path.is_file():
        raise DataFileError(f"{path}: no such file")
    with guarded(path):
        if not h5py.is_hdf5(path):
            raise DataFileError(f"{path}: not an HDF5 file, or one whose start is damaged")
        return h5py.File(path, "r")


def has(path: Path, *keys: str) -> bool:
    """Say whether this is an HDF5 file with something at each of the keys; no for whatever cannot be read. No link is followed
    out of the file."""
    try:
        with guarded(path):
            with open(path, "rb") as stream:
                if stream.read(len(HEADER)) != HEADER:
                    return False
            with h5py.File(path, "r") as file:
                for key in keys:
                    _walk(file, key, path)
                return True
    except DataFileError:
        return False


def array(file: h5py.File, key: str, path: Path, ndim: int | Sequence[int] | None = None) -> h5py.Dataset:
    """Find the dataset of plain numbers at `key`, with one of the numbers of dimensions `ndim`; see `dataset`."""
    found = dataset(file, key, path)
    if not numeric(found.dtype):
        raise DataFileError(f"{path}: {key!r} holds {found.dtype} where numbers belong")
    wanted = [ndim] if isinstance(ndim, int) else list(ndim or [found.ndim])
    if found.ndim not in wanted:
        need = " or ".join(str(n) for n in wanted)
        raise DataFileError(f"{path}: {key!r} has shape {found.shape} where {need} dimensions belong")
    return found


def dataset(file: h5py.File, key: str, path: Path) -> h5py.Dataset:
    """Find the dataset at `key`, which may have a compound dtype, with at least one row. Nothing of its values is read.

    Raises `DataFileError` where the way to `key` leads over a link that is not a hard one, where the values lie in another
    file (external or virtual storage), and where the declared size cannot be true: more bytes than the file has, chunks that
    were never written, a chunk or a row too large for the memory of a reader.
    """
    with guarded(path):
        found = _walk(file, key, path)
        if not isinstance(found, h5py.Dataset):
            names = _names(found, 10) if isinstance(found, h5py.Group) else ""
            what = f"a group of datasets; name one of {names}" if names else "no dataset"
            raise DataFileError(f"{path}: {key!r} is {what}")
        if found.is_virtual or found.external:
            raise DataFileError(
                f"{path}: the values of {key!r} lie in another file, which is not followed; copy them into one file"
            )
        if not found.shape or not found.shape[0]:
            raise DataFileError(f"{path}: {key!r} has shape {found.shape} and no rows")
        _check_size(found, key, path)
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


def rows_per_block(columns: Sequence[h5py.Dataset]) -> int:
    """Compute how many rows of all these datasets together make `BLOCK_BYTES`; whole chunks, unless a chunk is larger."""
    rows = max(1, BLOCK_BYTES // sum(_row_bytes(column) for column in columns))
    chunk = max((column.chunks[0] for column in columns if column.chunks), default=1)
    return rows - rows % chunk if rows > chunk else rows


def _walk(file: h5py.File, key: str, path: Path) -> Any:
    node: Any = file
    for part in [p for p in key.split("/") if p]:
        link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
        if link is None:
            raise DataFileError(f"{path}: no dataset {key!r}; the file has {_names(file, 20) or 'nothing'}")
        if not isinstance(link, h5py.HardLink):
            raise DataFileError(
                f"{path}: {key!r} is a link to another place, which is not followed; copy the data into this file"
            )
        node = node[part]
    return node


def _names(group: h5py.Group, most: int) -> str:
    return ", ".join(str(name) for name in list(group)[:most])  # bytes where they are no text


def _row_bytes(found: h5py.Dataset) -> int:
    return found.dtype.itemsize * math.prod(found.shape[1:])


def _check_size(found: h5py.Dataset, key: str, path: Path) -> None:
    shape, size = found.shape, path.stat().st_size
    if _row_bytes(found) == 0 or _row_bytes(found) > BLOCK_BYTES:
        raise DataFileError(
            f"{path}: one row of {key!r}, of shape {shape[1:]}, has {_row_bytes(found)} bytes; at most {BLOCK_BYTES}"
        )
    if found.chunks is None:
        compact = found.id.get_create_plist().get_layout() == h5py.h5d.COMPACT
        start = 0 if compact else found.id.get_offset()
        if start is None or start + _row_bytes(found) * shape[0] > size:
            raise DataFileError(
                f"{path}: {key!r} of shape {shape} does not fit into {size} bytes; the file is truncated or damaged"
            )
        return
    if math.prod(found.chunks) * found.dtype.itemsize > CHUNK_BYTES:
        raise DataFileError(
            f"{path}: {key!r} is stored in chunks of {found.chunks}, too large to read in bounded memory; rechunk it"
        )
    _check_filters(found, key, path)
    wanted = math.prod(-(-n // c) for n, c in zip(shape, found.chunks, strict=True))
    if found.id.get_num_chunks() != wanted:
        raise DataFileError(
            f"{path}: of the {wanted} chunks of {key!r} {found.id.get_num_chunks()} were written; the file is incomplete"
        )


def _check_filters(found: h5py.Dataset, key: str, path: Path) -> None:
    properties = found.id.get_create_plist()
    numbers = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    if strange := [n for n in numbers if n not in FILTERS]:
        known = ", ".join(FILTERS.values())
        raise DataFileError(f"{path}: {key!r} is compressed by the HDF5 filter {strange[0]}; repack it with one of {known}")
    if BLOSC in numbers:
        _check_blosc(found, key, path)


def _check_blosc(found: h5py.Dataset, key: str, path: Path) -> None:
    """The filter believes the sizes in a chunk's header, and reads beyond its memory where they are damaged."""
    before = math.prod(found.chunks) * found.dtype.itemsize
    with open(path, "rb") as stream:

        def check(chunk: h5py.h5d.StoreInfo) -> None:
            stream.seek(chunk.byte_offset)
            inflated, deflated = BLOSC_SIZES.unpack(stream.read(BLOSC_SIZES.size).ljust(BLOSC_SIZES.size, b"\xff"))[::2]
            if not chunk.filter_mask and (inflated != before or deflated > chunk.size):
                raise DataFileError(f"{path}: the compressed chunk of {key!r} at {chunk.chunk_offset} is damaged")

        found.id.chunk_iter(check)
