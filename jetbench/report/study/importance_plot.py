"""The importance of the searched parameters, by PED-ANOVA and by fANOVA side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from jetbench.evaluation.plots import DPI, INK, PALETTE
from jetbench.report.content import Plot
from jetbench.report.drawing import style
from jetbench.report.study.importance import Importance, importance, top
from jetbench.report.study.looks import SMALL
from jetbench.report.study.names import aim_name, parameter_name
from jetbench.suites.trials import Searching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "plot"]


def plot(searching: Searching, name: str) -> Plot:
    """Describe the importances of a search in which they are not refused."""
    return Plot(
        name,
        "Importance of each parameter by PED-ANOVA and by fANOVA",
        f"Two answers to two questions. PED-ANOVA: what sets the best {100 * top(searching):.0f} % of the finished trials apart "
        "from all of them. fANOVA: whose variation alone makes the score vary over the whole range, bad corners included. Each "
        "adds up to 100 %; parameters that only matter together are in neither.",
        draw,
        (
            importance(searching),
            tuple(aim_name(aim) for aim in searching.study.aims),
            {one.path: parameter_name(one) for one in searching.study.searched},
        ),
    )


def draw(found: Sequence[Importance], aims: Sequence[str], names: Mapping[str, str]) -> Figure:
    """Draw a row of bars for each aim."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.2, (0.9 + 0.34 * len(names)) * len(found) + 0.3), dpi=DPI, layout="constrained")
    panels = figure.subplots(len(found), 2, sharey="row", squeeze=False)
    for row, one in zip(panels, found, strict=True):
        ordered = sorted(names, key=lambda path: one.ped_anova[path])
        sides = ((one.ped_anova, "PED-ANOVA", PALETTE[0]), (one.fanova, "fANOVA", PALETTE[4]))
        for axes, (shares, evaluator, color) in zip(row, sides, strict=True):
            percent = [100 * shares[path] for path in ordered]
            axes.barh([names[path] for path in ordered], percent, color=color, height=0.62)
            for place, value in enumerate(percent):
                axes.text(value + 1, place, f"{value:.0f}", va="center", fontsize=9, color=INK)
            style(axes, f"{evaluator}, {aims[one.aim]}")
            axes.set_xlim(0, 108)
            axes.set_xlabel("importance [%]", fontsize=SMALL, color=INK)
    return figure
