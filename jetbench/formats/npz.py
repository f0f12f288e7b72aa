"""Arrays of npz and npy files, read in rows: a zip archive is a stream, and nothing in it is unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.tables import BLOCK_BYTES, RAGGED, TEXT, ArrayTable, closed_on_error, first_few, row_bytes
from jetbench.jets.foreign import refuse_container
from jetbench.jets.guard import guarded

__all__ = ["NpyTable", "NpzTable"]

ARRAY = "array"  # what cards call the array of a npy file, which has no name


class NpzTable(ArrayTable):
    """Arrays of plain numbers by key, of at least one row each, and such of the `optional` ones as there are; `names` lists both.
    Raises `DataFileError` for a file that is no npz file."""

    def __init__(self, path: Path, keys: Sequence[str], optional: Sequence[str] = ()) -> None:
        with guarded(path):
            refuse_container(path, "npz")
            with closed_on_error(zipfile.ZipFile(path)) as self._file:
                there = self._file.namelist()
                self.names = [*keys, *(key for key in optional if f"{key}.npy" in there)]
                self._arrays = {key: _open(self._file, key, path) for key in self.names}
        self.rows = self.shape(keys[0])[0]


class NpyTable(ArrayTable):
    """The one array of a npy file, by the key `array`, whatever is optional; raises `DataFileError` for a file that is none."""

    def __init__(self, path: Path, keys: Sequence[str], optional: Sequence[str] = ()) -> None:
        if others := [key for key in keys if key != ARRAY]:
            raise DataFileError(f"{path}: no array {others[0]!r}; an npy file has one array, which cards call {ARRAY!r}")
        with guarded(path):
            refuse_container(path, "npy")
            with closed_on_error(open(path, "rb")) as self._file:
                self._arrays = {ARRAY: _Member(self._file, path.stat().st_size, ARRAY, path)}
        self.rows, self.names = self.shape(ARRAY)[0], [ARRAY]


def _open(archive: zipfile.ZipFile, key: str, path: Path) -> _Member:
    name = f"{key}.npy"
    if name not in archive.namelist():
        has = first_few(n.removesuffix(".npy") for n in archive.namelist())
        raise DataFileError(f"{path}: no array {key!r}; the file has {has}")
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataFileError(f"{path}: {name!r} is compressed by other means than deflate; numpy writes no such file")
    return _Member(archive.open(info), info.file_size, key, path)


def _kind(dtype: np.dtype) -> str:
    """What an array holds that is no plain numbers, with the remedy."""
    if dtype.kind in "SU":
        return TEXT
    if dtype.names:
        return f"records of {first_few(dtype.names)}; write every field as an array of its own: numpy.savez(FILE, NAME=…)"
    return f"objects, which are not unpickled: {RAGGED}" if dtype.hasobject else f"{dtype} where numbers belong"


class _Member:
    """An array in a stream of so many bytes that can be sought."""

    def __init__(self, stream: IO[bytes], size: int, key: str, path: Path) -> None:
        self._stream = stream
        version = np.lib.format.read_magic(self._stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        self.shape, fortran, self.dtype = read(self._stream)
        if self.dtype.hasobject or self.dtype.kind not in "iufb":
            raise DataFileError(f"{path}: {key!r} holds {_kind(self.dtype)}")
        if fortran and len(self.shape) > 1:
            raise DataFileError(f"{path}: {key!r} is in Fortran order; save it with numpy.ascontiguousarray")
        self._row_bytes = row_bytes(self)
        if not self.shape or not self.shape[0] or not 0 < self._row_bytes <= BLOCK_BYTES:
            raise DataFileError(f"{path}: {key!r} has shape {self.shape}: no rows, or rows too large to read in bounded memory")
        self._header = self._stream.tell()
        if self._header + self._row_bytes * self.shape[0] != size:
            raise DataFileError(f"{path}: {key!r} declares the shape {self.shape}, but its data are not of that size")

    def __getitem__(self, rows: slice) -> np.ndarray:
        count = rows.stop - rows.start
        self._stream.seek(self._header + rows.start * self._row_bytes)
        return np.frombuffer(self._stream.read(count * self._row_bytes), self.dtype).reshape(count, *self.shape[1:])
