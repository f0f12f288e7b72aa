from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.suites.plan import Plan
from jetbench.suites.tuning import Result, Study, Tuner


@pytest.fixture
def study(plan_of: Callable[..., Plan]) -> Study:
    return next(iter(plan_of().studies.values()))


def outcome(rate: float) -> Result:
    return Result(auc=0.9 - abs(rate - 3e-3) * 10, loss=rate, error=0.001)


def drive(study: Study, storage: Path, order: random.Random | None = None, stop_after: int | None = None) -> list[float]:
    """Run the study to its end (or leave it after some rounds, with a round asked and not told); returns the rates by number."""
    rates: dict[int, float] = {}
    rounds = 0
    while True:
        tuner = Tuner(study, storage)
        trials = tuner.pending()
        if not trials or rounds == stop_after:
            return [rates[number] for number in sorted(rates)]
        for number, spec in trials.items():
            rates[number] = float(spec.recipe.learning_rate)  # type: ignore[arg-type]
        results = [(number, outcome(rates[number])) for number in trials]
        if order:
            order.shuffle(results)
        tuner.tell_round(dict(results))
        rounds += 1


def test_a_grid_is_tried_once_and_the_best_wins(study: Study, tmp_path: Path) -> None:
    rates = drive(study, tmp_path / "j")
    assert sorted(rates) == [0.001, 0.003]
    winner = Tuner(study, tmp_path / "j").winner()
    assert (winner.learning_rate, winner.trials, winner.at_edge) == (0.003, 2, False)


@pytest.mark.parametrize(
    ("losses", "best"),
    [({0.0001: 0.3, 0.001: 0.5, 0.01: 0.4}, 0.001), ({0.0001: 0.3, 0.01: 0.4}, 0.0001), ({0.0001: 0.5, 0.01: 0.4}, 0.01)],
)
def test_ties_go_to_the_recipes_own_rate_then_to_the_smaller_loss(
    study: Study, tmp_path: Path, losses: dict[float, float], best: float
) -> None:
    tied = study.replace(rates=tuple(losses), trials=len(losses))
    tuner = Tuner(tied, tmp_path / "j")
    tuner.tell_round({n: Result(0.9, losses[float(s.recipe.learning_rate)], 0.0) for n, s in tuner.pending().items()})  # type: ignore[arg-type]
    assert tuner.winner().learning_rate == best


def test_the_edge_of_three_is_an_edge(study: Study, tmp_path: Path) -> None:
    wide = study.replace(rates=(0.0003, 0.001, 0.003), trials=3)
    drive(wide, tmp_path / "j")
    assert Tuner(wide, tmp_path / "j").winner().at_edge
    inner = study.replace(rates=(0.001, 0.003, 0.01), trials=3)
    drive(inner, tmp_path / "j")
    assert not Tuner(inner, tmp_path / "j").winner().at_edge


def test_a_search_asks_the_same_whatever_happens_in_between(study: Study, tmp_path: Path) -> None:
    search = study.replace(sampler="tpe", rates=(1e-4, 1e-1), trials=12)
    straight = drive(search, tmp_path / "straight")
    assert len(straight) == len(set(straight)) == 12
    assert drive(search, tmp_path / "shuffled", random.Random(1)) == straight
    drive(search, tmp_path / "broken", stop_after=1)
    drive(search, tmp_path / "broken", stop_after=1)
    drive(search, tmp_path / "broken")
    handle = Tuner(search, tmp_path / "broken").handle
    assert [t.params["learning_rate"] for t in handle.get_trials()] == straight


@pytest.mark.parametrize(("error", "best"), [(0.001, 0.003), (0.03, 0.001)])
def test_without_evidence_the_recipes_own_rate_is_kept(study: Study, tmp_path: Path, error: float, best: float) -> None:
    """0.003 is ahead of the recipe's 0.001 by 0.02: followed where the standard error is small, and not where it is larger."""
    tuner = Tuner(study, tmp_path / "j")
    tuner.tell_round({n: Result(outcome(s.recipe.learning_rate).auc, 0.5, error) for n, s in tuner.pending().items()})  # type: ignore[arg-type]
    assert tuner.winner().learning_rate == best
