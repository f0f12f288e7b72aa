"""What the crystals' electronics make of energy and time, and the image around the hottest crystal.

Energy resolution per crystal: stochastic 2.8 %/sqrt(E/GeV), noise of about 40 MeV, constant 0.3 % (CMS, JINST 3 (2008) S08004,
sec. 4.1; test beam: Adzic et al., JINST 2 (2007) P04004). Time resolution: N sigma_n/A with N = 35.1 ns and a constant of 20 ps
(CMS, JINST 5 (2010) T03011, arXiv:0911.4044, sec. 3; test beam). Crystals below 80 MeV are dropped: the cell threshold of
CMS's particle flow in the barrel (JINST 12 (2017) P10003, arXiv:1706.04965, sec. 3.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jetbench.simulation.showers.crystals import SIDE, Hits

__all__ = ["CENTRE", "PIXELS", "Images", "crop", "read_out"]

STOCHASTIC, NOISE, CONSTANT = 0.028, 0.040, 0.003
TIME_NOISE, TIME_CONSTANT = 35.1, 0.020  # ns
THRESHOLD = 0.080  # GeV

PIXELS = 32
CENTRE = 15  # row and column of the hottest crystal, as in the crops of CMS's end-to-end studies


@dataclass(frozen=True)
class Images:
    """Energy [GeV] and time [ns] (events, PIXELS, PIXELS), zero where nothing was read; row and column (events,) of the
    image's first crystal in the window that it was cut from."""

    energy: np.ndarray
    time: np.ndarray
    row: np.ndarray
    column: np.ndarray


def read_out(hits: Hits, rng: np.random.Generator) -> Hits:
    """Measure energy and time with their noise; crystals below the threshold are empty."""
    gauss = rng.standard_normal((3, *hits.energy.shape))
    own = np.sqrt(STOCHASTIC**2 * hits.energy + (CONSTANT * hits.energy) ** 2)
    energy = hits.energy + own * gauss[0] + NOISE * gauss[1]
    read = energy > THRESHOLD
    sigma = np.hypot(TIME_NOISE * NOISE / np.where(read, energy, 1), TIME_CONSTANT)
    return Hits(np.where(read, energy, 0), np.where(read, hits.time + sigma * gauss[2], 0))


def crop(hits: Hits) -> Images:
    """Cut the images in which the hottest crystal of each event stands at row and column `CENTRE`."""
    last = SIDE - PIXELS
    inner = hits.energy[:, CENTRE : CENTRE + last + 1, CENTRE : CENTRE + last + 1]  # an image around these fits the window
    row, column = np.unravel_index(inner.reshape(len(inner), -1).argmax(axis=1), inner.shape[1:])
    events = np.arange(len(row))[:, None, None]
    pixels = np.arange(PIXELS)
    rows, columns = row[:, None, None] + pixels[:, None], column[:, None, None] + pixels
    return Images(hits.energy[events, rows, columns], hits.time[events, rows, columns], row, column)
