"""Which trial of a study wins, and how much that is worth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal

from jetbench.spec import Scalar
from jetbench.suites.pruning import Result
from jetbench.suites.replay import tried
from jetbench.suites.studies import Aim, Searched, Study, named, plain
from jetbench.values import Spec

__all__ = ["Lead", "Winner", "at_edge", "best_trial", "lead", "selection_rule", "winner"]

EDGE = 0.03  # share of a range, of its logarithm where it is searched there, that is its edge


class Winner(Spec):
    """What a study decided: a value for each path, the digest of the trial that has them at the first seed, its number, and its
    score. `left` says that these are not the values without any search, by which it led: a mean difference of `gain` in the
    loss, with its standard error. `at_edge` names the paths whose value is at an end of its range, or the smallest or largest
    choice of more than two. `diverged` counts trials whose loss did not stay finite."""

    values: tuple[tuple[str, Scalar], ...]
    key: str
    number: int
    score: float
    left: bool = False
    gain: float = 0.0
    gain_error: float = 0.0
    at_edge: tuple[str, ...] = ()
    trials: int
    diverged: int = 0
    pruned: int = 0

    @property
    def text(self) -> str:
        """The values as people read them, as in "learning rate 0.003"."""
        return ", ".join(f"{named(path)} {plain(value)}" for path, value in self.values)


class Lead(Spec):
    """How far the trial that won is ahead: by `gain` ± `error` of the values without any search, which is None where these have
    come to nothing or have won, and `level`, the numbers of the other trials that are within one standard error of it."""

    gain: tuple[float, float] | None
    level: tuple[int, ...]


def selection_rule(study: Study) -> str:
    """Say by what rule a study selects its winner."""
    if len(study.aims) > 1:
        return "none is selected: the front holds each trial that no other one beats in an aim without being beaten in another"
    aim = study.aims[0]
    best = f"the {'largest' if aim.larger_is_better else 'smallest'} {aim.metric}, mean over the seeds, among trials that ended"
    if study.rule == "best":
        return best
    return f"{best} and are ahead of the recipe's values by more than the standard error of the paired difference; else these"


def winner(study: Study, results: Mapping[int, Result]) -> Winner | None:
    """Return what the study decided, None before its end, where every trial has diverged, and where it has several aims.

    By the rule "best" the best score wins, the first of equals. By the rule "ahead" the values without any search are left only
    for a trial whose loss is smaller by more than the standard error of the difference, which is paired: jet by jet on the same
    validation labels. Of those trials the one of the smallest loss wins. A handful of labels orders trials at random; to follow
    it would hand one arm or another a bad rate by chance, and the comparison its result. Where the trial without search has
    diverged, the smallest loss wins.
    """
    compared = {number: result for number, result in results.items() if result.compared}
    if len(results) < study.trials or not compared or len(study.aims) > 1:
        return None
    values = tried(study, results)
    own = next((number for number in compared if values[number] == study.unsearched), None)
    best, gain, error = best_trial(study.rule, study.aims[0], compared, own)
    chosen = values[best]
    return Winner(
        values=tuple(chosen.items()),
        key=study.trial(chosen).digest(),
        number=best,
        score=compared[best].scores[0],
        left=best != own,
        gain=gain,
        gain_error=error,
        at_edge=tuple(
            one.path for one in study.searched if at_edge(one, chosen[one.path], (trial[one.path] for trial in values.values()))
        ),
        trials=len(results),
        diverged=sum(result.state == "diverged" for result in results.values()),
        pruned=sum(result.state == "pruned" for result in results.values()),
    )


def best_trial(
    rule: Literal["ahead", "best"], aim: Aim, compared: Mapping[int, Result], own: int | None
) -> tuple[int, float, float]:
    """Return the number of the trial that wins by a rule of `winner`, its gain over the trial `own`, which has the values without
    any search and is None where it has diverged, and the standard error of that."""
    gains = {} if own is None else {number: _gain(result, compared[own]) for number, result in compared.items()}
    ahead = [number for number, (gain, error) in gains.items() if gain > error]
    among = (ahead or ([own] if own is not None else [])) if rule == "ahead" else []
    sign = -1 if aim.larger_is_better else 1
    best = min(among or compared, key=lambda number: (sign * compared[number].scores[0], number))
    return best, *gains.get(best, (0.0, 0.0))


def lead(study: Study, results: Mapping[int, Result], won: Winner) -> Lead:
    """Hold the trial that won against the others: differences of the loss, paired jet by jet on the same validation labels."""
    best = results[won.number]
    others = {number: _gain(best, one) for number, one in results.items() if one.compared and number != won.number}
    values = tried(study, results)
    gain = next((gain for number, gain in others.items() if values[number] == study.unsearched), None)
    return Lead(gain=gain, level=tuple(number for number, (ahead, error) in others.items() if ahead <= error))


def _gain(result: Result, own: Result) -> tuple[float, float]:
    """By how much a trial's mean loss is below another's on the same jets, and the standard error of that."""
    assert result.losses is not None
    assert own.losses is not None
    differences = own.losses - result.losses
    return float(differences.mean()), float(differences.std(ddof=1) / math.sqrt(len(differences)))


def at_edge(one: Searched, value: Scalar, tried: Iterable[Scalar]) -> bool:
    """Return whether a value is the smallest or largest of more than two choices that were tried, or lies at an end of its range:
    what a sampler happened to try of a range has extremes too, and they say nothing."""
    numbers = sorted({number for number in tried if isinstance(number, int | float)})
    if len(numbers) < 3 or not isinstance(value, int | float):
        return False
    space = one.space
    if space.low is None or space.high is None:
        return value in (numbers[0], numbers[-1])
    scale = math.log if space.log else float
    low, high = scale(space.low), scale(space.high)
    return not EDGE < (scale(value) - low) / (high - low) < 1 - EDGE
