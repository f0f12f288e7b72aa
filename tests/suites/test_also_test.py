"""A second test set is one that every arm can be scored on, or one clear error with the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jetbench.errors import SuiteError
from jetbench.formats.particles import ENERGY, PT
from jetbench.jets import Jets, save_jets
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate

TREES = (
    "arms={scratch: null, simclr: null, prior: {model: class-prior, regime: fit}}",
    "primary={arm: boosted-trees, baseline: prior}",
)


@pytest.fixture
def plan_with(suite_path: Path, tmp_path: Path) -> Callable[..., Plan]:
    def make(also: Jets, *overrides: str) -> Plan:
        save_jets(tmp_path / "other.h5", [also])
        suite = find_suite(str(suite_path))
        return make_plan(instantiate(suite, also_test=str(tmp_path / "other.h5"), overrides=overrides))

    return make


def elsewhere(jets: Jets) -> Jets:
    """The same jets by another detector, which tells pT and energy of a deposit and not what it is."""
    values = np.stack([jets.pt(), jets.pt()], axis=1)
    return replace(jets, meta=jets.meta.replace(channels=(PT, ENERGY)), values=values)


def test_only_runs_on_a_budget_carry_the_second_test_set(
    plan_with: Callable[..., Plan], plan_of: Callable[..., Plan], toy_jets: Jets
) -> None:
    plan, without = plan_with(toy_jets[:60]), plan_of()
    assert {run.spec.data for run in plan.runs.values() if run.spec.also_test} == {"budget"}
    assert all(run.spec.also_test for run in plan.runs.values() if run.spec.data == "budget")
    pretrained = {key for key, run in plan.runs.items() if run.kind == "pretrain"}
    assert pretrained == {key for key, run in without.runs.items() if run.kind == "pretrain"}
    assert not any(key in without.runs for key in plan.cells.values())
    assert plan.instance.name != without.instance.name
    assert (plan.instance.also[""].jets, plan.instance.also[""].meta) == (60, toy_jets.meta)


def test_jets_with_other_channels_are_shown_by_their_pt(plan_with: Callable[..., Plan], toy_jets: Jets) -> None:
    remedy = r"to the arm 'scratch': channels pt, energy against charged, photon, neutral; --set view\.image\.channels=pt"
    with pytest.raises(SuiteError, match=remedy):
        plan_with(elsewhere(toy_jets))
    plan = plan_with(elsewhere(toy_jets), "view.image.channels=pt")
    assert {run.spec.view.keywords().get("channels") for run in plan.runs.values() if run.arm == "scratch"} == {"pt"}


def test_tables_of_observables_need_the_pt_alone(plan_with: Callable[..., Plan], toy_jets: Jets) -> None:
    assert plan_with(elsewhere(toy_jets), *TREES).arms == ["boosted-trees", "prior"]
    mev = elsewhere(toy_jets)
    mev = replace(mev, meta=mev.meta.replace(channels=(PT.replace(unit="MeV"), ENERGY)))
    with pytest.raises(SuiteError, match=r"arm 'boosted-trees': for the view 'observables' .* these jets give pT in MeV"):
        plan_with(mev, *TREES)


def test_a_frame_that_nothing_mends_is_told_without_a_setting_that_would(plan_with: Callable[..., Plan], toy_jets: Jets) -> None:
    with pytest.raises(SuiteError, match="'scratch': isotropic False against True; take jets that were made alike"):
        plan_with(replace(toy_jets, meta=toy_jets.meta.replace(isotropic=False)))


def test_classes_match_by_name_in_the_order_of_the_labels(plan_with: Callable[..., Plan], toy_jets: Jets) -> None:
    turned = replace(toy_jets, meta=toy_jets.meta.replace(class_names=("top", "qcd")))
    with pytest.raises(
        SuiteError, match=r"has the classes top, qcd against qcd, top of the dataset, in the order .*; write it anew"
    ):
        plan_with(turned)
    renamed = replace(toy_jets, meta=toy_jets.meta.replace(class_names=("QCD", "top")))
    with pytest.raises(
        SuiteError, match=r"has the classes QCD, top against .*; where only the names differ, convert it again with --class-names"
    ):
        plan_with(renamed)
    unnamed = replace(toy_jets, meta=toy_jets.meta.replace(class_names=()), targets={})
    with pytest.raises(SuiteError, match="the second test set 'other': its jets have no labels"):
        plan_with(unnamed)
    regression = ("task={name: regression, options: {target: mass}}", "arms.boosted-trees=null")
    assert plan_with(turned, *regression).instance.also[""].jets == len(toy_jets)


def test_what_is_trained_on_is_no_second_test_set(suite_path: Path, toy_file: Path) -> None:
    suite = find_suite(str(suite_path))
    with pytest.raises(SuiteError, match="second test set is the dataset itself, which is trained on; name another file"):
        instantiate(suite, also_test=str(toy_file))
    simulated = ("dataset={name: top-vs-qcd, jets: 600}", "also_test.jets=600", "also_test.options={detector: cms}")
    assert instantiate(suite, also_test="top-vs-qcd", overrides=simulated).also[""].jets == 600
    with pytest.raises(SuiteError, match=r"which is trained on; --set also_test\.seed=1 makes others"):
        instantiate(suite, also_test="top-vs-qcd", overrides=simulated[:2])
    with pytest.raises(SuiteError, match="second test set is the unlabelled pool itself"):
        instantiate(
            suite, unlabelled="top-vs-qcd", also_test="top-vs-qcd", overrides=("unlabelled.jets=600", "also_test.jets=600")
        )
