"""Shower shapes, by closed forms, by symmetries and by a slow version that goes crystal by crystal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.formats.shipped_cards import shipped_card
from jetbench.jets import Channel, Grid, Jets, Meta, jets_from_images
from jetbench.jets.meta import PLAIN_COLUMNS
from jetbench.simulation.chunks import Chunk
from jetbench.simulation.showers.recipe import ElectronVsPhoton
from jetbench.simulation.simulators import simulate_chunk
from jetbench.views.shower_shapes import SHAPES, ShowerShapes, shower_shapes

SIDE = 0.02  # of the crystals of images made here
SIDE_CMS = 0.0174  # of simulated ones
GRID = Grid(rows=32, columns=32, eta_extent=0.32, phi_extent=0.32)
CHANNELS = (
    Channel(name="energy", unit="GeV", role="energy"),
    Channel(name="time", unit="ns", combine="mean", weight="energy"),
)
META = Meta(channels=CHANNELS, grid=GRID, isotropic=False)
Shapes = Mapping[str, float]
Crystal = tuple[int, int]


def image_of(crystals: Mapping[Crystal, tuple[float, float]], meta: Meta = META) -> Jets:
    """One image with energy and time of crystals by row and column."""
    assert meta.grid is not None
    image = np.zeros((1, 2, meta.grid.rows, meta.grid.columns), np.float32)
    for (row, column), values in crystals.items():
        image[0, :, row, column] = values
    return jets_from_images(image, meta)


def shapes_of(crystals: Mapping[Crystal, tuple[float, float]]) -> Shapes:
    return dict(zip(SHAPES, shower_shapes(image_of(crystals))[0].tolist(), strict=True))


@pytest.fixture(scope="module")
def showers() -> Jets:
    """Simulated images of 16 photons and 16 electrons."""
    recipe = ElectronVsPhoton(jets=32, seed=3)
    made = [simulate_chunk(Chunk(recipe=recipe, index=0, label=label, jets=16)) for label in (0, 1)]
    return replace(
        made[0],
        offsets=np.concatenate([made[0].offsets, made[0].offsets[-1] + made[1].offsets[1:]]),
        **{name: np.concatenate([getattr(one, name) for one in made]) for name in PLAIN_COLUMNS},
        targets={name: np.concatenate([one.targets[name] for one in made]) for name in made[0].targets},
    )


def test_one_crystal_is_all_of_its_shower() -> None:
    found = shapes_of({(15, 15): (8.0, 0.5)})
    ones = ("e_max", "r9", "e5x5", "e2x2", "e1x5", "e5x1", "e2x5", "crystals", "crystals_1", "crystals_5", "maxima")
    given = {"energy": 8.0, "time": 0.5, "time_seed": 0.5} | dict.fromkeys(ones, 1.0)
    assert found == pytest.approx(dict.fromkeys(SHAPES, 0.0) | given)


@pytest.mark.parametrize("crystals", [{}, {(0, 0): (0.0, 3.0)}, {(15, 15): (-1.0, 3.0)}], ids=["none", "time alone", "below"])
def test_an_image_without_energy_has_no_shapes(crystals: Mapping[Crystal, tuple[float, float]]) -> None:
    assert shapes_of(crystals) == dict.fromkeys(SHAPES, 0.0)


def test_a_crystal_below_zero_counts_as_empty() -> None:
    shower = {(15, 15): (8.0, 0.5), (15, 16): (2.0, 0.7)}
    assert shapes_of(shower | {(20, 20): (-0.5, 9.0)}) == shapes_of(shower)


def test_two_crystals_along_phi() -> None:
    """Shares of 3/4 and 1/4, side by side: σ² = pq d² by energy, and skewness and kurtosis of a coin; logarithmic weights are
    4.7 + ln of the shares."""
    found = shapes_of({(15, 15): (6.0, 1.0), (15, 16): (2.0, 3.0)})
    one, other = (4.7 + math.log(share) for share in (0.75, 0.25))
    given = {
        "energy": 8.0,
        **dict.fromkeys(("r9", "e5x5", "e2x2", "e1x5", "e2x5", "maxima"), 1.0),
        **dict.fromkeys(("e_max", "e5x1"), 0.75),
        **dict.fromkeys(("e_2nd", "phi_larger", "asymmetry_phi"), 0.25),
        **dict.fromkeys(("crystals", "crystals_1", "crystals_5"), 2.0),
        **dict.fromkeys(("width_phi", "major"), math.sqrt(0.75 * 0.25) * SIDE),
        "sigma_iphi_iphi": SIDE * math.sqrt((one * 0.25**2 + other * 0.75**2) / (one + other)),
        "skewness_phi": 0.5 / math.sqrt(0.75 * 0.25),
        "kurtosis_phi": 3 + (1 - 6 * 0.75 * 0.25) / (0.75 * 0.25),
        "span_phi": SIDE,
        "time": 1.5,
        "time_spread": math.sqrt(0.75 * 0.25) * 2,
        "time_seed": 1.0,
        "time_others": 2.0,
    }
    assert found == pytest.approx(dict.fromkeys(SHAPES, 0.0) | given, rel=1e-5)


def test_a_photon_far_along_phi_is_a_second_maximum_in_the_strip() -> None:
    found = shapes_of({(15, 15): (6.0, 1.0), (16, 23): (2.0, 0.5)})
    second = {"second_energy": 0.25, "second_eta": SIDE, "second_phi": 8 * SIDE, "second_time": -0.5, "maxima": 2.0}
    strips = {"strip_phi": 0.25, "strip_eta": 0.0, "span_phi": 8 * SIDE, "span_eta": SIDE, "e5x5": 0.75, "crystals": 2.0}
    long = {"major": math.sqrt(0.75 * 0.25 * 65) * SIDE, "minor": 0.0}  # 65 = 8² + 1²
    assert {name: found[name] for name in second | strips | long} == pytest.approx(second | strips | long, rel=1e-5, abs=1e-7)


def test_what_stands_next_to_the_seed_is_no_second_maximum() -> None:
    found = shapes_of({(15, 15): (6.0, 1.0), (16, 16): (2.0, 0.5), (17, 17): (1.0, 0.5), (25, 4): (0.05, 0.0)})
    assert (found["second_energy"], found["maxima"]) == (pytest.approx(0.05 / 9.05), 1.0)


def test_a_round_gaussian_has_the_moments_of_one() -> None:
    place = np.arange(32) - 15.0
    blob = np.exp(-(place[:, None] ** 2 + place[None, :] ** 2) / (2 * 2.0**2)).astype(np.float32)
    jets = jets_from_images(np.stack([blob, 0 * blob])[None], META)
    found = dict(zip(SHAPES, shower_shapes(jets)[0].tolist(), strict=True))
    both = {"width": 2 * SIDE, "skewness": 0.0, "kurtosis": 3.0, "asymmetry": 0.0}
    given = {f"{name}_{axis}": value for name, value in both.items() for axis in ("eta", "phi")}
    given |= {"major": 2 * SIDE, "minor": 2 * SIDE, "cov_ieta_iphi": 0.0, "maxima": 1.0, "second_energy": 0.0}
    assert {name: found[name] for name in given} == pytest.approx(given, rel=1e-4, abs=1e-4)
    assert found["sigma_ieta_ieta"] == pytest.approx(found["sigma_iphi_iphi"])


def slow_shapes(energy: np.ndarray, time: np.ndarray) -> Shapes:
    """The same of one image, energy and time (rows, columns), crystal by crystal."""
    hit = {(i, j): float(e) for (i, j), e in np.ndenumerate(energy) if e > 0}
    when = {one: float(time[one]) for one in hit}
    total, (si, sj) = sum(hit.values()), max(hit, key=lambda one: hit[one])

    def box(up: range, along: range) -> float:
        return sum(hit.get((si + i, sj + j), 0.0) for i in up for j in along)

    two, one, just = range(-2, 3), range(-1, 2), range(1)
    near = {(i, j): hit[si + i, sj + j] for i in two for j in two if (si + i, sj + j) in hit}
    all25 = box(two, two)
    weights = {place: max(0.0, 4.7 + math.log(e / all25)) for place, e in near.items()}
    ci, cj = (sum(e * place[axis] for place, e in near.items()) / all25 for axis in (0, 1))
    heavy = sum(weights.values())

    def local(i: int, j: int) -> float:
        return SIDE_CMS**2 * sum(w * (x - ci) ** i * (y - cj) ** j for (x, y), w in weights.items()) / heavy

    mi, mj = (sum(e * place[axis] for place, e in hit.items()) / total for axis in (0, 1))

    def moment(i: int, j: int) -> float:
        return SIDE_CMS ** (i + j) * sum(e * (x - mi) ** i * (y - mj) ** j for (x, y), e in hit.items()) / total

    peaks = {
        (i, j): e
        for (i, j), e in hit.items()
        if max(abs(i - si), abs(j - sj)) > 1 and all(hit.get((i + a, j + b), 0.0) <= e for a in one for b in one)
    }
    pi, pj = max(peaks, key=lambda one: peaks[one])
    eigen = np.sqrt(np.linalg.eigvalsh(np.array([[moment(2, 0), moment(1, 1)], [moment(1, 1), moment(0, 2)]])))
    mean = sum(e * when[place] for place, e in hit.items()) / total
    rest = {place: e for place, e in hit.items() if place != (si, sj)}
    eta, phi = (
        sorted((box(*a), box(*b)))
        for a, b in (((range(-1, 0), just), (range(1, 2), just)), ((just, range(-1, 0)), (just, range(1, 2))))
    )
    found = {
        "energy": total,
        "e_max": hit[si, sj] / total,
        "e_2nd": sorted(near.values())[-2] / total,
        "r9": box(one, one) / total,
        "e5x5": all25 / total,
        "e2x2": max(box(range(a, a + 2), range(b, b + 2)) for a in (-1, 0) for b in (-1, 0)) / all25,
        "e1x5": box(just, two) / all25,
        "e5x1": box(two, just) / all25,
        "e2x5": max(box(range(-1, 1), two), box(range(2), two)) / all25,
        "eta_larger": eta[1] / total,
        "eta_smaller": eta[0] / total,
        "phi_larger": phi[1] / total,
        "phi_smaller": phi[0] / total,
        "sigma_ieta_ieta": math.sqrt(local(2, 0)),
        "sigma_iphi_iphi": math.sqrt(local(0, 2)),
        "cov_ieta_iphi": abs(local(1, 1)),
        "major": eigen[1],
        "minor": eigen[0],
        "crystals": len(hit),
        "crystals_1": sum(e > 0.01 * total for e in hit.values()),
        "crystals_5": sum(e > 0.05 * total for e in hit.values()),
        "maxima": 1 + sum(e > 0.01 * total for e in peaks.values()),
        "second_energy": peaks[pi, pj] / total,
        "second_eta": abs(pi - si) * SIDE_CMS,
        "second_phi": abs(pj - sj) * SIDE_CMS,
        "second_time": when[pi, pj] - when[si, sj],
        "time": mean,
        "time_spread": math.sqrt(sum(e * (when[place] - mean) ** 2 for place, e in hit.items()) / total),
        "time_seed": when[si, sj],
        "time_others": sum(e * when[place] for place, e in rest.items()) / sum(rest.values()) - when[si, sj],
    }
    for axis, name, own, power in ((0, "eta", si, (1, 0)), (1, "phi", sj, (0, 1))):
        other, across = 1 - axis, (sj, si)[axis]
        second, third, fourth = (moment(*(k * p for p in power)) for k in (2, 3, 4))
        found[f"asymmetry_{name}"] = abs(sum(e * np.sign(place[axis] - own) for place, e in hit.items())) / total
        strip = (e for place, e in hit.items() if abs(place[other] - across) <= 2 < abs(place[axis] - own))
        found[f"strip_{name}"] = sum(strip) / total
        found[f"width_{name}"] = math.sqrt(second)
        found[f"skewness_{name}"] = abs(third) / second**1.5
        found[f"kurtosis_{name}"] = fourth / second**2
        found[f"span_{name}"] = max(abs(place[axis] - own) for place, e in hit.items() if e > 0.01 * total) * SIDE_CMS
    return found


def dense(jets: Jets) -> np.ndarray:
    """Images (n, 2, 32, 32) of simulated jets."""
    images = np.zeros((len(jets), 2, 32, 32))
    for k in range(len(jets)):
        own = slice(jets.offsets[k], jets.offsets[k + 1])
        row, column = (np.rint(x[own] / SIDE_CMS + 15.5).astype(int) for x in (jets.eta, jets.phi))
        images[k, :, row, column] = jets.values[own]
    return images


def test_simulated_showers_have_the_shapes_that_their_crystals_have_one_by_one(showers: Jets) -> None:
    found = ShowerShapes.rows(showers)
    for row, (energy, time) in zip(found, dense(showers), strict=True):
        slow = slow_shapes(energy, time)
        assert dict(zip(SHAPES, row.tolist(), strict=True)) == pytest.approx(slow, rel=2e-4, abs=1e-6)


@pytest.mark.parametrize("mirrored", [(1, -1), (-1, 1), (-1, -1)])
def test_a_mirror_changes_nothing(mirrored: tuple[int, int], showers: Jets) -> None:
    eta, phi = (sign * x for sign, x in zip(mirrored, (showers.eta, showers.phi), strict=True))
    assert shower_shapes(replace(showers, eta=eta, phi=phi)) == pytest.approx(shower_shapes(showers), rel=1e-4, abs=1e-5)


def test_eta_and_phi_change_places_with_the_axes(showers: Jets) -> None:
    here, there = shower_shapes(showers), shower_shapes(replace(showers, eta=showers.phi, phi=showers.eta))
    for name in (one for one in SHAPES if "eta" in one and "phi" not in one):
        other = name.replace("eta", "phi")
        assert here[:, SHAPES.index(name)] == pytest.approx(there[:, SHAPES.index(other)], rel=1e-4, abs=1e-6), name


def test_only_the_energy_depends_on_its_unit(showers: Jets) -> None:
    scaled = replace(showers, values=showers.values * np.float32([1000, 1]))
    here, there = shower_shapes(showers), shower_shapes(scaled)
    assert there[:, 0] == pytest.approx(1000 * here[:, 0])
    assert there[:, 1:] == pytest.approx(here[:, 1:], rel=1e-4, abs=1e-5)


def test_a_shower_at_the_edge_of_an_oblong_image_has_windows_that_end_there() -> None:
    grid = Grid(rows=3, columns=8, eta_extent=0.03, phi_extent=0.16)
    crystals = {(0, 0): (6.0, 0.0), (2, 7): (1.0, 0.0), (1, 0): (1.0, 0.0)}
    row = shower_shapes(image_of(crystals, META.replace(grid=grid)))[0]
    found = dict(zip(SHAPES, row.tolist(), strict=True))
    given = {"e5x5": 7 / 8, "e5x1": 1.0, "second_eta": 0.04, "second_phi": 7 * 0.04, "eta_larger": 1 / 8}
    assert {name: found[name] for name in given} == pytest.approx(given)


def test_energies_of_several_channels_are_added_and_a_time_is_not_needed() -> None:
    two = tuple(Channel(name=name, unit="GeV", role="energy") for name in ("ecal", "preshower"))
    jets = image_of({(15, 15): (5.0, 1.0), (15, 17): (1.0, 1.0)}, META.replace(channels=two))
    whole = image_of({(15, 15): (6.0, 0.0), (15, 17): (2.0, 0.0)})
    assert np.array_equal(shower_shapes(jets), shower_shapes(whole))


def test_files_of_ml4sci_have_shower_shapes_as_simulated_images_have(showers: Jets) -> None:
    real = replace(showers, meta=shipped_card("ml4sci-electron-photon").meta(32, 32))
    assert np.array_equal(shower_shapes(real), shower_shapes(showers))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"grid": None}, "crystals, which are the pixels of an image, are needed; these jets are constituents"),
        ({"channels": (Channel(name="ecal", unit="", role="pt"), CHANNELS[1].replace(weight="ecal"))}, "role 'energy' is needed"),
    ],
)
def test_jets_that_are_no_crystals_are_refused(changed: dict[str, object], reason: str) -> None:
    jets = image_of({(15, 15): (8.0, 0.5)})
    with pytest.raises(DataFileError, match=f"for the view 'shower-shapes' .*{reason}"):
        shower_shapes(replace(jets, meta=jets.meta.replace(**changed)))
