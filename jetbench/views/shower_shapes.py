"""The shower-shapes view: a table of what electrons and photons leave in crystals, as the e/gamma literature measures it.

Of CMS are R9, the windows of crystals, the sigmas and the widths: arXiv:1502.02702, arXiv:2012.06888, and for what these leave
open RecoEcal/EgammaCoreTools/interface/EcalClusterTools.h of github.com/cms-sw/cmssw. The rest describes in the same terms what
tells the two apart: an electron radiates in the tracker and the field bends it away from its photons, along phi and to the side
of its charge; a photon starts its shower deeper, or converts to a pair that opens along phi.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jetbench.data.batch import JetTensors
from jetbench.errors import DataFileError
from jetbench.jets import Grid, Jets
from jetbench.spec import Options
from jetbench.views.image import render
from jetbench.views.needs import unmet
from jetbench.views.table import Table

__all__ = ["SHAPES", "ShowerShapes", "shower_shapes"]

WINDOWS = ("e_max", "e_2nd", "r9", "e5x5", "e2x2", "e1x5", "e5x1", "e2x5")
BESIDE = ("eta_larger", "eta_smaller", "phi_larger", "phi_smaller")
LOCAL = ("sigma_ieta_ieta", "sigma_iphi_iphi", "cov_ieta_iphi")
ALONG = ("asymmetry", "strip", "width", "skewness", "kurtosis", "span")
WHOLE = ("major", "minor", "crystals", "crystals_1", "crystals_5")
SECOND = ("maxima", "second_energy", "second_eta", "second_phi", "second_time")
TIME = ("time", "time_spread", "time_seed", "time_others")
ALONG_BOTH = tuple(f"{name}_{axis}" for axis in ("eta", "phi") for name in ALONG)
SHAPES = ("energy", *WINDOWS, *BESIDE, *LOCAL, *ALONG_BOTH, *WHOLE, *SECOND, *TIME)

LOG_WEIGHT = 4.7  # w0 of CMS: a crystal with less than exp(-4.7) = 0.9 % of the 5x5 has no weight
PIXELS = 1 << 20  # of images in memory at a time: 8 MB in float64


class ShowerShapes(Table):
    """The table of all `SHAPES`."""

    columns = SHAPES

    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        return shower_shapes(jets)


def shower_shapes(jets: Jets) -> np.ndarray:
    """Compute all `SHAPES` of jets that are images of crystals, (n, 42) float32.

    The energy is the sum of the channels with the role "energy", the time the channel `time`, 0 where there is none. The seed is
    the crystal with most energy, windows are centred on it, and what an m x n window spans is m crystals along eta and n along
    phi. Distances are in eta and in radians, times in the unit of their channel, and nothing but `energy` depends on the unit of
    energies. A mirror in eta or phi changes nothing: charges come in both signs. What there is none of is 0: all shapes of an
    empty image, moments of a point, what is told of a second maximum. Crystals of no or negative energy count as empty.

    Raises `DataFileError` where jets are no images of energy.
    """
    if reason := unmet(jets.meta, ("crystals",)):
        raise DataFileError(f"for the view 'shower-shapes' {reason}")
    meta, grid = jets.meta, jets.meta.grid
    assert grid is not None  # a need of the view
    energies = [i for i, channel in enumerate(meta.channels) if channel.role == "energy"]
    times = [i for i, channel in enumerate(meta.channels) if channel.name == "time"]
    table = np.zeros((len(jets), len(SHAPES)), np.float32)
    for places, batch in JetTensors(jets).sweep(np.arange(len(jets)), max(1, PIXELS // (grid.rows * grid.columns))):
        images = render(batch, grid).double().numpy()
        image = _image(images[:, energies].sum(axis=1), images[:, times].sum(axis=1), grid)
        found = {"energy": image.total} | _windows(image) | _local(image) | _whole(image) | _second(image) | _times(image)
        table[places] = np.column_stack([found[name] for name in SHAPES])
    return table


@dataclass(frozen=True)
class Image:
    """Energy and time (n, rows, columns) of crystals; by image (n,) the sum of energies, and row and column of the seed; the
    places of rows (n, rows) and columns (n, columns) in crystals from the seed; the `size` of a crystal in eta and phi [rad]."""

    energy: np.ndarray
    time: np.ndarray
    total: np.ndarray
    row: np.ndarray
    column: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    size: tuple[float, float]

    def at(self, values: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Take from each of the images `values` (n, rows, columns) that of one crystal."""
        return values[np.arange(len(values)), row, column]


