"""Studies: a search for a learning rate whose result depends on the study alone, interrupted or not.

The driver asks and tells. Each trial's parameters come from a fresh sampler seeded by (study, trial number); a round is told in
the order of its numbers, so that neither the order in which trainings end nor a restart changes what is asked next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jetbench.seeds import derive
from jetbench.spec import RunSpec
from jetbench.values import Value

__all__ = ["Result", "Study", "Tuner", "Winner"]

ROUND = 4  # trials that "tpe" asks for at once


class Study(Value):
    """A search over the learning rate of `template`, which is a trial run with the recipe's own rate."""

    template: RunSpec
    selection: Literal["one-standard-error"] = "one-standard-error"
    sampler: Literal["grid", "tpe"]
    rates: tuple[float, ...]  # the grid, rising, or the two ends of a logarithmic range
    trials: int

    def trial(self, rate: float) -> RunSpec:
        return self.template.replace(recipe=self.template.recipe.replace(learning_rate=rate))

    def known_trials(self) -> tuple[RunSpec, ...]:
        """The trials that are certain before anything has run: all of a grid, none of a search."""
        return tuple(self.trial(rate) for rate in self.rates) if self.sampler == "grid" else ()


@dataclass(frozen=True)
class Result:
    """A trial's outcome on the validation labels; `error` is DeLong's standard error of the AUC."""

    auc: float
    loss: float
    error: float


class Winner(Value):
    """What a study decided. `at_edge` says that the best rate is the smallest or largest that was tried of more than two."""

    learning_rate: float
    auc: float
    at_edge: bool
    trials: int


class Tuner:
    """One Optuna study, in memory or in a file, driven from outside: `pending` asks, `tell_round` tells, `winner` concludes.

    The selection rule is one standard error (Breiman et al., Classification and Regression Trees, 1984, section 3.4.3): of the
    trials whose AUC lies within the best one's standard error of the best, the one nearest to the recipe's own rate, then
    the larger AUC, then the smaller loss. A handful of validation labels orders rates at random; following it would hand
    one arm or another a bad rate by chance, and the comparison its result. Without evidence the recipe is kept."""

    def __init__(self, study: Study, storage: Path | None) -> None:
        import optuna
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = study
        self.optuna = optuna
        self.handle = optuna.create_study(
            study_name=study.digest(),
            storage=optuna.storages.JournalStorage(JournalFileBackend(str(storage))) if storage else None,
            direction="maximize",
            load_if_exists=True,
        )

    def pending(self) -> dict[int, RunSpec]:
        """The trials of the round that is open, by number; asks for a new round where there is none. Empty at the end."""
        running = self._trials(self.optuna.trial.TrialState.RUNNING)
        told = len(self._trials(self.optuna.trial.TrialState.COMPLETE))
        size = self.study.trials if self.study.sampler == "grid" else ROUND
        goal = min(self.study.trials, (told // size + 1) * size)
        while told + len(running) < goal:
            trial = self._ask(told + len(running))
            running.append(self.handle.get_trials(deepcopy=False)[trial])
        return {t.number: self.study.trial(t.params["learning_rate"]) for t in sorted(running, key=lambda t: t.number)}

    def _ask(self, number: int) -> int:
        seed = derive("study", self.study.digest(), number) % 2**32
        samplers = self.optuna.samplers
        distribution: Any
        if self.study.sampler == "grid":
            distribution = self.optuna.distributions.CategoricalDistribution(self.study.rates)
            seed = derive("grid", self.study.digest()) % 2**32  # one order for all trials
            self.handle.sampler = samplers.GridSampler({"learning_rate": self.study.rates}, seed=seed)
        else:
            low, high = min(self.study.rates), max(self.study.rates)
            distribution = self.optuna.distributions.FloatDistribution(low, high, log=True)
            self.handle.sampler = samplers.TPESampler(seed=seed, n_startup_trials=ROUND)
        return self.handle.ask({"learning_rate": distribution}).number

    def _trials(self, state: Any) -> list[Any]:
        return self.handle.get_trials(deepcopy=False, states=(state,))

    def tell_round(self, results: dict[int, Result]) -> None:
        """Tell a whole round, in the order of the trials' numbers."""
        trials = {t.number: t for t in self.handle.get_trials(deepcopy=False)}
        self.handle.sampler = self.optuna.samplers.RandomSampler(seed=0)  # a grid's sampler ends an optimize() that is not there
        for number, result in sorted(results.items()):
            if not trials[number].state.is_finished():
                for name in ("loss", "error"):
                    self.handle._storage.set_trial_user_attr(trials[number]._trial_id, name, getattr(result, name))
                self.handle.tell(number, result.auc)

    def winner(self) -> Winner:
        complete = self._trials(self.optuna.trial.TrialState.COMPLETE)

        own = self.study.template.recipe.learning_rate
        assert isinstance(own, float)

        def rank(trial: Any) -> tuple[float, float, float]:
            distance = abs(math.log(trial.params["learning_rate"] / own))
            return (round(distance, 6), -trial.value, trial.user_attrs["loss"])

        top = max(complete, key=lambda trial: trial.value)
        best = min((t for t in complete if t.value >= top.value - top.user_attrs["error"]), key=rank)
        rates = sorted(t.params["learning_rate"] for t in complete)
        rate = best.params["learning_rate"]
        return Winner(
            learning_rate=rate, auc=best.value, at_edge=len(rates) > 2 and rate in (rates[0], rates[-1]), trials=len(complete)
        )
