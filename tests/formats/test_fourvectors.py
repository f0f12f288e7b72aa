"""Deposits and four-vectors are the same thing, to the precision of float32."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
import vector
from hypothesis import given, reject
from hypothesis import strategies as st

from jetbench.errors import DataFileError
from jetbench.formats.columns import labels
from jetbench.formats.fourvectors import Constituents, massless, padded, with_rapidity
from jetbench.formats.particles import ENERGY, PT, identify
from jetbench.jets import Meta

META = Meta(channels=(PT, ENERGY))

particle = st.tuples(st.floats(0.01, 2000), st.floats(-4, 4), st.floats(-np.pi, np.pi), st.floats(0, 2))
jet = st.lists(particle, min_size=1, max_size=8)


def lists(counts: list[int], *columns: list[float] | np.ndarray) -> list[ak.Array]:
    return [ak.unflatten(np.asarray(column, float), counts) for column in columns]


def of_momenta(counts: list[int], momentum: np.ndarray) -> ak.Array:
    """Four-vectors of px, py, pz and energy (k, 4)."""
    return vector.zip(dict(zip(("px", "py", "pz", "energy"), lists(counts, *momentum.T), strict=True)))


def cartesian(momentum: ak.Array) -> np.ndarray:
    """Return px, py, pz and energy (k, 4)."""
    return np.column_stack([ak.flatten(getattr(momentum, name)).to_numpy() for name in ("px", "py", "pz", "energy")])


def constituents(jets: list[list[tuple[float, ...]]], **more: object) -> Constituents:
    pt, eta, phi, mass = lists([len(members) for members in jets], *np.array([p for members in jets for p in members]).T)
    return Constituents(vector.zip({"pt": pt, "eta": eta, "phi": phi, "mass": mass}), **more)  # type: ignore[arg-type]


@given(st.lists(jet, min_size=1, max_size=4), st.sampled_from(["four-vector", "pt-weighted"]))
def test_round_trip(jets: list[list[tuple[float, ...]]], axis: str) -> None:
    given_ = constituents(jets, axis=axis)
    try:
        done, _ = given_.jets(META, 7, "here")
    except DataFileError:  # momenta that cancel have no direction
        reject()
    owner = np.repeat(np.arange(len(done)), np.diff(done.offsets))
    pt, energy = done.values.astype(float).T
    eta = done.eta.astype(float) + done.jet_eta[owner].astype(float)
    phi = done.phi.astype(float) + done.jet_phi[owner].astype(float)
    back = np.column_stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), energy])
    # an angle of up to 2π, or an eta of up to some tens, has float32's relative precision
    momentum = cartesian(given_.momentum)
    scale = np.abs(momentum).max(axis=1, keepdims=True)
    precision = 4e-7 * (7 + np.abs(done.eta) + np.abs(done.jet_eta[owner]))[:, None]
    assert (np.abs(back - momentum) <= precision * scale).all()
    assert ((done.phi >= -np.pi) & (done.phi < np.pi)).all()
    assert done.event.tolist() == list(range(7, 7 + len(jets)))


def test_kinematics_of_two_particles_in_closed_form() -> None:
    # m² = 2 pt₁ pt₂ (cosh Δη − cos Δφ) of two massless particles, across φ = ±π
    read = Constituents(massless(*lists([2], [100, 50], [0.3, -0.2], [3.1, -3.0])))
    jets, repairs = read.jets(META, 0, "here")
    delta = 2 * np.pi - 6.1
    assert jets.targets["mass"][0] == pytest.approx(np.sqrt(2 * 100 * 50 * (np.cosh(0.5) - np.cos(delta))), rel=1e-6)
    assert jets.jet_pt[0] == pytest.approx(np.sqrt(100**2 + 50**2 + 2 * 100 * 50 * np.cos(delta)), rel=1e-6)
    assert jets.phi[1] - jets.phi[0] == pytest.approx(delta, rel=1e-5)
    assert jets.eta[0] - jets.eta[1] == pytest.approx(0.5, rel=1e-5)
    assert not repairs


def test_the_pt_weighted_axis() -> None:
    momentum = massless(*lists([2], [100, 50], [0.3, -0.3], [3.1, -3.1]))
    jets, _ = Constituents(momentum, axis="pt-weighted").jets(META, 0, "here")
    assert jets.jet_eta[0] == pytest.approx(0.1)
    assert jets.jet_phi[0] == pytest.approx(3.1 + (2 * np.pi - 6.2) / 3)
    assert (100 * jets.eta[0] + 50 * jets.eta[1]) == pytest.approx(0, abs=1e-4)


def test_a_given_axis_is_kept() -> None:
    momentum = massless(*lists([1], [10], [1], [-3]))
    jets, _ = Constituents(momentum, axis=(np.array([0.25]), np.array([3.0]))).jets(META, 0, "here")
    assert (jets.eta[0], jets.phi[0]) == (pytest.approx(0.75), pytest.approx(2 * np.pi - 6.0))
    assert (jets.jet_eta[0], jets.jet_phi[0]) == (0.25, pytest.approx(3.0))


def test_a_negative_squared_mass_is_a_counted_repair() -> None:
    momentum = cartesian(massless(*lists([1, 1], [10, 10], [1, 1], [0, 0])))
    momentum[0, 3] *= 0.999
    jets, repairs = Constituents(of_momenta([1, 1], momentum)).jets(META, 0, "here")
    assert jets.targets["mass"][0] == 0
    assert repairs["negative squared mass set to zero"] in (1, 2)  # rounding decides on the second


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ((0, np.nan), "jet 12 has a momentum or energy that is NaN or infinite"),
        ((3, np.inf), "jet 12 has a momentum or energy that is NaN or infinite"),
        ((3, -1.0), "jet 12 has a constituent of negative energy"),
        ((2, 1e300), "jet 12 has .* that is NaN, infinite or too large"),
        (None, "jet 12 has a constituent without transverse momentum"),
    ],
)
def test_broken_values_name_the_row(change: tuple[int, float] | None, cause: str) -> None:
    momentum = cartesian(massless(*lists([2, 2, 2], np.full(6, 5.0), np.zeros(6), np.zeros(6))))
    if change is None:
        momentum[4, :2] = 0
    else:
        momentum[4, change[0]] = change[1]
    with pytest.raises(DataFileError, match=f"here: {cause}"):
        Constituents(of_momenta([2, 2, 2], momentum)).jets(META, 10, "here")


def test_a_jet_without_constituents_is_an_error() -> None:
    momentum = massless(*lists([1, 0, 1], np.full(2, 5.0), np.zeros(2), np.zeros(2)))
    with pytest.raises(DataFileError, match="here: jet 11 has no constituents"):
        Constituents(momentum).jets(META, 10, "here")


@pytest.mark.parametrize("label", [0.5, -1.0, 2.0, np.nan, np.inf])
def test_labels_are_whole_numbers_of_declared_classes(label: float) -> None:
    with pytest.raises(DataFileError, match=r"here: jet 4 has the label .* where labels are 0 … 1"):
        labels(np.array([0.0, label]), 2, 3, "here")
    assert labels(np.array([0.0, 7.0]), 0, 3, "here").tolist() == [0, 7]


def test_padding_is_taken_off() -> None:
    values = padded(np.array([[1, 0, 2], [0, 0, 3]]), np.array([[1, 0, 1], [0, 0, 1]], bool))
    assert values.tolist() == [[1, 2], [3]]


def test_rapidity_of_a_massive_particle() -> None:
    px, py, pz, energy = cartesian(with_rapidity(*lists([1], [3], [1.2], [0.4], [4])))[0]
    assert np.hypot(px, py) == pytest.approx(3)
    assert np.arctanh(pz / energy) == pytest.approx(1.2)
    assert energy**2 - px**2 - py**2 - pz**2 == pytest.approx(16)


def test_an_unknown_particle_is_of_no_kind() -> None:
    mass, channels, known = identify(np.array([-211.0, 1e9, 22.0]))
    assert known.tolist() == [True, False, True]
    assert channels["charge"].tolist() == [-1, 0, 0]
    assert mass.tolist() == [0.13957, 0, 0]
    assert sum(c[1] for c in channels.values()) == 0
