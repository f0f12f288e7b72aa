"""Bias and resolution of a predicted number where the truth is small or large, and where the momentum of the jet is."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jetbench.evaluation.spread import measured, responses

__all__ = ["Binned", "binned", "read_binned"]

MOST_BINS, LEAST_JETS = 10, 40  # bins have equal numbers of jets, and their quantiles need some


@dataclass(frozen=True, eq=False)
class Binned:
    """k bins: edges (k+1,) [GeV], and per bin (k,) the number of jets, the median residual [GeV] and the resolution, half of the
    central 68 % of the response, with standard errors; NaN where a bin has no such number."""

    edges: np.ndarray
    jets: np.ndarray
    median_bias: np.ndarray
    median_bias_se: np.ndarray
    resolution: np.ndarray
    resolution_se: np.ndarray

    def to_json(self) -> dict[str, list[float | None]]:
        """Return the arrays by name as lists, None in the place of NaN."""
        arrays = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: [float(x) if np.isfinite(x) else None for x in array] for name, array in arrays.items()}


def read_binned(content: dict[str, Any]) -> Binned:
    """Return what `Binned.to_json` has written down."""
    return Binned(**{one.name: np.array(content[one.name], np.float64) for one in fields(Binned)})


def binned(by: ArrayLike, truth: ArrayLike, predictions: ArrayLike) -> Binned:
    """Bin jets (n,) by a number of each [GeV] in up to ten bins with equally many of them, the last one with its upper edge. The
    edges depend on the jets alone and are the same for every model."""
    values, wanted, given = (np.asarray(column, np.float64) for column in (by, truth, predictions))
    bins = int(np.clip(len(values) // LEAST_JETS, 1, MOST_BINS))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
    rows = [_row(wanted[place == one], given[place == one]) for one in range(max(len(edges) - 1, 1))]
    return Binned(edges if len(edges) > 1 else np.repeat(edges, 2), *np.array(rows).T)


def _row(truth: np.ndarray, predictions: np.ndarray) -> list[float]:
    """The fields of `Binned` for the jets of one bin, less its edges."""
    found = [float(len(truth)), *[np.nan] * 4]
    if len(truth) > 1:
        bias = measured(predictions - truth)
        found[1:3] = bias.median, bias.median_se
    if len(response := responses(truth, predictions)) > 1:
        relative = measured(response)
        found[3:5] = relative.width, relative.width_se
    return found
