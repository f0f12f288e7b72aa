"""Where the values of a study's trials come from: Optuna's samplers, each made anew for a round."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from jetbench.errors import SuiteError
from jetbench.seeds import derive
from jetbench.spaces import Space
from jetbench.suites.studies import ROUND, Aim, Pruner, Sampler, Searched, Study

__all__ = ["check_pruner", "check_sampler", "distribution", "sampler"]

POPULATION = 2 * ROUND  # of a generation of NSGA-II: two rounds, where Optuna's 50 would leave a study of 24 trials to chance


def check_sampler(where: str, name: Sampler, searched: Sequence[Searched], aims: Sequence[Aim]) -> None:
    """Raise `SuiteError` for a sampler that cannot search these parameters, or cannot pursue so many aims."""
    spaces, several = [one.space for one in searched], len(aims) > 1
    if name == "grid" and (ranges := [one.path for one in searched if not one.space.choices]):
        raise SuiteError(f"{where}: {ranges[0]!r} has a range, and a grid tries choices, as in {{choices: [a, b]}}")
    if name == "cma-es" and sum(not space.choices for space in spaces) < 2:
        raise SuiteError(f"{where}: cma-es searches two ranges of numbers or more; take gp or tpe, or search more parameters")
    if name == "cma-es" and several:
        raise SuiteError(f"{where}: cma-es pursues one aim alone; take nsga2 or tpe for several")


def check_pruner(where: str, name: Pruner, searched: Sequence[Searched]) -> None:
    """Raise `SuiteError` for a pruner that cannot compare trials with these parameters."""
    if name == "asha" and any(one.path == "recipe.epochs" for one in searched):
        raise SuiteError(f"{where}: asha compares trials epoch by epoch, so that recipe.epochs cannot be searched with it")


def sampler(study: Study, index: int) -> Any:
    """Return the study's sampler for a round, counted from 0, with numbers that depend on study and round alone."""
    from optuna import samplers

    seed = derive("study", study.sampled_by, index) % 2**32
    if study.sampler == "random":
        return samplers.RandomSampler(seed=seed)
    if study.sampler == "qmc":
        return _qmc(derive("study", study.sampled_by, 0) % 2**32)
    if study.sampler == "gp":  # it computes with one thread, so that its last digits are the same on every machine of a kind
        return samplers.GPSampler(seed=seed, n_startup_trials=ROUND)
    if study.sampler == "cma-es":
        return samplers.CmaEsSampler(seed=seed, n_startup_trials=ROUND, warn_independent_sampling=False)
    if study.sampler == "nsga2":
        return samplers.NSGAIISampler(seed=seed, population_size=POPULATION)
    return samplers.TPESampler(seed=seed, n_startup_trials=ROUND)


def _qmc(seed: int) -> Any:
    """One sequence for all rounds: points of different sequences would not keep their distance from each other."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False)


def distribution(space: Space) -> Any:
    """Return the space in Optuna's terms."""
    from optuna import distributions

    if space.choices:
        return distributions.CategoricalDistribution(space.choices)
    assert space.low is not None
    assert space.high is not None
    if space.whole:
        return distributions.IntDistribution(int(space.low), int(space.high), log=space.log)
    return distributions.FloatDistribution(float(space.low), float(space.high), log=space.log)
