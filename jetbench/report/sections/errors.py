"""Columns of what else is known of a predicted number: mean absolute error, R², bias, resolution, tails."""

from __future__ import annotations

from jetbench.evaluation.spread import FAR
from jetbench.report.content import Cell, Column, Columns
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.rows import places

__all__ = ["columns"]

# headings with the digits, and the factor, in which each metric is shown
SHOWN = {
    "mae": ("MAE [GeV]", 2, 1),
    "r2": ("R²", 3, 1),
    "median_bias": ("median bias [GeV]", 2, 1),
    "resolution": ("resolution [%]", 1, 100),
    "tails": ("tails [%]", 1, 100),
}
BESIDE = "mae"  # few large residuals dominate the root mean square and hardly move this one
LEGEND = """MAE: mean size of the residual, prediction − truth; R²: share of the variance of the truth that is explained; median
bias: median residual; resolution: half of the central 68 % of prediction/truth; tails: share of jets whose residual is
further from the median than {{ far }} times half of its central 68 % (0.27 % of a normal distribution). Means over the seeds,
below them the error of one from the test jets. The error of the difference from the test sample is that of the mean over the
paired seeds, from resampled test jets."""


def columns(results: Results) -> Columns:
    """Show means over the finished seeds, the mean absolute error beside the headline."""
    return Columns(
        tuple(
            Column(heading, {place: _cell(results, *place, key) for place in places(results)}, beside=key == BESIDE)
            for key, (heading, _, _) in SHOWN.items()
        ),
        legend=fragment(LEGEND, far=f"{FAR:g}"),
        remark="MAE: mean size of the residual, below it ± of one seed from the test jets",
    )


def _cell(results: Results, arm: str, labels: int, key: str) -> Cell:
    found, error = (results.average(arm, labels, f"test/{name}") for name in (key, f"{key}_se"))
    return Cell(_text(found, key), "" if error is None else f"±{_text(error, key)}")


def _text(found: float | None, key: str) -> str:
    _, digits, factor = SHOWN[key]
    return "–" if found is None else f"{factor * found:.{digits}f}".replace("-", "−")
