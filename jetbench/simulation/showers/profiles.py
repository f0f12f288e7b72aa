"""The shape of an electromagnetic shower in a homogeneous calorimeter, with its fluctuations from shower to shower.

All coefficients: Grindhammer and Peters, "The parameterized simulation of electromagnetic showers in homogeneous and sampling
calorimeters", hep-ex/0001020, appendix A.1 (homogeneous media). Depths t are in radiation lengths, radii in Molière radii,
energies in GeV; log_y is ln(E / critical energy).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["CRITICAL_ENERGY", "Spots", "draw_shapes", "mean_shape", "radial_shape", "scatter_spots"]

# PbWO4. Z is the mean by mass of Pb, W and O (82, 74, 8); the paper's 2.66 MeV (X0 Z/A)^1.1 with X0 = 7.39 g/cm² (PDG) and the
# likewise averaged A = 170.9 gives the critical energy.
Z = 68.36
CRITICAL_ENERGY = 0.00876

LOWEST_LOG_Y = 3.0  # 0.18 GeV: softer showers have this one's shape, as extrapolated fluctuations grow beyond all measure
LEAST_ALPHA = 1.5  # soft showers fluctuate to alpha < 1, which has no maximum; at 1 GeV one in a hundred is below 1.6
SOFTEST_CORE = 0.001  # GeV: the core would have no width below
DEEPEST = 5.0  # maxima: the tail's width grows exponentially where no energy is left
LEAST_SLICE = 1e-5  # GeV: slices of a shower that hold less are left out
DEPTHS = np.arange(0.0, 33.0)  # edges of the slices in which spots are laid: past the end of the crystals


def mean_shape(log_y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute depth of the maximum T and exponent alpha of the mean profile t^(alpha-1) exp(-beta t), beta = (alpha-1)/T."""
    return log_y - 0.812, 0.81 + (0.458 + 2.26 / Z) * log_y


def draw_shapes(energy: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw T and alpha (k,) of single showers: log-normal around the mean, and correlated."""
    log_y = _log_y(energy)
    mean_t, mean_alpha = mean_shape(log_y)
    correlation = 0.705 - 0.023 * log_y
    first, second = rng.standard_normal((2, len(energy)))
    plus, minus = np.sqrt((1 + correlation) / 2) * first, np.sqrt((1 - correlation) / 2) * second
    t = mean_t * np.exp((plus + minus) / (-1.4 + 1.26 * log_y))
    alpha = mean_alpha * np.exp((plus - minus) / (-0.58 + 0.86 * log_y))
    return t, np.maximum(alpha, LEAST_ALPHA)


def radial_shape(tau: np.ndarray, energy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the weight of the core and the radii of core and tail at the depth `tau`, in units of the maximum's depth.

    Each part has the density 2 r R² / (r² + R²)².
    """
    log_e = np.log(np.maximum(energy, SOFTEST_CORE))
    core = 0.0251 + 0.00319 * log_e + (0.1162 - 0.000381 * Z) * tau
    tail = (0.659 - 0.00309 * Z) * (np.exp(-2.59 * (tau - 0.645)) + np.exp((0.3585 + 0.0421 * log_e) * (tau - 0.645)))
    x = (0.401 + 0.00187 * Z - tau) / (1.313 - 0.0686 * log_e)
    return (2.632 - 0.00094 * Z) * np.exp(x - np.exp(x)), core, tail


@dataclass(frozen=True)
class Spots:
    """Energy spots (m,) float32, sorted by shower: index of the shower, energy [GeV], depth [X0] below the shower's start,
    distance from its axis [Molière radii]."""

    shower: np.ndarray
    energy: np.ndarray
    depth: np.ndarray
    radius: np.ndarray


def scatter_spots(energy: np.ndarray, rng: np.random.Generator) -> Spots:
    """Draw showers of electrons of `energy` (k,) [GeV] as spots.

    Each slice of depth holds the energy of the shower's own profile, in as many equal spots as the paper's longitudinal profile
    of spots has there.
    """
    held, count, tau = _slices(energy, rng)
    shapes = radial_shape(np.minimum(tau, DEEPEST), energy[:, None])
    columns = (*shapes, energy[:, None] * held / np.maximum(count, 1))
    of = np.repeat(np.arange(count.size), count.ravel())
    weight, core, tail, share = (column.ravel().astype(np.float32)[of] for column in columns)
    u, v, w = rng.random((3, len(of)), np.float32)
    return Spots(
        shower=of // count.shape[1],
        energy=share,
        depth=(of % count.shape[1]).astype(np.float32) + w,
        radius=np.where(u < weight, core, tail) * np.sqrt(v / (1 - v)),
    )


def _slices(energy: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of the energy, number of spots and middle of every slice (k, slices). The middle is in units of the depth of the
    maximum; that of a single shower is told by its centre of gravity, in the ratio of the mean shower (the paper's tau_i)."""
    from scipy.special import gammainc

    t, alpha = draw_shapes(energy, rng)
    beta = (alpha - 1) / t
    held = np.diff(gammainc(alpha[:, None], beta[:, None] * DEPTHS), axis=1)
    spot_t, spot_alpha = t * (0.698 + 0.00212 * Z), alpha * (0.639 + 0.00334 * Z)
    laid = np.diff(gammainc(spot_alpha[:, None], ((spot_alpha - 1) / spot_t)[:, None] * DEPTHS), axis=1)
    count = np.maximum(np.rint(_mean_spots(energy)[:, None] * laid), 1)
    count = np.where(energy[:, None] * held > LEAST_SLICE, count, 0).astype(np.int64)
    mean_alpha = mean_shape(_log_y(energy))[1]
    return held, count, (DEPTHS[1:] - 0.5) * (beta / alpha * mean_alpha / (mean_alpha - 1))[:, None]


def _log_y(energy: np.ndarray) -> np.ndarray:
    return np.maximum(np.log(energy / CRITICAL_ENERGY), LOWEST_LOG_Y)


def _mean_spots(energy: np.ndarray) -> np.ndarray:
    """Number of energy spots whose statistics make the radial profile fluctuate as it does."""
    return 93 * np.log(Z) * energy**0.876
