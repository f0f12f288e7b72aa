"""Optuna's own form of a study, made again from its trials: for what Optuna says of it, and for its dashboard."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from jetbench.report.study.spent import ended
from jetbench.suites.samplers import distribution
from jetbench.suites.studies import Searched
from jetbench.suites.trials import Searching, State, Trial

if TYPE_CHECKING:
    import optuna

__all__ = ["rebuilt"]

STATES: dict[State, str] = {"complete": "COMPLETE", "pruned": "PRUNED", "diverged": "FAIL", "failed": "FAIL"}


def rebuilt(searching: Searching, storage: Any = None) -> optuna.Study:
    """Make the Optuna study of all trials that have ended, in memory or in a storage that has none of its name.

    A trial has its values by path, its scores, its validation loss by passes, and as attributes how it ended, what it cost and
    the keys of its runs.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    aims = searching.study.aims
    study = optuna.create_study(
        study_name=searching.name,
        storage=storage,
        directions=["maximize" if aim.larger_is_better else "minimize" for aim in aims],
    )
    study.set_user_attr("aims", [aim.metric for aim in aims])
    for trial in ended(searching):
        study.add_trial(_frozen(searching.study.searched, trial))
    return study


def _frozen(searched: tuple[Searched, ...], trial: Trial) -> optuna.trial.FrozenTrial:
    import optuna

    complete = trial.state == "complete"
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState[STATES[trial.state]],
        values=list(trial.scores) if complete else None,
        params={one.path: trial.values[one.path] for one in searched},
        distributions={one.path: distribution(one.space) for one in searched},
        intermediate_values={round(passes): loss for passes, loss in trial.curve if math.isfinite(loss)},
        user_attrs={
            "state": trial.state,
            "labelled_passes": trial.labelled_passes,
            "unlabelled_passes": trial.unlabelled_passes,
            "seconds": trial.seconds,
            "runs": list(trial.runs),
            "keys": list(trial.keys),
        },
    )
