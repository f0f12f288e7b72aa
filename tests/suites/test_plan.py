from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jetbench.errors import SuiteError
from jetbench.jets import Jets, save_jets
from jetbench.spec import RunSpec
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.roles import Role
from jetbench.suites.stages import regimes
from jetbench.suites.suite import find_suite, instantiate

PlanOf = Callable[..., Plan]


def kinds(plan: Plan) -> Counter[str]:
    return Counter(run.kind for run in plan.runs.values())


def last(plan: Plan, arm: str, labels: int = 100, seed: int = 0) -> RunSpec:
    return plan.runs[plan.cells[CellKey(arm, labels, seed)]].spec


def test_runs_are_counted_before_anything_runs(plan_of: PlanOf) -> None:
    """Two seeds, two budgets, three arms; each arm tries two rates, and the pretrained one starts its trials from an encoder of
    their own."""
    plan = plan_of()
    assert kinds(plan) == {"pretrain": 3, "trial": 6, "final": 12}
    assert len(plan.cells) == 12
    assert len({run.name for run in plan.runs.values()}) == len(plan.runs)
    assert kinds(plan_of("tuning.labels=each")) == {"pretrain": 3, "trial": 12, "final": 12}
    assert kinds(plan_of("tuning=null")) == {"pretrain": 2, "final": 12}


def test_a_run_comes_after_what_it_starts_from(plan_of: PlanOf) -> None:
    seen: set[str] = set()
    for key, run in plan_of().runs.items():
        assert run.spec.start is None or run.spec.start in seen
        seen.add(key)


def test_pretraining_is_shared_across_budgets_and_not_across_seeds(plan_of: PlanOf) -> None:
    plan = plan_of()
    assert last(plan, "simclr", 50, 0).start == last(plan, "simclr", 100, 0).start != last(plan, "simclr", 50, 1).start
    shared = plan_of("pretraining_seeds=1")
    starts = {last(shared, "simclr", labels, seed).start for labels in (50, 100) for seed in (0, 1)}
    assert starts == {last(plan, "simclr", 50, 0).start}


def pretrained(plan: Plan) -> set[str]:
    return {key for key, run in plan.runs.items() if run.kind == "pretrain"}


REGRESSION = "task={name: regression, options: {target: gen_mass}}"
CONTROL = (
    "arms.control={model: resnet15, regime: supervised-pretrained}",
    "recipes.supervised-pretraining={base: supervised-small, passes: 320}",
)


def test_a_pretraining_without_labels_is_one_for_all_tasks_and_heads(plan_of: PlanOf) -> None:
    plan = plan_of("labels=[100]")
    other = plan_of("labels=[100]", REGRESSION, "model_options.resnet15.head=mlp")
    assert pretrained(plan) == pretrained(other)
    assert not plan.runs.keys() & other.runs.keys() - pretrained(plan)
    assert {run.spec.model.keywords().get("head") for run in other.runs.values() if run.kind == "final"} == {"mlp", None}
    one, two = (pretrained(plan_of("labels=[100]", *CONTROL, *more)) - pretrained(plan) for more in ((), (REGRESSION,)))
    assert len(one) == len(two) == 3
    assert not one & two


def test_jets_without_classes_are_split_by_their_task(plan_of: PlanOf, toy_jets: Jets, tmp_path: Path) -> None:
    masses = {name: column for name, column in toy_jets.targets.items() if name != "label"}
    save_jets(tmp_path / "bare.h5", [replace(toy_jets, meta=toy_jets.meta.replace(class_names=()), targets=masses)])
    bare = ("labels=[100]", f"dataset={{name: {tmp_path / 'bare.h5'}}}")
    one, other = (plan_of(*bare, f"task={{name: regression, options: {{target: {name}}}}}") for name in ("gen_mass", "mass"))
    assert not pretrained(one) & pretrained(other)


def test_names_tell_all_runs_apart(plan_of: PlanOf) -> None:
    skewed = "arms.skewed={model: resnet15, regime: simclr, pool: {top: 0.3, qcd: 0.7}}"
    plan = plan_of(skewed, "varies=[model, regime, pool]")
    names = [run.name for run in plan.runs.values()]
    assert len(set(names)) == len(names)
    assert {name for name in names if "pretraining" in name and name.endswith("s0")} == {
        "resnet15/simclr-pretraining/simclr/s0",
        "resnet15/simclr-pretraining/skewed/s0",
    }


