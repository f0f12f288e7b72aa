"""What a suite does to jets before they are seen: the augmentation of its trainings, as its runs have it."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.spec import Component
from jetbench.suites.expand import Cells, expand, recipe_key
from jetbench.suites.graph import ground_of
from jetbench.suites.needs import skipped_arms
from jetbench.suites.stages import regimes
from jetbench.suites.suite import Instance

__all__ = ["suite_pipelines"]

Steps = tuple[Component, ...]


def suite_pipelines(instance: Instance) -> dict[str, Steps]:
    """Return the steps of each augmentation that a run of the suite has, with the strengths and the frame of that run and without
    what the jets do not allow. Their names are the keys of the recipes that have them, "simclr", and the arms as well where the
    arms of a key differ, "simclr of narrow and wide"."""
    keys: dict[Steps, dict[str, dict[str, None]]] = {}
    for steps, key, arm in _trainings(instance):
        keys.setdefault(steps, {}).setdefault(key, {})[arm] = None
    several = {key for key in _all(keys) if sum(key in arms for arms in keys.values()) > 1}
    return {
        ", ".join(f"{key} of {' and '.join(arms)}" if key in several else key for key, arms in by_key.items()): steps
        for steps, by_key in keys.items()
    }


def _all(keys: dict[Steps, dict[str, dict[str, None]]]) -> set[str]:
    return {key for by_key in keys.values() for key in by_key}


def _trainings(instance: Instance) -> Iterator[tuple[Steps, str, str]]:
    """The augmentation of each training that has one, the key of its recipe, and its arm."""
    settings, ground = instance.settings, ground_of(instance)
    skipped = skipped_arms(settings, instance.meta, instance.pool_meta or instance.meta)
    for name, arm in settings.arms.items():
        for labels in settings.budgets(name) if name not in skipped else ():
            (chain,) = expand(ground, arm, Cells(labels, (arm.seed_offset,)))
            for stage, run in zip(regimes[arm.regime].stages, chain, strict=True):
                if run.recipe.augmentation:
                    yield run.recipe.augmentation, recipe_key(settings, stage, labels), name
