"""A study that is out of time: what has begun ends, nothing else begins, and it goes on later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jetbench.engine.engine import execute
from jetbench.engine.events import Event
from jetbench.engine.prepare import prepare
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
        lambda: prepare(plan, 1, lambda what, done, total: None),
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
    assert trained(0) == []
    rest = trained(99)
    assert len({*first, *rest}) == 8
    (whole,) = searchings(plan, Ledger(tmp_path / "store" / "work"))
    assert whole.trials[:4] == half.trials[:4]
    assert whole.winner is not None
