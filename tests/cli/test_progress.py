"""What a running suite says of runs that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jetbench.api import Session
from jetbench.cli.progress import show_progress
from jetbench.engine.events import Event
from jetbench.suites.plan import Plan
from jetbench.tracking.store import Store


def test_what_many_runs_fail_with_is_told_once_with_their_number(
    plan_of: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of("tuning=null")
    runs = list(plan.runs.values())[:5]

    def failing(session: Session, *given: Any, **named: Any) -> Iterator[Event]:
        for number, run in enumerate(runs):
            yield Event("failed", run.name, "no disk" if number == 2 else "a wrong shape", run.key)

    monkeypatch.setattr(Session, "run", failing)
    assert show_progress(Session(plan, Store(tmp_path)), 1) == 5
    lines = [line for line in capsys.readouterr().out.splitlines() if "FAILED" in line]
    assert lines == [
        f"FAILED {runs[0].name}: a wrong shape",
        f"FAILED {runs[2].name}: no disk",
        f"3 more runs FAILED as {runs[0].name} has",
    ]
