from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from jetbench.errors import SuiteError
from jetbench.suites.plan import Plan
from jetbench.suites.stages import regimes

PlanOf = Callable[..., Plan]
OTHER = "arms.other={model: resnet15, regime: scratch"


@pytest.mark.parametrize(
    ("change", "difference", "word"),
    [
        (f"{OTHER}, model_options: {{dropout: 0.2}}}}", r"model\.dropout \(0\.0 against 0\.2\)", "model.dropout"),
        (f"{OTHER}, view: {{pixels: 12}}}}", r"view\.pixels \(8 against 12\)", "view.pixels"),
        (f"{OTHER}, recipes: {{supervised: {{passes: 640}}}}}}", r"recipe\.passes \(320 against 640\)", "recipe.passes"),
        (
            f"{OTHER}, recipes: {{supervised: {{weight_decay: 0.1}}}}}}",
            r"recipe\.weight_decay \(0\.0001 against 0\.1\)",
            "recipe",
        ),
        (f"{OTHER}, recipes: {{supervised: {{learning_rate: 0.1}}}}}}", r"recipe\.learning_rate", "recipe.learning_rate"),
        (f"{OTHER}, recipes: {{supervised: {{augmentation: [flip]}}}}}}", r"recipe\.augmentation", "recipe.augmentation"),
        (f"{OTHER}, seed_offset: 7}}", r"seed \(0 against 7\)", "seed"),
    ],
)
def test_a_difference_that_is_not_declared_is_printed(plan_of: PlanOf, change: str, difference: str, word: str) -> None:
    with pytest.raises(SuiteError, match=rf"'scratch' and 'other' differ in {difference}.*not declare under `varies`"):
        plan_of(change)
    assert "other" in plan_of(change, f"varies=[model, regime, {word}]").arms


def test_groups_explain_what_they_name(plan_of: PlanOf) -> None:
    with pytest.raises(SuiteError, match=r"'scratch' and 'simclr' differ in stages \(1 against 2\)"):
        plan_of("varies=[model]")
    with pytest.raises(SuiteError, match=r"'scratch' and 'boosted-trees' differ in model\.name"):
        plan_of("varies=[regime]")
    with pytest.raises(SuiteError, match=r"differ in trains \('all' against 'head'\)"):
        plan_of("arms.simclr.regime=random-frozen", "varies=[model]")
    with pytest.raises(SuiteError, match=r"differ in targets \('true' against 'shuffled'\)"):
        plan_of("arms.simclr.regime=shuffled-labels", "varies=[model]")
    with pytest.raises(SuiteError, match=r"differ in objective\.name \('supervised' against 'mixup'\)"):
        plan_of("arms.simclr.regime=mixup", "varies=[model]")


def test_a_regime_explains_no_more_than_it_does_differently(plan_of: PlanOf) -> None:
    longer = "arms.simclr.recipes.supervised.passes=640"
    with pytest.raises(SuiteError, match=r"differ in recipe\.passes"):
        plan_of(longer)
    long = "arms.long={model: resnet15, regime: scratch-long}"
    assert "long" in plan_of(long).arms
    with pytest.raises(SuiteError, match=r"differ in recipe\.weight_decay"):
        plan_of("arms.long={model: resnet15, regime: scratch-long, recipes: {supervised: {weight_decay: 0.5}}}")


def test_pretrainings_of_two_arms_are_compared_too(plan_of: PlanOf) -> None:
    other = "arms.other={model: resnet15, regime: simclr, recipes: {simclr: {passes: 1024}}}"
    with pytest.raises(SuiteError, match=r"'simclr' and 'other' differ in pretraining\.recipe\.passes \(512 against 1024\)"):
        plan_of(other)
    assert "other" in plan_of(other, "varies=[model, regime, recipe.passes]").arms


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ("recipes: {simclr: {passes: 1024}}", "recipe.passes"),
        ("recipes: {simclr: {passes: 1024}}", "pretraining.recipe.passes"),
        ("seed_offset: 7", "seed"),
        ("pool: {top: 0.3, qcd: 0.7}", "pool"),
        ("pool_jets: 100", "pool_jets"),
    ],
)
def test_a_regime_of_three_stages_can_be_declared(
    plan_of: PlanOf, monkeypatch: pytest.MonkeyPatch, other: str, word: str
) -> None:
    first = regimes["simclr"].stages[0]
    twice = replace(regimes["simclr"], name="twice", stages=(first, *regimes["simclr"].stages))
    monkeypatch.setitem(regimes._entries, "twice", twice)
    arms = ("arms.twice={model: resnet15, regime: twice}", f"arms.other={{model: resnet15, regime: twice, {other}}}")
    with pytest.raises(SuiteError, match="which the suite does not declare under `varies`"):
        plan_of(*arms)
    assert "other" in plan_of(*arms, f"varies=[model, regime, {word}]").arms


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("model.dropuot", r"nothing at 'model.dropuot' in a run; did you mean 'model.dropout'"),
        ("pretraining.recipe.passses", r"nothing at 'pretraining.recipe.passses' in a run; did you mean 'recipe.passes'"),
        ("view.pixel", "did you mean 'view.pixels'"),
        ("objective.temperatur", "did you mean 'objective.temperature'"),
        ("recipe.name", "nothing at 'recipe.name'"),
        ("recipes.supervised", "'recipes.supervised' is neither model, regime, pool, seed nor a dotted path"),
    ],
)
def test_a_path_at_which_no_run_has_anything_is_answered_with_the_nearest(plan_of: PlanOf, word: str, near: str) -> None:
    with pytest.raises(SuiteError, match=near):
        plan_of(f"varies=[model, regime, {word}]")


@pytest.mark.parametrize(
    "word", ["recipe", "pretraining", "model.head", "view.rows", "task.target", "pretraining.recipe.passes", "model.l2"]
)
def test_a_path_may_name_what_other_jets_or_arms_have(plan_of: PlanOf, word: str) -> None:
    assert plan_of(f"varies=[model, regime, {word}]").runs


def test_a_word_that_is_none_is_answered_with_those_that_are(plan_of: PlanOf) -> None:
    with pytest.raises(SuiteError, match=r"varies: 'regim' is neither model, regime, pool, seed nor a dotted path.*'regime'"):
        plan_of("varies=[model, regim]")


def test_a_scalar_that_one_arm_searches_and_another_keeps_is_a_difference(plan_of: PlanOf) -> None:
    search = "tuning={sampler: tpe, trials: 4, factors: [0.5, 2.0], search: {model.dropout: null}}"
    keeps = "arms.scratch.model_options.dropout=0.0"
    with pytest.raises(SuiteError, match=r"model\.dropout \(0\.0 against '0\.0, searched'\)"):
        plan_of(search, keeps)
    plan_of(search, keeps, "varies=[model, regime, model.dropout]")
