"""Study files: what they may say, what is searched where, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.errors import SuiteError, UnknownNameError
from jetbench.spaces import Space
from jetbench.suites.study_file import find_study, instantiate_study
from jetbench.suites.study_planning import StudyPlan

PlanOf = Callable[..., StudyPlan]


def spaces(plan: StudyPlan, arm: str) -> dict[str, Space]:
    (study,) = (plan.studies[digest] for digest, (name, _) in plan.named.items() if name == arm)
    return {one.path: one.space for one in study.searched}


def test_each_arm_is_a_search_with_chains_at_seeds_of_no_reported_run(plan_of_study: PlanOf) -> None:
    plan = plan_of_study()
    assert [plan.study_name(digest) for digest in plan.studies] == ["scratch/n60", "simclr/n60"]
    scratch, simclr = plan.studies.values()
    assert (scratch.seeds, scratch.trials, scratch.before, len(simclr.before)) == ((-1, -2), 5, (), 1)
    chains = simclr.chains(simclr.unsearched)
    assert [[run.seed for run in chain] for chain in chains] == [[-1, -1], [-2, -2]]
    assert all(last.start == first.digest() for first, last in chains)
    kinds = [run.kind for run in plan.runs.values()]
    assert (kinds.count("trial"), kinds.count("pretrain")) == (4, 2)  # of the first trials, one for each seed
    assert len({run.name for run in plan.runs.values()}) == len(plan.runs)


def test_what_holds_for_a_parameter(plan_of_study: PlanOf) -> None:
    """A value of the arm, a range of the arm, a range of the file, the default range, and else the default."""
    plan = plan_of_study("search={model.dropout: null}")
    assert spaces(plan, "scratch") == {
        "recipe.learning_rate": Space(low=0.0003, high=0.03, log=True),
        "model.dropout": Space(low=0.0, high=0.5),
    }
    assert spaces(plan, "simclr")["recipe.learning_rate"] == Space(low=0.001, high=0.01, log=True)
    own = plan_of_study("search={model.dropout: null}", "arms.simclr.model_options.dropout=0.2")
    assert set(spaces(own, "simclr")) == {"recipe.learning_rate"}
    given = plan_of_study("search={model.dropout: null}", "arms.simclr.recipes.supervised.learning_rate=0.002")
    assert set(spaces(given, "simclr")) == {"model.dropout"}


STRENGTH = "pretraining.recipe.augmentation.translation.distance"


def test_strengths_and_rates_of_a_pretraining_are_searched_where_there_is_one(plan_of_study: PlanOf) -> None:
    paths = (STRENGTH, "pretraining.recipe.learning_rate", "pretraining.objective.temperature", "view.pixels")
    ranges = dict.fromkeys(paths, "null") | {"view.pixels": "{choices: [8, 12]}"}
    text = "search={" + ", ".join(f"{path}: {space}" for path, space in ranges.items()) + "}"
    plan = plan_of_study(text)
    assert set(spaces(plan, "simclr")) == {"recipe.learning_rate", *paths}
    assert set(spaces(plan, "scratch")) == {"recipe.learning_rate", "view.pixels"}
    (study,) = (one for one in plan.studies.values() if one.before)
    own = study.unsearched
    assert (own[STRENGTH], own["pretraining.objective.temperature"], own["view.pixels"]) == (0.1, 0.07, 8)
    assert study.chains(own)[0] == tuple(study.chain)
    before, last = study.chains(own | {STRENGTH: 0.2, "view.pixels": 12})[1]
    steps = {step.name: step.keywords() for step in before.recipe.augmentation}
    assert steps["translation"] == {"distance": 0.2}
    assert {step.name: step.keywords() for step in last.recipe.augmentation}["translation"] == {"distance": 0.05}
    assert before.view.keywords()["pixels"] == last.view.keywords()["pixels"] == 12
    digest = next(digest for digest, one in plan.studies.items() if one.before)
    named = "pretraining-translation-distance0.2-lr0.001-temperature0.07-pixels8/s-1"
    assert plan.trial(digest, own | {STRENGTH: 0.2})[0][0].name == f"resnet15/simclr/n60/{named}"
    other = plan_of_study(text.replace(f"{STRENGTH}: null, ", ""), "arms.simclr.view.pixels=12")
    assert set(spaces(other, "simclr")) == {"recipe.learning_rate", *paths[1:3]}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["search={model.dropuot: null}"], r"no arm has a parameter at 'model.dropuot'; did you mean 'model.dropout'"),
        (
            ["search={recipe.learning_rate: null, model.dropout: null}", "arms.scratch.model_options.dropout=0.1"],
            "arms.scratch: nothing is searched for it",
        ),
        (["aims=[val/speed]"], r"there is no 'val/speed' to aim at; there are cost/flops, cost/parameters, val/auc, val/loss"),
        (["aims=[val/auc, cost/flops]", "pruner=asha"], "nothing is pruned where a study has several aims"),
        (["pruner=wilcoxon", "seeds=4"], "needs 5 of them or more"),
        (["sampler=grid"], "trials belong to every sampler but a grid"),
        (["sampler=cma-es"], "cma-es searches two ranges of numbers or more"),
        (["sampler=genetic"], "sampler: should be 'grid', 'random', 'qmc', 'tpe'"),
        (["arms.scratch.seed_offset=3"], "leave out labels and seed_offset"),
        (["arms.scratch.regime=scratch-long"], "trains as long as a suite's primary arm, and a study has none"),
        (["labels=350"], "100 test jets and 350 labels do not fit into the 400 jets"),
        (["pruner=asha", "search={recipe.epochs: {low: 2, high: 8}}"], "recipe.epochs cannot be searched"),
        (["arms.again={model: resnet15, regime: scratch}"], "arms.again: it is the arm 'scratch' again"),
    ],
)
def test_what_makes_no_sense_is_one_error(plan_of_study: PlanOf, overrides: list[str], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        plan_of_study(*overrides)


def test_a_cost_of_networks_is_no_aim_of_trees(plan_of_study: PlanOf) -> None:
    trees = "arms.trees={model: boosted-trees, regime: fit}"
    assert "recipe.learning_rate" in spaces(plan_of_study(trees), "trees")
    with pytest.raises(SuiteError, match="cost/flops is a cost of networks, and 'boosted-trees' is none"):
        plan_of_study(trees, "aims=[val/auc, cost/flops]")


def test_a_study_that_is_not_there_is_answered(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no study and no file 'nothing'"):
        find_study("nothing")
    (tmp_path / "s.yaml").write_text("study: s\nquestion: q\ncommon: {}\nscales: {quick: {trails: 3}}\n")
    with pytest.raises(SuiteError, match=r"unknown key 'trails'; did you mean 'trials'"):
        instantiate_study(find_study(str(tmp_path / "s.yaml")))
