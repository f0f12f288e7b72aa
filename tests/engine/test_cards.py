"""How a run presents itself to a tracker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from jetbench.engine.cards import run_card
from jetbench.runs.environment import environment
from jetbench.spec import ScoresRef
from jetbench.suites.plan import Plan
from jetbench.tracking.ledger import Ledger


def test_who_trains_a_run_is_told_by_its_folder_and_not_by_the_driver(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan, ledger = plan_of("tuning=null"), Ledger(tmp_path)
    planned = next(iter(plan.runs.values()))
    card = run_card(plan, planned, planned.spec, ledger)
    assert {name for name, _ in card.tags} <= {f"jetbench.{name}" for name in WHAT}
    assert card.origin == ()
    folder = ledger.run(planned.key)
    folder.path.mkdir()
    folder.environment.write_text(json.dumps(environment("fp32")))
    assert {name for name, _ in card.origin} == {f"jetbench.{name}" for name in WHO}


def test_the_second_test_set_is_told_by_the_runs_that_are_scored_on_it(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of("tuning=null", "also_test={name: top-vs-qcd, jets: 600}")
    for run in plan.runs.values():
        tags = dict(run_card(plan, run, run.spec, Ledger(tmp_path)).tags)
        assert (tags.get("jetbench.also_test") == "top-vs-qcd") == (run.kind == "final")
        assert ("jetbench.also_test_digest" in tags) == (run.kind == "final")


def test_a_pretraining_without_labels_is_of_no_task(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of("tuning=null")
    told = {run.kind: dict(run_card(plan, run, run.spec, Ledger(tmp_path)).params)["task"] for run in plan.runs.values()}
    assert told == {"pretrain": "none", "final": "classification"}


def test_the_scores_that_a_run_is_taught_by_are_told(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of("tuning=null")
    run = next(run for run in plan.runs.values() if run.arm == "scratch")
    scores = ScoresRef(name="scores.h5", teacher="trees", sha256="5")
    taught = run.spec.replace(data="pool-labelled", labels=None, targets="scores", scores=scores)
    card = run_card(plan, run, taught, Ledger(tmp_path))
    assert {("jetbench.scores", "scores.h5"), ("jetbench.scores_digest", "5")} <= set(card.tags)
    told = [dict(run_card(plan, run, spec, Ledger(tmp_path)).params)["labels"] for spec in (run.spec, taught)]
    assert told == ["50", "scores"]


def test_every_value_of_a_recipe_is_a_parameter(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    given = "clip: 1.0, patience: 3, first_restart: 5, schedule: warm-restarts, select: best"
    plan = plan_of("tuning=null", f"recipes.supervised={{{given}}}")
    run = next(run for run in plan.runs.values() if run.arm == "scratch")
    params, recipe = dict(run_card(plan, run, run.spec, Ledger(tmp_path)).params), run.spec.recipe
    assert None not in dict(recipe).values()
    own = {f"recipe.{name}": str(value) for name, value in recipe if name not in ("name", "augmentation")}
    assert own.items() <= params.items()
    assert own["recipe.first_restart"] == "5"
    assert params["recipe"] == recipe.name
    assert params["recipe.augmentation"] == "rotation flip translation"
    bare = run.spec.replace(recipe=recipe.replace(clip=None, patience=None))
    assert params.keys() - dict(run_card(plan, run, bare, Ledger(tmp_path)).params) == {"recipe.clip", "recipe.patience"}


WHAT = ("suite", "scale", "instance", "arm", "dataset", "dataset_digest", "reused_from")
WHO = ("version", "code", "packages", "host", "machine")
