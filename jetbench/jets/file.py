"""Jets in one HDF5 file: written atomically, chunked, compressed, checksummed; opened lazily."""

from __future__ import annotations

import hashlib
import math
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from jetbench.errors import DataFileError
from jetbench.files import replacing
from jetbench.jets.container import Jets, Stored, combine_hashes, update_hashes
from jetbench.jets.disk import Disk
from jetbench.jets.foreign import CONTAINERS, container_of, refuse_stranger, why_closed
from jetbench.jets.guard import is_bug
from jetbench.jets.meta import PER_DEPOSIT, PLAIN_COLUMNS, Meta
from jetbench.jets.packing import Packing, pack, packing

__all__ = ["open_file", "save_jets"]

FORMAT = "jetbench-jets"
VERSION = 1
CHUNK_BYTES = 1 << 17  # of a chunk: small enough to slice, large enough to compress
CACHE_BYTES = 8 * CHUNK_BYTES  # of each column, for slices that end within a chunk; HDF5's own 8 MB exceed the processor's cache


def save_jets(path: str | Path, parts: Iterable[Jets], *, workplace: Path | None = None) -> str:
    """Write the parts as one collection and return its digest; the file appears whole or not at all.

    It grows beside `path`, or in the folder `workplace` of the same file system. Raises `DataFileError` where the parts do not
    belong together, a value is not finite, or the disk does not take the file.
    """
    path = Path(path)
    disk: Disk | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, workplace) as temporary, Disk(temporary, "w+") as disk:
            with h5py.File(disk, "w") as file:
                digest = _write(file, _while_it_lasts(parts, disk))
            if disk.error is not None:
                raise disk.error
    except (OSError, RuntimeError) as error:
        cause = (disk and disk.error) or error  # HDF5 fails in strange ways where it reads back what was never written
        raise DataFileError(f"{path}: cannot be written ({cause}); is the disk full or the folder read-only?") from error
    return digest


def _while_it_lasts(parts: Iterable[Jets], disk: Disk) -> Iterator[Jets]:
    """The parts, until the disk is full."""
    for part in parts:
        yield part
        if disk.error is not None:
            raise disk.error


def _write(file: h5py.File, parts: Iterable[Jets]) -> str:
    meta: Meta | None = None
    hashes: dict[str, Any] = {}
    total = 0
    for part in parts:
        part.validate()
        if meta is None:
            meta = part.meta
            hashes = {name: hashlib.sha256() for name in ["counts", *(name for name, _ in part.columns())]}
            _create(file, "offsets", np.zeros(1, np.int64))
        elif part.meta != meta or hashes.keys() != {"counts", *(name for name, _ in part.columns())}:
            raise DataFileError("these jets differ in channels, classes, grid, provenance or targets, and make no one file")
        _extend(file["offsets"], part.offsets[1:] + total)
        for name, column in part.columns():
            _append(file, name, column, packing(name, meta))
        update_hashes(hashes, part)
        total += int(part.offsets[-1])
    if meta is None:
        raise DataFileError("there are no jets to write")
    text = meta.canonical()
    digest = combine_hashes(text, hashes)
    file.attrs.update(format=FORMAT, version=VERSION, meta=text, digest=digest)
    return digest


def _append(file: h5py.File, name: str, rows: np.ndarray, packing: Packing) -> None:
    """Add rows to a column of the file. It holds one-byte codes, a quarter of the bytes to decompress, as long as these give
    every number back; with the first rows for which they do not, the whole column is stored as the numbers themselves."""
    codes = pack(rows, packing) if name not in file or _is_packed(file[name]) else None
    if name not in file:
        _create(file, name, (rows if codes is None else codes)[:0])
    elif codes is None and _is_packed(file[name]):
        _widen(file, name, packing)
    _extend(file[name], rows if codes is None else codes)


def _is_packed(column: h5py.Dataset) -> bool:
    return column.dtype.kind == "u"


