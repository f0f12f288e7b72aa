"""Constituents' four-vectors become deposits relative to the jet axis; the jet's own kinematics are computed from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from jetbench.errors import DataFileError
from jetbench.jets import Jets, Meta
from jetbench.jets.ragged import owner_of, owners, wrap_phi

__all__ = ["Axis", "Constituents", "labels", "massless", "padded", "with_rapidity"]

# a rule, or the pseudorapidities and azimuths of the axes, each (n,)
Axis = Literal["four-vector", "pt-weighted"] | tuple[np.ndarray, np.ndarray]

NEGATIVE_MASS = "negative squared mass set to zero"
BELOW_PI = np.nextafter(np.float32(np.pi), np.float32(0))  # float32(π) is larger than π


@dataclass(frozen=True)
class Constituents:
    """Jets of a file: jet i owns the rows offsets[i]:offsets[i+1] of `momentum` (k, 4): px, py, pz, E float64 [GeV].

    `channels` (k,) each, beside pt and energy, and `targets` (n,) each, beside the mass, are by name. The axis is the
    direction of the summed four-vector, the pT-weighted mean of the constituents' pseudorapidities and azimuths, or given.
    """

    offsets: np.ndarray
    momentum: np.ndarray
    channels: Mapping[str, np.ndarray] = field(default_factory=dict)
    targets: Mapping[str, np.ndarray] = field(default_factory=dict)
    axis: Axis = "four-vector"

    def jets(self, meta: Meta, start: int, where: object) -> tuple[Jets, dict[str, int]]:
        """Make jets with the channels that `meta` names; return them with the number of jets by repair.

        pT, pseudorapidity, azimuth and the target `mass` of a jet are those of its summed four-vector, in float64; a given axis
        replaces the direction; `event` counts from `start`. A squared mass that rounding made negative counts as zero, a repair.
        Raises `DataFileError`, naming `where` and the row, for a jet without constituents, a negative energy, a constituent
        without transverse momentum (it has no direction) and values that are not finite, or too large for float32.
        """
        self._check(start, where)
        first, jet = self.offsets[:-1], owners(self.offsets)
        with np.errstate(all="ignore"):  # what overflows is not finite, which is checked
            pt, eta, phi = _direction(self.momentum)
            total = np.add.reduceat(self.momentum, first, axis=0)
            square = total[:, 3] ** 2 - (total[:, :3] ** 2).sum(axis=1)
            mass = np.sqrt(np.where(np.isfinite(square), np.maximum(square, 0), np.nan))
            jet_eta, jet_phi = self._axes(total, pt, eta, phi)
            channels = {"pt": pt, "energy": self.momentum[:, 3], **self.channels}
            done = Jets(
                meta=meta,
                offsets=self.offsets,
                eta=(eta - jet_eta[jet]).astype(np.float32),
                phi=np.clip(wrap_phi(phi - jet_phi[jet]).astype(np.float32), -BELOW_PI, BELOW_PI),
                values=np.column_stack([channels[channel.name] for channel in meta.channels]).astype(np.float32),
                jet_eta=jet_eta.astype(np.float32),
                jet_phi=jet_phi.astype(np.float32),
                jet_pt=np.hypot(total[:, 0], total[:, 1]).astype(np.float32),
                event=np.arange(start, start + len(first)),
                targets={"mass": mass.astype(np.float32), **_targets(self.targets)},
            )
        _check_finite(done, start, where)
        negative = int(np.sum(square < 0))
        return done, {NEGATIVE_MASS: negative} if negative else {}

    def _axes(self, total: np.ndarray, pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pseudorapidity and azimuth of every axis, from the sums (n, 4) and the constituents' directions (k,)."""
        if isinstance(self.axis, tuple):
            return self.axis[0], wrap_phi(self.axis[1])
        _, jet_eta, jet_phi = _direction(total)
        if self.axis == "four-vector":
            return jet_eta, jet_phi
        first = self.offsets[:-1]
        weight, delta = np.add.reduceat(pt, first), wrap_phi(phi - jet_phi[owners(self.offsets)])
        return np.add.reduceat(pt * eta, first) / weight, wrap_phi(jet_phi + np.add.reduceat(pt * delta, first) / weight)

    def _check(self, start: int, where: object) -> None:
        counts, px, py = np.diff(self.offsets), self.momentum[:, 0], self.momentum[:, 1]
        if len(empty := np.flatnonzero(counts == 0)):
            raise DataFileError(f"{where}: jet {start + empty[0]} has no constituents; leave such rows out of the file")
        for fault, cause in (
            (~np.isfinite(self.momentum).all(axis=1), "a momentum or energy that is NaN or infinite"),
            (self.momentum[:, 3] < 0, "a constituent of negative energy"),
            ((px == 0) & (py == 0), "a constituent without transverse momentum, which has no direction in (eta, phi)"),
        ):
            if fault.any():
                raise DataFileError(f"{where}: jet {start + owner_of(self.offsets, fault.argmax())} has {cause}")


def padded(values: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take the padding away: return offsets (n+1,) and the rows of `values` (n, M, …) where `present` (n, M)."""
    return np.concatenate([[0], np.cumsum(present.sum(axis=1, dtype=np.int64))]), values[present]


def massless(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Compute four-vectors (k, 4) of massless particles from pT [GeV], pseudorapidity, azimuth [rad], each (k,)."""
    return with_rapidity(pt, eta, phi, np.zeros(1))


def with_rapidity(pt: np.ndarray, rapidity: np.ndarray, phi: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Compute four-vectors (k, 4) from pT [GeV], rapidity (not pseudorapidity), azimuth [rad], mass [GeV], each (k,)."""
    with np.errstate(all="ignore"):  # what overflows is not finite, which is checked
        transverse = np.hypot(pt, mass)
        columns = (pt * np.cos(phi), pt * np.sin(phi), transverse * np.sinh(rapidity), transverse * np.cosh(rapidity))
        return np.column_stack(columns).astype(np.float64)


def labels(values: np.ndarray, classes: int, start: int, where: object) -> np.ndarray:
    """Return labels (n,) int32 from numbers. Raises `DataFileError` for one that is no whole number below `classes` (0: any)."""
    with np.errstate(all="ignore"):
        whole = np.isfinite(values) & (values == np.floor(values)) & (values >= 0) & (values < (classes or 2**31))
    if not whole.all():
        row = int((~whole).argmax())
        declared = f"0 … {classes - 1}" if classes else "whole numbers from 0 on"
        raise DataFileError(f"{where}: jet {start + row} has the label {values[row]}; labels are {declared}")
    return values.astype(np.int32)


def _direction(momentum: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """pT, pseudorapidity and azimuth (k,) of four-vectors (k, 4)."""
    px, py, pz, _ = momentum.T
    pt = np.hypot(px, py)
    return pt, np.arcsinh(pz / pt), np.arctan2(py, px)


def _targets(given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: column if name == "label" else column.astype(np.float32) for name, column in given.items()}


def _check_finite(jets: Jets, start: int, where: object) -> None:
    owner = owners(jets.offsets)
    for name, column in jets.columns():
        faults = np.argwhere(~np.isfinite(column))
        if len(faults):
            row = owner[faults[0][0]] if name in ("eta", "phi", "values") else faults[0][0]
            what = jets.meta.channels[faults[0][1]].name if name == "values" else name
            raise DataFileError(f"{where}: jet {start + row}: {what!r} is NaN, infinite or too large")
