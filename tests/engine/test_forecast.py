"""What a plan is said to cost, before anything is made."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jetbench.cli.clock import Clock
from jetbench.cli.progress import Tally
from jetbench.engine.engine import Event
from jetbench.engine.forecast import describe, forecast, measure
from jetbench.engine.pace import RUN_SECONDS, pace, run_cost, run_passes
from jetbench.engine.survey import survey
from jetbench.jets import open_jets, save_jets
from jetbench.suites.instances import remember
from jetbench.suites.plan import Plan
from jetbench.suites.replay import open_round
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

PACE = 450 * (32 / 8) ** 2  # of a narrow ResNet-15 on the toy suite's images
GLUONS = "dataset={name: quark-vs-gluon, jets: 48000}"
POOL = "unlabelled={name: quark-vs-gluon, jets: 96000, seed: 1}"


@pytest.fixture
def minutes(plan_of: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()

    def told(*overrides: str, workers: int = 1) -> int:
        text = describe(plan_of("tuning=null", *overrides), Store(tmp_path), workers, workers)
        found = re.search(r"(?:about (\d+) min|less than a minute) with (\d+) trainings at a time", text)
        assert found
        assert int(found[2]) == workers
        return int(found[1] or 0)

    return told


def test_a_simulation_is_forecast_at_the_rate_of_its_recipe(minutes: Callable[..., int]) -> None:
    """A few seconds of training beside 48 000 jets at 12 per second, or 42 without multi-parton interactions."""
    assert abs(minutes(GLUONS) - 48_000 / 12 / 60) <= 1
    assert abs(minutes("dataset={name: quark-vs-gluon, jets: 48000, options: {mpi: false}}") - 48_000 / 42 / 60) <= 1
    assert minutes() == 0


def test_the_pool_is_simulated_too_and_cores_share_the_work(minutes: Callable[..., int]) -> None:
    both = minutes(GLUONS, POOL)
    assert abs(both - 3 * minutes(GLUONS)) <= 2
    assert abs(minutes(GLUONS, POOL, workers=4) - both / 4) <= 1


def test_the_second_test_set_is_simulated_too(minutes: Callable[..., int]) -> None:
    both = minutes(GLUONS, POOL.replace("unlabelled", "also_test"))
    assert abs(both - 3 * minutes(GLUONS)) <= 2


def test_a_plan_simulates_nothing(minutes: Callable[..., int], tmp_path: Path) -> None:
    minutes(GLUONS, POOL)
    assert not (tmp_path / "cache").exists()


def test_files_that_somebody_brought_may_have_gone(plan_of: Callable[..., Plan], toy_file: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    jets, pool = tmp_path / "jets.h5", tmp_path / "pool.h5"
    shutil.copy(toy_file, jets)
    save_jets(pool, [open_jets(toy_file)[:300]])
    plan = plan_of(f"dataset.name={jets}", f"unlabelled={{name: {pool}}}")
    before = describe(plan, Store(tmp_path), 1, 1)
    jets.unlink()
    pool.unlink()
    assert describe(plan, Store(tmp_path), 1, 1) == before


SEARCH = ("seeds=1", "labels=[50]", "tuning.sampler=tpe", "tuning.trials=6", "tuning.factors=[0.1,10.0]")


def rows(text: str) -> dict[str, list[int]]:
    """Runs, done and passes by kind."""
    found = re.findall(r"^(pretrain|trial|final) +(\d+) +\d+ +(\d+) +([\d ]+)$", text, re.M)
    return {kind: [int(runs), int(done), int(passes.replace(" ", ""))] for kind, runs, done, passes in found}


def test_trials_that_a_search_will_choose_are_counted(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    plan = plan_of(*SEARCH)
    networks = sum(run_passes(study.template) > 0 for study in plan.studies.values())
    assert (networks, len(plan.studies)) == (2, 3)
    text = describe(plan, Store(tmp_path), 1, 1)
    assert rows(text) == {"pretrain": [2, 0, 2 * 512], "trial": [18, 0, 12 * 320], "final": [3, 0, 2 * 320]}
    assert "up to 6 runs are of trials that the search has yet to choose" in text
    longer = describe(plan_of(*SEARCH, "tuning.trials=600", "recipes.supervised.passes=5000"), Store(tmp_path), 1, 1)
    found = re.search(r"about (\d+) min", longer)
    assert found
    assert abs(int(found[1]) - (2 * 601 * 5000 / PACE + 1805 * RUN_SECONDS) / 60) <= 1


def test_trials_that_a_search_has_chosen_and_that_have_ended_are_done(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    plan, ledger = plan_of(*SEARCH), Ledger(tmp_path / "work")
    study = next(study for study in plan.studies.values() if run_passes(study.template))
    for spec in map(study.trial, open_round(study, {}).values()):
        folder = ledger.run(spec.digest())
        folder.path.mkdir()
        folder.metrics.write_text(json.dumps({"cost/labelled_passes": 320, "cost/unlabelled_passes": 0, "cost/seconds": 0.5}))
        np.save(folder.losses, np.array([0.4, 0.6]))
        ledger.finish(spec.digest(), [folder.metrics, folder.losses])
    assert rows(describe(plan, Store(tmp_path), 1, 1))["trial"] == [18, 4, 12 * 320]


def test_of_a_finished_plan_nothing_is_left(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    plan, ledger = plan_of("tuning=null"), Ledger(tmp_path / "work")
    for number, key in enumerate(plan.runs, 1):
        folder = ledger.run(key)
        folder.path.mkdir()
        folder.metrics.write_text("{}")
        ledger.finish(key, [folder.metrics])
        told = describe(plan, Store(tmp_path), 1, 1).splitlines()[-1]
        assert (told == "nothing is left to do") == (number == len(plan.runs))


def test_a_bar_counts_the_trials_of_a_search_by_what_they_cost(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(*SEARCH)
    tally = Tally.of(plan)
    assert tally.runs == len(plan.runs) + 15
    assert tally.total == pytest.approx((2 * 512 + (2 + 12) * 320) / PACE + (5 + 18) * RUN_SECONDS)
    for number in range(15):
        tally.book(Event("done", key=f"trial {number}"))
    for key in plan.runs:
        tally.book(Event("skipped", key=key))
    assert (tally.ended, tally.skipped) == (tally.runs, len(plan.runs))
    assert tally.done == pytest.approx(tally.total)


def test_a_clock_stands_at_nothing_before_the_first_run_and_after_the_last(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of(*SEARCH)
    clock = Clock(plan, Ledger(tmp_path / "work"))
    assert clock.left() == ""
    first, *rest = plan.runs
    clock.book(Event("done", key=first))
    assert clock.left().endswith(" left")
    for key in rest:
        clock.book(Event("skipped", key=key))
    for number in range(15):
        assert clock.left().endswith(" left")
        clock.book(Event("done", key=f"trial {number}"))
    assert clock.left() in ("", "0 s left")


def test_a_plan_is_forecast_model_by_model_and_then_as_measured(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """Trainings ten times as slow as assumed: the rest is taken for as slow."""
    (tmp_path / "work").mkdir()
    plan, ledger = plan_of("tuning=null", "recipes.supervised.passes=400000"), Ledger(tmp_path / "work")

    def minutes() -> int:
        found = re.search(r"about (\d+) min", describe(plan, Store(tmp_path), 1, 1))
        assert found
        return int(found[1])

    assert minutes() == round(sum(run_cost(run.spec) for run in plan.runs.values()) / 60)
    first, *rest = [run for run in plan.runs.values() if run_passes(run.spec) == 400_000]
    folder = ledger.run(first.key)
    folder.path.mkdir()
    folder.metrics.write_text(json.dumps({"cost/seconds": 10 * 400_000 / PACE}))
    ledger.finish(first.key, [folder.metrics])
    assert abs(minutes() - 10 * len(rest) * 400_000 / PACE / 60) <= 1
    assert "at the pace that was measured here" in describe(plan, Store(tmp_path), 1, 1)


def test_a_pace_is_that_of_the_other_instances_of_the_store(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """Nothing of the plan has run; another suite of the store has trained the same model a hundred times as slowly as assumed."""
    (tmp_path / "work").mkdir()
    before, plan = plan_of("tuning=null", "seeds=1"), plan_of("tuning=null", "recipes.supervised.passes=400000")
    ledger = Ledger(tmp_path / "work")
    first = next(run for run in before.runs.values() if run.kind == "final" and run_passes(run.spec))
    folder = ledger.run(first.key)
    folder.path.mkdir()
    folder.metrics.write_text(json.dumps({"cost/seconds": 10 * 320 / PACE}))
    ledger.finish(first.key, [folder.metrics])

    def seconds() -> float:
        found = survey(plan, ledger)
        return forecast(found, measure(found, Store(tmp_path))).training

    networks = sum(run_passes(run.spec) for run in plan.runs.values()) / PACE
    overhead = len(plan.runs) * RUN_SECONDS
    assert seconds() == pytest.approx(networks + overhead)
    remember(tmp_path, before.instance)
    assert 10 * 320 / PACE < 1  # too short to say anything
    assert seconds() == pytest.approx(networks + overhead)
    folder.metrics.write_text(json.dumps({"cost/seconds": 100 * 320 / PACE}))
    assert seconds() == pytest.approx(100 * networks + overhead)


def test_a_wide_network_is_forecast_slower_than_a_narrow_one(plan_of: Callable[..., Plan]) -> None:
    def scratch(stages: str) -> float:
        plan = plan_of("tuning=null", f"model_options.resnet15.stages={stages}")
        return next(pace(run.spec) for run in plan.runs.values() if run.arm == "scratch")

    assert scratch("8-16") == scratch("16-32-64") == PACE
    assert scratch("64-128-256-512") == scratch("32-64-128") == pytest.approx(PACE * 40 / 450)
