from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from jetbench.errors import SuiteError
from jetbench.spaces import Space
from jetbench.spec import RunSpec
from jetbench.suites.parameters import decided
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.pruning import Result
from jetbench.suites.replay import open_round, replay, tried, walk
from jetbench.suites.studies import LEARNING_RATE, Searched, Study
from jetbench.suites.winner import winner

PlanOf = Callable[..., Plan]
GridOf = Callable[..., Study]


def search(study: Study, trials: int = 12) -> Study:
    """Two parameters by TPE, one of them a choice."""
    searched = (
        Searched(path=LEARNING_RATE, space=Space(low=1e-4, high=1e-1, log=True), own=1e-3),
        Searched(path="model.norm", space=Space(choices=("group", "batch")), own="group"),
    )
    found: Study = study.replace(sampler="tpe", searched=searched, trials=trials)
    return found


def outcome(spec: RunSpec) -> Result:
    """Four validation jets; the loss is the smaller, the nearer the rate is to 0.003."""
    rate = spec.recipe.learning_rate
    loss = 0.3 + abs(rate - 3e-3) * 10 + 0.01 * (spec.model.keywords().get("norm") == "batch")
    return measured(loss + np.array([-0.1, 0.0, 0.0, 0.1]))


def measured(losses: np.ndarray) -> Result:
    """A trial with these losses of its validation jets."""
    return Result(losses=losses, scores=(float(losses.mean()),))


def drive(study: Study, order: random.Random | None = None) -> list[Mapping[str, object]]:
    """Run the study to its end, its trials ending in some order; every look makes it again from what is known."""
    results: dict[int, Result] = {}
    while trials := open_round(study, results):
        pending = list(trials)
        if order:
            order.shuffle(pending)
        for number in pending:
            results[number] = outcome(study.trial(trials[number]))
            open_round(study, results)  # an interruption and a new start after each trial
    return list(tried(study, results).values())


def test_a_search_begins_with_the_values_of_the_recipe(study: Study) -> None:
    one = search(study)
    first = replay(one, {}).get_trials()[0].params
    assert first == {LEARNING_RATE: 1e-3, "model.norm": "group"} == one.unsearched
    assert one.known_values() == (first,)


@pytest.mark.parametrize("kind", ["grid", "tpe"])
def test_what_is_asked_depends_on_nothing_but_the_results(study: Study, grid: GridOf, kind: str) -> None:
    one = search(study) if kind == "tpe" else grid(1e-4, 3e-4, 1e-3, 3e-3)
    straight = drive(one)
    assert len(straight) == one.trials
    assert drive(one, random.Random(1)) == drive(one, random.Random(2)) == straight
    if kind == "tpe":
        assert len({params[LEARNING_RATE] for params in straight}) == 12
        assert {params["model.norm"] for params in straight} == {"group", "batch"}


def test_a_walk_stops_at_the_round_that_is_open(study: Study) -> None:
    one = search(study)
    trials, results = walk(one, lambda values, bar: None)
    assert (sorted(trials), results) == ([0, 1, 2, 3], {})
    first = [(values, outcome(one.trial(values))) for values in trials.values()]
    trials, results = walk(one, lambda values, bar: next((found for tried, found in first if tried == values), None))
    assert (sorted(trials), sorted(results)) == (list(range(8)), [0, 1, 2, 3])
    trials, results = walk(one, lambda values, bar: outcome(one.trial(values)))
    assert len(trials) == len(results) == 12
    assert winner(one, results) is not None


TPE = ("tuning.sampler=tpe", "tuning.trials=8", "tuning.factors=[0.1,10.0]")


def spaces(plan: Plan, arm: str) -> dict[str, Space]:
    study = plan.studies[plan.tuned[CellKey(arm, 50, 0)]]
    return {one.path: one.space for one in study.searched}


