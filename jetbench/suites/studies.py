"""Studies: a search over scalars of an arm's last run whose result depends on the study and its trials alone.

Nothing is stored but the trials' own folders: the Optuna study is made again from them, in memory, whenever it is asked for.
Trials come in rounds. Each round has a fresh sampler, seeded by study and round, and is told in the order of its numbers, so that
neither the order in which trainings end nor an interruption changes what is asked next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from jetbench.seeds import derive
from jetbench.spaces import Space
from jetbench.spec import RunSpec, Scalar
from jetbench.suites.parameters import decided
from jetbench.values import Spec

if TYPE_CHECKING:
    import optuna

__all__ = ["LEARNING_RATE", "Result", "Searched", "Study", "Winner", "at_edge", "open_round", "replay", "walk", "winner"]

ROUND = 4  # trials that are asked for at once, before any of them is told
EDGE = 0.03  # share of a range, of its logarithm where it is searched there, that is its edge
LEARNING_RATE = "recipe.learning_rate"


class Searched(Spec):
    """A parameter by its path in the spec, where it is searched, and the value that it has without any search."""

    path: str
    space: Space
    own: Scalar

    @property
    def name(self) -> str:
        """The parameter as people read it: "learning rate"."""
        return _name(self.path)

    @property
    def text(self) -> str:
        """As people read it, as in "learning rate 0.001, 0.003" or "dropout 0 … 0.5"."""
        ends = self.space.choices or (self.space.low, self.space.high)
        return f"{self.name} {(', ' if self.space.choices else ' … ').join(map(_plain, ends))}"


class Study(Spec):
    """A search over parameters of `template`, a trial run with its own values. "grid" tries each choice of its one parameter
    once; "tpe" asks Optuna's sampler. `metric` is the task's metric of tuning, by its key under `val/`."""

    template: RunSpec
    searched: tuple[Searched, ...]
    metric: str
    larger_is_better: bool = True
    selection: Literal["one-standard-error"] = "one-standard-error"
    sampler: Literal["grid", "tpe"]
    trials: int

    def trial(self, values: Mapping[str, Scalar]) -> RunSpec:
        """Return the run of a trial with these values by path."""
        return decided(self.template, values)

    def known_trials(self) -> tuple[RunSpec, ...]:
        """Return the trials that are certain before anything has run: all of a grid, none of a search."""
        if self.sampler != "grid":
            return ()
        (only,) = self.searched
        return tuple(self.trial({only.path: value}) for value in only.space.choices)

    def rounds(self) -> list[range]:
        """Return the numbers of the trials, round by round."""
        size = self.trials if self.sampler == "grid" else ROUND
        return [range(first, min(first + size, self.trials)) for first in range(0, self.trials, size)]


@dataclass(frozen=True)
class Result:
    """A trial's outcome on its validation labels: the metric, its standard error, and the loss. A trial that has diverged has the
    value None: it is worse than any other, and it has cost what it has cost."""

    value: float | None
    error: float = 0.0
    loss: float = math.inf

    @classmethod
    def read(cls, study: Study, metrics: Mapping[str, float]) -> Result:
        """Return the result of a finished trial from its metrics."""
        key = f"val/{study.metric}"
        return cls(metrics[key], metrics[f"{key}_se"], metrics["val/loss"])


class Winner(Spec):
    """What a study decided: a value for each path, and the metric that the trial had. `at_edge` names the paths whose value is at
    an end of its range, or the smallest or largest choice of more than two. `diverged` counts trials whose loss did not stay
    finite."""

    values: tuple[tuple[str, Scalar], ...]
    metric: float
    at_edge: tuple[str, ...] = ()
    trials: int
    diverged: int = 0

    @property
    def text(self) -> str:
        """The values as people read them, as in "learning rate 0.003"."""
        return ", ".join(f"{_name(path)} {_plain(value)}" for path, value in self.values)


def _name(path: str) -> str:
    return path.split(".", 1)[1].replace("_", " ")


def _plain(value: Scalar) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def replay(study: Study, results: Mapping[int, Result]) -> optuna.Study:
    """Make the Optuna study again from the results of its trials, by number, up to the round that is not wholly known."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    handle = optuna.create_study(
        study_name=study.digest(), direction="maximize" if study.larger_is_better else "minimize", sampler=_sampler(study, 0)
    )
    for index, numbers in enumerate(study.rounds()):
        handle.sampler = _sampler(study, index)
        for number in numbers:
            if study.sampler == "grid":
                (only,) = study.searched
                handle.enqueue_trial({only.path: only.space.choices[number]})
            handle.ask({one.path: _distribution(one.space) for one in study.searched})
        if any(number not in results for number in numbers):
            break
        for number in numbers:
            _tell(handle, number, results[number])
    return handle


