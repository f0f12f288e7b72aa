"""Bias and resolution of all arms where the truth is small or large, and where the momentum of the jet is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.bins import Binned, read_binned
from jetbench.evaluation.plots import DPI, INK
from jetbench.evaluation.regression_plots import MEASURES, guide
from jetbench.report.arms import Look, looks
from jetbench.report.content import Plot, SectionContent
from jetbench.report.drawing import legend, style
from jetbench.report.results import Results
from jetbench.report.words import count
from jetbench.suites.plan import CellKey
from jetbench.tracking.folder import noted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["averaged", "draw", "render"]

DODGE = 0.5  # of a bin: what the marks of all arms share

Found = Mapping[str, Mapping[str, Binned]]  # by what the jets are binned by, and by arm


def render(results: Results) -> SectionContent | None:
    found = [plot for labels in results.plan.instance.settings.labels if (plot := _plot(results, labels))]
    return SectionContent("bins", "Where the bias is, and the resolution", plots=tuple(found)) if found else None


def _plot(results: Results, labels: int) -> Plot | None:
    found: dict[str, dict[str, Binned]] = {}
    for arm in results.plan.arms:
        for by, every in _read(results, arm, labels).items():
            found.setdefault(by, {})[arm] = averaged(every)
    if not found:
        return None
    headings = {"target": f"true {results.task.column}  [GeV]", "pt": "pT of the jet  [GeV]"}
    alt = f"Median residual and resolution in bins at {labels} labels"
    caption = (
        f"Means over the seeds at {count(labels)} labels, in bins with equal numbers of test jets; the errors are those between "
        "seeds and from the test jets of the bin, together. Marks of a bin stand side by side; a resolution above 1 is not shown."
    )
    given = ({headings[by]: arms for by, arms in found.items()}, labels, looks(results.plan))
    return Plot(f"bins_{labels}", alt, caption, draw, given)


def _read(results: Results, arm: str, labels: int) -> dict[str, list[Binned]]:
    """The bins of each finished seed of an arm, by what the jets are binned by."""
    found: dict[str, list[Binned]] = {}
    for seed in results.seeds(arm, labels):
        kept = noted(results.ledger.folder(results.last[CellKey(arm, labels, seed)]) / "bins.json")
        for by, content in kept.items():
            found.setdefault(by, []).append(read_binned(content))
    return found


def averaged(every: Sequence[Binned]) -> Binned:
    """Return the means over seeds, with errors from the seeds and from the test jets, which all seeds share."""
    means = {name: np.mean([getattr(one, name) for one in every], axis=0) for name in MEASURES}
    errors = {}
    for name in MEASURES:
        spread = np.var([getattr(one, name) for one in every], axis=0, ddof=1) / len(every) if len(every) > 1 else 0.0
        errors[f"{name}_se"] = np.sqrt(np.mean([getattr(one, f"{name}_se") ** 2 for one in every], axis=0) + spread)
    return replace(every[0], **means, **errors)


def draw(found: Found, labels: int, named: Mapping[str, Look]) -> Figure:
    """Draw a column of panels for each quantity that the jets are binned by, a row for each measure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.8 * len(found) + 0.4, 6.6), dpi=DPI, layout="constrained")
    panels = figure.subplots(len(MEASURES), len(found), squeeze=False)
    for (row, (measure, heading)), (column, (quantity, arms)) in (
        (one, other) for one in enumerate(MEASURES.items()) for other in enumerate(found.items())
    ):
        axes = panels[row, column]
        for place, (arm, bins) in enumerate(arms.items()):
            shift = DODGE * ((place + 0.5) / len(arms) - 0.5)
            _draw_arm(axes, bins, measure, shift, named[arm], arm)
        style(axes, "" if row else f"{count(labels)} labels")
        axes.set_xlabel(quantity if row else "", fontsize=11, color=INK)
        axes.set_ylabel("" if column else heading, fontsize=11, color=INK)
        guide(axes, measure)
    legend(figure, figure.axes)
    return figure


def _draw_arm(axes: Any, bins: Binned, measure: str, shift: float, look: Look, name: str) -> None:
    """The marks of an arm, `shift` of a bin to the right of the middle of each."""
    places = (bins.edges[1:] + bins.edges[:-1]) / 2 + shift * np.diff(bins.edges)
    values, errors = getattr(bins, measure), getattr(bins, f"{measure}_se")
    line = {"linewidth": 1.0, "zorder": 2} if look.muted else {"linewidth": 1.6, "zorder": 3}
    axes.errorbar(
        places, values, errors, color=look.color, linestyle=look.dashes, marker=look.marker, markersize=4, label=name, **line
    )
