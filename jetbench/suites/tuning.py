"""Which studies an arm needs at a label budget: one for each seed, or one that all its seeds share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from jetbench.models import models
from jetbench.suites.choices import Arm
from jetbench.suites.expand import Cells, Ground, expand, trial_seed
from jetbench.suites.parameters import Chain, shapes_before
from jetbench.suites.samplers import check_pruner, check_sampler
from jetbench.suites.search import rates, searched
from jetbench.suites.settings import Settings, Tuning
from jetbench.suites.studies import VALIDATION_LOSS, Searched, Study

__all__ = ["SEARCH", "seed_studies", "shared_study"]

SEARCH = "tuning.search"  # where a suite says what is searched


def seed_studies(settings: Settings, arm: Arm, chains: Sequence[Chain]) -> list[Study]:
    """Return a study for each chain of runs of the arm, one per seed, which is what it is without any search; none where nothing
    is tuned. Raises `SuiteError` as `search.searched` does."""
    found = _searched(settings, arm, chains[0])
    return [_study(settings, chain, found) for chain in chains] if found else []


def shared_study(ground: Ground, settings: Settings, arm: Arm, labels: int) -> tuple[Study, Chain] | None:
    """Return the study that decides for all seeds of an arm at a budget, and the runs that its trials start from; None where
    nothing is tuned. Raises `SuiteError` as `search.searched` does."""
    assert settings.tuning is not None
    budget = labels if settings.tuning.labels == "each" else _smallest_alike(settings, arm, labels)
    (chain,) = expand(ground, arm, Cells(budget, [trial_seed(arm)], trial=True))
    found = _searched(settings, arm, chain)
    return (_study(settings, chain, found), chain[:-1]) if found else None


def _searched(settings: Settings, arm: Arm, chain: Chain) -> tuple[Searched, ...]:
    tuning = settings.tuning
    if tuning is None or not models[arm.model].tunable:
        return ()
    found = (*rates(tuning, chain[-1]), *searched(SEARCH, settings, arm, chain, tuning.search))
    if found:
        check_sampler(SEARCH, tuning.sampler, found, [VALIDATION_LOSS])
        check_pruner(SEARCH, tuning.pruner, found)
    return found


def _study(settings: Settings, chain: Chain, found: tuple[Searched, ...]) -> Study:
    assert settings.tuning is not None
    before = chain[:-1] if any(shapes_before(one.path) for one in found) else ()
    return Study(
        template=chain[-1],
        before=before,
        searched=found,
        sampler=settings.tuning.sampler,
        pruner=settings.tuning.pruner,
        trials=_trials(settings.tuning, found),
    )


def _trials(tuning: Tuning, found: tuple[Searched, ...]) -> int:
    """What the suite says; a grid has as many as there are combinations."""
    return tuning.trials or math.prod(len(one.space.choices) for one in found)


def _smallest_alike(settings: Settings, arm: Arm, labels: int) -> int:
    """The smallest budget of an arm that follows the same recipe as this one: a winner belongs to its recipe."""
    few = settings.few_labels or 0
    return next(budget for budget in settings.budgets_of(arm) if (budget < few) == (labels < few))
