"""Toy jets that cost nothing to make: one prong against three, with everything else as real jets have it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from jetbench.jets import Channel, Grid, Jets, Meta, Provenance
from jetbench.views.needs import Need, unmet

__all__ = ["CHANNELS", "as_crystals", "as_pixels", "jets_for", "kinds_of_jets", "pronged_jets", "toy_jets", "with_time"]

CHANNELS = (
    Channel(name="charged", unit="GeV", role="pt"),
    Channel(name="photon", unit="GeV", role="pt"),
    Channel(name="neutral", unit="GeV", role="pt"),
)


def toy_jets(n: int, seed: int = 0, channels: tuple[Channel, ...] = CHANNELS) -> Jets:
    """Make n jets of about 600 GeV: background has one prong, signal three, 0.35 from the axis."""
    rng = np.random.default_rng(seed)
    label = (np.arange(n) % 2).astype(np.int32)
    counts = rng.integers(20, 60, n)
    jet = np.repeat(np.arange(n), counts)
    deposits = len(jet)
    prong = rng.integers(0, 3, deposits)
    angle = rng.uniform(0, 2 * np.pi, n)[jet] + prong * 2 * np.pi / 3
    distance = np.where(label[jet] == 1, 0.35, 0.0) * rng.uniform(0.5, 1.2, n)[jet]
    pt = rng.exponential(1.0, deposits)
    pt *= 600 / np.bincount(jet, pt, minlength=n)[jet]
    values = np.zeros((deposits, len(channels)), np.float32)
    values[np.arange(deposits), rng.integers(0, len(channels), deposits)] = pt
    eta = distance * np.cos(angle) + rng.normal(0, 0.08, deposits)
    phi = distance * np.sin(angle) + rng.normal(0, 0.08, deposits)
    column = {name: rng.uniform(50, 250, n).astype(np.float32) for name in ("mass", "gen_mass", "gen_sdmass", "gen_pt")}
    return Jets(
        meta=Meta(channels=channels, class_names=("qcd", "top"), provenance=Provenance(source="toy", seed=seed)),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        eta=eta.astype(np.float32),
        phi=phi.astype(np.float32),
        values=values,
        jet_eta=rng.uniform(-2, 2, n).astype(np.float32),
        jet_phi=rng.uniform(-np.pi, np.pi, n).astype(np.float32),
        jet_pt=np.full(n, 600, np.float32),
        event=np.arange(n) + 1000,
        targets={"label": label, **column},
    )


def pronged_jets(n: int, classes: int, seed: int = 0) -> Jets:
    """Make n toy jets of many classes: class k has k+1 prongs."""
    jets, rng = toy_jets(n, seed), np.random.default_rng([seed, classes])
    label = (np.arange(n) % classes).astype(np.int32)
    jet = np.repeat(np.arange(n), np.diff(jets.offsets))
    prong = rng.integers(0, label[jet] + 1)
    angle = rng.uniform(0, 2 * np.pi, n)[jet] + 2 * np.pi * prong / (label[jet] + 1)
    distance = np.where(label[jet] > 0, 0.4, 0.0)
    return replace(
        jets,
        meta=jets.meta.replace(class_names=tuple(["QCD", "W→qq", "t→bqq'", *(f"X{k}" for k in range(3, classes))][:classes])),
        eta=(distance * np.cos(angle) + rng.normal(0, 0.06, len(jet))).astype(np.float32),
        phi=(distance * np.sin(angle) + rng.normal(0, 0.06, len(jet))).astype(np.float32),
        targets=dict(jets.targets) | {"label": label},
    )


def with_time(jets: Jets) -> Jets:
    """Return the same jets with their last channel as a time, averaged with the first as weight."""
    channels = (*jets.meta.channels[:2], Channel(name="time", unit="ns", combine="mean", weight=jets.meta.channels[0].name))
    values = jets.values.copy()
    values[:, 2] = np.cos(np.arange(len(values)))
    return replace(jets, meta=jets.meta.replace(channels=channels), values=values)


def as_pixels(jets: Jets) -> Jets:
    """Return the same jets with every deposit at the centre of its pixel, outside ones at the edge; a pixel may hold several."""
    grid = Grid(rows=16, columns=12, eta_extent=0.8, phi_extent=0.6)
    eta, phi = (
        ((np.floor((x / extent + 1) * n / 2).clip(0, n - 1) + 0.5) * 2 / n - 1).astype(np.float32) * np.float32(extent)
        for x, n, extent in ((jets.eta, 16, 0.8), (jets.phi, 12, 0.6))
    )
    return replace(jets, meta=jets.meta.replace(grid=grid), eta=eta, phi=phi)


def as_crystals(jets: Jets) -> Jets:
    """Return the same jets as pixels of energies, and of a time."""
    timed = with_time(as_pixels(jets))
    energies = [channel.replace(role="energy") for channel in timed.meta.channels[:2]]
    return replace(timed, meta=timed.meta.replace(channels=(*energies, timed.meta.channels[2])))


def kinds_of_jets(n: int) -> dict[str, Jets]:
    """Make n toy jets as detectors and files of all sorts would have them: in GeV or in no unit, with a pT or without, as
    constituents or pixels, with all directions alike or not."""
    jets = toy_jets(n)
    channels = jets.meta.channels
    unitless = jets.meta.replace(channels=tuple(channel.replace(unit="") for channel in channels))
    no_pt = jets.meta.replace(channels=tuple(channel.replace(role="other") for channel in channels))
    pixels = as_pixels(jets)
    return {
        "constituents in GeV": jets,
        "pixels in GeV": pixels,
        "pixels in a magnetic field": replace(pixels, meta=pixels.meta.replace(isotropic=False)),
        "crystals": as_crystals(jets),
        "constituents in no unit": replace(jets, meta=unitless),
        "constituents without pT": replace(jets, meta=no_pt),
    }


def jets_for(needs: Iterable[Need], n: int) -> dict[str, Jets]:
    """Make all sorts of toy jets that have what is needed, and no others."""
    return {kind: jets for kind, jets in kinds_of_jets(n).items() if not unmet(jets.meta, needs)}
