"""Whatever the order in which trainings end and wherever a study is cut off, it asks and stops the same trials."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest

from jetbench.errors import SuiteError
from jetbench.spaces import Space
from jetbench.suites.pruning import Ended, Point, Result, bar_of, result_so_far
from jetbench.suites.replay import Values, open_round, tried
from jetbench.suites.samplers import check_sampler
from jetbench.suites.studies import LEARNING_RATE, VALIDATION_LOSS, Aim, Pruner, Sampler, Searched, Study

TWO = (
    Searched(path=LEARNING_RATE, space=Space(low=1e-4, high=1e-1, log=True), own=1e-3),
    Searched(path="recipe.weight_decay", space=Space(low=1e-6, high=1e-1, log=True), own=1e-4),
)
GRID = (
    Searched(path=LEARNING_RATE, space=Space(choices=(1e-4, 1e-3, 1e-2, 1e-1)), own=1e-3),
    Searched(path="recipe.weight_decay", space=Space(choices=(1e-6, 1e-4, 1e-2)), own=1e-4),
)
AIMS = (VALIDATION_LOSS, Aim(metric="cost/flops"))


def search(
    study: Study, sampler: Sampler, *, trials: int = 12, pruner: Pruner = "none", seeds: int = 1, aims: tuple[Aim, ...] = AIMS[:1]
) -> Study:
    found: Study = study.replace(
        template=study.template.replace(recipe=study.template.recipe.replace(epochs=9)),
        searched=GRID if sampler == "grid" else TWO,
        sampler=sampler,
        trials=12 if sampler == "grid" else trials,
        pruner=pruner,
        seeds=tuple(range(-1, -1 - seeds, -1)),
        aims=aims,
    )
    return found


def fake(study: Study, values: Values, seed: int) -> Ended:
    """A training whose losses fall from epoch to epoch, the lower the nearer its rate is to 0.01; one of ten diverges."""
    rng = np.random.default_rng([int.from_bytes(repr(sorted(values.items())).encode(), "big") % 2**32, seed])
    away = abs(np.log10(float(values[LEARNING_RATE])) + 2)  # type: ignore[arg-type]
    if rng.random() < 0.1:
        return Ended("diverged")
    losses = 0.3 + 0.2 * away + 0.5 / np.arange(1, 10) + rng.normal(0, 0.02, 9)
    curve = tuple(Point(epoch, 100.0 * epoch, float(loss), float(loss)) for epoch, loss in enumerate(losses, 1))
    scores = (float(losses[-1]), float(values["recipe.weight_decay"]))[: len(study.aims)]  # type: ignore[arg-type]
    return Ended("complete", losses[-1] + np.array([-0.1, 0.1]), scores, curve)


History = tuple[list[Mapping[str, object]], list[tuple[str, tuple[float, ...], int]]]


def history(study: Study, results: Mapping[int, Result]) -> History:
    ended = [(results[number].state, results[number].scores, results[number].runs) for number in sorted(results)]
    return list(tried(study, results).values()), ended


def drive(study: Study, order: random.Random | None = None) -> History:
    """Run a study of fake trainings, whose runs end in some order. Now and then it is made again from what is known."""
    known: dict[tuple[int, int], Ended] = {}
    results: dict[int, Result] = {}
    while asked := open_round(study, results):
        waiting = True
        while waiting:
            bar = bar_of(study, results.values())
            ends = {n: [known.get((n, seed)) for seed in range(study.runs_per_trial)] for n in asked}
            so_far = {number: result_so_far(study, bar, of_trial) for number, of_trial in ends.items()}
            open_runs = [
                (number, seed)
                for number, found in so_far.items()
                if isinstance(found, int)
                for seed in range(found)
                if (number, seed) not in known
            ]
            waiting = bool(open_runs)
            for number, seed in [order.choice(open_runs)] if order and open_runs else open_runs:
                known[number, seed] = fake(study, asked[number], seed)
            if order and order.random() < 0.2:
                asked = open_round(study, results)  # an interruption and a new start
        results |= {number: found for number, found in so_far.items() if isinstance(found, Result)}
    return history(study, results)


SAMPLERS: list[Sampler] = ["grid", "random", "qmc", "tpe", "gp", "cma-es", "nsga2"]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_is_asked_depends_on_nothing_but_the_results(study: Study, sampler: Sampler) -> None:
    one = search(study, sampler, trials=8 if sampler == "gp" else 12)  # a fit of a process takes its time
    straight = drive(one)
    assert drive(one, random.Random(1)) == straight
    values, ended = straight
    assert len(values) == len(ended) == one.trials
    assert len({tuple(trial.items()) for trial in values}) == one.trials
    if sampler != "grid":
        other: Study = one.replace(template=one.template.replace(seed=7))
        assert values[0] == one.unsearched
        assert open_round(other, {})[1] != values[1]


@pytest.mark.parametrize("sampler", ["tpe", "gp", "nsga2", "random", "qmc"])
def test_several_aims_are_pursued_in_the_same_way(study: Study, sampler: Sampler) -> None:
    one = search(study, sampler, trials=8, aims=AIMS)
    assert drive(one, random.Random(3)) == drive(one)


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
@pytest.mark.parametrize(("pruner", "seeds"), [("asha", 1), ("asha", 3), ("wilcoxon", 6)])
def test_what_is_stopped_depends_on_nothing_but_finished_rounds(
    study: Study, sampler: Sampler, pruner: Pruner, seeds: int
) -> None:
    one = search(study, sampler, trials=20, pruner=pruner, seeds=seeds)
    straight = drive(one)
    assert [drive(one, random.Random(number)) for number in range(2)] == [straight] * 2
    states = [state for state, _, _ in straight[1]]
    assert "pruned" in states
    assert "pruned" not in states[:4]
    whole = drive(search(study, sampler, trials=20, seeds=seeds))
    assert sum(runs for _, _, runs in straight[1]) <= sum(runs for _, _, runs in whole[1])


def test_a_study_that_is_given_more_trials_goes_on_as_it_began(study: Study) -> None:
    short, long = (search(study, "tpe", trials=trials).replace(rule="best") for trials in (6, 11))
    assert drive(long)[0][:6] == drive(short)[0]


def test_samplers_that_cannot_search_something_are_refused() -> None:
    with pytest.raises(SuiteError, match=r"'recipe\.learning_rate' has a range, and a grid tries choices"):
        check_sampler("search", "grid", TWO, AIMS[:1])
    with pytest.raises(SuiteError, match="cma-es searches two ranges"):
        check_sampler("search", "cma-es", TWO[:1], AIMS[:1])
    with pytest.raises(SuiteError, match="cma-es pursues one aim"):
        check_sampler("search", "cma-es", TWO, AIMS)
