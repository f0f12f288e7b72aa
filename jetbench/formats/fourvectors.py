"""Constituents' four-vectors become deposits relative to the jet axis; the jet's own kinematics are computed from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import awkward as ak
import numpy as np
import vector

from jetbench.formats.columns import refuse
from jetbench.jets import Jets, Meta
from jetbench.jets.meta import PER_DEPOSIT
from jetbench.jets.ragged import owners, wrap_phi

__all__ = ["Axis", "Constituents", "massless", "padded", "with_rapidity"]

vector.register_awkward()

# a rule, or the pseudorapidities and azimuths of the axes, each (n,)
Axis = Literal["four-vector", "pt-weighted"] | tuple[np.ndarray, np.ndarray]

NEGATIVE_MASS = "negative squared mass set to zero"
NOT_MEASURED = "; where NaN says that nothing was measured, a card says so of the channel: `missing: .nan`"
BELOW_PI = np.nextafter(np.float32(np.pi), np.float32(0))  # float32(π) is larger than π


@dataclass(frozen=True)
class Constituents:
    """Jets of a file: lists of their constituents. `momentum` (n, var) are four-vectors [GeV] as `vector.zip` makes them, of px,
    py, pz and energy, or of pt, eta, phi and mass.

    `channels` (n, var) each, beside pt and energy, and `targets` (n,) each, beside the mass, are by name. The axis is the
    direction of the summed four-vector, the pT-weighted mean of the constituents' pseudorapidities and azimuths, or given.
    """

    momentum: ak.Array
    channels: Mapping[str, ak.Array] = field(default_factory=dict)
    targets: Mapping[str, np.ndarray] = field(default_factory=dict)
    axis: Axis = "four-vector"

    def jets(self, meta: Meta, start: int, where: object) -> tuple[Jets, dict[str, int]]:
        """Make jets with the channels that `meta` names; return them with the number of jets by repair.

        pT, pseudorapidity, azimuth and the target `mass` of a jet are those of its summed four-vector, in float64; a given axis
        replaces the direction; `event` counts from `start`. A squared mass that rounding made negative counts as zero, a repair.
        Raises `DataFileError`, naming `where` and the row, for a jet without constituents, a negative energy, a constituent
        without transverse momentum (it has no direction) and values that are not finite, or too large for float32.
        """
        p = ak.values_astype(self.momentum, np.float64)
        with np.errstate(all="ignore"):  # what overflows is not finite, which is checked
            self._check(p, start, where)
            offsets = np.concatenate([[0], np.cumsum(ak.num(p).to_numpy())])
            jet, total = owners(offsets), ak.sum(p, axis=1)
            pt, eta, phi = (np.asarray(ak.flatten(column)) for column in (p.pt, p.eta, p.phi))
            jet_eta, jet_phi = self._axes(p, total)
            channels = {name: np.asarray(ak.flatten(column)) for name, column in self.channels.items()}
            channels |= {"pt": pt, "energy": np.asarray(ak.flatten(p.energy))}
            mass = np.asarray(total.mass)  # negative where its square is
            mass[np.isinf(mass)] = np.nan
            targets = {name: one if name == "label" else one.astype(np.float32) for name, one in self.targets.items()}
            done = Jets(
                meta=meta,
                offsets=offsets,
                eta=(eta - jet_eta[jet]).astype(np.float32),
                phi=np.clip(wrap_phi(phi - jet_phi[jet]).astype(np.float32), -BELOW_PI, BELOW_PI),
                values=np.column_stack([channels[channel.name] for channel in meta.channels]).astype(np.float32),
                jet_eta=jet_eta.astype(np.float32),
                jet_phi=jet_phi.astype(np.float32),
                jet_pt=np.asarray(total.pt).astype(np.float32),
                event=np.arange(start, start + len(jet_eta)),
                targets={"mass": np.maximum(mass, 0).astype(np.float32), **targets},
            )
        _check_finite(done, start, where)
        negative = int(np.sum(mass < 0))
        return done, {NEGATIVE_MASS: negative} if negative else {}

    def _axes(self, p: ak.Array, total: ak.Array) -> tuple[np.ndarray, np.ndarray]:
        """Pseudorapidity and azimuth of every axis."""
        if isinstance(self.axis, tuple):
            return self.axis[0], wrap_phi(self.axis[1])
        if self.axis == "four-vector":
            return np.asarray(total.eta), np.asarray(total.phi)
        weight, delta = ak.sum(p.pt, axis=1), ak.sum(p.pt * p.deltaphi(total), axis=1)
        return np.asarray(ak.sum(p.pt * p.eta, axis=1) / weight), wrap_phi(np.asarray(total.phi + delta / weight))

    def _check(self, p: ak.Array, start: int, where: object) -> None:
        finite = np.isfinite(p.px) & np.isfinite(p.py) & np.isfinite(p.pz) & np.isfinite(p.energy)
        for fault, cause in (
            (ak.num(p) == 0, "has no constituents"),
            (~ak.all(finite, axis=1), "has a momentum or energy that is NaN or infinite"),
            (ak.any(p.energy < 0, axis=1), "has a constituent of negative energy"),
            (ak.any(p.pt == 0, axis=1), "has a constituent without transverse momentum, which has no direction in (eta, phi)"),
        ):
            refuse(fault, start, where, cause)


def padded(values: np.ndarray, present: np.ndarray) -> ak.Array:
    """Take the padding away: return lists of the rows of `values` (n, M, …) where `present` (n, M)."""
    return ak.unflatten(values[present], present.sum(axis=1))


def massless(pt: ak.Array, eta: ak.Array, phi: ak.Array) -> ak.Array:
    """Compute four-vectors of massless particles from pT [GeV], pseudorapidity, azimuth [rad], each (n, var)."""
    return vector.zip({"pt": pt, "eta": eta, "phi": phi, "mass": ak.zeros_like(pt)})


def with_rapidity(pt: ak.Array, rapidity: ak.Array, phi: ak.Array, mass: ak.Array) -> ak.Array:
    """Compute four-vectors from pT [GeV], rapidity (not pseudorapidity), azimuth [rad], mass [GeV], each (n, var)."""
    with np.errstate(all="ignore"):  # what overflows is not finite, which is checked
        transverse = np.hypot(pt, mass)
        pz, energy = transverse * np.sinh(rapidity), transverse * np.cosh(rapidity)
    return vector.zip({"pt": pt, "phi": phi, "pz": pz, "energy": energy})


def _check_finite(jets: Jets, start: int, where: object) -> None:
    owner = owners(jets.offsets)
    for name, column in jets.columns():
        wrong = ~np.isfinite(column)
        if not wrong.any():
            continue
        if name in PER_DEPOSIT:
            place = tuple(np.argwhere(wrong)[0])
            what = jets.meta.channels[place[1]].name if name == "values" else name
            hint = NOT_MEASURED if name == "values" and np.isnan(column[place]) else ""
            wrong = np.isin(np.arange(len(jets)), owner[wrong.reshape(len(owner), -1).any(axis=1)])
        else:
            what, hint = name, ""
        cause = f"has {what!r} that is NaN, infinite or too large"
        refuse(wrong, start, where, cause, cause + hint)
