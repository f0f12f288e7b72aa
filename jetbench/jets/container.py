"""`Jets`: a columnar, ragged collection of jets, in memory or on file.

Jet i owns the deposits offsets[i]:offsets[i+1]. A deposit stands at (eta, phi), its differences in pseudorapidity and azimuth
[rad] to the jet axis, and has one value per channel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np

from jetbench.errors import DataFileError
from jetbench.jets.meta import PER_DEPOSIT, PLAIN_COLUMNS, Meta
from jetbench.jets.ragged import gather
from jetbench.jets.selection import blocks, read_rows

__all__ = ["Column", "Jets", "Stored", "combine_hashes", "concatenate", "update_hashes"]

# h5py datasets and numpy arrays answer alike to len() and contiguous slices, which is all that is asked of a column
Column = Any


class Stored(NamedTuple):
    """What files say of jets: the digest of their content, and of a single file the text of its metadata, which the digest covers
    as it stands there."""

    digest: str
    meta: str | None = None


@dataclass(frozen=True, eq=False)
class Jets:
    """n jets by columns.

    offsets int64 (n+1,); eta, phi float32 (deposits,) relative to the jet axis; values float32 (deposits, channels);
    jet_eta, jet_phi [rad], jet_pt [GeV] float32 (n,); event int64 (n,); targets by name, each (n,): `label` int32, `mass`,
    `gen_mass`, `gen_sdmass`, `gen_pt` float32 [GeV]. `stored` is what a file says of itself.
    """

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
    stored: Stored | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def predictable(self) -> dict[str, Column]:
        """Return by name what a model may be asked for, each (n,): the targets, and the momentum of the jets as `pt` [GeV] where
        they tell it and no target has that name."""
        own = {} if "jet_pt" in self.meta.unknown else {"pt": self.jet_pt}
        return {**own, **self.targets}

    @property
    def in_memory(self) -> bool:
        """Say whether the deposits are in memory and not on file."""
        return isinstance(self.eta, np.ndarray)

    def columns(self) -> Iterator[tuple[str, Column]]:
        """Yield every column with the name that it has in the file, in a fixed order."""
        for name in PLAIN_COLUMNS:
            yield name, getattr(self, name)
        for name in sorted(self.targets):
            yield f"targets/{name}", self.targets[name]

    def __getitem__(self, rows: slice) -> Self:
        """Read contiguous jets into memory, and nothing else. Raises `ValueError` for a step."""
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
            stored=None,
        )

    def read(self) -> Self:
        """Read all jets into memory."""
        return replace(self[:], stored=self.stored)

    def take(self, indices: np.ndarray) -> Self:
        """Read the jets at `indices` (k,), in that order, into memory; of a file, only they and one stretch of it are held."""
        if not self.in_memory:
            return read_rows(self, indices)
        offsets, deposits = gather(self.offsets, indices)
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
            stored=None,
        )

    @property
    def digest(self) -> str:
        """The sha256 of the metadata and of every column's bytes; of a file, the one that it says of itself, unchecked."""
        return self.stored.digest if self.stored else self.content_digest()

    def content_digest(self, progress: Callable[[int], None] | None = None) -> str:
        """Compute the digest from the content, read once in bounded memory; `progress` hears how many jets were read."""
        hashes = {name: hashlib.sha256() for name in ["counts", *(name for name, _ in self.columns())]}
        for start, block in blocks(self):
            update_hashes(hashes, block)
            if progress is not None:
                progress(start + len(block))
        return combine_hashes((self.stored and self.stored.meta) or self.meta.canonical(), hashes)

    def validate(self) -> None:
        """Check the columns. Raises `DataFileError` where they do not fit together or a value is not finite."""
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
        """Compute each deposit's transverse momentum (deposits,), in its unit: the sum of the channels whose role is "pt"."""
        return self.values[:, self.meta.pt_channels()].sum(axis=1)


def update_hashes(hashes: dict[str, Any], part: Jets) -> None:
    """Feed one part's columns to the running hashes; jets in several parts hash like the same jets in one."""
    hashes["counts"].update(np.ascontiguousarray(np.diff(part.offsets), dtype="<i8").tobytes())
    for name, column in part.columns():
        hashes[name].update(np.ascontiguousarray(column).tobytes())


def combine_hashes(meta: str, hashes: Mapping[str, Any]) -> str:
    """Return the digest of jets from the text of their metadata and the hash of each column."""
    total = hashlib.sha256(meta.encode())
    for name in sorted(hashes):
        total.update(f"{name}:{hashes[name].hexdigest()};".encode())
    return total.hexdigest()


def concatenate(parts: Sequence[Jets]) -> Jets:
    """Join collections into one in memory. Raises `DataFileError` where they differ in metadata or columns."""
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
        stored=None,
    )
