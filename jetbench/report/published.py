"""Printed numbers of others, from the file `published.yaml` beside this one."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from pydantic import model_validator

from jetbench.errors import StoreError
from jetbench.statistics.power_law import exponents
from jetbench.strict import parse, read_yaml
from jetbench.tasks.task import Metric
from jetbench.values import Value

__all__ = ["PublishedLabels", "PublishedPoint", "PublishedPoolSizes", "published_labels", "published_pool_sizes"]

FILE = "published.yaml"


class PublishedPoolSizes(Value):
    """Values (k,) of the metric with this name after pretrainings on so many jets (k,); `of` is what was trained."""

    metric: str
    jets: tuple[int, ...]
    values: tuple[float, ...]
    of: str
    source: str

    @model_validator(mode="after")
    def _paired(self) -> PublishedPoolSizes:
        if len(self.jets) != len(self.values):
            raise ValueError(f"{len(self.values)} values at {len(self.jets)} sizes")
        return self

    def exponent(self, metric: Metric) -> float:
        """Return the exponent of the power law in what the values leave to perfection; one without errors has no interval."""
        return float(exponents(self.jets, metric.left(np.array([self.values])))[0])


class PublishedPoint(Value):
    """Printed means at a number of labels, from scratch and after a pretraining; an error is what stands behind the ±, None where
    nothing does."""

    labels: int
    scratch: float
    scratch_error: float | None = None
    pretrained: float
    pretrained_error: float | None = None


class PublishedLabels(Value):
    """What a pretraining gains by the metric with this name, budget by budget, for an encoder of the kind of the model with this
    name; `of` is what was trained."""

    metric: str
    model: str
    points: tuple[PublishedPoint, ...]
    of: str
    source: str


class Published(Value):
    """What the file holds."""

    pool_sizes: tuple[PublishedPoolSizes, ...]
    label_budgets: tuple[PublishedLabels, ...]


def published_pool_sizes(metric: Metric) -> tuple[PublishedPoolSizes, ...]:
    """Return the printed rows of a metric, by its name: an AUC of two classes is none of many."""
    return tuple(row for row in _published().pool_sizes if row.metric == metric.name)


def published_labels(metric: Metric, model: str) -> tuple[PublishedLabels, ...]:
    """Return the printed rows of a metric for encoders of the kind of a model, by both names."""
    return tuple(row for row in _published().label_budgets if (row.metric, row.model) == (metric.name, model))


@cache
def _published() -> Published:
    text = files("jetbench.report").joinpath(FILE).read_text(encoding="utf-8")
    found: Published = parse(Published, read_yaml(text, FILE, StoreError), FILE, StoreError)
    return found
