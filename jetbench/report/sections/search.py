"""How the searches of a suite's tuning went on: what each arm spent, and the best so far against that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from jetbench.report.content import Cell, Line, Plot, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.results import Results
from jetbench.report.study.history import History, history
from jetbench.report.study.history_plot import best_name, draw_arms
from jetbench.report.study.ranking import finished
from jetbench.report.study.spent import ended, spent, states_text
from jetbench.report.words import count
from jetbench.suites.trials import Searching

__all__ = ["mean_history", "render"]

HEADINGS = ("arm", "labels", "search", "trials", "labelled passes", "unlabelled passes", "encoders pretrained", "training time")
BODY = """
{{ table }}
<p><small>Every arm has as many trials at a budget. Passes are those of all trials, the pruned and the diverged ones too; encoders
are those that trials have pretrained for themselves.</small></p>
"""


def render(results: Results) -> SectionContent | None:
    found = [one for one in results.searchings.values() if one.study.sampler != "grid"]
    if not found:
        return None
    places: dict[tuple[int, str], list[Searching]] = {}
    for one in found:
        places.setdefault((one.study.template.labels or 0, one.arm), []).append(one)
    lines = [_line(one) for _, some in sorted(places.items(), key=lambda place: place[0][0]) for one in some]
    body = fragment(BODY, table=table(HEADINGS, lines, ("search", "trials")))
    return SectionContent("search", "How the searches went on", body, tuple(_plots(places)))


def _line(one: Searching) -> Line:
    cost, sampler = spent(ended(one)), Cell(f"{one.study.sampler}, {one.name}", style="wrap")
    passes = (count(round(cost.labelled)), count(round(cost.unlabelled)), count(cost.pretrained), f"{cost.seconds:.0f} s")
    return Line((one.arm, count(one.study.template.labels or 0), sampler, Cell(states_text(one), style="wrap"), *passes))


def _plots(places: dict[tuple[int, str], list[Searching]]) -> Iterable[Plot]:
    """A plot for each label budget: the mean over the studies of an arm where each seed has its own."""
    for labels in sorted({labels for labels, _ in places}):
        here = {arm: [one for one in some if finished(one)] for (budget, arm), some in places.items() if budget == labels}
        past = {arm: mean_history([history(one) for one in some]) for arm, some in here.items() if some}
        if past:
            what = best_name(next(some[0] for some in here.values() if some).study)
            title = f"Best so far of each arm against the labelled passes of its tuning, at {count(labels)} labels"
            yield Plot(f"search_n{labels}", title, f"{title}; mean over seeds that tune for themselves.", draw_arms, (what, past))


def mean_history(past: Sequence[History]) -> History:
    """Average histories trial by trial, as far as all of them reach."""
    reach = min(len(one.best) for one in past)

    def mean(name: str) -> np.ndarray:
        return np.mean([getattr(one, name)[:reach] for one in past], axis=0)

    return History(mean("labelled"), mean("unlabelled"), mean("best"))
