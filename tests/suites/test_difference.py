"""What sets two arms or two runs apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from jetbench.cli import main
from jetbench.errors import SuiteError
from jetbench.spec import Component
from jetbench.suites.difference import arm_differences, chain_differences, difference_lines
from jetbench.suites.instances import remember
from jetbench.suites.plan import Plan


def test_arms_differ_in_what_the_suite_says_and_in_their_pretraining(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("arms.simclr.recipes.simclr={base: simclr-small, passes: 640, epochs: 2, batch_size: 64}")
    ((budgets, found),) = arm_differences(plan, "scratch", "simclr").items()
    assert budgets == (50, 100)
    paths = {path: (left, right) for path, left, right in found}
    assert paths["stages"] == (1, 2)
    assert paths["pretraining.objective.name"] == ("-", "simclr")
    assert paths["pretraining.recipe.passes"] == ("-", 640)
    assert paths["pretraining.recipe.augmentation.smearing"] == ("-", "yes scale=0.3")
    assert not any(path.startswith(("model", "recipe", "pretraining.model")) for path in paths)


def test_budgets_at_which_arms_differ_otherwise_stand_apart(plan_of: Callable[..., Plan]) -> None:
    few = ("few_labels=75", "recipes.supervised-few={base: supervised-small, passes: 160}", "varies=[model, regime, recipe]")
    plan = plan_of("tuning=null", *few, "arms.simclr.recipes.supervised-few={base: supervised-small, passes: 200}")
    found = arm_differences(plan, "scratch", "simclr")
    assert list(found) == [(50,), (100,)]
    assert ("recipe.passes", 160, 200) in found[50,]
    assert "recipe.passes" not in {path for path, _, _ in found[100,]}


def test_a_strength_of_an_augmentation_has_a_path_and_what_is_left_out_its_default(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("tuning=null")
    spec = next(run.spec for run in plan.runs.values() if run.kind == "pretrain")
    steps = tuple(
        Component(name=step.name, options=(("scale", 0.1),)) if step.name == "smearing" else step
        for step in spec.recipe.augmentation
        if step.name != "flip"
    )
    other = spec.replace(
        recipe=spec.recipe.replace(augmentation=steps), objective=spec.objective.replace(options=(("temperature", 0.5),))
    )
    assert chain_differences([spec], [other]) == [
        ("objective.temperature", 0.07, 0.5),
        ("recipe.augmentation.flip", "yes", "-"),
        ("recipe.augmentation.smearing.scale", 0.3, 0.1),
    ]
    turned = spec.replace(recipe=spec.recipe.replace(augmentation=spec.recipe.augmentation[::-1]))
    ((path, left, right),) = chain_differences([spec], [turned])
    assert (path, left.split()) == ("recipe.augmentation", right.split()[::-1])
    assert chain_differences([spec], [spec]) == []


def test_a_table_has_a_column_for_each_side() -> None:
    assert difference_lines(("a", "bc"), [("seed", 0, 1), ("recipe.passes", 320, 1000)]) == [
        "               a    bc",
        "seed           0    1",
        "recipe.passes  320  1000",
    ]
    assert difference_lines(("a", "b"), []) == ["no difference between a and b"]


def test_arms_that_cannot_be_compared_are_an_error(plan_of: Callable[..., Plan]) -> None:
    with pytest.raises(SuiteError, match="no common label budget"):
        arm_differences(
            plan_of("arms.boosted-trees.labels=[100]", "arms.few={model: boosted-trees, regime: fit, labels: smallest}"),
            "boosted-trees",
            "few",
        )


def test_runs_are_found_by_name_and_by_key(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of()
    remember(tmp_path, plan.instance)
    key = next(key for key, run in plan.runs.items() if run.name == "resnet15/scratch/n100/s1")

    def diff(*what: str) -> str:
        return CliRunner().invoke(main, ["diff", *what, "--store", str(tmp_path)]).output

    assert diff("resnet15/scratch/n50/s0", key[:10]).splitlines()[1:3] == [
        "labels  50                       100",
        "seed    0                        1",
    ]
    for name in ("scratch/n50/s0", "scratch/n50"):  # unfinished: as it is planned, of an arm at its first seed
        *_, labels, seed, tuned = diff(name, key[:10]).splitlines()
        assert [labels.split(), seed.split()] == [["labels", "50", "100"], ["seed", "0", "1"]]
        assert tuned == "scratch/n50/s0 is tuned on its validation labels; tried: learning rate 0.001, 0.003"
    assert "has no run or arm of the name or key 'skratch/n50/s0'; did you mean 'scratch/n50/s0'" in diff(key, "skratch/n50/s0")
    assert "pretraining.objective.name" in diff(key, "resnet15/simclr/n100/s1")
    assert diff("resnet15/scratch/n50/s0", "resnet15/scratch/n50/s0").startswith("no difference")


def test_arms_of_a_suite_are_compared_without_a_store(suite_path: Path) -> None:
    result = CliRunner().invoke(main, ["diff", "scratch", "simclr", "--suite", str(suite_path)])
    assert result.exit_code == 0
    assert "pretraining.recipe.passes" in result.output


def test_the_instance_of_the_store_is_compared_and_not_the_file_that_it_came_from(
    suite_path: Path, plan_of: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = plan_of("arms.simclr.model_options={dropout: 0.25}", "varies=[regime,model,model.dropout]")
    (tmp_path / "store").mkdir()
    remember(tmp_path / "store", plan.instance)

    def diff(*what: str) -> str:
        return CliRunner().invoke(main, ["diff", "scratch", "simclr", *what, "--store", str(tmp_path / "store")]).output

    for what in ((), ("--suite", plan.instance.suite), ("--suite", plan.instance.name[:-4])):
        assert "model.dropout" in diff(*what)
    assert "model.dropout" not in diff("--suite", str(suite_path))
    assert "pretraining.objective.name" in diff("--suite", "ssl-vs-scratch", "--scale", "smoke")


def test_a_suite_that_the_store_has_not_run_is_not_one_whose_name_begins_so(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    remember(tmp_path, plan_of().instance.replace(suite="ssl-vs-scratch-mass"))
    command = ["diff", "sets-scratch", "sets-simclr", "--suite", "ssl-vs-scratch", "--store", str(tmp_path)]
    assert "pretraining.objective.name" in CliRunner().invoke(main, command).output