def test_names_tell_pretrainings_of_one_arm_apart(plan_of: PlanOf) -> None:
    """Their length follows the label budget, and so there is one for each."""
    plan = plan_of("recipes.simclr.passes=null", "recipes.simclr.loops=2")
    names = [run.name for run in plan.runs.values()]
    assert len(set(names)) == len(names)
    assert {name for name in names if "pretraining" in name and name.endswith("s0")} == {
        "resnet15/simclr-pretraining/simclr/n50/s0",
        "resnet15/simclr-pretraining/simclr/n100/s0",
    }


def test_a_tuned_run_names_its_study_before_the_winner_is_known(plan_of: PlanOf) -> None:
    plan = plan_of()
    (chosen,) = last(plan, "scratch").chosen
    study = plan.studies[chosen.study]
    assert (chosen.path, study.searched[0].path) == ("recipe.learning_rate", "recipe.learning_rate")
    assert study.template.labels == 50
    assert study.searched[0].space.choices == (0.001, 0.003)


@pytest.mark.parametrize("offset", [0, 10_000])
def test_trials_share_labels_seeds_and_encoder_with_no_reported_run(plan_of: PlanOf, offset: int) -> None:
    plan = plan_of(f"arms.simclr.seed_offset={offset}", f"arms.scratch.seed_offset={offset}", "varies=[model, regime, seed]")
    reported = [run.spec for run in plan.runs.values() if run.kind != "trial"]
    encoders = {run.spec.start for run in plan.runs.values() if run.kind == "trial" and run.spec.start}
    finals = {spec.start for spec in reported if spec.data == "budget"}
    assert encoders
    assert not encoders & finals
    assert not {run.spec.seed for run in plan.runs.values() if run.kind == "trial"} & {
        spec.seed for spec in reported if spec.data == "budget"
    }


SEEDS = ("tuning.per=seed", "tuning.labels=each")


def test_each_seed_tunes_among_its_own_final_runs(plan_of: PlanOf) -> None:
    """Two seeds, two budgets, three arms, two rates: no run is a trial and nothing else, and none is trained twice."""
    plan = plan_of(*SEEDS)
    assert kinds(plan) == {"pretrain": 2, "trial": 24}
    assert len({run.name for run in plan.runs.values()}) == len(plan.runs)
    assert len(plan.studies) == len(plan.cells) == len(plan.tuned) == 12
    for cell, digest in plan.tuned.items():
        study, own = plan.studies[digest], plan.runs[plan.cells[cell]]
        assert own.spec == study.template
        trials = [study.trial(values) for values in study.known_values()]
        assert {(spec.seed, spec.labels, spec.start) for spec in trials} == {(cell.seed, cell.labels, own.spec.start)}
        own_rate = study.template.recipe.learning_rate
        assert [spec.recipe.learning_rate for spec in trials] == [own_rate, pytest.approx(3 * own_rate)]


def test_a_trial_or_a_final_run_is_the_same_training(plan_of: PlanOf) -> None:
    """What a seed trains with the recipe's own rate is what it trains where nobody tunes."""
    tuned, alone = plan_of(*SEEDS), plan_of("tuning=null")
    assert tuned.cells == alone.cells
    assert {key: run.spec for key, run in alone.runs.items()} == {key: tuned.runs[key].spec for key in alone.runs}


def test_a_run_that_won_is_named_as_the_last_of_its_cell(plan_of: PlanOf) -> None:
    plan = plan_of(*SEEDS)
    cell = CellKey("scratch", 50, 1)
    ((trial,),) = plan.trial(plan.tuned[cell], plan.studies[plan.tuned[cell]].known_values()[1])
    assert (trial.name, trial.kind) == ("resnet15/scratch/n50/s1/trial-lr0.003", "trial")
    final = plan.final(plan.tuned[cell], trial)
    assert (final.key, final.name, final.kind) == (trial.key, "resnet15/scratch/n50/s1", "final")


