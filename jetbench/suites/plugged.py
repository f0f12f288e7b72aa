"""The components that a suite or study names, and the plug-ins that they come from."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.data.catalog import datasets
from jetbench.evaluation.metrics import metrics
from jetbench.models import models
from jetbench.objectives import objectives
from jetbench.plugins import OpenRegistry
from jetbench.registry import E, Entry
from jetbench.spec import PluginRef
from jetbench.suites.choices import Common
from jetbench.suites.settings import Settings
from jetbench.suites.stages import regimes
from jetbench.tasks import tasks
from jetbench.views import augmentations, views

__all__ = ["named_entries", "plugins_of"]


def plugins_of(settings: Common) -> tuple[PluginRef, ...]:
    """Return the plug-ins of all components that settings name, each once, in the order of their digests. An unknown name is
    passed over: the plan refuses it."""
    found = {entry.plugin.sha256: entry.plugin for entry in named_entries(settings) if entry.plugin is not None}
    return tuple(found[digest] for digest in sorted(found))


def named_entries(settings: Common) -> Iterator[Entry]:
    """Yield the entry of every component that settings name, but for names that there are not."""
    yield from _of(tasks, settings.task.name)
    jets = [settings.dataset.name, settings.unlabelled.name if settings.unlabelled else ""]
    yield from _of(datasets, *jets, *(one.name or "" for one in settings.variations.values()))
    for arm in settings.arms.values():
        for model in _of(models, arm.model):
            yield model
            yield from _of(views, model.view, model.other_view)
        for regime in _of(regimes, arm.regime):
            yield regime
            yield from _of(objectives, *(stage.objective for stage in regime.stages))
    choices = [settings.recipes, *(arm.recipes for arm in settings.arms.values())]
    steps = [step.name for recipes in choices for one in recipes.values() for step in one.augmentation or ()]
    yield from _of(augmentations, *steps)
    yield from _of(metrics, *(settings.metrics if isinstance(settings, Settings) else ()))


def _of(table: OpenRegistry[E], *names: str) -> Iterator[E]:
    return (table[name] for name in names if name in table)
