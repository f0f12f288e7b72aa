"""Suites that are faulty on purpose: what is planned, that nothing honest is touched, and who refuses what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from jetbench.engine.cards import run_card
from jetbench.errors import SuiteError
from jetbench.faults import faults
from jetbench.suites.fairness import compare_chains, refuse_unfair
from jetbench.suites.faulty import refuse_beyond_fault, spoiled
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.study_planning import StudyPlan
from jetbench.tracking.ledger import Ledger

PlanOf = Callable[..., Plan]
UNTUNED = ("tuning=null", "labels=[50]")
ACTING = [one.name for one in faults if one.spoils != "none"]


def chain(plan: Plan, arm: str, seed: int = 0) -> list:
    return plan.declared(CellKey(arm, 50, seed))


def declaring(plan_of: PlanOf, *names: str, tuned: bool = False) -> Plan:
    rates = ("labels=[50]", "tuning.per=seed", "tuning.labels=each") if tuned else UNTUNED
    return plan_of(*rates, f"faults=[{', '.join(names)}]")


@pytest.mark.parametrize("tuned", [False, True], ids=["untuned", "tuned"])
def test_faults_add_runs_and_change_none(plan_of: PlanOf, tuned: bool) -> None:
    """Every run of the suite without them is there by the same digest, and what is added says what is wrong with it."""
    honest, plan = declaring(plan_of, tuned=tuned), declaring(plan_of, *ACTING, tuned=tuned)
    assert honest.runs.keys() < plan.runs.keys()
    assert honest.instance.name != plan.instance.name
    assert all(plan.runs[key].spec == run.spec for key, run in honest.runs.items())
    added = [plan.runs[key] for key in plan.runs.keys() - honest.runs.keys()]
    assert {run.spec.fault for run in added} == set(ACTING)
    assert all(run.arm == f"faulty-{run.spec.fault}-{run.arm.rsplit('-', 1)[1]}" for run in added)
    assert all(run.spec.replace(fault=None).digest() != run.key for run in added)
    assert plan.arms == honest.arms
    assert plan.baselines == honest.baselines
    assert plan.roles == honest.roles


def test_what_a_fault_does_not_touch_is_the_honest_arm(plan_of: PlanOf) -> None:
    arms = set(declaring(plan_of, *ACTING).faulty)
    for name in ACTING:
        touched = {part for part in ("scratch", "simclr") if f"faulty-{name}-{part}" in arms}
        assert touched == {"baseline": {"scratch"}, "arm": {"simclr"}, "both": {"scratch", "simclr"}}[faults[name].spoils]
    assert not declaring(plan_of, "one-seed").faulty


@pytest.mark.parametrize("name", [one.name for one in faults if one.spoils in ("arm", "both")])
def test_a_fault_of_a_later_stage_shares_the_honest_pretraining(plan_of: PlanOf, name: str) -> None:
    plan = declaring(plan_of, name)
    honest, spoilt = chain(plan, "simclr"), chain(plan, f"faulty-{name}-simclr")
    shares = faults[name].stage == "supervised"
    assert (spoilt[0] == honest[0]) == shares
    assert spoilt[0].fault == (None if shares else name)
    assert spoilt[1].fault == name
    assert spoilt[1].start == spoilt[0].digest()


@pytest.mark.parametrize("name", ACTING)
def test_an_arm_differs_in_its_fault_and_in_nothing_else(plan_of: PlanOf, name: str) -> None:
    plan = declaring(plan_of, name)
    for arm, one in plan.faulty.items():
        mine, honest = chain(plan, arm), chain(plan, one.arm)
        paths = {path.replace("pretraining.", "") for path, _, _ in compare_chains(mine, honest)}
        assert "fault" in paths
        assert paths <= {"fault", *faults[name].differs}
        refuse_beyond_fault(faults[name], mine, honest)
        beyond = [*mine[:-1], mine[-1].replace(recipe=mine[-1].recipe.replace(weight_decay=0.5))]
        with pytest.raises(SuiteError, match=rf"the fault '{name}' changes recipe.weight_decay .*, which it does not say"):
            refuse_beyond_fault(faults[name], beyond, honest)


@pytest.mark.parametrize("name", ACTING)
def test_without_the_label_the_same_arms_would_be_refused_as_unfair(plan_of: PlanOf, name: str) -> None:
    """Were the arm with the fault one of the suite's own, it would differ from its honest self in what no suite can declare."""
    plan = declaring(plan_of, name)
    settings = plan.instance.settings
    for arm, one in plan.faulty.items():
        found = compare_chains(chain(plan, arm), chain(plan, one.arm))
        with pytest.raises(SuiteError, match="which the suite does not declare under `varies`"):
            refuse_unfair(settings, (one.arm, one.arm), found)
    with pytest.raises(SuiteError, match="'fault' is neither"):
        plan_of(*UNTUNED, f"faults=[{name}]", "varies=[model, regime, fault]")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ("arms.simclr.recipes.supervised={passes: 32}", "recipe.passes"),
        ("arms.scratch.recipes.supervised={augmentation: []}", "recipe.augmentation"),
        ("arms.scratch.recipes.supervised={select: best}", "recipe.select"),
    ],
)
def test_what_a_recipe_alone_can_do_wrong_is_refused_where_no_fault_says_so(plan_of: PlanOf, change: str, path: str) -> None:
    with pytest.raises(SuiteError, match=rf"differ in {path}"):
        plan_of(*UNTUNED, change)


