"""Arrays of an npz file, read in rows: a zip archive is a stream, and nothing in it is unpickled."""

from __future__ import annotations

import contextlib
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.reader import BLOCK_BYTES
from jetbench.jets.guard import guarded

__all__ = ["Archive", "Member"]

RATIO = 1032  # bytes that one byte of a deflate stream can at most become (zlib, "Technical Details")


class Member:
    """One array of plain numbers, of at least one row. Rising reads go on where the last one ended."""

    def __init__(self, archive: zipfile.ZipFile, name: str, path: Path) -> None:
        self._archive, self._name, self._path = archive, f"{name}.npy", path
        try:
            self._info = archive.getinfo(self._name)
        except KeyError:
            has = ", ".join(n.removesuffix(".npy") for n in archive.namelist()[:20])
            raise DataFileError(f"{path}: no array {name!r}; the file has {has or 'nothing'}") from None
        self._stream: IO[bytes] | None = None
        with guarded(path):
            self._check_size()
            self._rewind()
        self.row_bytes = self.dtype.itemsize * math.prod(self.shape[1:])
        if not self.shape or not self.shape[0] or not 0 < self.row_bytes <= BLOCK_BYTES:
            raise DataFileError(f"{path}: {name!r} has shape {self.shape}: no rows, or rows too large to read in bounded memory")
        if self._header + self.row_bytes * self.shape[0] != self._info.file_size:
            raise DataFileError(f"{path}: {name!r} declares the shape {self.shape}, but its data are not of that size")

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the rows start..stop. Raises `DataFileError` where the archive is damaged."""
        with guarded(self._path):
            if self._stream is None or start < self._row:
                self._rewind()
            while self._row < start:
                self._take(min(start - self._row, max(1, BLOCK_BYTES // self.row_bytes)))
            return np.frombuffer(self._take(stop - start), self.dtype).reshape(stop - start, *self.shape[1:])

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _take(self, rows: int) -> bytes:
        assert self._stream is not None
        data = self._stream.read(rows * self.row_bytes)
        if len(data) != rows * self.row_bytes:
            raise DataFileError(f"{self._path}: {self._name!r} ends before its last row")
        self._row += rows
        return data

    def _rewind(self) -> None:
        self.close()
        self._stream = self._archive.open(self._info)
        version = np.lib.format.read_magic(self._stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        self.shape, fortran, self.dtype = read(self._stream)
        if self.dtype.hasobject or self.dtype.kind not in "iufb":
            raise DataFileError(f"{self._path}: {self._name!r} holds {self.dtype} where numbers belong; it is not unpickled")
        if fortran and len(self.shape) > 1:
            raise DataFileError(f"{self._path}: {self._name!r} is in Fortran order; save it with numpy.ascontiguousarray")
        self._header, self._row = self._stream.tell(), 0

    def _check_size(self) -> None:
        stored, size = self._info.compress_type == zipfile.ZIP_STORED, self._path.stat().st_size
        if not stored and self._info.compress_type != zipfile.ZIP_DEFLATED:
            raise DataFileError(
                f"{self._path}: {self._name!r} is compressed by other means than deflate; numpy writes no such file"
            )
        if self._info.compress_size > size or self._info.file_size > self._info.compress_size * (1 if stored else RATIO):
            raise DataFileError(
                f"{self._path}: {self._name!r} declares {self._info.file_size} bytes, more than the file can hold"
            )


class Archive:
    """An npz file, opened; raises `DataFileError` where it is none."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DataFileError(f"{path}: no such file")
        with guarded(path):
            self._archive = zipfile.ZipFile(path)
        self._path = path
        self._members: list[Member] = []

    def member(self, name: str, ndim: int | Sequence[int] | None = None) -> Member:
        """Find the array `name`, with one of the numbers of dimensions `ndim`."""
        found = Member(self._archive, name, self._path)
        self._members.append(found)
        wanted = [ndim] if isinstance(ndim, int) else list(ndim or [len(found.shape)])
        if len(found.shape) not in wanted:
            need = " or ".join(str(n) for n in wanted)
            raise DataFileError(f"{self._path}: {name!r} has shape {found.shape} where {need} dimensions belong")
        return found

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._archive.close)
            for member in self._members:
                stack.callback(member.close)
