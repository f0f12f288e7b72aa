"""The files of one evaluation of a predicted number: the predictions, and what is shown of them as data and as picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from jetbench.evaluation.artifacts import write_predictions
from jetbench.evaluation.bins import Binned, binned
from jetbench.evaluation.plots import save_png
from jetbench.evaluation.regression import evaluate_regression
from jetbench.evaluation.regression_plots import (
    Histogram,
    bins_plot,
    histogram_plot,
    prediction_counts,
    prediction_plot,
    residual_histogram,
    response_histogram,
)
from jetbench.files import write_json
from jetbench.tracking.folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_regression"]


def write_regression(
    folder: Path, truth: ArrayLike, predictions: ArrayLike, indices: ArrayLike, target: str, pt: ArrayLike | None = None
) -> tuple[dict[str, float], tuple[Path, ...]]:
    """Write scores.h5, and as JSON and as PNG prediction, residuals, response and bins; return the metrics as `test/<name>`, and
    the files.

    truth (n,), predictions (n,) [GeV]; indices (n,), each jet's row in its dataset; target: what is predicted, for the axes; pt
    (n,) [GeV] of the jets where it is known. Raises `RunError` for what cannot be evaluated (before anything is written) and
    `StoreError` where nothing can be written.
    """
    metrics, kept = evaluate_regression(truth, predictions), RunFolder(folder).scores
    bins = {name: binned(by, truth, predictions) for name, by in {"target": truth, "pt": pt}.items() if by is not None}
    edges, counts = prediction_counts(truth, predictions)
    residuals, response = residual_histogram(truth, predictions), response_histogram(truth, predictions)
    write_predictions(kept, indices, truth, predictions)
    shown = {
        "prediction": (_named(target, edges, counts), prediction_plot(edges, counts, target)),
        "residuals": (_counted(target, residuals), _drawn(residuals, target, 0.0)),
        "response": (_counted(target, response), _drawn(response, target, 1.0)),
        "bins": ({name: one.to_json() for name, one in bins.items()}, bins_plot(_headed(bins, target))),
    }
    for name, (content, figure) in shown.items():
        write_json(folder / f"{name}.json", content)
        save_png(figure, folder / f"{name}.png")
    files = (folder / f"{name}.{suffix}" for name in shown for suffix in ("json", "png"))
    return {f"test/{name}": value for name, value in metrics.items()}, (kept, *files)


def _named(target: str, edges: np.ndarray, counts: np.ndarray) -> dict[str, Any]:
    return {"target": target, "edges": edges.tolist(), "counts": counts.tolist()}


def _counted(target: str, found: Histogram) -> dict[str, Any]:
    return {**_named(target, found.edges, found.counts), "jets": found.jets}


def _drawn(found: Histogram, target: str, neutral: float) -> Figure:
    return histogram_plot(replace(found, quantity=f"{target}:  {found.quantity}"), neutral)


def _headed(bins: Mapping[str, Binned], target: str) -> dict[str, Binned]:
    """The bins by what stands below their axis."""
    texts = {"target": f"true {target}  [GeV]", "pt": "pT of the jet  [GeV]"}
    return {texts[name]: one for name, one in bins.items()}
