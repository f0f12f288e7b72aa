from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from jetbench.errors import SuiteError
from jetbench.objectives import objectives
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.stages import regimes

PlanOf = Callable[..., Plan]
HEADLESS = [entry.name for entry in objectives if not entry.trains_head]


def arms_of(name: str, *ways: str, model: str = "resnet15") -> list[str]:
    """Overrides that give an objective's regimes arms of their own, "tuned" that of its name."""
    recipe = {name: {"base": "simclr-small", "passes": 100}}
    given = [(way or "tuned", f"{name}-{way}" if way else name) for way in ways]
    arms = {arm: {"model": model, "regime": regime, "recipes": recipe} for arm, regime in given}
    return [*(f"arms.{arm}={json.dumps(one)}" for arm, one in arms.items()), "varies=[model,regime,recipe]"]


@pytest.mark.parametrize("name", HEADLESS)
def test_what_was_learnt_before_is_probed_and_tuned_on_the_same_encoder(plan_of: PlanOf, name: str) -> None:
    """What a probe has made of it is where the fine-tuning begins that follows the probe, head included."""
    plan = plan_of(*arms_of(name, "lpft", "frozen", ""), "tuning=null")
    probe, before = plan.chain(CellKey("frozen", 100, 0))
    tuning, also_before = plan.chain(CellKey("tuned", 100, 0))
    last, same_probe, still_before = plan.chain(CellKey("lpft", 100, 0))
    assert before.key == also_before.key == still_before.key
    assert probe.key == same_probe.key
    assert (probe.spec.trains, tuning.spec.trains, last.spec.trains) == ("head", "all", "all")
    assert (probe.spec.takes, tuning.spec.takes, last.spec.takes) == ("encoder", "encoder", "network")
    assert (probe.spec.targets, probe.spec.labels, last.spec.labels) == ("true", 100, 100)
    labelled = objectives[name].labelled
    assert (before.spec.targets, before.spec.data) == (("true", "pool-labelled") if labelled else ("none", "pool"))
    assert not any(option.startswith("head") for option, _ in before.spec.model.options)
    assert {regimes[name + way].control for way in ("", "-frozen", "-lpft")} == {labelled}


def test_an_objective_that_trains_the_head_has_one_regime() -> None:
    assert not [entry.name for entry in regimes if entry.name.startswith(("mixup-", "supervised-f", "supervised-l"))]


def test_what_is_planned_for_itself_is_final_whoever_starts_from_it(plan_of: PlanOf) -> None:
    """In whatever order the arms stand, a probe that an arm asks for is no mere beginning of another one's fine-tuning."""
    for ways in (("lpft", "frozen"), ("frozen", "lpft")):
        plan = plan_of(*arms_of("simclr", *ways), "tuning=null")
        probe = plan.runs[plan.cells[CellKey("frozen", 50, 1)]]
        assert (probe.kind, probe.arm, probe.name) == ("final", "frozen", "resnet15/frozen/n50/s1")


def test_a_probe_that_no_arm_asks_for_has_a_name_of_its_own(plan_of: PlanOf) -> None:
    plan = plan_of(*arms_of("simclr", "lpft"), "tuning=null")
    last, probe, before = plan.chain(CellKey("lpft", 50, 1))
    assert (last.name, last.kind) == ("resnet15/lpft/n50/s1", "final")
    assert (probe.name, probe.kind) == ("resnet15/lpft/n50/probe/s1", "pretrain")
    assert (before.name.split("/")[1], before.kind) == ("simclr-pretraining", "pretrain")
    assert len({run.name for run in plan.runs.values()}) == len(plan.runs)


@pytest.mark.parametrize("tuning", ["{factors: [1.0, 3.0]}", "{factors: [1.0, 3.0], per: study}"])
def test_three_stages_are_tuned_by_the_rate_of_the_last(plan_of: PlanOf, tuning: str) -> None:
    plan = plan_of(*arms_of("simclr", "lpft", "frozen"), f"tuning={tuning}")
    study = plan.studies[plan.tuned[CellKey("lpft", 50, 0)]]
    assert [one.path for one in study.searched] == ["recipe.learning_rate"]
    assert len({chain[-1].start for chain in (study.chains(values)[0] for values in study.grid)}) == 1
    assert len({run.name for run in plan.runs.values()}) == len(plan.runs)


