"""Jets that a run would see otherwise are refused with one error that names both sides and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.formats.particles import ENERGY, PT
from jetbench.inference.agreement import refuse_unlike
from jetbench.jets import Grid, Jets, Meta
from jetbench.spec import Component
from jetbench.views import views

Make = Callable[..., Any]


def elsewhere(jets: Jets, meta: Meta | None = None) -> Jets:
    """The same jets by another detector, which tells pT and energy of a deposit."""
    return replace(jets, meta=meta or jets.meta.replace(channels=(PT, ENERGY)), values=np.stack([jets.pt(), jets.pt()], axis=1))


def test_other_channels_are_refused_by_a_network_and_seen_alike_by_trees(toys_of: Make) -> None:
    toys = toys_of()
    jets = toys.jets[:30]
    with pytest.raises(
        DataFileError,
        match=r"resnet15 was trained on other jets than these, which are named first: channels pt, energy against charged, "
        r"photon, neutral; name a run that looks at the pT alone, which both have: boosted trees, or a view with `channels: pt`",
    ):
        toys.predictor("scratch").predict(elsewhere(jets))
    trees = toys.predictor("boosted-trees")
    np.testing.assert_allclose(trees.predict(elsewhere(jets)), trees.predict(jets), atol=1e-4)


def test_a_network_of_the_pt_alone_takes_jets_of_any_detector(toys_of: Make) -> None:
    toys = toys_of(2, "view.image.channels=pt")
    jets, network = toys.jets[:30], toys.predictor("scratch")
    np.testing.assert_allclose(network.predict(elsewhere(jets)), network.predict(jets), rtol=1e-4)


def test_another_grid_and_another_unit_are_refused(toys_of: Make) -> None:
    toys = toys_of()
    jets, network = toys.jets[:30], toys.predictor("scratch")
    grid = Grid(rows=125, columns=125, eta_extent=0.8, phi_extent=0.8)
    with pytest.raises(
        DataFileError, match=r"grid 125×125 over ±0.8 × ±0.8 against none \(constituents\); take jets that were made"
    ):
        network.predict(replace(jets, meta=jets.meta.replace(grid=grid)))
    channels = tuple(channel.replace(unit="MeV") for channel in jets.meta.channels)
    with pytest.raises(DataFileError, match="unit of the channel charged MeV against GeV"):
        network.predict(replace(jets, meta=jets.meta.replace(channels=channels)))


def test_a_floor_that_looks_at_the_classes_needs_the_same_ones(toys_of: Make) -> None:
    toys = toys_of()
    spec, here = toys.predictor("scratch").spec.replace(view=Component(name="label")), toys.jets.meta
    refuse_unlike(spec, views["label"], here, here)
    with pytest.raises(DataFileError, match="classes none against qcd, top"):
        refuse_unlike(spec, views["label"], here, here.replace(class_names=()))