def _create(file: h5py.File, name: str, rows: np.ndarray) -> None:
    """A column that starts with these rows. Of what hdf5plugin has, LZ4HC without a shuffle is the fastest to read that still
    makes pixels and sparse channels small (`benchmarks/performance/reading.py`); Zstd saves a quarter and reads half as fast."""
    from hdf5plugin import Blosc2

    row_bytes = rows.itemsize * math.prod(rows.shape[1:])
    file.create_dataset(
        name,
        data=rows,
        maxshape=(None, *rows.shape[1:]),
        chunks=(CHUNK_BYTES // row_bytes, *rows.shape[1:]),
        compression=Blosc2(cname="lz4hc", clevel=1, filters=Blosc2.NOFILTER),
        fletcher32=True,
    )


def _extend(column: h5py.Dataset, rows: np.ndarray) -> None:
    column.resize(len(column) + len(rows), axis=0)
    column[len(column) - len(rows) :] = rows


def _widen(file: h5py.File, name: str, packing: Packing) -> None:
    """Store the numbers of a packed column as they are from now on."""
    file.move(name, f"{name}.packed")
    packed = file[f"{name}.packed"]
    _create(file, name, packing.numbers(packed[:0]))
    step = packed.chunks[0]
    for start in range(0, len(packed), step):
        _extend(file[name], packing.numbers(packed[start : start + step]))
    del file[f"{name}.packed"]


def open_file(path: Path) -> Jets:
    """Open the jets of a file lazily: a slice reads what it covers. The file stays open as long as the jets live.

    Raises `DataFileError` where the file is missing, damaged, truncated or not of this format.
    """
    import hdf5plugin  # noqa: F401 (it registers the filters that h5py reads columns with)

    if not path.is_file():
        raise DataFileError(f"{path}: there is no such file")
    if (container := container_of(refuse_stranger(path))) not in ("", "hdf5"):
        command = f"jetbench data convert {shlex.quote(str(path))} -o jets.h5"
        called = CONTAINERS[container][1]
        raise DataFileError(
            f"{path}: {called}, and no jets of jetbench's; convert it first: {command} (--guess drafts a card for it)"
        )
    try:
        file = h5py.File(path, "r", rdcc_nbytes=CACHE_BYTES)
    except OSError as error:
        reason = why_closed(error, path) or f"not a readable HDF5 file, it may be truncated or of another format ({error})"
        raise DataFileError(f"{path}: {reason}") from error
    try:
        return _jets(file, path)
    except DataFileError:
        raise
    except Exception as error:  # damaged metadata make HDF5 raise almost anything
        if is_bug(error):
            raise
        cause = str(error).partition("\n")[0]
        raise DataFileError(f"{path}: damaged ({cause}); make or convert it again") from error


def _jets(file: h5py.File, path: Path) -> Jets:
    if file.attrs.get("format") != FORMAT:
        command = f"jetbench data convert {shlex.quote(str(path))} --card CARD -o jets.h5"
        raise DataFileError(f"{path}: an HDF5 file, but not one of jetbench's; convert it first: {command}")
    if file.attrs.get("version") != VERSION:
        raise DataFileError(f"{path}: format version {file.attrs.get('version')}, this jetbench reads {VERSION}; make it again")
    meta = Meta.model_validate_json(file.attrs["meta"])
    offsets = _stored(file["offsets"], path)
    if offsets.ndim != 1 or not len(offsets) or offsets.dtype != np.int64:
        raise DataFileError(f"{path}: damaged (offsets {offsets.dtype} of shape {offsets.shape}); make or convert it again")
    targets = file.get("targets", {})
    if not all(isinstance(name, str) for name in targets):
        raise DataFileError(f"{path}: damaged (a target has no readable name); make or convert it again")
    jets = Jets(
        meta=meta,
        offsets=offsets[:],
        **{name: _Guarded(_stored(file[name], path), packing(name, meta), path) for name in PLAIN_COLUMNS},
        targets={name: _Guarded(_stored(targets[name], path), packing(name, meta), path) for name in targets},
        stored=Stored(str(file.attrs["digest"]), str(file.attrs["meta"])),
    )
    deposits = int(jets.offsets[-1])
    for name, column in jets.columns():
        shape = (deposits if name in PER_DEPOSIT else len(jets), *([len(meta.channels)] if name == "values" else []))
        if column.shape != shape:
            raise DataFileError(f"{path}: damaged (column {name!r} of shape {column.shape}); make or convert it again")
    return jets


def _stored(found: Any, path: Path) -> h5py.Dataset:
    """What the file has in the place of a column, if it is one."""
    if not isinstance(found, h5py.Dataset) or not found.shape:
        raise DataFileError(f"{path}: damaged (a column is missing or holds nothing); make or convert it again")
    return found


class _Guarded:
    """An HDF5 column whose damaged chunk becomes one clear error; packed rows are read as the numbers that they stand for."""

    def __init__(self, column: h5py.Dataset, packing: Packing, path: Path) -> None:
        self._column, self._path = column, path
        self._packing = packing if _is_packed(column) else None
        self.dtype = np.dtype(np.float32) if self._packing else column.dtype
        self.shape = column.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def __getitem__(self, rows: slice) -> np.ndarray:
        try:
            stored = self._column[rows]
            return self._packing.numbers(stored) if self._packing else stored
        except (OSError, RuntimeError, IndexError) as error:
            cause = f"column {self._column.name!r}: {error}"
            raise DataFileError(f"{self._path}: damaged ({cause}); make or convert it again") from error
