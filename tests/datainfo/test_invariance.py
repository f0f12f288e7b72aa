"""The card: shifts with their spread, also of pipelines; what cannot be measured of some jets is left out, with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from jetbench.data.batch import JetTensors
from jetbench.datainfo.card_plot import card_plot
from jetbench.datainfo.card_text import WIDTH, card_text
from jetbench.datainfo.invariance import Card, Shift, make_card, spread
from jetbench.evaluation.plots import save_png
from jetbench.jets import Grid, Jets
from jetbench.recipes import pipelines
from jetbench.seeds import numpy_rng, torch_rng
from jetbench.spec import Component, options
from jetbench.views import augment, augmentations
from jetbench.views.observables import OBSERVABLES, observables


@pytest.fixture(scope="module")
def some_jets(toy_jets: Jets) -> Jets:
    return toy_jets[:120]


def without_units(jets: Jets) -> Jets:
    return replace(jets, meta=jets.meta.replace(channels=tuple(c.replace(unit="") for c in jets.meta.channels)))


def row(card: Card, augmentation: str) -> dict[str, object]:
    rows = (card.none, *(row for part in card.parts for row in part.rows))
    return vars(next(row for row in rows if row.augmentation == augmentation))


def step(name: str, **strengths: float) -> Component:
    return Component(name=name, options=options(strengths))


def test_jets_in_gev_have_every_number(some_jets: Jets) -> None:
    card = make_card(some_jets)
    (part,) = card.parts
    assert [r.augmentation for r in part.rows] == [entry.name for entry in augmentations]
    assert card.none.mass == card.none.pt_percent == card.none.multiplicity == Shift(0, 0)
    assert not card.skipped
    assert not card.left_out
    assert not card.notes
    assert None not in row(card, "drop").values()
    assert row(card, "drop")["multiplicity"] < (0, 0)  # type: ignore[operator]


def test_without_units_there_is_no_mass_and_no_detector(some_jets: Jets) -> None:
    card = make_card(without_units(some_jets))
    assert {name for name, _ in card.skipped} == {"smearing", "drop"}
    assert all("these jets give no unit" in reason for _, reason in card.skipped)
    assert row(card, "rotation") == {
        **dict.fromkeys(("mass", "tau32", "auc")),
        "augmentation": "rotation",
        "pt_percent": (0, 0),
        "outside_percent": row(card, "rotation")["outside_percent"],
        "multiplicity": (0, 0),
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
    card = make_card(replace(some_jets, meta=meta, targets={"label": labels}))
    areas = [r.auc for r in (card.none, *card.parts[0].rows)]
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


def test_a_shift_is_told_with_its_spread_over_the_jets(toy_jets: Jets) -> None:
    """A scale of energies moves no mass on average, and each by a tenth; so it is by hand, with the jets that count."""
    scale = step("energy_scale", sigma=0.1)
    card = make_card(toy_jets, {"scaled": (scale,)})
    (found,) = card.parts[0].rows
    test = toy_jets.take(np.array_split(numpy_rng("card", 0).permutation(400), 2)[1])
    batch = JetTensors(test).batch(torch.arange(200))
    after = augment(batch, (scale,), torch_rng("card", 0))
    factor = (after.sum(after.pt()) / batch.sum(batch.pt())).numpy()
    top = test.targets["label"] == 1
    mass = observables(test)[:, OBSERVABLES.index("mass")]
    by_hand = [((factor - 1) * mass)[top], 100 * (factor - 1)[top]]
    for shift, changes in zip((found.mass, found.pt_percent), by_hand, strict=True):
        assert shift == pytest.approx((changes.mean(), changes.std()), rel=1e-3)
    assert found.multiplicity == (0, 0)
    assert card.shown == f"{top.sum()} jets of the class top"
    assert abs(found.mass.mean) < 0.3 * found.mass.deviation  # type: ignore[union-attr]


def test_a_pipeline_is_shown_step_by_step_and_all_together(some_jets: Jets) -> None:
    drop, scale = step("drop", rate=0.5, pt_scale=5.0), step("energy_scale", sigma=0.2)
    weak = {"weak": (step("drop", rate=0.01),)}
    card = make_card(some_jets, {"strong": (drop, scale), **weak, "none at all": ()}, {"rotation": "no axis"})
    strong, gentle, nothing = card.parts
    assert [row.augmentation for row in strong.rows] == ["drop", "energy_scale", "all together"]
    assert [row.augmentation for row in gentle.rows] == ["drop"]
    assert nothing.rows == ()
    alone, _, both = strong.rows
    assert both.multiplicity == alone.multiplicity  # the same deposits are lost, and then the energies are scaled
    assert both.mass.deviation > 3 * alone.mass.deviation  # type: ignore[union-attr]
    assert gentle.rows[0].multiplicity.mean > 0.1 * strong.rows[0].multiplicity.mean
    assert card == make_card(some_jets, {"strong": (drop, scale), **weak, "none at all": ()}, {"rotation": "no axis"})
    text = card_text(card)
    assert "\nstrong: drop(pt_scale=5, rate=0.5), energy_scale(resolution=0, sigma=0.2)\n" in text
    assert "\nweak: drop(pt_scale=2, rate=0.01)\n" in text
    assert "\nnone at all: no step\n" in text
    assert "\nskipped rotation: no axis" in text


def test_the_card_has_a_hundred_columns_and_a_spread_in_each_of_shifts(some_jets: Jets) -> None:
    card = make_card(some_jets, {entry.name: entry.steps for entry in pipelines})
    lines = card_text(card).splitlines()
    assert WIDTH == 100
    rows = [line for line in lines if "±" in line and not line.startswith("shifts")]
    assert len(rows) == 1 + sum(len(part.rows) for part in card.parts)
    assert all(len(line) == WIDTH and line.count("±") == 4 for line in rows)
    assert all(len(line) <= WIDTH for line in lines if not line.startswith(("note", "shifts")))
    assert f"over {card.shown}" in lines[-2 - len(card.notes)]


@pytest.mark.parametrize("case", ["all", "no units", "no pt"])
def test_the_card_is_drawn(some_jets: Jets, case: str, tmp_path: Path) -> None:
    channels = tuple(c.replace(unit="", role="energy") for c in some_jets.meta.channels)
    no_pt = replace(some_jets, meta=some_jets.meta.replace(channels=channels))
    jets = {"all": some_jets, "no units": without_units(some_jets), "no pt": no_pt}[case]
    card = make_card(jets, {"a$b$": (step("flip"), step("energy_scale", sigma=0.2))})
    figure = card_plot(card, "jets$\\frac$.h5")
    assert len(figure.axes) == {"all": 5, "no units": 2, "no pt": 1}[case]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["flip", "energy_scale", "all together"]
    (bars,) = figure.axes[0].containers[1].lines[2]
    (low, _), (high, _) = bars.get_segments()[0]
    shift = card.parts[0].rows[1].mass or card.parts[0].rows[1].pt_percent or card.parts[0].rows[1].multiplicity
    assert (low, high) == pytest.approx((shift.mean - shift.deviation, shift.mean + shift.deviation))
    save_png(figure, tmp_path / "card.png")
    assert (tmp_path / "card.png").stat().st_size > 5_000


def test_rows_of_one_name_are_told_apart_by_their_part(some_jets: Jets) -> None:
    strong, weak = (step("flip"), step("drop", rate=0.5)), (step("drop", rate=0.01), step("energy_scale", sigma=0.2))
    figure = card_plot(make_card(some_jets, {"strong": strong, "weak$": weak}))
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == [
        *("flip", "drop (strong)", "all together (strong)"),
        *("drop (weak\\$)", "energy_scale", "all together (weak\\$)"),
    ]


def test_a_sample_is_spread_over_a_file_of_one_class_after_the_other(toy_jets: Jets) -> None:
    ordered = toy_jets.take(np.argsort(toy_jets.targets["label"], kind="stable"))
    sample = spread(ordered, 100)
    assert len(sample) == 100
    assert np.bincount(sample.targets["label"]).tolist() == [50, 50]
    assert len(spread(toy_jets, 1000)) == len(toy_jets)
