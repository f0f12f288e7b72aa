"""`Jets`: a columnar, ragged collection of jets, in memory or lazily on disk.

Jet i owns the deposits offsets[i]:offsets[i+1]. A deposit stands at (eta, phi), its differences in pseudorapidity and azimuth
[rad] to the jet axis, and has one value per channel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from jetbench.errors import DataFileError
from jetbench.values import Value

__all__ = ["Channel", "Grid", "Jets", "Meta", "Provenance", "SourceFile", "concatenate"]

# h5py datasets and numpy arrays answer alike to len() and contiguous slices, which is all that is asked of a column
Column = Any

PLAIN_COLUMNS = ("eta", "phi", "values", "jet_eta", "jet_phi", "jet_pt", "event")
PER_DEPOSIT = PLAIN_COLUMNS[:3]


class Channel(Value):
    """One value per deposit, in `unit`; an empty unit says that the source does not tell it (pixels scaled to 0..255).

    `combine` says what rendering does with several deposits in one pixel: "sum" for an extensive quantity (energy, pT),
    "mean" for an average weighted by the channel named in `weight` (time, impact parameter). `role` is "pt" where the
    channel is (a part of) the jet's transverse momentum, so that the sum over those channels counts nothing twice.
    """

    name: str
    unit: str
    combine: Literal["sum", "mean"] = "sum"
    weight: str | None = None
    role: Literal["pt", "energy", "other"] = "other"


class Grid(Value):
    """The pixel grid that an image came from: `rows` along eta, `columns` along phi, over ±eta_extent and ±phi_extent."""

    rows: int
    columns: int
    eta_extent: float
    phi_extent: float


class SourceFile(Value):
    """A file that jets were converted from."""

    name: str
    sha256: str
    jets: int


class Provenance(Value):
    """Where jets come from: generator and version, detector, seed, the code's version, free remarks; for converted jets the
    files, their licence, the cuts that were applied, and the repairs by name with the number of jets that each has changed."""

    source: str
    generator: str = ""
    version: str = ""
    detector: str = ""
    seed: int | None = None
    code: str = ""
    remarks: tuple[str, ...] = ()
    files: tuple[SourceFile, ...] = ()
    licence: str = ""
    cuts: tuple[str, ...] = ()
    repairs: tuple[tuple[str, int], ...] = ()


class Meta(Value):
    """What all jets of a collection share.

    `extent` is the half width of the square around the axis that jets fill (the jet radius), the natural frame of their image;
    `isotropic` is false where that square has a preferred direction (a magnetic field), so that only mirrors are symmetries;
    `unknown` names the columns of jet_eta, jet_phi and jet_pt that the source does not have and that hold zeros.
    """

    channels: tuple[Channel, ...]
    class_names: tuple[str, ...] = ()
    grid: Grid | None = None
    extent: float | None = None
    isotropic: bool = True
    unknown: tuple[Literal["jet_eta", "jet_phi", "jet_pt"], ...] = ()
    provenance: Provenance = Provenance(source="unknown")

    def channel(self, name: str) -> int:
        """Index of the channel `name`."""
        return [c.name for c in self.channels].index(name)

    @property
    def in_gev(self) -> bool:
        """Whether the deposits have a pT in GeV, which masses and most detector effects need."""
        units = {c.unit for c in self.channels if c.role == "pt"}
        return units == {"GeV"}

    def pt_channels(self) -> list[int]:
        """Indices of the channels whose sum is the pT (in their unit); raises `DataFileError` where there is none."""
        mine = [i for i, c in enumerate(self.channels) if c.role == "pt"]
        if not mine:
            raise DataFileError("no channel of these jets has the role 'pt', which this view or observable needs")
        return mine


@dataclass(frozen=True, eq=False)
class Jets:
    """Columns: offsets int64 (n+1,); eta, phi float32 (deposits,) relative to the jet axis; values float32 (deposits,
    channels); jet_eta, jet_phi [rad], jet_pt [GeV] float32 (n,); event int64 (n,); targets, each (n,): `label` int32,
    `mass`, `gen_mass`, `gen_sdmass`, `gen_pt` float32 [GeV]."""

    meta: Meta
    offsets: np.ndarray
    eta: Column
    phi: Column
    values: Column
    jet_eta: Column
    jet_phi: Column
    jet_pt: Column
    event: Column
    targets: Mapping[str, Column]
    stored_digest: str | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def in_memory(self) -> bool:
        """Whether the deposits are in memory and not on file."""
        return isinstance(self.eta, np.ndarray)

    def columns(self) -> Iterator[tuple[str, Column]]:
        """Every column by the name that it has in the file, in a fixed order."""
        for name in PLAIN_COLUMNS:
            yield name, getattr(self, name)
        for name in sorted(self.targets):
            yield f"targets/{name}", self.targets[name]

    def __getitem__(self, rows: slice) -> Self:
        """Contiguous jets, read into memory; nothing else is read."""
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise ValueError("jets are sliced contiguously; use take() for other rows")
        stop = max(start, stop)
        a, b = int(self.offsets[start]), int(self.offsets[stop])
        return replace(
            self,
            offsets=self.offsets[start : stop + 1] - a,
            eta=self.eta[a:b],
            phi=self.phi[a:b],
            values=self.values[a:b],
            jet_eta=self.jet_eta[start:stop],
            jet_phi=self.jet_phi[start:stop],
            jet_pt=self.jet_pt[start:stop],
            event=self.event[start:stop],
            targets={k: v[start:stop] for k, v in self.targets.items()},
            stored_digest=None,
        )

    def read(self) -> Self:
        """All jets in memory."""
        return replace(self[:], stored_digest=self.stored_digest)

    def take(self, indices: np.ndarray) -> Self:
        """The jets at `indices` (k,), in that order, in memory; of a file, no more is held than they and a stretch of it."""
        if not self.in_memory:
            from jetbench.jets.selection import read_rows

            return read_rows(self, indices)
        counts = np.diff(self.offsets)[indices]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        deposits = np.repeat(self.offsets[indices] - offsets[:-1], counts) + np.arange(offsets[-1])
        return replace(
            self,
            offsets=offsets,
            eta=self.eta[deposits],
            phi=self.phi[deposits],
            values=self.values[deposits],
            jet_eta=self.jet_eta[indices],
            jet_phi=self.jet_phi[indices],
            jet_pt=self.jet_pt[indices],
            event=self.event[indices],
            targets={k: v[indices] for k, v in self.targets.items()},
            stored_digest=None,
        )

    @property
    def digest(self) -> str:
        """sha256 of the metadata and of every column's bytes; of a file, the one that was written with it."""
        return self.stored_digest or self.content_digest()

    def content_digest(self) -> str:
        """The digest computed from the content, by columns, in blocks of bounded memory."""
        hashes = {name: hashlib.sha256() for name in ["counts", *(name for name, _ in self.columns())]}
        for start in range(0, max(len(self), 1), 4096):
            update_hashes(hashes, self[start : start + 4096])
        return combine_hashes(self.meta, hashes)

    def validate(self) -> None:
        """Raise `DataFileError` where columns do not fit together or a value is not finite."""
        n, deposits = len(self), int(self.offsets[-1])
        if n and (self.offsets[0] != 0 or np.any(np.diff(self.offsets) < 0)):
            raise DataFileError("the offsets of the jets do not rise from zero")
        for name, column in self.columns():
            rows = deposits if name in PER_DEPOSIT else n
            if len(column) != rows:
                raise DataFileError(f"column {name!r} has {len(column)} rows where {rows} belong")
            if not np.all(np.isfinite(column)):
                raise DataFileError(f"column {name!r} has values that are NaN or infinite")
        if self.values.shape[1:] != (len(self.meta.channels),):
            raise DataFileError(f"values have shape {self.values.shape}, but {len(self.meta.channels)} channels are named")
        labels = self.targets.get("label", np.zeros(0))
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.meta.class_names):
            raise DataFileError(f"a label lies outside the {len(self.meta.class_names)} declared classes")

    def pt(self) -> np.ndarray:
        """Transverse momentum of every deposit (deposits,) in its unit: the sum of the channels whose role is "pt"."""
        return self.values[:, self.meta.pt_channels()].sum(axis=1)


