"""A study followed through its rounds: what is asked next is a function of the study and of what its trials came to.

Nothing is stored but the trials' own folders: the Optuna study is made again from them, in memory, whenever it is asked for.
Trials come in rounds. Each round has a fresh sampler, seeded by study and round, and is told in the order of its numbers, so that
neither the order in which trainings end nor an interruption changes what is asked next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from jetbench.spec import Scalar
from jetbench.suites.pruning import Bar, Result, bar_for, bar_of
from jetbench.suites.samplers import distribution, sampler
from jetbench.suites.studies import Study

if TYPE_CHECKING:
    import optuna

__all__ = ["Values", "open_round", "replay", "tried", "walk"]

Values = dict[str, Scalar]  # of a trial, by path
Direction = Literal["minimize", "maximize"]


def replay(study: Study, results: Mapping[int, Result]) -> optuna.Study:
    """Make the Optuna study of a search again from the results of its trials, by number, up to the round that is not wholly
    known."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    directions: list[Direction] = ["maximize" if aim.larger_is_better else "minimize" for aim in study.aims]
    handle = optuna.create_study(study_name=study.digest(), directions=directions, sampler=sampler(study, 0))
    handle.enqueue_trial(study.unsearched)
    for index, numbers in enumerate(study.rounds()):
        handle.sampler = sampler(study, index)
        asked = {number: handle.ask({one.path: distribution(one.space) for one in study.searched}) for number in numbers}
        if any(number not in results for number in numbers):
            break
        for number in numbers:
            _tell(handle, asked[number], results[number])
    return handle


def _tell(handle: Any, trial: Any, result: Result) -> None:
    """A trial that a test over seeds has stopped counts with its mean so far, as if it had ended; one that was stopped at a rung
    with the epochs that it had."""
    from optuna.trial import TrialState

    if result.state == "pruned" and result.losses is None:
        for point in result.curve:
            trial.report(point.score, point.epoch)
        handle.tell(trial, state=TrialState.PRUNED)
    elif result.scores:
        handle.tell(trial, list(result.scores))
    else:
        handle.tell(trial, state=TrialState.FAIL)


def open_round(study: Study, results: Mapping[int, Result]) -> dict[int, Values]:
    """Return the values by path of the trials, by number, of the round that waits for results; empty at the end of the study."""
    numbers = next((numbers for numbers in study.rounds() if any(number not in results for number in numbers)), None)
    if numbers is None:
        return {}
    if study.sampler == "grid":
        return {number: study.grid[number] for number in numbers}
    trials = replay(study, results).get_trials(deepcopy=False)
    return {number: dict(trials[number].params) for number in numbers}


def tried(study: Study, results: Mapping[int, Result]) -> dict[int, Values]:
    """Return the values by path of every trial that has been asked for, by its number."""
    if study.sampler == "grid":
        asked = {number for numbers in study.rounds() for number in numbers if numbers[0] == 0 or numbers[0] - 1 in results}
        return {number: study.grid[number] for number in sorted(asked)}
    return {trial.number: dict(trial.params) for trial in replay(study, results).get_trials(deepcopy=False)}


def walk(study: Study, look: Callable[[Values, Bar], Result | None]) -> tuple[dict[int, Values], dict[int, Result]]:
    """Follow a study through the rounds whose trials have all ended, and return the values of its trials and their results, by
    number. `look` gives what a trial with these values came to, held against its bar, and None where it has not ended; trials of
    the round that is open have no result."""
    trials: dict[int, Values] = {}
    results: dict[int, Result] = {}
    while asked := open_round(study, results):
        bar = bar_of(study, results.values())
        trials |= asked
        looks = {number: look(values, bar_for(study, values, bar)) for number, values in asked.items()}
        ended = {number: found for number, found in looks.items() if found is not None}
        if len(ended) < len(asked):
            break
        results |= ended
    return trials, results
