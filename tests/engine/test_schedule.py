"""The order of runs, with runs that are only names."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from jetbench.engine.schedule import Schedule


@dataclass(frozen=True)
class Named:
    """A stand-in for a planned run."""

    key: str
    rank: int = 0


def schedule() -> Schedule:
    return Schedule(lambda run: run.rank)  # type: ignore[attr-defined]


def add(plan: Schedule, key: str, *needs: str, rank: int = 0) -> bool:
    return plan.add(Named(key, rank), needs)  # type: ignore[arg-type]


def ready(plan: Schedule) -> str:
    """The runs that are handed out now, by their one-letter keys."""
    return "".join(run.key for run in iter(plan.pop, None))


def test_runs_come_by_rank_and_equals_as_they_became_ready() -> None:
    plan = schedule()
    for key, rank in (("a", 2), ("b", 1), ("c", 2), ("d", 0)):
        assert add(plan, key, rank=rank)
    assert len(plan) == 4
    assert ready(plan) == "dbac"
    assert len(plan) == 0


def test_a_run_waits_for_all_that_it_needs() -> None:
    plan = schedule()
    add(plan, "c", "a", "study")
    add(plan, "a")
    assert ready(plan) == "a"
    plan.meet("a")
    assert ready(plan) == ""
    plan.meet("study")
    assert ready(plan) == "c"
    assert add(plan, "d", "a", "study")
    assert ready(plan) == "d", "what was met before counts"


def test_what_is_lost_takes_all_that_need_it_along() -> None:
    plan = schedule()
    for key, needs in (("b", "a"), ("c", "b"), ("d", "cz"), ("e", "z")):
        add(plan, key, *needs)
    assert sorted(run.key for run in plan.lose("a")) == ["b", "c", "d"]
    assert not add(plan, "f", "c"), "a run that comes later is lost as well"
    assert not add(plan, "g", "f")
    plan.meet("z")
    assert ready(plan) == "e"
    assert len(plan) == 0


def test_a_run_that_was_handed_out_may_come_back() -> None:
    plan = schedule()
    add(plan, "a")
    (run,) = iter(plan.pop, None)
    plan.push(run)
    assert ready(plan) == "a"


def test_a_certain_run_is_taken_once_it_needs_nothing_more() -> None:
    plan = schedule()
    for name, needs in (("a", ()), ("b", ("a", "z")), ("c", ())):
        add(plan, name, *needs)
    assert plan.take("b") is None
    assert plan.needs("b") == ["a", "z"]
    plan.meet("z")
    assert plan.needs("b") == ["a"]
    taken = plan.take("c")
    assert taken is not None
    assert (taken.key, plan.take("c")) == ("c", None)
    assert ready(plan) == "a"


def test_what_waits_in_vain_is_found() -> None:
    plan = schedule()
    add(plan, "b", "nobody makes this")
    assert ready(plan) == ""
    assert [run.key for run in plan.drain()] == ["b"]
    assert len(plan) == 0


@pytest.mark.parametrize("shape", ["chain", "star"])
def test_the_work_per_event_does_not_grow_with_the_plan(shape: str) -> None:
    """A hundred times as many runs may take a few hundred times as long, and not ten thousand times; of three times the least
    counts, since other work on the machine makes one longer."""

    def seconds(runs: int) -> float:
        plan, started = schedule(), time.process_time()
        for number in range(runs):
            need = [] if number == 0 else [str(number - 1 if shape == "chain" else 0)]
            plan.add(Named(str(number), number), need)  # type: ignore[arg-type]
        handed = 0
        while run := plan.pop():
            plan.meet(run.key)
            handed += 1
        assert handed == runs
        return time.process_time() - started

    few, many = (min(seconds(runs) for _ in range(3)) for runs in (300, 30_000))
    assert many < 2000 * max(few, 1e-4)
