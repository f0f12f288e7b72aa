"""Which studies an arm needs at a label budget: one for each seed, or one that all its seeds share."""

from __future__ import annotations

from collections.abc import Sequence

from jetbench.models import models
from jetbench.spec import RunSpec
from jetbench.suites.expand import Cells, Ground, expand, trial_seed
from jetbench.suites.search import searched
from jetbench.suites.settings import Arm, Settings
from jetbench.suites.studies import Searched, Study

__all__ = ["seed_studies", "shared_study"]


def seed_studies(ground: Ground, arm: Arm, chains: Sequence[tuple[RunSpec, ...]]) -> list[Study]:
    """Return a study for each chain of runs of the arm, one per seed, whose last run is what it is without any search; none where
    nothing is tuned. Raises `SuiteError` as `search.searched` does."""
    found = _searched(ground.settings, arm, chains[0][-1])
    return [_study(ground.settings, chain[-1], found) for chain in chains] if found else []


def shared_study(ground: Ground, arm: Arm, labels: int) -> tuple[Study, tuple[RunSpec, ...]] | None:
    """Return the study that decides for all seeds of an arm at a budget, and the runs that its trials start from; None where
    nothing is tuned. Raises `SuiteError` as `search.searched` does."""
    settings = ground.settings
    assert settings.tuning is not None
    budget = labels if settings.tuning.labels == "each" else _smallest_alike(settings, arm, labels)
    (chain,) = expand(ground, arm, Cells(budget, [trial_seed(arm)], trial=True))
    found = _searched(settings, arm, chain[-1])
    return (_study(settings, chain[-1], found), chain[:-1]) if found else None


def _searched(settings: Settings, arm: Arm, template: RunSpec) -> tuple[Searched, ...]:
    tuning = settings.tuning
    if tuning is None or not models[arm.model].tunable or (len(tuning.factors) < 2 and not tuning.search):
        return ()
    return tuple(searched(settings, arm, template))


def _study(settings: Settings, template: RunSpec, found: tuple[Searched, ...]) -> Study:
    assert settings.tuning is not None
    trials = settings.tuning.trials or len(found[0].space.choices)
    return Study(template=template, searched=found, sampler=settings.tuning.sampler, trials=trials)


def _smallest_alike(settings: Settings, arm: Arm, labels: int) -> int:
    """The smallest budget of an arm that follows the same recipe as this one: a winner belongs to its recipe."""
    few = settings.few_labels or 0
    return next(budget for budget in settings.budgets_of(arm) if (budget < few) == (labels < few))
