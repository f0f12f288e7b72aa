"""Trainings beside the comparison that are longer than its own: would its arms gain by them?"""

from __future__ import annotations

from jetbench.models import models
from jetbench.spec import RunSpec
from jetbench.suites.choices import Arm
from jetbench.suites.expand import Cells, Ground, expand, trial_seed
from jetbench.suites.settings import Settings

__all__ = ["checked_arms", "length_check"]


def checked_arms(settings: Settings) -> tuple[tuple[str, int], ...]:
    """Return the arms whose length a suite checks, each with its largest budget: the networks of the primary comparisons."""
    if settings.longer is None:
        return ()
    named = dict.fromkeys(name for one in settings.primary for name in (one.baseline, one.arm))
    return tuple((name, settings.budgets(name)[-1]) for name in named if models[settings.arms[name].model].kind == "network")


def length_check(ground: Ground, arm: Arm, labels: int, times: float) -> tuple[tuple[RunSpec, ...], RunSpec]:
    """Return the chain of a training with labels, weights and encoder that no reported run has, and its last run anew, `times` as
    long. Both have the recipe's own values, whatever is tuned."""
    (chain,) = expand(ground, arm, Cells(labels, [trial_seed(arm)], trial=True))
    recipe = chain[-1].recipe
    longer: RunSpec = chain[-1].replace(recipe=recipe.replace(passes=round(times * recipe.passes)))
    return chain, longer
