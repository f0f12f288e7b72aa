"""Jets in one HDF5 file: written atomically, chunked, compressed, checksummed; opened lazily."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from pydantic import ValidationError

from jetbench.errors import DataFileError
from jetbench.jets.container import PER_DEPOSIT, PLAIN_COLUMNS, Jets, Meta, combine_hashes, update_hashes

__all__ = ["open_file", "save_jets"]

FORMAT = "jetbench-jets"
VERSION = 1
ROWS = 16384  # rows of a chunk: 64 kB of float32, small enough to slice, large enough to compress


def save_jets(path: Path, parts: Iterable[Jets]) -> str:
    """Write the parts as one collection and return its digest; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with h5py.File(temporary, "w") as file:
            digest = _write(file, parts)
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise DataFileError(f"{path}: cannot be written ({error}); is the disk full or the folder read-only?") from error
    finally:
        temporary.unlink(missing_ok=True)
    return digest


def _write(file: h5py.File, parts: Iterable[Jets]) -> str:
    meta: Meta | None = None
    hashes: dict[str, Any] = {}
    total = 0
    for part in parts:
        part.validate()
        if meta is None:
            meta = part.meta
            hashes = {name: hashlib.sha256() for name in ["counts", *(name for name, _ in part.columns())]}
            _append(file, "offsets", np.zeros(1, np.int64))
        elif part.meta != meta or hashes.keys() != {"counts", *(name for name, _ in part.columns())}:
            raise DataFileError("these jets differ in channels, classes, grid, provenance or targets, and make no one file")
        _append(file, "offsets", part.offsets[1:] + total)
        for name, column in part.columns():
            _append(file, name, column)
        update_hashes(hashes, part)
        total += int(part.offsets[-1])
    if meta is None:
        raise DataFileError("there are no jets to write")
    digest = combine_hashes(meta, hashes)
    file.attrs.update(format=FORMAT, version=VERSION, meta=meta.canonical(), digest=digest)
    return digest


def _append(file: h5py.File, name: str, rows: np.ndarray) -> None:
    from hdf5plugin import Blosc2

    if name not in file:
        file.create_dataset(
            name,
            shape=(0, *rows.shape[1:]),
            maxshape=(None, *rows.shape[1:]),
            chunks=(ROWS, *rows.shape[1:]),
            dtype=rows.dtype,
            compression=Blosc2(cname="lz4hc", clevel=9, filters=Blosc2.NOFILTER),
            fletcher32=True,
        )
    column = file[name]
    column.resize(len(column) + len(rows), axis=0)
    column[len(column) - len(rows) :] = rows


def open_file(path: Path) -> Jets:
    """The jets of a file, lazily: a slice reads what it covers. The file stays open as long as the jets live.

    Raises `DataFileError` where the file is missing, damaged, truncated or not of this format.
    """
    import hdf5plugin  # noqa: F401 (it registers the filters that h5py reads columns with)

    if not path.is_file():
        raise DataFileError(f"{path}: there is no such file")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataFileError(f"{path}: not a readable HDF5 file, it may be truncated or of another format ({error})") from error
    if file.attrs.get("format") != FORMAT:
        raise DataFileError(f"{path}: an HDF5 file, but not one of jetbench's; convert it first")
    if file.attrs.get("version") != VERSION:
        raise DataFileError(f"{path}: format version {file.attrs.get('version')}, this jetbench reads {VERSION}; make it again")
    try:
        jets = Jets(
            meta=Meta.model_validate_json(file.attrs["meta"]),
            offsets=file["offsets"][:],
            **{name: _Guarded(file[name], path) for name in PLAIN_COLUMNS},
            targets={name: _Guarded(file["targets"][name], path) for name in file.get("targets", ())},
            stored_digest=str(file.attrs["digest"]),
        )
        lengths = {name: len(column) for name, column in jets.columns()}
    except (KeyError, OSError, RuntimeError, ValidationError) as error:
        raise DataFileError(f"{path}: damaged ({error}); make or convert it again") from error
    deposits = int(jets.offsets[-1])
    for name, length in lengths.items():
        if length != (deposits if name in PER_DEPOSIT else len(jets)):
            raise DataFileError(f"{path}: damaged (column {name!r} has {length} rows); make or convert it again")
    return jets


class _Guarded:
    """An HDF5 column whose damaged chunk becomes one clear error."""

    def __init__(self, column: h5py.Dataset, path: Path) -> None:
        self._column, self._path = column, path
        self.dtype, self.shape = column.dtype, column.shape

    def __len__(self) -> int:
        return len(self._column)

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def __getitem__(self, rows: slice) -> np.ndarray:
        try:
            return self._column[rows]
        except (OSError, RuntimeError) as error:
            cause = f"column {self._column.name!r}: {error}"
            raise DataFileError(f"{self._path}: damaged ({cause}); make or convert it again") from error
