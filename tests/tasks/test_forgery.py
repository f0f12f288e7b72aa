"""Targets that were made from labels, and honest ones that the labels explain well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jetbench.jets import Channel, Jets
from jetbench.tasks.forgery import explained, forgery, largest_correlation
from jetbench.tasks.regression import Regression
from jetbench.views.observables import simple_observables


def labels(jets: Jets) -> np.ndarray:
    return np.asarray(jets.targets["label"])


def drawn(jets: Jets, width: float) -> np.ndarray:
    """Masses of 91 and 125 GeV, by the label, with a normal width."""
    return np.where(labels(jets) == 1, 125.0, 91.0) + width * np.random.default_rng(1).normal(size=len(jets))


def test_the_share_that_classes_explain_by_hand() -> None:
    assert explained(np.array([0, 0, 1, 1]), np.array([1.0, 3, 5, 7])) == pytest.approx(1 - 4 / 20)
    assert explained(np.array([0, 1]), np.array([5.0, 5])) == 0.0


@pytest.mark.parametrize("width", [0.0, 1.0])
def test_a_function_of_the_label_is_refused(width: float, toy_jets: Jets) -> None:
    share = explained(labels(toy_jets), drawn(toy_jets, width))
    assert share >= 0.99
    text = forgery(toy_jets, drawn(toy_jets, width))
    assert text == f"is a function of their label: the means of the classes explain {100 * share:.4g} % of its variance (R²)"


@pytest.mark.parametrize("width", [5.0, 20.0])
def test_masses_drawn_class_by_class_follow_nothing_of_their_jets(width: float, toy_jets: Jets) -> None:
    share, text = explained(labels(toy_jets), drawn(toy_jets, width)), forgery(toy_jets, drawn(toy_jets, width))
    assert 0.3 < share < 0.95
    assert text.startswith(f"was made from their label: the means of the classes explain {100 * share:.3g} % of its variance")
    assert "largest rank correlation with mass, multiplicity, width, ptd, leading_fraction is 0." in text


def test_honest_masses_are_not_refused(toy_jets: Jets) -> None:
    """Those of the jets themselves, smeared as a detector does, of which the classes explain more than of some forged ones."""
    mass = simple_observables(toy_jets)[:, 0].astype(float)
    honest = mass * (1 + 0.1 * np.random.default_rng(2).normal(size=len(mass)))
    assert explained(labels(toy_jets), honest) > 0.7
    assert forgery(toy_jets, honest) == ""
    assert Regression().forged(toy_jets) == ""  # drawn without a look at the label, which explains nothing


def test_honest_masses_far_apart_are_not_refused(toy_jets: Jets) -> None:
    """The classes explain nearly all, and what is left still follows the jets."""
    mass = simple_observables(toy_jets)[:, 0].astype(float)
    honest = np.where(labels(toy_jets) == 1, 2000.0, 0.0) + mass
    assert explained(labels(toy_jets), honest) > 0.99
    assert forgery(toy_jets, honest) == ""


def test_what_cannot_be_judged_is_not_refused(toy_jets: Jets) -> None:
    """Without labels, without a momentum of the deposits, of few jets."""
    forged = drawn(toy_jets, 5.0)
    bare = replace(toy_jets, targets={"mass": forged})
    grey = replace(toy_jets, meta=toy_jets.meta.replace(channels=tuple(Channel(name=c, unit="") for c in "abc")))
    assert forgery(bare, forged) == forgery(grey, forged) == forgery(toy_jets[:300], forged[:300]) == ""
    assert forgery(grey, drawn(toy_jets, 0.0)) != ""


def test_correlations_are_those_inside_the_classes(toy_jets: Jets) -> None:
    """Means of the classes alone correlate with nothing there; what rises with the mass does so by rank."""
    rng, mass = np.random.default_rng(3), simple_observables(toy_jets)[:, 0].astype(float)
    assert largest_correlation(toy_jets, np.log(mass), labels(toy_jets)) == pytest.approx(1)
    assert largest_correlation(toy_jets, 100 * labels(toy_jets) + rng.normal(size=400), labels(toy_jets)) < 0.2


@pytest.mark.parametrize(
    ("column", "quantity"),
    [("gen_sdmass", "mass"), ("m0", "mass"), ("m", "mass"), ("jet_pt", "pt"), ("pt", "pt"), ("iphi", ""), ("gen_eta", "")],
)
def test_what_a_column_measures(column: str, quantity: str) -> None:
    assert Regression(target=column).quantity == quantity


def test_the_momentum_of_the_jets_can_be_asked_for(toy_jets: Jets) -> None:
    np.testing.assert_array_equal(Regression(target="pt").target(toy_jets), toy_jets.jet_pt)
    other = replace(toy_jets, targets={"pt": toy_jets.targets["mass"]})
    np.testing.assert_array_equal(Regression(target="pt").target(other), toy_jets.targets["mass"])
