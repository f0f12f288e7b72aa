"""The weights of jets in the plan of a suite: for all arms alike, only where labels are seen, and not without a column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jetbench.data.weights import read_weights
from jetbench.engine.checks import check_data
from jetbench.errors import DataFileError, SuiteError
from jetbench.jets import Jets, save_jets
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.suites.weighting import weighting_lines

WEIGHTED = "sample_weight=weight"


@pytest.fixture
def weighted(suite_path: Path, toy_jets: Jets, tmp_path: Path) -> Callable[..., tuple[Plan, Path]]:
    """The plan of a suite on toy jets with these weights, and their file."""

    def make(*overrides: str, weight: np.ndarray | None = None) -> tuple[Plan, Path]:
        given = np.linspace(0, 2, len(toy_jets)) if weight is None else weight
        path = tmp_path / "weighted.h5"
        save_jets(path, [replace(toy_jets, targets={**toy_jets.targets, "weight": given.astype(np.float32)})])
        suite = find_suite(str(suite_path))
        return make_plan(instantiate(suite, dataset=str(path), overrides=(WEIGHTED, *overrides))), path

    return make


def test_all_trainings_with_labels_have_them_and_a_pretraining_has_none(weighted: Callable[..., tuple[Plan, Path]]) -> None:
    plan, path = weighted()
    found = {(run.kind, run.spec.sample_weight) for run in plan.runs.values()}
    assert found == {("pretrain", None), ("trial", "weight"), ("final", "weight")}
    check_data(plan, path, None)
    (line,) = weighting_lines(plan.instance.settings)
    assert "weighs the jets by 'weight' (sample_weight)" in line


def test_without_the_key_nothing_is_another_run(weighted: Callable[..., tuple[Plan, Path]]) -> None:
    with_key, without = weighted()[0], weighted("sample_weight=null")[0]
    assert not list(weighting_lines(without.instance.settings))
    of = {name: {run.key for run in plan.runs.values()} for name, plan in (("with", with_key), ("without", without))}
    pretrained = {run.key for run in without.runs.values() if run.kind == "pretrain"}
    assert of["with"] & of["without"] == pretrained
    assert all("sample_weight" not in run.spec.canonical() for run in without.runs.values())


def test_a_positive_control_sees_the_weights_in_both_stages(weighted: Callable[..., tuple[Plan, Path]]) -> None:
    control = (
        "arms.control={model: resnet15, regime: supervised-pretrained}",
        "recipes.supervised-pretraining={base: supervised-small, passes: 320}",
    )
    plan, _ = weighted(*control)
    told = [run.spec for run in plan.runs.values() if run.arm == "control"]
    assert {spec.sample_weight for spec in told} == {"weight"}
    assert {spec.data for spec in told} == {"pool-labelled", "budget"}


def test_what_cannot_be_weighted_is_left_out_with_the_reason(weighted: Callable[..., tuple[Plan, Path]]) -> None:
    plan, _ = weighted("arms.supcon={model: resnet15, regime: supcon}", "recipes.supcon={base: supervised-small, passes: 320}")
    assert dict(plan.skipped)["arm supcon"] == (
        "the loss of the objective 'supcon' knows no weights of jets, and the suite gives a sample_weight"
    )
    assert "supcon" not in plan.arms


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("sample_weight=wieght", r"sample_weight: the jets of .* have no target 'wieght' .* that they have: .*weight"),
        ("sample_weight=label", r"sample_weight: 'label' is what is predicted, and no weight of a jet"),
        ("sample_weight=pt", r"sample_weight: the jets of .* have no target 'pt'"),
    ],
)
def test_a_column_that_is_none_is_told_with_those_that_there_are(
    weighted: Callable[..., tuple[Plan, Path]], key: str, told: str
) -> None:
    with pytest.raises(SuiteError, match=told):
        weighted(key)


@pytest.mark.parametrize(
    ("weight", "told"),
    [
        (np.where(np.arange(400) % 200 == 7, -1, 1), "2 weights in 'weight' are negative or not .*; the first is -1, of jet 7"),
        (np.zeros(400), "the weights of all 300 jets that may be trained on are zero"),
    ],
)
def test_weights_that_are_none_are_told_before_any_training(
    weighted: Callable[..., tuple[Plan, Path]], weight: np.ndarray, told: str
) -> None:
    with pytest.raises(DataFileError, match=told):
        check_data(*weighted(weight=weight), None)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_none(toy_jets: Jets, value: float) -> None:
    weights = np.where(np.arange(400) == 3, value, 1.0)
    with pytest.raises(DataFileError, match=f"1 weights in 'weight' are negative or not finite; the first is {value}, of jet 3"):
        read_weights(replace(toy_jets, targets={**toy_jets.targets, "weight": weights}), "weight")
