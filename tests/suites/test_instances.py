"""Which instance was run last, whatever has happened to the book."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.errors import StoreError
from jetbench.suites.instances import BOOKS, latest, remember
from jetbench.suites.plan import Plan


def test_a_torn_line_is_named_and_does_not_swallow_the_next(
    plan_of: Callable[..., Plan], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = plan_of().instance, plan_of("seeds=1").instance
    remember(tmp_path, first)
    whole = (tmp_path / BOOKS["suite"]).read_bytes()
    (tmp_path / BOOKS["suite"]).write_bytes(whole + whole[:200] + b"\xff")
    assert latest(tmp_path, "mini") == first
    assert [record.getMessage().split(": ", 1)[1] for record in caplog.records] == [
        "line 2 is not readable and passed over; the next run of its suite lists it again"
    ]
    remember(tmp_path, second)
    assert latest(tmp_path, "mini") == second
    (tmp_path / BOOKS["suite"]).write_bytes((tmp_path / BOOKS["suite"]).read_bytes() + b"[1]\n")
    caplog.clear()
    assert latest(tmp_path, "mini") == second
    assert "lines 2, 4 are not readable" in caplog.text


def test_a_whole_book_is_read_without_a_word(
    plan_of: Callable[..., Plan], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for seeds in (1, 2):
        remember(tmp_path, plan_of(f"seeds={seeds}").instance)
    assert latest(tmp_path, "mini", "quick").settings.seeds == 2
    assert caplog.records == []
    with pytest.raises(StoreError, match="no results of suite 'planted-truths'"):
        latest(tmp_path, "planted-truths")