def test_a_plan_refuses_a_fault_that_it_does_not_declare(plan_of: PlanOf, plan_of_study: Callable[..., StudyPlan]) -> None:
    """A suite without faults, a suite with others, and every study."""
    spoilt = next(run for run in declaring(plan_of, "first-rows").runs.values() if run.spec.fault)
    for other in (declaring(plan_of), declaring(plan_of, "too-few-steps"), plan_of_study()):
        with pytest.raises(SuiteError, match=r"is faulty on purpose \(first-rows\), and 'mini' does not declare"):
            other.add(spoilt)


def test_an_honest_run_cannot_be_planned_on_top_of_a_faulty_one(plan_of: PlanOf) -> None:
    plan = declaring(plan_of, "leaked-test")
    last = next(run for run in plan.runs.values() if run.spec.fault and run.spec.start)
    with pytest.raises(SuiteError, match=r"starts from resnet15/simclr-pretraining.*faulty on purpose \(leaked-test\)"):
        plan.add(replace(last, spec=last.spec.replace(fault=None)))


def test_a_study_knows_no_faults(plan_of_study: Callable[..., StudyPlan]) -> None:
    with pytest.raises(SuiteError, match="faults"):
        plan_of_study("faults=[first-rows]")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("faults=[first-row]",), "there is no fault 'first-row'; did you mean 'first-rows'"),
        (("faults=[first-rows, first-rows]",), "each is switched on once"),
        (("tuning={factors: [1.0, 3.0], per: study}", "faults=[first-rows]"), "tuned by each seed for itself"),
        (("recipes.supervised.augmentation=[]", "faults=[no-augmentation]"), "'no-augmentation' is for a recipe that augments"),
        (("primary={arm: boosted-trees, baseline: scratch}", "faults=[first-rows]"), "'boosted-trees' is fitted in one go"),
        (
            ("arms.mixup={model: resnet15, regime: mixup}", "primary={arm: mixup, baseline: scratch}", "faults=[leaked-test]"),
            "'leaked-test' is one of a pretraining stage",
        ),
        (
            ("arms.faulty-first-rows-simclr={model: resnet15, regime: scratch}", "faults=[first-rows]"),
            "'faulty-first-rows-simclr' has the name of 'simclr' with the fault 'first-rows'",
        ),
    ],
)
def test_faults_that_make_no_sense_are_told(plan_of: PlanOf, changes: tuple[str, ...], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        plan_of("labels=[50]", *([] if changes[0].startswith("tuning") else ["tuning=null"]), *changes)


def test_a_pool_of_other_jets_has_no_place_for_the_test_jets(plan_of: PlanOf, toy_file) -> None:
    plan = declaring(plan_of, "leaked-test")
    honest = tuple(chain(plan, "simclr"))
    foreign = honest[0].replace(unlabelled=honest[0].dataset)
    with pytest.raises(SuiteError, match="'leaked-test' is for a pool of the dataset's own jets"):
        spoiled("leaked-test", (foreign, *honest[1:]))


def test_faults_are_at_the_budget_of_their_comparison_alone(plan_of: PlanOf) -> None:
    plan = plan_of("tuning=null", "faults=[first-rows]")
    assert {cell.labels for cell in plan.cells if cell.arm in plan.faulty} == {50}
    assert {cell.labels for cell in plan.cells} == {50, 100}


def test_a_tracker_is_told_of_the_fault(plan_of: PlanOf, tmp_path) -> None:
    plan = declaring(plan_of, "leaked-test")
    for run in plan.runs.values():
        tags = dict(run_card(plan, run, run.spec, Ledger(tmp_path)).tags)
        assert (tags.get("jetbench.fault"), tags.get("jetbench.role")) == (
            ("leaked-test", "faulty") if run.spec.fault else (None, None)
        )