def test_a_probe_and_what_it_starts_from_may_be_searched_each_by_its_path(plan_of: PlanOf) -> None:
    """The probe is one run before the last, its pretraining two."""
    paths = {"pretraining.recipe.learning_rate": 0.5, "pretraining.pretraining.recipe.learning_rate": 0.25}
    search = {path: {"choices": [value, value / 2]} for path, value in paths.items()}
    tuning = json.dumps({"per": "study", "search": search})
    plan = plan_of("arms.simclr=null", *arms_of("simclr", "lpft"), "primary.arm=lpft", f"tuning={tuning}")
    study = plan.studies[plan.tuned[CellKey("lpft", 50, 0)]]
    before, probe, last = study.chains(paths)[0]
    assert (before.recipe.learning_rate, probe.recipe.learning_rate) == (0.25, 0.5)
    assert (probe.start, last.start) == (before.digest(), probe.digest())
    names = [run.name.split("/")[-1] for chain in plan.trial(plan.tuned[CellKey("lpft", 50, 0)], paths) for run in chain]
    assert [name.split("-")[0] for name in names] == ["pretraining", "probe", "trial"]


def test_the_kind_of_a_head_that_a_probe_has_trained_is_not_searched(plan_of: PlanOf) -> None:
    search = {"model.head": {"choices": ["linear", "mlp"]}}
    tuning = f"tuning={json.dumps({'per': 'study', 'search': search})}"
    varies = "varies=[model, regime, recipe, model.head, model.head_dropout]"
    arms = arms_of("simclr", "lpft")[:1]
    with pytest.raises(
        SuiteError, match=r"tuning\.search: the fine-tuning goes on from a head trained before; name that head under"
    ):
        plan_of(*arms, varies, tuning)
    plan = plan_of(*arms, "arms.lpft.model_options={head: mlp}", varies, tuning)
    assert {run.spec.model.keywords()["head"] for run in list(plan.chain(CellKey("lpft", 50, 0)))[:2]} == {"mlp"}


def rates(plan: Plan, arm: str) -> list[float]:
    return [run.spec.recipe.encoder_rate for run in plan.chain(CellKey(arm, 100, 0))][::-1]


def test_a_rate_of_the_encoder_is_that_of_what_fine_tunes(plan_of: PlanOf) -> None:
    """Trainings from scratch, pretrainings and probes are what they were without it, and so are their digests."""
    arms = [*arms_of("simclr", "lpft", "frozen"), "tuning=null"]
    plain, plan = plan_of(*arms), plan_of(*arms, "recipes.supervised.encoder_rate=0.1")
    assert rates(plan, "scratch") == [1.0]
    assert rates(plan, "simclr") == [1.0, 0.1]
    assert rates(plan, "frozen") == [1.0, 1.0]
    assert rates(plan, "lpft") == [1.0, 1.0, 0.1]
    assert plan.cells[CellKey("frozen", 100, 0)] == plain.cells[CellKey("frozen", 100, 0)]
    assert plan.cells[CellKey("simclr", 100, 0)] != plain.cells[CellKey("simclr", 100, 0)]


def test_arms_that_differ_in_the_rate_of_the_encoder_say_so(plan_of: PlanOf) -> None:
    with pytest.raises(SuiteError, match=r"'scratch' and 'simclr' differ in recipe\.encoder_rate \(1\.0 against 0\.1\)"):
        plan_of("recipes.supervised.encoder_rate=0.1")
    plan_of("recipes.supervised.encoder_rate=0.1", "varies=[model, regime, recipe.encoder_rate]")


@pytest.mark.parametrize("where", ["recipes.simclr", "arms.scratch.recipes.supervised", "arms.simclr.recipes.simclr"])
def test_a_rate_of_an_encoder_that_nothing_fine_tunes_is_refused(plan_of: PlanOf, where: str) -> None:
    with pytest.raises(SuiteError, match=rf"{where}\.encoder_rate: nothing that follows this recipe fine-tunes"):
        plan_of(f"{where}.encoder_rate=0.1")


def test_the_rate_of_the_encoder_is_searched_where_one_is_fine_tuned(plan_of: PlanOf) -> None:
    """On a logarithmic scale below the head's; from scratch there is nothing to search."""
    tuning = {"per": "study", "sampler": "random", "trials": 3, "factors": [0.5, 2.0], "search": {"recipe.encoder_rate": None}}
    plan = plan_of(f"tuning={json.dumps(tuning)}", "varies=[model, regime, recipe.encoder_rate]")
    (tuned, scratch) = (plan.studies[plan.tuned[CellKey(arm, 50, 0)]].searched for arm in ("simclr", "scratch"))
    assert [one.path for one in scratch] == ["recipe.learning_rate"]
    assert [one.path for one in tuned] == ["recipe.learning_rate", "recipe.encoder_rate"]
    assert (tuned[1].space.low, tuned[1].space.high, tuned[1].space.log) == (0.01, 1.0, True)


def test_classes_are_told_apart_only_by_a_task_that_has_them(plan_of: PlanOf) -> None:
    mass = "task={name: regression, options: {target: gen_mass}}"
    plan = plan_of(*arms_of("supcon", ""), mass)
    assert "tuned" not in plan.arms
    assert dict(plan.skipped)["arm tuned"] == "the objective 'supcon' uses the labels of classification, not of regression"
