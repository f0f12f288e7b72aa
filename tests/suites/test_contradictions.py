"""What a suite says of a target that its augmentations change, that its jets do not have, or that was made from labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jetbench.engine.checks import check_data
from jetbench.errors import DataFileError, SuiteError
from jetbench.jets import Jets, save_jets
from jetbench.suites.contradictions import contradictions
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate

Planned = Callable[..., Plan]
FLOORS = """
    analytic-mass: {{model: analytic-mass, regime: fit}}
    class-mean: {{model: class-mean, regime: fit}}
"""


@pytest.fixture
def planned(suite_text: str, toy_jets: Jets, tmp_path: Path) -> Planned:
    """`planned("key=value", target=…, jets=…)`: the small suite with floors, asked for a mass."""

    def make(*overrides: str, target: str = "gen_mass", jets: Jets = toy_jets) -> Plan:
        save_jets(tmp_path / "jets.h5", [jets])
        text = suite_text.replace("\n  recipes:", f"{FLOORS}  recipes:", 1).format(dataset=tmp_path / "jets.h5")
        (tmp_path / "mini.yaml").write_text(text)
        task = f"task={{name: regression, options: {{target: {target}}}}}"
        return make_plan(instantiate(find_suite(str(tmp_path / "mini.yaml")), overrides=(task, *overrides)))

    return make


def test_each_augmentation_that_changes_the_mass_is_named_with_its_arms(planned: Planned) -> None:
    given = "augmentation: [rotation, flip, translation, smearing, energy_scale]"
    plan = planned(f"recipes.supervised={{{given}}}", "recipes.simclr={augmentation: [rotation, crop_zoom]}")
    assert contradictions(plan) == [
        "the augmentation energy_scale contradicts the target 'gen_mass': it changes the mass of a jet, so that in the trainings "
        "with labels of scratch, simclr jets are shown with another mass than their target says; "
        "leave it out of the recipe's `augmentation`",
        "the augmentation crop_zoom contradicts the target 'gen_mass': it changes the mass of a jet, so that in the pretraining "
        "of simclr the encoder learns to ignore the mass before it is to tell it; "
        "leave it out of the recipe's `augmentation`",
    ]


@pytest.mark.parametrize(("target", "named"), [("gen_pt", {"drop"}), ("pt", {"drop"}), ("gen_eta", set())])
def test_a_zoom_leaves_the_momentum_alone(target: str, named: set[str], planned: Planned, toy_jets: Jets) -> None:
    jets = replace(toy_jets, targets={**toy_jets.targets, "gen_eta": toy_jets.jet_eta})
    steps = "{augmentation: [crop_zoom, drop]}"
    plan = planned(f"recipes.supervised={steps}", f"recipes.simclr={steps}", target=target, jets=jets)
    assert {text.split()[2] for text in contradictions(plan)} == named
    skipped = f"the model 'analytic-mass' gives a mass, and the target is {target!r}"
    assert dict(plan.skipped) == {"arm analytic-mass": skipped}


def test_classes_are_contradicted_by_nothing(planned: Planned) -> None:
    plan = planned("task={name: classification, options: null}", "recipes.simclr={augmentation: [crop_zoom]}")
    assert contradictions(plan) == []
    assert {what for what, _ in plan.skipped} == {"arm analytic-mass", "arm class-mean"}


def test_a_target_that_is_not_there_is_an_error_with_those_that_are(planned: Planned) -> None:
    with pytest.raises(SuiteError, match=r"have no 'msd' to predict; targets that they have: gen_mass, gen_pt, .*, mass, pt"):
        planned(target="msd")


@pytest.mark.parametrize(
    ("width", "message"),
    [(0.0, r"'mass' that is a function of their label: .* explain 100 %"), (6.0, r"'mass' that was made from their label")],
)
def test_masses_made_from_labels_are_refused_with_the_figure(
    width: float, message: str, planned: Planned, toy_jets: Jets, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).normal(size=len(toy_jets))
    masses = np.where(toy_jets.targets["label"] == 1, 125, 91) + width * noise
    forged = replace(toy_jets, targets={**toy_jets.targets, "mass": masses.astype(np.float32)})
    plan = planned(target="mass", jets=forged)
    with pytest.raises(DataFileError, match=message):
        check_data(plan, tmp_path / "jets.h5", None)
    check_data(planned(target="gen_mass", jets=forged), tmp_path / "jets.h5", None)
