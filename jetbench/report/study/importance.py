"""Which of the searched parameters mattered: two answers to two questions, by PED-ANOVA and by fANOVA."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from jetbench.report.study.ranking import finished
from jetbench.report.study.rebuilt import rebuilt
from jetbench.spaces import Space
from jetbench.spec import Scalar
from jetbench.suites.studies import Searched
from jetbench.suites.trials import Searching, Trial

if TYPE_CHECKING:
    import optuna

__all__ = ["LEAST", "Importance", "importance", "refusal", "top"]

LEAST = 10  # finished trials: of fewer, neither answer says more than the order in which they were tried
TOP = 0.1  # share of the trials that PED-ANOVA holds against all (Watanabe et al., arXiv:2304.10255), but
LEAST_TOP = 5  # no fewer than these, as Optuna advises


@dataclass(frozen=True)
class Importance:
    """Shares by path that add up to one. `ped_anova`: of what sets the best trials apart from all of them. `fanova`: of the
    variance of one aim over the whole range, each parameter by itself (Hutter et al., ICML 2014)."""

    aim: int
    ped_anova: Mapping[str, float]
    fanova: Mapping[str, float]


def refusal(searching: Searching) -> str:
    """Say why nothing can be said of the importance; empty where something can."""
    if len(searching.study.searched) < 2:
        return "One parameter is searched: there is nothing that it could be more important than."
    if (number := len(finished(searching))) < LEAST:
        return f"Importance needs {LEAST} finished trials; there are {number}."
    return ""


def top(searching: Searching) -> float:
    """Return the share of the finished trials that are the best ones for PED-ANOVA."""
    return max(TOP, LEAST_TOP / len(finished(searching)))


def importance(searching: Searching) -> list[Importance]:
    """Ask both for each aim; empty where `refusal` says why. A parameter that is searched by its logarithm is judged by it."""
    if refusal(searching):
        return []
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances

    study, found = rebuilt(_logarithmic(searching)), []
    best = PedAnovaImportanceEvaluator(target_quantile=top(searching))
    for number, aim in enumerate(searching.study.aims):
        loss = partial(_loss, number, -1.0 if aim.larger_is_better else 1.0)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "PedAnovaImportanceEvaluator computes the importances of params to achieve low")
            apart = get_param_importances(study, evaluator=best, target=loss)
        variance = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0), target=loss)
        found.append(Importance(number, apart, variance))
    return found


def _loss(number: int, sign: float, trial: optuna.trial.FrozenTrial) -> float:
    return sign * float(trial.values[number])


def _logarithmic(searching: Searching) -> Searching:
    """The same study with the logarithms of what is searched by its logarithm: fANOVA knows linear ranges only."""
    study = searching.study
    scaled = tuple(one.replace(space=_log_space(one.space), own=_log(one, one.own)) for one in study.searched)
    trials = tuple(replace(trial, values=_log_values(study.searched, trial)) for trial in searching.trials)
    return replace(searching, study=study.replace(searched=scaled), trials=trials)


def _is_log(space: Space) -> bool:
    return space.log and not space.choices


def _log_space(space: Space) -> Space:
    if not _is_log(space):
        return space
    assert space.low is not None
    assert space.high is not None
    return Space(low=math.log(space.low), high=math.log(space.high))


def _log(one: Searched, value: Scalar) -> Scalar:
    return math.log(value) if _is_log(one.space) and isinstance(value, int | float) and value > 0 else value


def _log_values(searched: tuple[Searched, ...], trial: Trial) -> dict[str, Scalar]:
    return {one.path: _log(one, trial.values[one.path]) for one in searched}