def test_a_range_of_the_suite_goes_before_the_default_range(plan_of: PlanOf) -> None:
    given = "tuning.search={model.dropout: null, recipe.weight_decay: {low: 0.01, high: 0.1}, model.l2: null}"
    plan = plan_of(*TPE, given)
    found = spaces(plan, "scratch")
    assert found["model.dropout"] == Space(low=0.0, high=0.5)
    assert found["recipe.weight_decay"] == Space(low=0.01, high=0.1)
    assert found[LEARNING_RATE] == Space(low=0.0001, high=0.01, log=True)
    assert "model.l2" not in found
    assert set(spaces(plan, "boosted-trees")) == {LEARNING_RATE, "model.l2"}


def test_what_an_arm_gives_itself_is_not_searched_there(plan_of: PlanOf) -> None:
    own = ("arms.scratch.model_options.dropout=0.2", "arms.scratch.recipes.supervised.weight_decay=0.01", "few_labels=null")
    searched = "tuning.search={model.dropout: null, recipe.weight_decay: null}"
    plan = plan_of(*TPE, *own, searched, "varies=[model, regime, model.dropout, recipe.weight_decay]")
    assert set(spaces(plan, "scratch")) == {LEARNING_RATE}
    assert set(spaces(plan, "simclr")) == {LEARNING_RATE, "model.dropout", "recipe.weight_decay"}


def test_a_search_that_every_arm_forestalls_is_refused(plan_of: PlanOf) -> None:
    with pytest.raises(SuiteError, match=r"every arm that has 'model.l2' gives it a value of its own"):
        plan_of(*TPE, "tuning.search={model.l2: null}", "arms.boosted-trees.model_options.l2=1.0")


SHAPES = "tuning.search={model.stages: {choices: [8-16, 16-32]}, model.head_dropout: {choices: [0.1, 0.3]}}"


def test_a_trial_with_another_encoder_trains_its_own_pretraining(plan_of: PlanOf) -> None:
    """Widths hold for all runs of a chain, options of the head for the last one alone."""
    plan = plan_of(*TPE, SHAPES, "tuning.per=seed", "tuning.labels=each")
    digest = plan.tuned[CellKey("simclr", 50, 0)]
    study, own = plan.studies[digest], plan.runs[plan.cells[CellKey("simclr", 50, 0)]]
    assert study.unsearched == {LEARNING_RATE: 0.001, "model.stages": "8-16", "model.head_dropout": 0.3}
    assert study.trial(study.unsearched) == own.spec
    for values, shared in (({"model.head_dropout": 0.1}, True), ({"model.stages": "16-32"}, False)):
        ((pretraining, trial),) = plan.trial(digest, study.unsearched | values)
        assert (trial.spec.start, pretraining.kind) == (pretraining.key, "pretrain")
        assert (pretraining.key == own.spec.start) == shared
        options = {path.removeprefix("model."): value for path, value in values.items()}
        assert trial.spec.model.keywords() == own.spec.model.keywords() | options
    assert pretraining.spec.model.keywords() == {"dropout": 0.0, "stages": "16-32"}
    assert pretraining.name == "resnet15/simclr/n50/s0/pretraining-stages16-32"
    assert plan.studies[plan.tuned[CellKey("scratch", 50, 0)]].before == ()


def test_an_arm_in_which_nothing_is_searched_has_no_study(plan_of: PlanOf) -> None:
    plan = plan_of("tuning={sampler: tpe, trials: 5, factors: [1.0], search: {model.dropout: null}}")
    tuned = {cell.arm for cell in plan.tuned}
    assert tuned >= {"scratch", "simclr"}
    assert "boosted-trees" not in tuned


def test_what_is_not_searched_has_the_value_of_the_suite_or_the_default(plan_of: PlanOf) -> None:
    plan = plan_of(*TPE, "tuning.search={model.dropout: null}", "model_options.resnet15.head_dropout=0.1")
    study = plan.studies[plan.tuned[CellKey("scratch", 50, 0)]]
    own = {one.path: one.own for one in study.searched}
    assert own == {LEARNING_RATE: 0.001, "model.dropout": 0.0}
    trial = study.trial({LEARNING_RATE: 0.002, "model.dropout": 0.3})
    assert dict(trial.model.options) == {"dropout": 0.3, "head_dropout": 0.1, "stages": "8-16"}
    assert trial.recipe.learning_rate == 0.002