def update_hashes(hashes: dict[str, Any], part: Jets) -> None:
    """Feed one part's columns to the running hashes; jets in several parts hash like the same jets in one."""
    hashes["counts"].update(np.ascontiguousarray(np.diff(part.offsets), dtype="<i8").tobytes())
    for name, column in part.columns():
        hashes[name].update(np.ascontiguousarray(column).tobytes())


def combine_hashes(meta: Meta, hashes: Mapping[str, Any]) -> str:
    total = hashlib.sha256(meta.canonical().encode())
    for name in sorted(hashes):
        total.update(f"{name}:{hashes[name].hexdigest()};".encode())
    return total.hexdigest()


def concatenate(parts: Sequence[Jets]) -> Jets:
    """One collection in memory from several of the same metadata and columns."""
    first = parts[0]
    if any(p.meta != first.meta or p.targets.keys() != first.targets.keys() for p in parts):
        raise DataFileError("these jets differ in channels, classes, grid, provenance or targets, and make no one collection")
    counts = np.concatenate([np.diff(p.offsets) for p in parts])

    joined: dict[str, Any] = {name: np.concatenate([getattr(p, name)[:] for p in parts]) for name in PLAIN_COLUMNS}
    return replace(
        first,
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        **joined,
        targets={k: np.concatenate([p.targets[k][:] for p in parts]) for k in first.targets},
        stored_digest=None,
    )
