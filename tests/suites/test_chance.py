"""How often the rule that chooses a trial leaves the recipe where nothing is better."""

from __future__ import annotations

import pytest
from scipy import stats

from jetbench.suites.chance import left_by_chance


def test_one_rate_beside_the_recipes_is_ahead_as_often_as_a_normal_number_exceeds_its_error() -> None:
    found = left_by_chance(2, 400, 1000)
    assert found.mean == pytest.approx(stats.norm.sf(1), abs=0.045)  # 4 errors of 1000 studies
    assert found.low is not None
    assert found.low < stats.norm.sf(1) < (found.high or 0)


def test_more_rates_are_more_chances_and_the_same_seed_the_same_share() -> None:
    few, many = left_by_chance(2, 20, 300), left_by_chance(5, 20, 300)
    assert few.mean < many.mean < 0.6
    assert left_by_chance(2, 20, 50, seed=3) == left_by_chance(2, 20, 50, seed=3)
    assert left_by_chance(1, 20, 20).mean == 0