def test_a_parameter_that_no_arm_has_is_answered_with_the_nearest(plan_of: PlanOf) -> None:
    with pytest.raises(SuiteError, match=r"no arm has a parameter at 'model.dropuot'; did you mean 'model.dropout'"):
        plan_of(*TPE, "tuning.search={model.dropuot: null}")
    with pytest.raises(SuiteError, match=r"'recipe.clip' has no default range; give it one"):
        plan_of(*TPE, "tuning.search={recipe.clip: null}")
    with pytest.raises(SuiteError, match=r"'model.dropout' has a range, and a grid tries choices"):
        plan_of("tuning.search={model.dropout: null}")


@pytest.mark.parametrize(
    ("path", "space", "message"),
    [
        ("recipe.batch_size", "{low: 16.0, high: 64.0}", r"recipe\.batch_size cannot be 16\.0; it should be a valid integer"),
        ("recipe.batch_size", "{choices: [1, 32]}", r"recipe\.batch_size cannot be 1; it should be greater than or equal to 2"),
        ("recipe.batch_size", "{choices: [null, 32]}", r"recipe\.batch_size cannot be None"),
        ("recipe.schedule", "{choices: [foo, cosine]}", r"recipe\.schedule cannot be 'foo'; it should be 'constant', 'cosine'"),
        ("recipe.schedule", "{low: 0, high: 1}", r"recipe\.schedule cannot be 0"),
        ("recipe.patience", "{low: 1.0, high: 5.0}", r"recipe\.patience cannot be 1\.0"),
        ("model.dropout", "{choices: [none, 0.1]}", r"model\.dropout is 'none'; it is of the kind of its default, 0\.1"),
        ("model.norm", "{low: 0, high: 1}", r"model\.norm is 0; it is of the kind of its default, 'group'"),
        ("objective.projection", "{choices: [0.5]}", "no arm has a parameter"),
        ("model.trees", "{low: 10, high: 20.5}", r"model\.trees is 20\.5; it is of the kind of its default, 100"),
    ],
)
def test_a_range_that_a_parameter_cannot_have_is_refused_by_the_plan(
    plan_of: PlanOf, path: str, space: str, message: str
) -> None:
    with pytest.raises(SuiteError, match=rf"tuning\.search: {message}"):
        plan_of(*TPE, f"tuning.search={{{path}: {space}}}")


def test_a_range_is_one_of_whole_numbers_only_where_the_parameter_is_one(plan_of: PlanOf) -> None:
    given = "{model.dropout: {low: 0, high: 1}, recipe.warmup: {low: 0, high: 0.5}, recipe.batch_size: {low: 16, high: 64}}"
    found = spaces(plan_of(*TPE, f"tuning.search={given}"), "scratch")
    assert {path: space.whole for path, space in found.items()} == {
        LEARNING_RATE: False,
        "model.dropout": False,
        "recipe.warmup": False,
        "recipe.batch_size": True,
    }
    choices = spaces(plan_of(*TPE, "tuning.search={model.dropout: {choices: [0, 1, 0.5]}}"), "scratch")["model.dropout"].choices
    assert [type(choice) for choice in choices] == [float] * 3


@pytest.mark.parametrize("values", [{"model.dropout": 0}, {"model.dropout": 0.0}, {"model.norm": "group"}])
def test_a_chosen_default_makes_the_run_that_has_it_without_a_search(plan_of: PlanOf, values: dict[str, float | str]) -> None:
    searched = ("tuning.search={model.dropout: null, model.norm: null}", "varies=[model, regime, model.norm]")
    plan = plan_of(*TPE, *searched, "arms.simclr.model_options.norm=group")
    study = plan.studies[plan.tuned[CellKey("scratch", 50, 0)]]
    assert study.trial(values).digest() == study.template.digest()
    final = plan.runs[plan.cells[CellKey("scratch", 50, 0)]].spec
    open_still = tuple(one for one in final.chosen if one.path not in values)
    assert decided([final], values)[0].digest() == final.replace(chosen=open_still).digest()
    ((trial,),) = plan.trial(study.digest(), {LEARNING_RATE: 0.002, **values})
    name = trial.name
    assert name.endswith("trial-lr0.002-dropout0-normgroup")
