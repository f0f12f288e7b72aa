"""The card on jets that lack something: what cannot be measured is left out, with the reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jetbench.datainfo.invariance import Card, card_text, make_card, spread
from jetbench.jets import Grid, Jets
from jetbench.views import augmentations


@pytest.fixture(scope="module")
def some_jets(toy_jets: Jets) -> Jets:
    return toy_jets[:120]


def without_units(jets: Jets) -> Jets:
    return replace(jets, meta=jets.meta.replace(channels=tuple(c.replace(unit="") for c in jets.meta.channels)))


def row(card: Card, augmentation: str) -> dict[str, float | None]:
    return vars(next(row for row in card.rows if row.augmentation == augmentation))


def test_jets_in_gev_have_every_number(some_jets: Jets) -> None:
    card = make_card(some_jets)
    assert [r.augmentation for r in card.rows] == ["none", *(entry.name for entry in augmentations)]
    assert not card.skipped
    assert not card.left_out
    assert not card.notes
    assert None not in row(card, "drop").values()
    assert row(card, "drop")["multiplicity"] < 0  # type: ignore[operator]


def test_without_units_there_is_no_mass_and_no_detector(some_jets: Jets) -> None:
    card = make_card(without_units(some_jets))
    assert {name for name, _ in card.skipped} == {"smearing", "drop"}
    assert all("these jets give no unit" in reason for _, reason in card.skipped)
    assert row(card, "rotation") | {"pt_percent": 0} == {
        **dict.fromkeys(("mass", "tau32", "auc")),
        "augmentation": "rotation",
        "pt_percent": 0,
        "outside_percent": row(card, "rotation")["outside_percent"],
        "multiplicity": 0,
    }
    text = card_text(card)
    assert "–" in text
    assert "skipped smearing: deposits with pT in GeV are needed" in text
    assert "left out: mass, tau32 and trees" in text


def test_without_a_pt_channel_only_counting_is_left(some_jets: Jets) -> None:
    channels = tuple(c.replace(unit="", role="energy") for c in some_jets.meta.channels)
    found = row(make_card(replace(some_jets, meta=some_jets.meta.replace(channels=channels, isotropic=False))), "flip")
    assert {name for name, value in found.items() if value is not None} == {"augmentation", "multiplicity"}


@pytest.mark.parametrize("names", [(), ("qcd",), ("qcd", "top")])
def test_without_several_classes_there_are_no_trees(some_jets: Jets, names: tuple[str, ...]) -> None:
    targets = {"label": np.zeros(len(some_jets), np.int32)} if names else {}
    card = make_card(replace(some_jets, meta=some_jets.meta.replace(class_names=names), targets=targets))
    assert row(card, "rotation")["auc"] is None
    assert row(card, "rotation")["mass"] is not None
    assert "shifts are those of all jets" in card_text(card)


def test_many_classes_have_a_mean_auc(some_jets: Jets) -> None:
    labels = some_jets.targets["label"] + (np.arange(len(some_jets), dtype=np.int32) % 4 == 3)
    meta = some_jets.meta.replace(class_names=("qcd", "top", "other"))
    areas = [r.auc for r in make_card(replace(some_jets, meta=meta, targets={"label": labels})).rows]
    assert all(area is not None and 0.4 < area < 1 for area in areas)
    assert len(set(areas)) > 1


def test_the_frame_is_that_of_the_jets(some_jets: Jets) -> None:
    grid = Grid(rows=16, columns=16, eta_extent=1.2, phi_extent=0.2)
    inside = some_jets.eta[:], some_jets.phi[:]
    share = some_jets.pt()[(np.abs(inside[0]) > 1.2) | (np.abs(inside[1]) > 0.2)].sum() / some_jets.pt().sum()
    narrow = row(make_card(without_units(replace(some_jets, meta=some_jets.meta.replace(grid=grid)))), "none")
    assert narrow["outside_percent"] == pytest.approx(100 * share, rel=0.2)  # measured on half of the jets


def test_jets_without_an_observable_are_counted(some_jets: Jets) -> None:
    """Every jet of three deposits has three places at most, and none has four."""
    first = some_jets.offsets[:-1, None] + np.arange(3)
    few = replace(
        some_jets,
        offsets=3 * np.arange(len(some_jets) + 1),
        **{name: getattr(some_jets, name)[first.ravel()] for name in ("eta", "phi", "values")},
    )
    card = make_card(few)
    assert "none: 60 of 60 jets have no tau43 (fewer than 4 separate deposits): 0 stands for it" in card.notes
    assert not [note for note in card.notes if note.startswith("rotation")], "a rotation changes nothing of that"
    assert [note for note in card.notes if note.startswith("drop: ")], "lost deposits leave more jets without"
    assert f"note: {card.notes[0]}" in card_text(card)


def test_a_sample_is_spread_over_a_file_of_one_class_after_the_other(toy_jets: Jets) -> None:
    ordered = toy_jets.take(np.argsort(toy_jets.targets["label"], kind="stable"))
    sample = spread(ordered, 100)
    assert len(sample) == 100
    assert np.bincount(sample.targets["label"]).tolist() == [50, 50]
    assert len(spread(toy_jets, 1000)) == len(toy_jets)
