"""What a plan is said to cost, before anything is made."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.engine.forecast import describe
from jetbench.suites.plan import Plan
from jetbench.tracking.store import Store

GLUONS = "dataset={name: quark-vs-gluon, jets: 48000}"
POOL = "unlabelled={name: quark-vs-gluon, jets: 96000, seed: 1}"


@pytest.fixture
def minutes(plan_of: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()

    def told(*overrides: str, workers: int = 1) -> int:
        text = describe(plan_of("tuning=null", *overrides), Store(tmp_path), workers)
        found = re.search(r"(?:about (\d+) min|less than a minute) on (\d+) cores", text)
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


def test_a_plan_simulates_nothing(minutes: Callable[..., int], tmp_path: Path) -> None:
    minutes(GLUONS, POOL)
    assert not (tmp_path / "cache").exists()
