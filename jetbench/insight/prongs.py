"""Do maps point at the prongs of a jet? The share of a map that lies near its hardest subjets, with an interval over jets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from jetbench.data.batch import Batch
from jetbench.errors import RunError
from jetbench.simulation.clustering import cluster
from jetbench.statistics.bootstrap import resampled_means
from jetbench.statistics.intervals import LEVEL, Interval
from jetbench.views.observables import no_banner

__all__ = ["NEAR", "PRONGS", "distances", "hardest_subjets", "mean_share", "shares"]

PRONGS = 3  # of a top that decays to quarks
NEAR = 0.2  # radius of a subjet, and distance below which a point counts as near it
SOFTEST = 1.0  # [GeV] of a subjet


def hardest_subjets(batch: Batch, radius: float = NEAR) -> np.ndarray:
    """Return (eta, phi) of the three hardest anti-kT subjets of each jet, (n, 3, 2), infinite where a jet has fewer.

    Deposits stand where the batch has them, relative to the jet axis. Raises `DataFileError` for jets without a pT.
    """
    pt, eta, phi = (column.double().numpy() for column in (batch.pt(), batch.eta, batch.phi))
    kept = pt > 0
    pt, eta, phi, jet = pt[kept], eta[kept], phi[kept], batch.jet.numpy()[kept]
    momenta = (pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta))
    with no_banner():
        found = cluster(jet, momenta, batch.size, SOFTEST, radius)
    order = np.lexsort((-found.pt, found.event))
    owner = found.event[order]
    place = np.arange(len(order)) - np.searchsorted(owner, owner)
    chosen = place < PRONGS
    axes = np.full((batch.size, PRONGS, 2), np.inf)
    axes[owner[chosen], place[chosen]] = np.stack([found.eta, found.phi], axis=1)[order[chosen]]
    return axes


def distances(subjets: np.ndarray, eta: ArrayLike, phi: ArrayLike) -> np.ndarray:
    """Return how far points are from the nearest subjet of their jet (n, …): eta, phi (n, …), or (1, …) of points that are the
    same for all jets, from subjets (n, 3, 2)."""
    eta, phi = np.asarray(eta, np.float64), np.asarray(phi, np.float64)
    axes = subjets.reshape(*subjets.shape[:2], *[1] * (eta.ndim - 1), 2)
    apart = [np.hypot(eta - axes[:, k, ..., 0], phi - axes[:, k, ..., 1]) for k in range(subjets.shape[1])]
    return np.min(apart, axis=0)


def shares(maps: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Return the share of |maps| (n, …) that lies where `near` (n, …) is true, (n,); NaN for a map that is zero everywhere."""
    size = np.abs(np.asarray(maps, np.float64)).reshape(len(maps), -1)
    total, inside = size.sum(axis=1), (size * near.reshape(len(maps), -1)).sum(axis=1)
    return np.divide(inside, total, out=np.full(len(size), np.nan), where=total > 0)


def mean_share(values: Sequence[np.ndarray], level: float = LEVEL) -> Interval:
    """Return the mean of shares, or of differences of shares, of the same jets by several seeds, each (n,), with its bootstrap
    interval over jets and seeds; n counts the jets.

    A jet counts where all seeds have a share of it. With every resampled set of jets, seeds are drawn with replacement too, where
    there are several. Raises `RunError` for fewer than two jets.
    """
    table = np.stack([np.asarray(one, np.float64) for one in values])
    table = table[:, np.isfinite(table).all(axis=0)]
    if table.shape[1] < 2:
        raise RunError(f"{table.shape[1]} jets have a map: an interval needs two of them at the least")
    drawn = resampled_means(table)
    rng = np.random.default_rng(0)  # draws of seeds, the same for every table of as many
    seeds = rng.integers(0, len(table), (len(drawn), len(table)))
    means = np.take_along_axis(drawn, seeds, axis=1).mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean=float(table.mean()), low=float(low), high=float(high), n=table.shape[1])
