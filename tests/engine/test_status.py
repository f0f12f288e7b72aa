"""How far a suite is, as its folders tell it while somebody else runs it."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from jetbench.cli import main
from jetbench.cli.status import IDLE, _moments
from jetbench.engine.pace import RUN_SECONDS, pace
from jetbench.engine.status import Watcher
from jetbench.files import file_lock
from jetbench.suites.instances import remember
from jetbench.suites.plan import Plan, PlannedRun
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store


@pytest.fixture
def plan(plan_of: Callable[..., Plan], tmp_path: Path) -> Plan:
    (tmp_path / "work").mkdir()
    return plan_of("tuning=null", "labels=[50]", "seeds=1")


def network(plan: Plan) -> PlannedRun:
    return next(run for run in plan.runs.values() if run.name == "resnet15/scratch/n50/s0")


def begin(ledger: Ledger, run: PlannedRun, epochs: list[tuple[float, float]], began: float) -> None:
    """Write what a training has written: the time of its beginning, and per epoch its end [s] and the passes so far."""
    folder = ledger.run(run.key)
    folder.path.mkdir(exist_ok=True)
    folder.environment.write_text("{}")
    os.utime(folder.environment, (began, began))
    lines = [{"time": ended, "step": step, "metrics": {"train/passes": passes}} for step, (ended, passes) in enumerate(epochs)]
    folder.journal.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_run_under_way_has_progress_rate_and_time_left(plan: Plan, tmp_path: Path) -> None:
    """160 of 320 passes in 40 s, 10 s ago: the other 160 take 40 s, of which 10 have gone."""
    run, ledger = network(plan), Ledger(tmp_path / "work")
    watcher = Watcher(plan, Store(tmp_path), 1, 1, clock=lambda: 1050.0)
    begin(ledger, run, [(1020.0, 80.0), (1040.0, 160.0)], began=1000.0)
    with file_lock(ledger.run(run.key).lock), file_lock(tmp_path / "work" / f"{plan.instance.name}.lock"):
        now = watcher.look()
        (one,) = now.running
        assert (one.name, one.passes, one.total) == (run.name, 160, 320)
        assert one.rate == pytest.approx(4)
        assert one.left == pytest.approx(30 + RUN_SECONDS)
        assert now.active
        assert "1 running" in now.line
        assert "4 passes/s" in now.line
    others = [other for other in plan.runs.values() if other is not run]
    passes = sum(other.spec.recipe.passes / pace(other.spec) for other in others if other.spec.model.name == "resnet15")
    assert now.left == pytest.approx(one.left + passes + RUN_SECONDS * len(others))


def test_the_time_left_is_shared_by_all_places_and_not_by_what_runs_this_moment(plan: Plan, tmp_path: Path) -> None:
    """Between two trainings one place of four is taken: the others are about to be."""
    run, ledger = network(plan), Ledger(tmp_path / "work")
    begin(ledger, run, [(1020.0, 80.0)], began=1000.0)
    with file_lock(ledger.run(run.key).lock):
        one, four = (Watcher(plan, Store(tmp_path), places, 1, clock=lambda: 1020.0).look().left for places in (1, 4))
    assert four == pytest.approx(max(one / 4, 60 + RUN_SECONDS))


def test_a_resumed_run_is_as_fast_as_this_attempt(plan: Plan, tmp_path: Path) -> None:
    """The first epoch is of an earlier day; 160 passes of this attempt took 20 s."""
    run, ledger = network(plan), Ledger(tmp_path / "work")
    begin(ledger, run, [(100.0, 160.0), (1020.0, 320.0)], began=1000.0)
    with file_lock(ledger.run(run.key).lock):
        (one,) = Watcher(plan, Store(tmp_path), 1, 1, clock=lambda: 1020.0).look().running
    assert one.rate == pytest.approx(8)


def test_a_run_that_takes_longer_than_estimated_is_not_said_to_end_now(plan: Plan, tmp_path: Path) -> None:
    run, ledger = network(plan), Ledger(tmp_path / "work")
    begin(ledger, run, [], began=1000.0)
    with file_lock(ledger.run(run.key).lock):
        (one,) = Watcher(plan, Store(tmp_path), 1, 1, clock=lambda: 9000.0).look().running
    assert one.left == 0
    assert one.text == f"  0 %  {run.name}"


def test_a_killed_run_is_stopped_and_nobody_runs_the_suite(plan: Plan, tmp_path: Path) -> None:
    run, ledger = network(plan), Ledger(tmp_path / "work")
    begin(ledger, run, [(1020.0, 160.0)], began=1000.0)
    now = Watcher(plan, Store(tmp_path), 1, 1).look()
    assert not now.active
    assert not now.running
    assert [one.name for one in now.stopped] == [run.name]
    assert "no process runs it" in "\n".join(now.lines())
    assert " 50 %" in "\n".join(now.lines())


def test_failures_stand_with_their_reason_and_what_waits_for_them_is_no_open_end(plan: Plan, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "work")
    watcher = Watcher(plan, Store(tmp_path), 1, 1)
    first = next(run for run in plan.runs.values() if run.kind == "pretrain")
    ledger.fail(first.key, "no memory\nleft", "")
    assert not watcher.look().finished
    for key, run in plan.runs.items():
        if key != first.key and run.spec.start is None:
            folder = ledger.run(key)
            folder.path.mkdir()
            folder.metrics.write_text("{}")
            ledger.finish(key, [folder.metrics])
    now = watcher.look()
    assert now.finished
    assert f"  failed   {first.name}: no memory left" in list(now.lines())
    assert "  1 runs wait for what has failed" in list(now.lines())


def test_what_many_runs_have_failed_with_is_told_once(plan: Plan, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "work")
    names = [run.name for run in plan.runs.values()][:4]
    for number, key in enumerate(list(plan.runs)[:4]):
        ledger.fail(key, "no memory\nleft" if number else "no disk", "")
    lines = [line for line in Watcher(plan, Store(tmp_path), 1, 1).look().lines() if line.startswith("  failed")]
    assert lines == [f"  failed   {names[0]}: no disk", f"  failed   {names[1]} and 2 more: no memory left"]


def test_a_run_of_an_array_is_at_work_without_a_process_of_the_suite(plan: Plan, tmp_path: Path) -> None:
    watcher, folder = Watcher(plan, Store(tmp_path), 1, 1), Ledger(tmp_path / "work").run(network(plan).key)
    with file_lock(folder.lock):
        assert watcher.look().active
    assert not watcher.look().active


def test_watching_ends_with_the_suite(plan: Plan, tmp_path: Path) -> None:
    """Piped: plain lines, and no second one where nothing is left."""
    remember(tmp_path, plan.instance)
    ledger = Ledger(tmp_path / "work")
    for key in plan.runs:
        ledger.fail(key, "no memory", "")
    result = CliRunner().invoke(main, ["status", "mini", "--watch", "--store", str(tmp_path)])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert f"0 of {len(plan.runs)} runs done, {len(plan.runs)} failed" in lines[0]
    assert lines[1] == plan.instance.name
    assert "\x1b" not in result.output


def test_watching_ends_when_who_ran_the_suite_has_ended(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(tmp_path, plan.instance)
    lock = file_lock(tmp_path / "work" / f"{plan.instance.name}.lock")
    lock.__enter__()
    waits = iter([lambda: None, lambda: lock.__exit__(None, None, None)])
    monkeypatch.setattr("jetbench.cli.status.IDLE", 0.0)
    monkeypatch.setattr("jetbench.cli.status.time.sleep", lambda seconds: next(waits)())
    result = CliRunner().invoke(main, ["status", "mini", "--watch", "--store", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "no process runs it" in result.output


def test_watching_goes_on_for_a_while_as_the_next_job_of_an_array_may_begin(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(tmp_path, plan.instance)
    times = itertools.count(0.0, IDLE / 2)
    monkeypatch.setattr("jetbench.cli.status.time.monotonic", lambda: next(times))
    waits: list[float] = []
    monkeypatch.setattr("jetbench.cli.status.time.sleep", waits.append)
    assert len(list(_moments(Watcher(plan, Store(tmp_path), 1, 1)))) == len(waits) + 1 == 3


def test_ctrl_c_ends_the_watching_and_nothing_else(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(tmp_path, plan.instance)

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jetbench.cli.status.time.sleep", interrupt)
    with file_lock(tmp_path / "work" / f"{plan.instance.name}.lock"):
        result = CliRunner().invoke(main, ["status", "mini", "--watch", "--store", str(tmp_path)])
    assert result.exit_code == 0
    assert "stopped watching; what runs goes on" in result.output


def test_watching_ends_where_nobody_runs_the_suite(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that has outlived its process is waited for."""
    remember(tmp_path, plan.instance)
    run, ledger = network(plan), Ledger(tmp_path / "work")
    begin(ledger, run, [], began=1000.0)
    training = file_lock(ledger.run(run.key).lock)
    training.__enter__()
    waits = iter([lambda: training.__exit__(None, None, None)])
    monkeypatch.setattr("jetbench.cli.status.IDLE", 0.0)
    monkeypatch.setattr("jetbench.cli.status.time.sleep", lambda seconds: next(waits)())
    result = CliRunner().invoke(main, ["status", "mini", "--watch", "--store", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "no process runs it" in result.output
    assert next(waits, None) is None


def test_a_search_that_waits_for_failed_trials_is_no_open_end(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """Nor is what waits for the study; a trial that has yet to end is."""
    (tmp_path / "work").mkdir()
    plan, ledger = plan_of("labels=[50]", "seeds=1", "tuning.sampler=random", "tuning.trials=8"), Ledger(tmp_path / "work")
    watcher = Watcher(plan, Store(tmp_path), 1, 1)
    found = watcher.look().found
    trials = [key for asked in found.asked.values() for key in asked]
    for key in [key for key, run in found.runs.items() if run.kind == "pretrain"] + trials[1:]:
        ledger.fail(key, "no memory", "")
    assert not watcher.look().finished
    ledger.fail(trials[0], "no memory", "")
    now = watcher.look()
    assert now.found.unknown
    assert {key for key, run in plan.runs.items() if run.kind == "final"} <= now.found.blocked
    assert now.finished


def test_a_run_that_ends_while_one_watches_tells_more_of_the_rest(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """It took ten times as long as assumed, and so will the others of its model."""
    (tmp_path / "work").mkdir()
    plan, ledger = plan_of("tuning=null", "recipes.supervised.passes=400000"), Ledger(tmp_path / "work")
    watcher = Watcher(plan, Store(tmp_path), 1, 1)
    first, *rest = [run for run in plan.runs.values() if run.spec.recipe.passes == 400_000 and run.spec.model.name == "resnet15"]
    before, each = watcher.look().left, 400_000 / pace(first.spec)
    folder = ledger.run(first.key)
    folder.path.mkdir()
    folder.metrics.write_text(json.dumps({"cost/seconds": 10 * each}))
    ledger.finish(first.key, [folder.metrics])
    assert watcher.look().left - before == pytest.approx(9 * len(rest) * each - each, rel=0.02)
