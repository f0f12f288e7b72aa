from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import gaussian_kde, norm

from jetbench.models.floors import AnalyticMass, ClassMean, ClassPrior, GroomedMass, MassDistance, MassLikelihood
from jetbench.statistics.delong import auc

NAMES = ("noise", "mass")


def masses(jets: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Tables (jets, 2) and labels: signal peaks at 173 GeV, background falls from 40 GeV on, below and above the peak."""
    rng = np.random.default_rng(seed)
    labels = np.arange(jets) % 2
    mass = np.where(labels, rng.normal(173, 15, jets), 40 + rng.exponential(60, jets))
    return np.stack([rng.normal(size=jets), mass], axis=1), labels


def fitted(table: np.ndarray, labels: np.ndarray) -> MassLikelihood:
    model = MassLikelihood()
    model.fit(table, NAMES, labels, 0, 0.0)
    return model


@pytest.mark.parametrize("classes", [2, 3])
def test_the_shares_are_those_of_kernel_densities(classes: int) -> None:
    """Against scipy's densities, which are summed jet by jet, with one jet more anywhere between the ends."""
    table, labels = masses(600, 1)
    labels = labels + (np.arange(600) % 5 == 0) if classes == 3 else labels
    mass, seen = table[:, 1], np.linspace(50, 260, 40)
    reach = np.ptp(mass)
    weights = []
    for one in range(classes):
        own = mass[labels == one]
        density = gaussian_kde(own, bw_method=lambda kde: 1.06 * kde.n**-0.2)(seen)
        weights.append(len(own) * density + len(own) / len(mass) / reach)
    shares = np.array(weights) / np.sum(weights, axis=0)
    found = fitted(table, labels).predict(np.stack([seen, seen], axis=1))
    assert found == pytest.approx(shares[1] if classes == 2 else shares.T, abs=0.01)


def test_a_peak_has_background_on_both_sides() -> None:
    """No cut ranks it as well, and few labels come close to the likelihood ratio of the true densities."""
    table, labels = masses(4000, 2)
    mass = table[:, 1]
    true = auc(labels, norm.pdf(mass, 173, 15) / np.where(mass > 40, np.exp(-(mass - 40) / 60), 1e-9))
    found = auc(labels, fitted(*masses(160, 3)).predict(table))
    assert found > auc(labels, mass) + 0.05
    assert found == pytest.approx(true, abs=0.015)


def test_no_two_masses_inside_tie() -> None:
    table, labels = masses(160, 3)
    seen = np.linspace(table[:, 1].min(), 220, 5000)
    assert len(np.unique(fitted(table, labels).predict(np.stack([seen, seen], axis=1)))) > 4950


def test_what_was_never_seen_is_possible() -> None:
    """Far from all labelled jets of a class its share is small and not zero; beyond the ends it is that of the end."""
    table, labels = masses(160, 3)
    found = fitted(table, labels).predict(np.array([[0.0, 0.0], [0.0, 5000.0]]))
    assert 0 < found.min() <= found.max() < 1


def test_a_class_of_one_jet_and_equal_masses_have_a_density() -> None:
    table, labels = masses(40, 4)
    labels = np.where(np.arange(40) == 7, 2, labels)
    assert np.isfinite(fitted(table, labels).predict(table)).all()
    equal = np.full((6, 2), 80.0)
    assert fitted(equal, np.arange(6) % 2).predict(equal) == pytest.approx(np.full(6, 0.5))


def test_the_distance_from_the_top_looks_at_no_label() -> None:
    table, labels = masses(400, 5)
    one, other = MassDistance(), MassDistance()
    one.fit(table, NAMES, labels, 0, 0.0)
    other.fit(table, NAMES, 1 - labels, 0, 0.0)
    assert np.array_equal(one.predict(table), other.predict(table))
    assert auc(labels, one.predict(table)) == auc(labels, -np.abs(table[:, 1] - 172.5))
    ends = one.predict(np.array([[0, 172.5], [0, 0.8 * 172.5], [0, 1.2 * 172.5]]))
    assert ends == pytest.approx([1.0, 0.5, 0.5])


def test_another_signal_peaks_elsewhere() -> None:
    model = MassDistance(mass=80.4)
    model.fit(np.zeros((2, 2)), NAMES, np.array([0, 1]), 0, 0.0)
    assert np.argmax(model.predict(np.array([[0, 70.0], [0, 80.0], [0, 172.5]]))) == 1


def test_the_class_mean_is_that_of_the_training_jets_of_the_class(tmp_path: Path) -> None:
    model = ClassMean()
    classes, target = np.array([[0.0], [0], [1], [1], [3]]), np.array([40.0, 60, 170, 180, 90])
    model.fit(classes, ("label",), target, 0, 0.0)
    model.save(tmp_path)
    seen = np.array([[1.0], [0], [3], [2]])
    assert ClassMean.load(tmp_path).predict(seen).tolist() == [175, 50, 90, 108]  # of class 2 there was none: the mean of all
    model.fit(np.zeros((5, 1)), ("label",), target, 0, 0.0)
    assert model.predict(np.zeros((2, 1))).tolist() == [108, 108]


def test_the_analytic_mass_looks_at_no_target(tmp_path: Path) -> None:
    table, _ = masses(20, 1)
    model = AnalyticMass()
    model.fit(table, NAMES, np.full(20, np.nan), 0, 0.0)
    model.save(tmp_path)
    np.testing.assert_array_equal(AnalyticMass.load(tmp_path).predict(table), table[:, 1])


def test_the_groomed_mass_is_the_column_of_that_name(tmp_path: Path) -> None:
    table = np.array([[90.0, 172.0, 168.5], [20.0, 60.0, 3.5]])
    model = GroomedMass()
    model.fit(table, ("width", "mass", "softdrop_mass"), np.full(2, np.nan), 0, 0.0)
    model.save(tmp_path)
    assert GroomedMass.load(tmp_path).predict(table).tolist() == [168.5, 3.5]


@pytest.mark.parametrize("kind", [MassLikelihood, ClassPrior])
def test_floors_know_the_weights_of_jets(kind: type[MassLikelihood | ClassPrior]) -> None:
    """Equal weights change nothing, and a jet of no weight is no jet, but for the ends of the masses that are seen."""
    table, labels = masses(300, 4)
    inner = np.abs(table[:, 1] - 120) < 50
    weight = np.where(inner & (np.arange(300) % 3 == 0), 0.0, 1.0)

    def predicted(rows: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        model = kind()
        model.fit(table[rows], NAMES, labels[rows], 0, 0.0, weights)
        return model.predict(table)

    every = np.arange(300)
    assert predicted(every, np.ones(300)) == pytest.approx(predicted(every, None), abs=1e-9)
    kept = np.flatnonzero(weight)
    found, expected = predicted(every, weight * 300 / weight.sum()), predicted(kept, None)
    assert found == pytest.approx(expected, abs=0.02 if kind is MassLikelihood else 1e-9)
    assert np.abs(found - predicted(every, None)).max() > 0.01


def test_the_density_of_weighted_masses_is_that_of_scipy() -> None:
    rng = np.random.default_rng(5)
    table, labels = masses(600, 5)
    weight, mass = rng.exponential(size=600), table[:, 1]
    model = MassLikelihood()
    model.fit(table, NAMES, labels, 0, 0.0, weight / weight.mean())
    seen, densities = np.linspace(50, 260, 40), []
    for one in (labels == 0, labels == 1):
        density = gaussian_kde(mass[one], lambda kde: 1.06 * kde.neff**-0.2, weight[one])(seen)
        densities.append(weight[one].sum() * (density + 1 / len(mass) / np.ptp(mass)))
    assert model.predict(np.stack([seen, seen], axis=1)) == pytest.approx(densities[1] / sum(densities), abs=0.01)


def test_the_mean_of_a_class_is_weighted() -> None:
    model, table = ClassMean(), np.array([[0.0], [0], [1], [1]])
    model.fit(table, ("label",), np.array([10.0, 20, 30, 50]), 0, 0.0, np.array([3.0, 1, 1, 0]))
    assert model.predict(np.array([[0.0], [1], [7]])).tolist() == [12.5, 30, 16]
