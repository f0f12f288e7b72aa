"""How a child's end is judged, by its exit status and the folder of its run."""

from __future__ import annotations

from pathlib import Path

import pytest

from jetbench.engine.child import FAILURE, PRUNED
from jetbench.engine.worker import _judge
from jetbench.tracking.ledger import Ledger

KEY = "ab" * 32


@pytest.mark.parametrize(("reopened", "expected"), [(False, "pruned"), (True, "busy")])
def test_a_pruned_run_that_another_process_goes_on_with_is_busy(tmp_path: Path, reopened: bool, expected: str) -> None:
    ledger = Ledger(tmp_path)
    ledger.run(KEY).path.mkdir()
    ledger.prune(KEY, 1, {})
    if reopened:
        ledger.reopen(KEY)
    assert _judge(ledger, KEY, PRUNED, 0.0).status == expected
    assert ledger.failure(KEY) is None


def test_what_stopped_a_run_earlier_is_not_how_its_child_has_ended(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.run(KEY).path.mkdir()
    ledger.prune(KEY, 1, {})
    assert _judge(ledger, KEY, FAILURE, 0.0).status == "failed"