def test_a_search_per_seed_begins_with_the_recipe(plan_of: PlanOf) -> None:
    search = ("tuning.sampler=tpe", "tuning.trials=5", "tuning.factors=[0.1,10.0]", "tuning.search={recipe.weight_decay: null}")
    plan = plan_of(*SEEDS, *search, "few_labels=null")
    assert kinds(plan) == {"pretrain": 2, "trial": 12}
    assert plan.cells == plan_of("tuning=null", "few_labels=null").cells


def test_one_study_for_all_budgets_is_one_for_all_seeds(plan_of: PlanOf) -> None:
    with pytest.raises(SuiteError, match=r"labels: smallest.*per: study"):
        plan_of("tuning.per=seed")


def test_an_arm_with_other_seeds_has_a_study_of_its_own(plan_of: PlanOf) -> None:
    again = "arms.again={model: resnet15, regime: scratch, seed_offset: 100}"
    plan = plan_of(again, "varies=[model, regime, seed]")
    studies = [plan.tuned[CellKey(arm, 100, 0)] for arm in ("scratch", "again")]
    assert len(set(studies)) == 2
    seeds = {plan.studies[study].template.seed for study in studies}
    assert len(seeds) == 2
    assert max(seeds) < 0


def test_digests_follow_what_decides_the_numbers_and_nothing_else(plan_of: PlanOf) -> None:
    before = plan_of()
    assert set(before.runs) == set(plan_of().runs)
    trees = {key for key, run in before.runs.items() if run.spec.model.name == "boosted-trees"}
    assert not set(before.runs) & set(plan_of("view.image.pixels=12").runs) - trees
    assert set(before.runs) < set(plan_of("seeds=3").runs)


@pytest.mark.parametrize(
    "spelled",
    [
        "model_options.resnet15.dropout=0.0",
        "model_options.resnet15.dropout=0",
        "model_options.boosted-trees.l2=1",
        "objective_options.simclr.temperature=0.07",
        "view.image.rebin=1",
        "recipes.supervised.weight_decay=0.0001",
        "recipes.supervised.augmentation=[rotation, flip, {translation: {distance: 0.05}}]",
    ],
)
def test_a_default_that_is_spelled_out_changes_no_run(plan_of: PlanOf, spelled: str) -> None:
    assert set(plan_of(spelled).runs) == set(plan_of().runs)


def test_a_renamed_file_is_the_same_dataset(suite_text: str, toy_jets: Jets, tmp_path: Path) -> None:
    plans = []
    for name in ("one.h5", "other.h5"):
        save_jets(tmp_path / name, [toy_jets])
        (tmp_path / "mini.yaml").write_text(suite_text.format(dataset=tmp_path / name))
        plans.append(make_plan(instantiate(find_suite(str(tmp_path / "mini.yaml")))))
    assert set(plans[0].runs) == set(plans[1].runs)
    assert plans[0].instance.name == plans[1].instance.name


def test_a_plan_needs_no_dataset(suite_text: str, toy_jets: Jets, tmp_path: Path) -> None:
    save_jets(tmp_path / "jets.h5", [toy_jets])
    (tmp_path / "mini.yaml").write_text(suite_text.format(dataset=tmp_path / "jets.h5"))
    instance = instantiate(find_suite(str(tmp_path / "mini.yaml")))
    before = make_plan(instance)
    (tmp_path / "jets.h5").unlink()
    after = make_plan(type(instance).model_validate_json(instance.model_dump_json()))
    assert set(before.runs) == set(after.runs)
    assert after.instance.meta.class_names == ("qcd", "top")


def test_precision_is_part_of_the_plan(plan_of: PlanOf) -> None:
    plans = [plan_of(f"precision={precision}") for precision in ("fp32", "bf16")]
    assert {run.spec.precision for run in plans[1].runs.values()} == {"bf16"}
    assert not set(plans[0].runs) & set(plans[1].runs)
    assert plans[0].instance.name != plans[1].instance.name