def _image(energy: np.ndarray, time: np.ndarray, grid: Grid) -> Image:
    energy = np.maximum(energy, 0)
    row, column = np.divmod(energy.reshape(len(energy), -1).argmax(axis=1), grid.columns)
    return Image(
        energy=energy,
        time=np.where(energy > 0, time, 0),
        total=energy.sum(axis=(1, 2)),
        row=row,
        column=column,
        eta=np.arange(grid.rows) - row[:, None],
        phi=np.arange(grid.columns) - column[:, None],
        size=(2 * grid.eta_extent / grid.rows, 2 * grid.phi_extent / grid.columns),
    )


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The ratio, 0 where the whole is."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)


def _window(image: Image) -> np.ndarray:
    """The energies (n, 5, 5) of the crystals around the seed; 0 beyond the image."""
    padded = np.pad(image.energy, ((0, 0), (2, 2), (2, 2)))
    rows, columns = (place[:, None] + np.arange(5) for place in (image.row, image.column))
    return padded[np.arange(len(padded))[:, None, None], rows[:, :, None], columns[:, None, :]]


def _windows(image: Image) -> dict[str, np.ndarray]:
    """Shares of the image's energy; `e2x2` to `e2x5` those of the energy of the 5x5. The 2x2 is the one with most energy that has
    the seed in it, the 2x5 is the seed's 1x5 and the larger one beside it; `eta_larger` to `phi_smaller` are the crystals next to
    the seed."""
    near = _window(image)
    all25, in_phi = near.sum(axis=(1, 2)), near.sum(axis=2)
    corners = [near[:, i : i + 2, j : j + 2].sum(axis=(1, 2)) for i in (1, 2) for j in (1, 2)]
    in_eta, beside = (np.sort(pair, axis=1) for pair in (near[:, 1:4:2, 2], near[:, 2, 1:4:2]))
    of_image = {
        "e_max": near[:, 2, 2],
        "e_2nd": np.sort(near.reshape(-1, 25), axis=1)[:, -2],
        "r9": near[:, 1:4, 1:4].sum(axis=(1, 2)),
        "e5x5": all25,
        **dict(zip(BESIDE, (in_eta[:, 1], in_eta[:, 0], beside[:, 1], beside[:, 0]), strict=True)),
    }
    of_window = {
        "e2x2": np.max(corners, axis=0),
        "e1x5": in_phi[:, 2],
        "e5x1": near[:, :, 2].sum(axis=1),
        "e2x5": in_phi[:, 2] + np.maximum(in_phi[:, 1], in_phi[:, 3]),
    }
    return {name: _over(one, image.total) for name, one in of_image.items()} | {
        name: _over(one, all25) for name, one in of_window.items()
    }


def _local(image: Image) -> dict[str, np.ndarray]:
    """Second moments of the 5x5 with the weights max(0, 4.7 + ln E/E5x5) around the mean by energy; the covariance without
    its sign."""
    share, place = _window(image), np.arange(-2, 3)
    share = _over(share, share.sum(axis=(1, 2))[:, None, None] + np.zeros((5, 5)))
    weight = np.maximum(0, LOG_WEIGHT + np.log(share, out=np.full(share.shape, -np.inf), where=share > 0))
    eta = (place - (share.sum(axis=2) @ place)[:, None]) * image.size[0]
    phi = (place - (share.sum(axis=1) @ place)[:, None]) * image.size[1]
    total = weight.sum(axis=(1, 2))
    return {
        "sigma_ieta_ieta": np.sqrt(_over((weight.sum(axis=2) * eta**2).sum(axis=1), total)),
        "sigma_iphi_iphi": np.sqrt(_over((weight.sum(axis=1) * phi**2).sum(axis=1), total)),
        "cov_ieta_iphi": np.abs(_over(np.einsum("nij,ni,nj->n", weight, eta, phi), total)),
    }


