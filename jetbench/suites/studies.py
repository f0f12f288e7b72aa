"""Studies: a search over scalars of an arm's last run whose result depends on the study and its trials alone.

Nothing is stored but the trials' own folders: the Optuna study is made again from them, in memory, whenever it is asked for.
Trials come in rounds. Each round has a fresh sampler, seeded by study and round, and is told in the order of its numbers, so that
neither the order in which trainings end nor an interruption changes what is asked next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from jetbench.seeds import derive
from jetbench.spaces import Space
from jetbench.spec import RunSpec, Scalar
from jetbench.suites.parameters import decided
from jetbench.values import Spec

if TYPE_CHECKING:
    import optuna

__all__ = ["LEARNING_RATE", "VALIDATION_LOSS", "Aim", "Result", "Searched", "Study", "named", "open_round", "plain", "replay", "tried", "walk"]

ROUND = 4  # trials that are asked for at once, before any of them is told
LEARNING_RATE = "recipe.learning_rate"


class Searched(Spec):
    """A parameter by its path in the spec, where it is searched, and the value that it has without any search."""

    path: str
    space: Space
    own: Scalar

    @property
    def name(self) -> str:
        """The parameter as people read it: "learning rate"."""
        return named(self.path)

    @property
    def text(self) -> str:
        """As people read it, as in "learning rate 0.001, 0.003" or "dropout 0 … 0.5"."""
        ends = self.space.choices or (self.space.low, self.space.high)
        return f"{self.name} {(', ' if self.space.choices else ' … ').join(map(plain, ends))}"


def named(path: str) -> str:
    """Write a parameter as people read it: "learning rate"."""
    return path.split(".", 1)[1].replace("_", " ")


def plain(value: Scalar) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


class Aim(Spec):
    """A metric of the validation labels or a cost, "val/loss" or "cost/flops", that a study makes small or large."""

    metric: str
    larger_is_better: bool = False


VALIDATION_LOSS = Aim(metric="val/loss")


class Study(Spec):
    """A search over parameters of `template`, a run with the values that it has without any search. "grid" tries each choice of
    its one parameter once; "tpe" tries the template's own values first, and then what Optuna's sampler asks for. Trials are
    compared by their loss on the validation labels."""

    template: RunSpec
    searched: tuple[Searched, ...]
    sampler: Literal["grid", "random", "qmc", "tpe", "gp", "cma-es", "nsga2"]
    trials: int
    pruner: Literal["none", "asha", "wilcoxon"] = "none"
    aims: tuple[Aim, ...] = (VALIDATION_LOSS,)

    @cached_property
    def unsearched(self) -> dict[str, Scalar]:
        """The values by path that the run has without any search, or the nearest to them that are tried."""
        return {one.path: one.space.nearest(one.own) for one in self.searched}

    def trial(self, values: Mapping[str, Scalar]) -> RunSpec:
        """Return the run of a trial with these values by path."""
        return decided(self.template, values)

    def known_trials(self) -> tuple[RunSpec, ...]:
        """Return the trials that are certain before anything has run: all of a grid, of a search the first."""
        if self.sampler != "grid":
            return (self.trial(self.unsearched),)
        (only,) = self.searched
        return tuple(self.trial({only.path: value}) for value in only.space.choices)

    def rounds(self) -> list[range]:
        """Return the numbers of a search's trials, round by round."""
        return [range(first, min(first + ROUND, self.trials)) for first in range(0, self.trials, ROUND)]


@dataclass(frozen=True, eq=False)
class Result:
    """A trial's outcome: what each validation jet adds to the loss (n,), in the same order for all trials of a study. None is a
    trial that has diverged: it is worse than any other, and it has cost what it has cost."""

    losses: np.ndarray | None

    @property
    def loss(self) -> float:
        return float("inf") if self.losses is None else float(self.losses.mean())


def replay(study: Study, results: Mapping[int, Result]) -> optuna.Study:
    """Make the Optuna study of a search again from the results of its trials, by number, up to the round that is not wholly
    known."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    handle = optuna.create_study(study_name=study.digest(), direction="minimize", sampler=_sampler(study, 0))
    handle.enqueue_trial(study.unsearched)
    for index, numbers in enumerate(study.rounds()):
        handle.sampler = _sampler(study, index)
        for _ in numbers:
            handle.ask({one.path: _distribution(one.space) for one in study.searched})
        if any(number not in results for number in numbers):
            break
        for number in numbers:
            _tell(handle, number, results[number])
    return handle


def _tell(handle: Any, number: int, result: Result) -> None:
    from optuna.trial import TrialState

    if result.losses is None:
        handle.tell(number, state=TrialState.FAIL)
    else:
        handle.tell(number, result.loss)


def _sampler(study: Study, index: int) -> Any:
    import optuna

    seed = derive("study", study.digest(), index) % 2**32
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
    if study.sampler == "grid":
        return {} if len(results) == study.trials else dict(enumerate(study.known_trials()))
    from optuna.trial import TrialState

    running = replay(study, results).get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return {trial.number: study.trial(trial.params) for trial in running}


def tried(study: Study, results: Mapping[int, Result]) -> dict[int, dict[str, Scalar]]:
    """Return the values by path of every trial that has been asked for, by its number."""
    if study.sampler == "grid":
        (only,) = study.searched
        return {number: {only.path: value} for number, value in enumerate(only.space.choices)}
    return {trial.number: dict(trial.params) for trial in replay(study, results).get_trials(deepcopy=False)}


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
