"""A study that is out of time: what has begun ends, nothing else begins, and it goes on later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jetbench.engine.engine import execute
from jetbench.engine.events import Event
from jetbench.engine.graph import graph_lines
from jetbench.engine.prepare import prepare
from jetbench.engine.reclaim import Reclaimer
from jetbench.engine.status import Watcher
from jetbench.engine.survey import survey
from jetbench.suites.instances import remember
from jetbench.suites.study_file import find_study, instantiate_study
from jetbench.suites.study_planning import StudyPlan, make_study_plan
from jetbench.suites.trials import searchings
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker

STUDY = """
study: rates
question: Which rate?
common:
  dataset: {{name: {dataset}}}
  test_jets: 100
  labels: 50
  seeds: 1
  arms: {{sets: {{model: deep-sets, regime: scratch}}}}
  recipes: {{supervised: {{base: supervised-small, passes: 64, epochs: 2}}}}
  search: {{recipe.learning_rate: {{low: 0.001, high: 0.01, log: true}}}}
  trials: 8
scales: {{quick: {{}}}}
"""


@pytest.fixture
def plan(tmp_path: Path, toy_file: Path) -> StudyPlan:
    path = tmp_path / "rates.yaml"
    path.write_text(STUDY.format(dataset=toy_file))
    return make_study_plan(instantiate_study(find_study(str(path))))


def run(plan: StudyPlan, root: Path, late_after: int) -> Iterator[Event]:
    """Execute the study; it is late once so many runs are done."""
    (root / "work").mkdir(parents=True, exist_ok=True)
    done: list[str] = []

    def late() -> bool:
        return len(done) >= late_after

    for event in execute(
        plan,
        Store(root),
        MemoryTracker(),
        lambda: [None],
        lambda crew: prepare(plan, 1, lambda what, done, total: None),
        late=late,
    ):
        done += [event.key] if event.kind == "done" else []
        yield event


def test_what_has_begun_ends_and_the_rest_comes_later(plan: StudyPlan, tmp_path: Path) -> None:
    def trained(late_after: int) -> list[str]:
        return [event.key for event in run(plan, tmp_path / "store", late_after) if event.kind == "done"]

    first = trained(1)
    assert len(first) == 4  # the round that was open
    (half,) = searchings(plan, Ledger(tmp_path / "store" / "work"))
    assert [trial.state for trial in half.trials if trial.number < 4] == ["complete"] * 4
    assert half.winner is None
    status = Watcher(plan, Store(tmp_path / "store"), 1, 1).look()
    assert status.line.startswith("4 of 8 runs done, 4 planned")
    assert list(status.lines())[-1] == "no process runs it; `jetbench study run` with the same options goes on from here"
    assert trained(0) == []
    rest = trained(99)
    assert len({*first, *rest}) == 8
    (whole,) = searchings(plan, Ledger(tmp_path / "store" / "work"))
    assert whole.trials[:4] == half.trials[:4]
    assert whole.winner is not None
    done = survey(plan, Ledger(tmp_path / "store" / "work"))
    assert (done.open, set(done.states.values())) == (0, {"done"})
    assert Watcher(plan, Store(tmp_path / "store"), 1, 1).look().line == "8 of 8 runs done, finished"
    assert "sets/n50  8 done" in graph_lines(done)


def test_weights_of_trials_that_did_not_win_may_go(plan: StudyPlan, tmp_path: Path) -> None:
    list(run(plan, tmp_path / "store", 99))
    remember(tmp_path / "store", plan.instance)
    (found,) = searchings(plan, Ledger(tmp_path / "store" / "work"))
    lost = Reclaimer(Store(tmp_path / "store")).trials()
    assert sorted([*lost, *found.trials[found.winner or 0].keys]) == sorted({key for trial in found.trials for key in trial.keys})
