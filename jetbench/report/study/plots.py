"""Which plots a study has, in the order of the page."""

from __future__ import annotations

from collections.abc import Sequence

from jetbench.report.content import Plot
from jetbench.report.study import curves_plot, front_plot, history_plot, importance_plot, parallel_plot, slices_plot
from jetbench.report.study.importance import refusal
from jetbench.report.study.ranking import finished
from jetbench.suites.trials import Searching

__all__ = ["plots_of", "plots_of_arms"]


def plots_of(searching: Searching) -> list[Plot]:
    """List the plots of one search; none before a trial was trained to its end."""
    if not finished(searching):
        return []
    several, front = len(searching.study.aims) > 1, searching.name.replace("/", "-").replace(".", "-")
    found = [front_plot.plot(searching, f"{front}-front")] if several else []
    found.append(history_plot.plot(searching, f"{front}-history"))
    found.append(slices_plot.plot(searching, f"{front}-slices"))
    found += [] if refusal(searching) else [importance_plot.plot(searching, f"{front}-importance")]
    found.append(parallel_plot.plot(searching, f"{front}-parallel"))
    found += [curves_plot.plot(searching, f"{front}-curves")] if any(trial.curve for trial in searching.trials) else []
    return found


def plots_of_arms(searchings: Sequence[Searching]) -> list[Plot]:
    """List the plots in which arms stand beside each other; none of a single arm."""
    begun = [one for one in searchings if finished(one)]
    return [history_plot.plot_of_arms(begun, "history")] if len(begun) > 1 else []
