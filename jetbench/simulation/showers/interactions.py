"""What photons and electrons of high energy do in matter: pair production and bremsstrahlung with complete screening.

Formulae: Particle Data Group, Review of Particle Physics (Phys. Rev. D 110 (2024) 030001), section "Passage of particles
through matter": bremsstrahlung after Tsai, Rev. Mod. Phys. 46 (1974) 815, in the approximation that is good to a few percent
for all but the softest and hardest photons, and pair production with the cross section 7/9 of a radiation length.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["conversion_probability", "pair_fraction", "photons_radiated", "radiated_fraction"]

Function = Callable[[np.ndarray], np.ndarray]


def conversion_probability(thickness: np.ndarray) -> np.ndarray:
    """Compute the probability that a photon of high energy becomes a pair in `thickness` radiation lengths."""
    return -np.expm1(-7.0 / 9.0 * thickness)


def pair_fraction(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the share x (count,) of the photon's energy that the electron takes, distributed as 1 - 4/3 x (1 - x)."""
    return _accepted(lambda least: rng.random(len(least)), lambda x: 1 - 4 / 3 * x * (1 - x), np.zeros(count), rng)


def photons_radiated(least: np.ndarray) -> np.ndarray:
    """Compute the mean number of bremsstrahlung photons per radiation length that take more than the share `least` of the energy.

    It is the integral of (4/3 - 4/3 y + y²)/y from `least` to 1.
    """
    return np.where(least < 1, -4 / 3 * np.log(np.minimum(least, 1)) - 4 / 3 * (1 - least) + (1 - least**2) / 2, 0.0)


def radiated_fraction(least: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the share y of the electron's energy that a photon takes, above `least` (k,), distributed as (4/3 - 4/3 y + y²)/y."""
    return _accepted(lambda least: least ** rng.random(len(least)), lambda y: 1 - y + 0.75 * y**2, least, rng)


def _accepted(propose: Function, weight: Function, least: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rejection sampling: what is proposed above `least` stays with the probability `weight`, the others are drawn again."""
    drawn = np.empty(len(least))
    rows = np.arange(len(least))
    while len(rows):
        drawn[rows] = propose(least[rows])
        rows = rows[rng.random(len(rows)) >= weight(drawn[rows])]
    return drawn