def test_roles_and_truths_come_from_the_tables() -> None:
    plan = make_plan(instantiate(find_suite("planted-truths"), "quick"))
    assert plan.roles["scratch"] is Role.BASELINE
    assert {plan.roles[arm] for arm in ("scratch-again", "random-frozen", "shuffled-labels")} == {Role.CONTROL}
    assert plan.truths == {
        "scratch-again": "same",
        "supervised-pretrained": "ahead",
        "random-frozen": "not-ahead",
        "shuffled-labels": "chance",
    }


def test_arms_carry_recipes_views_and_options_of_their_own(plan_of: PlanOf) -> None:
    own = (
        "arms.simclr.model_options.dropout=0.2",
        "arms.simclr.view.pixels=12",
        "arms.simclr.objective_options.simclr.temperature=0.5",
        "arms.simclr.recipes.supervised={optimizer: adam, schedule: constant, select: best, patience: 2, augmentation: [flip]}",
        "arms.simclr.recipes.simclr.passes=1024",
        "varies=[model, regime, model.dropout, view.pixels, objective.temperature, recipe]",
    )
    plan = plan_of(*own)
    run, other = last(plan, "simclr"), last(plan, "scratch")
    pretraining = plan.runs[str(run.start)].spec
    assert dict(run.model.options) == {"dropout": 0.2, "stages": "8-16"}
    assert dict(run.view.options)["pixels"] == dict(pretraining.view.options)["pixels"] == 12
    assert dict(pretraining.objective.options) == {"temperature": 0.5}
    assert pretraining.recipe.passes == 1024
    recipe = run.recipe
    assert (recipe.optimizer, recipe.schedule, recipe.select, recipe.patience) == ("adam", "constant", "best", 2)
    assert [step.name for step in recipe.augmentation] == ["flip"]
    assert recipe.passes == other.recipe.passes == 320
    assert other.recipe.optimizer == "adamw"


def test_lengths_in_loops_replace_passes_and_the_other_way_round(plan_of: PlanOf) -> None:
    assert last(plan_of("recipes.supervised.passes=null", "recipes.supervised.loops=3"), "scratch").recipe.passes == 3 * 80
    loops = ("arms.scratch.recipes.supervised.loops=2", "varies=[model, regime, recipe.passes]")
    assert last(plan_of(*loops), "scratch").recipe.passes == 2 * 80


def test_loops_come_to_no_more_passes_than_the_most(plan_of: PlanOf) -> None:
    plan = plan_of("recipes.supervised={base: supervised-small, loops: 3, most_passes: 200, passes: null}")
    assert [last(plan, "scratch", labels).recipe.passes for labels in (50, 100)] == [3 * 40, 200]
    with pytest.raises(SuiteError, match=r"most_passes limits loops, and this recipe gives its length by passes"):
        plan_of("recipes.supervised.most_passes=200")


def test_the_long_training_is_as_long_as_the_primary_arm(plan_of: PlanOf) -> None:
    plan = plan_of("arms.long={model: resnet15, regime: scratch-long}")
    long, short = last(plan, "long").recipe, last(plan, "scratch").recipe
    assert long.passes == 320 + 512
    assert (long.select, short.select) == ("best", "last")
    assert long.epochs == math.ceil(short.epochs * long.passes / short.passes) > short.epochs
    with pytest.raises(SuiteError, match="as long as the primary arm in all its stages, which has only one"):
        plan_of("arms.simclr.regime=scratch-long")


