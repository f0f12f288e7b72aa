"""The data behind a plot as JSON: what it was drawn from, by the names of the drawing's parameters."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from jetbench.report.content import Plot
from jetbench.values import Value

__all__ = ["plain", "plot_data"]

DIGITS = 6  # that count, of numbers in a file for people and for other plots


def plot_data(plot: Plot) -> dict[str, Any]:
    """Return what a plot shows, as plain content by the names of the parameters of what draws it."""
    names = inspect.signature(plot.draw).parameters
    return {name: plain(value) for name, value in zip(names, plot.given, strict=True)}


def plain(value: Any) -> Any:
    """Return a value's content as numbers with six digits, texts, lists and dictionaries; None for what is not finite. Raises
    `TypeError` for anything else than scalars, arrays, records, and containers of them."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | np.floating):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Value):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    raise TypeError(f"{type(value).__name__} has no plain form")