def _tell(handle: Any, number: int, result: Result) -> None:
    from optuna.trial import TrialState

    if result.value is None:
        handle.tell(number, state=TrialState.FAIL)
    else:
        handle.tell(number, result.value)


def _sampler(study: Study, index: int) -> Any:
    import optuna

    seed = derive("study", study.digest(), index) % 2**32
    if study.sampler == "grid":  # its trials are enqueued
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=ROUND)


def _distribution(space: Space) -> Any:
    import optuna

    if space.choices:
        return optuna.distributions.CategoricalDistribution(space.choices)
    assert space.low is not None
    assert space.high is not None
    if space.whole:
        return optuna.distributions.IntDistribution(int(space.low), int(space.high), log=space.log)
    return optuna.distributions.FloatDistribution(float(space.low), float(space.high), log=space.log)


def open_round(study: Study, results: Mapping[int, Result]) -> dict[int, RunSpec]:
    """Return the runs, by the number of their trial, of the round that waits for results; empty at the end of the study."""
    from optuna.trial import TrialState

    running = replay(study, results).get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return {trial.number: study.trial(trial.params) for trial in running}


def walk(study: Study, look: Callable[[RunSpec], Result | None]) -> tuple[dict[int, RunSpec], dict[int, Result]]:
    """Follow a study through the rounds whose trials have all ended, and return its trials and results by number. `look` gives
    what a run came to, None where it has not ended; trials of the round that is open have no result."""
    trials: dict[int, RunSpec] = {}
    results: dict[int, Result] = {}
    while asked := open_round(study, results):
        trials |= asked
        ended = {number: found for number, spec in asked.items() if (found := look(spec)) is not None}
        if len(ended) < len(asked):
            break
        results |= ended
    return trials, results


def winner(study: Study, results: Mapping[int, Result]) -> Winner | None:
    """Return what the study decided, None before its end and where every trial has diverged.

    The selection rule is one standard error (Breiman et al., Classification and Regression Trees, 1984, section 3.4.3): of the
    trials whose metric lies within the best one's standard error of the best, the one nearest to the study's own values, then the
    better metric, then the smaller loss. A handful of validation labels orders rates at random; following it would hand one arm
    or another a bad rate by chance, and the comparison its result. Without evidence the recipe is kept.
    """
    if len(results) < study.trials:
        return None
    params = {trial.number: trial.params for trial in replay(study, results).get_trials(deepcopy=False)}
    finished = {number: result for number, result in results.items() if result.value is not None}
    if not finished:
        return None
    sign = 1 if study.larger_is_better else -1
    gains = {number: sign * float(result.value or 0.0) for number, result in finished.items()}
    top = max(gains, key=lambda number: gains[number])
    near = [number for number in gains if gains[number] >= gains[top] - finished[top].error]
    best = min(near, key=lambda n: (_distance(study, params[n]), -gains[n], finished[n].loss))
    return Winner(
        values=tuple((one.path, params[best][one.path]) for one in study.searched),
        metric=sign * gains[best],
        at_edge=tuple(
            one.path
            for one in study.searched
            if at_edge(one, params[best][one.path], (trial[one.path] for trial in params.values()))
        ),
        trials=len(results),
        diverged=len(results) - len(finished),
    )


def _distance(study: Study, params: Mapping[str, Any]) -> float:
    """How far a trial is from the study's own values: the mean over parameters, each in units of its range."""
    return round(sum(_apart(one, params[one.path]) for one in study.searched) / len(study.searched), 6)


def _apart(one: Searched, value: Any) -> float:
    ends = [end for end in (one.space.choices or (one.space.low, one.space.high)) if isinstance(end, int | float)]
    numbers = [*ends, value, one.own]
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers) or not ends:
        return float(value != one.own)
    # choices of a rate are factors of each other, as on a logarithmic scale
    scale = math.log if (one.space.log or one.space.choices) and min(numbers) > 0 else float
    span = scale(max(ends)) - scale(min(ends))
    return abs(scale(value) - scale(one.own)) / span if span else 0.0  # type: ignore[arg-type]


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