def test_options_are_known_and_of_their_kind(plan_of: PlanOf) -> None:
    with pytest.raises(SuiteError, match=r"arms\.simclr\.model_options has no option 'dropuot'; did you mean 'dropout'"):
        plan_of("arms.simclr.model_options.dropuot=0.1")
    with pytest.raises(SuiteError, match=r"stages is 16; it is of the kind of its default, '64-128-256-512'"):
        plan_of("model_options.resnet15.stages=16")
    with pytest.raises(SuiteError, match=r"view\.image has no option 'pixel'; did you mean 'pixels'"):
        plan_of("view.image.pixel=9")
    with pytest.raises(SuiteError, match=r"task\.options has no option 'target'"):
        plan_of("task.options.target=mass")
    with pytest.raises(SuiteError, match="trains a network model"):
        plan_of("arms.boosted-trees.regime=scratch")
    with pytest.raises(SuiteError, match="the suite has no recipe for 'moco'") as found:
        plan_of("arms.simclr.regime=moco")
    setting = re.fullmatch(r".* needs; copy the one for 'simclr'.*: --set '(recipes\.moco=\{base: .*\})'", str(found.value))
    assert setting, found.value
    copied = plan_of("arms.simclr.regime=moco", setting[1])
    assert {run.spec.objective.name for run in copied.runs.values() if not run.labelled} == {"moco"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("model_options.resnet15.stages=abc", r"model_options\.resnet15\.stages is 'abc'; it is a list of widths such as"),
        ("model_options.resnet15.norm=foo", r"norm is 'foo'; it is 'group' or 'batch'"),
        ("arms.scratch.model_options.head=mpl", r"arms\.scratch\.model_options\.head is 'mpl'; it is 'linear' or 'mlp'"),
        ("model_options.resnet15.dropout=1.5", r"dropout is 1\.5; it is at least 0 and at most 1"),
        ("objective_options.moco.queue=0", r"objective_options\.moco\.queue is 0; it is at least 1"),
        ("objective_options.simclr.temperature=0.0", r"temperature is 0\.0; it is at least 0\.01 and at most 1"),
        ("view.image.extent=abc", r"view\.image\.extent is 'abc'; it is above 0"),
        ("view.image.extent=0", r"view\.image\.extent is 0; it is above 0"),
        ("view.image.pixels=1000", r"view\.image\.pixels is 1000; it is at least 4 and at most 256"),
        ("arms.scratch.view.rebin=0", r"arms\.scratch\.view\.rebin is 0; it is at least 1"),
    ],
)
def test_a_value_that_makes_no_sense_is_told_by_the_plan_with_what_is_allowed(plan_of: PlanOf, given: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        plan_of(given)


def test_few_labels_follow_a_recipe_of_their_own_and_no_rate_crosses(plan_of: PlanOf) -> None:
    few = ("few_labels=80", "recipes.supervised-few={base: supervised-small, passes: 160, learning_rate: 0.02}")
    plan = plan_of(*few, "tuning.labels=each")
    assert last(plan, "scratch", 50).recipe.passes == 160
    assert last(plan, "scratch", 100).recipe.passes == 320
    own = {labels: plan.studies[plan.tuned[CellKey("scratch", labels, 0)]].template.recipe.learning_rate for labels in (50, 100)}
    assert own == {50: 0.02, 100: 0.001}
    decided = {labels: last(plan_of(*few), "scratch", labels).chosen[0].study for labels in (50, 100)}
    assert decided[50] != decided[100]  # with one study for all budgets, the winner still belongs to its recipe


# what begins with weights from elsewhere has no pretraining, and what has a teacher needs its file: test_external, test_distilled
@pytest.mark.parametrize("name", [entry.name for entry in regimes if not entry.external and not entry.taught])
def test_every_regime_ends_in_a_run_on_the_labels_after_its_pretrainings(name: str, plan_of: PlanOf) -> None:
    """The last run is on the cell's labels; what it starts from comes before it."""
    plan = plan_of(
        f"arms.shown={{model: {'boosted-trees' if regimes[name].kind == 'fitted' else 'resnet15'}, regime: {name}}}",
        "recipes.supervised-pretraining.base=supervised-small",
        *(
            f"recipes.{stage.recipe}={{base: simclr-small, passes: 512}}"
            for stage in regimes[name].stages
            if not stage.trains_head
        ),
    )
    chain = list(plan.chain(CellKey("shown", 50, 0)))
    assert chain[0].spec.labels == 50
    assert [run.kind for run in chain] == ["final", *["pretrain"] * (len(regimes[name].stages) - 1)]


def test_the_shipped_suites_show_every_control() -> None:
    """Those of an objective belong to the suites that ask for it, and none can bring a teacher's file."""
    shipped = [
        instantiate(find_suite(suite), scale) for suite, scale in (("ssl-vs-scratch", "full"), ("planted-truths", "quick"))
    ]
    shown = {arm.regime for instance in shipped for arm in instance.settings.arms.values()}
    controls = {
        entry.name for entry in regimes if entry.control and not entry.taught and all(s.trains_head for s in entry.stages)
    }
    assert controls <= shown
