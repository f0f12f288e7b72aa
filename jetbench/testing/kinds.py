"""Which contracts there are for each kind of component. Reading the table imports no code of a component."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jetbench.registry import Registry
from jetbench.testing.properties import Contract

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True)
class Kind:
    """The registry of a kind, or what makes it, as "module:attribute", and the modules of the contracts that cover its rows."""

    registry: str
    modules: tuple[str, ...]

    def table(self) -> Any:
        module, attribute = self.registry.split(":")
        found = getattr(importlib.import_module(module), attribute)
        return found if isinstance(found, Registry) else found()

    def contracts(self) -> Iterable[Contract]:
        return [importlib.import_module(f"jetbench.testing.{module}").CONTRACT for module in self.modules]


KINDS = {
    "model": Kind("jetbench.models:models", ("networks", "fitted")),
    "objective": Kind("jetbench.objectives:objectives", ("objectives",)),
    "view": Kind("jetbench.views:views", ("views", "tables")),
    "augmentation": Kind("jetbench.views:augmentations", ("augmentations",)),
    "task": Kind("jetbench.tasks:tasks", ("tasks",)),
    "metric": Kind("jetbench.testing.metrics:metrics", ("metrics", "added_metrics")),
    "dataset": Kind("jetbench.data.catalog:datasets", ("datasets",)),
    "format": Kind("jetbench.formats:formats", ("formats",)),
    "regime": Kind("jetbench.suites.stages:regimes", ("regimes",)),
}
