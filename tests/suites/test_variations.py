"""What a suite file may say of other test sets, and what is told of what it may not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.errors import SuiteError
from jetbench.spec import DatasetRef, Variation
from jetbench.suites.plan import Plan
from jetbench.suites.suite import Instance, find_suite, instantiate

SEVERAL = (
    "also_test={mpi: {name: top-vs-qcd, options: {mpi: true}}, large: {name: top-vs-qcd, jets: 300, seed: 1}, "
    "up: {energy_scale: 1.02}, few: {shares: {top: 0.1, qcd: 0.9}}}"
)


def test_several_are_named_and_as_large_as_the_own_one(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(SEVERAL)
    assert [one.name for one in plan.instance.variations] == ["mpi", "large", "up", "few"]
    assert {name: other.jets for name, other in plan.instance.also.items()} == {"mpi": 100, "large": 300}
    mpi, _, up, few = plan.instance.variations
    assert mpi.dataset is not None
    assert (up.dataset, up.energy_scale, few.shares) == (None, 1.02, (("qcd", 0.9), ("top", 0.1)))
    assert {run.spec.variations for run in plan.runs.values() if run.spec.on_budget} == {plan.instance.variations}
    assert not any(run.spec.variations for run in plan.runs.values() if not run.spec.on_budget)
    assert Instance.model_validate_json(plan.instance.model_dump_json()).name == plan.instance.name


def test_a_scale_takes_away_and_adds_by_name(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(SEVERAL, "also_test.mpi=null", "also_test.down={energy_scale: 0.98}")
    assert [one.name for one in plan.instance.variations] == ["large", "up", "few", "down"]
    assert plan.instance.name != plan_of(SEVERAL).instance.name


def test_one_named_test_set_is_not_the_single_one(plan_of: Callable[..., Plan]) -> None:
    single = plan_of("also_test={name: top-vs-qcd, jets: 300}").instance
    named = plan_of("also_test={other: {name: top-vs-qcd, jets: 300}}").instance
    assert isinstance(single.also_test, DatasetRef)
    assert named.also_test == (Variation(name="other", dataset=single.also_test),)


def test_what_a_store_has_kept_of_a_single_one_is_read_under_its_name(plan_of: Callable[..., Plan]) -> None:
    for given in ("also_test={name: top-vs-qcd, jets: 300}", "seeds=2"):
        instance = plan_of(given).instance
        kept = json.loads(instance.model_dump_json())
        other = kept.pop("also").get("", {"meta": None, "targets": [], "jets": 0})
        kept |= {f"also_{key}": value for key, value in other.items()}
        read = Instance.model_validate(kept)
        assert (read.name, read.also) == (instance.name, instance.also)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{up: {energy_scal: 1.02}}", "unknown key 'also_test.up.energy_scal'; did you mean 'energy_scale'"),
        ("{name: top-vs-qcd, jest: 300}", "unknown key 'also_test.jest'; did you mean 'jets'"),
        ("{up: {energy_scale: 3}}", r"also_test.up.energy_scale: should be less than or equal to 2 \(given: 3\)"),
        ("{up: {}}", "give one of the three, not none"),
        ("{up: {energy_scale: 1.1, name: a.h5}}", "give one of the three, not name and energy_scale"),
        ("{up: {energy_scale: 1.1, jets: 50}}", "jets, seed and options belong to other jets"),
        ("{up: {energy_scale: 1}}", "at the energy_scale 1 it is the own test set itself"),
        ("{Up: {energy_scale: 1.1}}", "also_test.Up"),
        ("{few: {shares: {top: 0.1, qcd: 0.8}}}", "add up to 1"),
    ],
)
def test_one_clear_error_names_cause_and_remedy(suite_path: Path, given: str, told: str) -> None:
    with pytest.raises(SuiteError, match=told) as caught:
        instantiate(find_suite(str(suite_path)), overrides=(f"also_test={given}",))
    assert len(str(caught.value).splitlines()) == 1


def test_shares_name_every_class_of_the_jets(plan_of: Callable[..., Plan]) -> None:
    with pytest.raises(
        SuiteError, match=r"test set 'few' has shares of qcd, tops; name each class of these jets once \(qcd, top\)"
    ):
        plan_of("also_test={few: {shares: {tops: 0.1, qcd: 0.9}}}")


def test_the_jets_that_are_trained_on_are_no_other_test_set(suite_path: Path) -> None:
    same = ("dataset={name: top-vs-qcd, jets: 600}", "also_test={twin: {name: top-vs-qcd, jets: 600}}")
    with pytest.raises(
        SuiteError, match=r"test set 'twin' is the dataset itself, .*; --set also_test\.twin\.seed=1 makes others"
    ):
        instantiate(find_suite(str(suite_path)), overrides=same)