def _whole(image: Image) -> dict[str, np.ndarray]:
    """Moments of all crystals by energy, and how many have any, more than 1 % and more than 5 % of it. `major` and `minor` are
    the roots of the covariance's eigenvalues."""
    axes = {"eta": (2, image.eta, image.phi, image.size[0]), "phi": (1, image.phi, image.eta, image.size[1])}
    found = {f"{name}_{axis}": one for axis, given in axes.items() for name, one in _along(image, *given).items()}
    eta, phi = (place * size for place, size in zip((image.eta, image.phi), image.size, strict=True))
    means = [_over((image.energy.sum(axis=over) * x).sum(axis=1), image.total)[:, None] for over, x in ((2, eta), (1, phi))]
    crossed = _over(np.einsum("nij,ni,nj->n", image.energy, eta - means[0], phi - means[1]), image.total)
    one, other = found["width_eta"] ** 2, found["width_phi"] ** 2
    middle, apart = (one + other) / 2, np.hypot((one - other) / 2, crossed)
    share = image.energy / np.where(image.total > 0, image.total, 1)[:, None, None]
    least = {"crystals": 0, "crystals_1": 0.01, "crystals_5": 0.05}
    counts = {name: (share > above).sum(axis=(1, 2)) for name, above in least.items()}
    return found | counts | {"major": np.sqrt(middle + apart), "minor": np.sqrt(np.maximum(middle - apart, 0))}


def _along(image: Image, over: int, place: np.ndarray, across: np.ndarray, size: float) -> dict[str, np.ndarray]:
    """What the energies tell along one axis, whose crystals are at `place`, where `over` is the other one in the array and
    `across` its places.

    `asymmetry` is the difference of both sides of the seed by the energy; `strip` the share of it outside the 5x5 in the five
    rows or columns through it; `span` how far from the seed a crystal has more than 1 % of it. The skewness has no sign, and the
    kurtosis is 3 for a Gaussian.
    """
    profile = _over(image.energy.sum(axis=over), image.total[:, None] + np.zeros(place.shape))
    through = np.expand_dims(np.abs(across) <= 2, 3 - over)
    strip = (image.energy * through).sum(axis=over) * (np.abs(place) > 2)
    high = (image.energy > 0.01 * image.total[:, None, None]).any(axis=over)
    x = (place - (profile * place).sum(axis=1)[:, None]) * size
    second, third, fourth = ((profile * x**power).sum(axis=1) for power in (2, 3, 4))
    return {
        "asymmetry": np.abs((profile * np.sign(place)).sum(axis=1)),
        "strip": _over(strip.sum(axis=1), image.total),
        "width": np.sqrt(second),
        "skewness": _over(np.abs(third), second**1.5),
        "kurtosis": _over(fourth, second**2),
        "span": (np.abs(place) * high).max(axis=1) * size,
    }


def _second(image: Image) -> dict[str, np.ndarray]:
    """The crystal with most energy of those outside the seed's 3x3 whose eight neighbours have no more: its share, its distance
    and how much later it is; `maxima` counts such crystals with more than 1 % of the energy, and the seed."""
    rows, columns = image.energy.shape[1:]
    padded = np.pad(image.energy, ((0, 0), (1, 1), (1, 1)))
    around = [padded[:, i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
    outside = (np.abs(image.eta) > 1)[:, :, None] | (np.abs(image.phi) > 1)[:, None, :]
    peaks = np.where(outside & (image.energy >= np.max(around, axis=0)), image.energy, 0)
    row, column = np.divmod(peaks.reshape(len(peaks), -1).argmax(axis=1), columns)
    energy, seed = image.at(peaks, row, column), image.at(image.time, image.row, image.column)
    there = energy > 0
    return {
        "maxima": (peaks > 0.01 * image.total[:, None, None]).sum(axis=(1, 2)) + (image.total > 0),
        "second_energy": _over(energy, image.total),
        "second_eta": np.abs(row - image.row) * there * image.size[0],
        "second_phi": np.abs(column - image.column) * there * image.size[1],
        "second_time": (image.at(image.time, row, column) - seed) * there,
    }


def _times(image: Image) -> dict[str, np.ndarray]:
    """Mean and spread of all times by energy, the seed's, and how much later the mean of all others is."""
    seed = image.at(image.time, image.row, image.column)
    weighted = (image.energy * image.time).sum(axis=(1, 2))
    mean = _over(weighted, image.total)
    squared = (image.energy * (image.time - mean[:, None, None]) ** 2).sum(axis=(1, 2))
    rest = image.energy.copy()
    rest[np.arange(len(rest)), image.row, image.column] = 0
    later = (rest * (image.time - seed[:, None, None])).sum(axis=(1, 2))
    return {
        "time": mean,
        "time_spread": np.sqrt(_over(squared, image.total)),
        "time_seed": seed,
        "time_others": _over(later, rest.sum(axis=(1, 2))),
    }
