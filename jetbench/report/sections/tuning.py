"""What the studies have decided, arm by arm."""

from __future__ import annotations

from collections import Counter

import numpy as np

from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.results import NOT_RUN, Results
from jetbench.report.tuned import decisions, oracle, spent, untuned
from jetbench.report.words import count, heading, number
from jetbench.suites.plan import CellKey
from jetbench.suites.studies import Study
from jetbench.suites.winner import Winner

__all__ = ["render"]

# what the studies of an arm were given, in trials of each and in passes of all of them; pretrainings are those that trials train
BUDGET = ("trials", "labelled passes", "unlabelled passes", "pretrainings")
BODY = """
{{ table }}
<p><small>Trials are compared by their loss on the validation part of the label budget. Those that were stopped early, failed or
diverged count too, and so do their passes. The recipe is left only for a trial that
is ahead by more than the standard error of the difference, jet by jet.{% if own %} Each seed tunes for itself, and the trial
that wins is its final run, so that the spread between seeds contains the tuning. The last two columns are of no use for a choice:
what had come out had nobody tuned (recipe), and had one chosen on the test jets (oracle).{% else %} One study decides for all
seeds: its own noise is in no interval. Its labels come on top of the budget.{% endif %}</small></p>
"""


def render(results: Results) -> SectionContent | None:
    plan = results.plan
    places = dict.fromkeys((cell.arm, cell.labels) for cell in plan.tuned)
    lines = [_line(results, arm, labels, plan.studies[plan.tuned[CellKey(arm, labels, 0)]]) for arm, labels in places]
    name = heading(results.metric)
    headings = ("arm", "labels", "searched", *BUDGET, "recipe left", "chosen", name, "recipe", "oracle", "remark")
    body = fragment(BODY, table=table(headings, lines, left=("searched", "chosen", "remark")), own=plan.seeds_tune)
    return SectionContent("tuning", "Tuning", body) if lines else None


def _line(results: Results, arm: str, labels: int, study: Study) -> Line:
    """The studies that decide for an arm at a budget, which may not have decided yet."""
    searched = "; ".join(one.text for one in study.searched)
    cost = spent(results, arm, labels)
    budget = [count(one) for one in (study.trials, round(cost.labelled), round(cost.unlabelled), cost.pretrained)]
    start: list[str | Cell] = [arm, count(labels), Cell(searched, style="wrap"), *budget]
    found = decisions(results, arm, labels)
    if not found:
        return Line((*start, *["–"] * 5, _state(results, arm, labels)))
    chosen = Counter(winner.text for winner in found)
    several = len(found) > 1
    texts = [f"{text} ×{times}" if several else text for text, times in sorted(chosen.items())]
    sealed = bool(results.gaps(arm, labels))  # what the test jets say of trials is read when nothing is left to choose
    beside = [] if sealed else [untuned(results, arm, labels), oracle(results, arm, labels)]
    columns = [results.headlines(arm, labels), *(beside or [np.empty(0)] * 2)]
    values = [number(results.metric, float(np.mean(column))) if len(column) else "–" for column in columns]
    left = f"{sum(winner.left for winner in found)} of {len(found)}"
    remark = _remark(found, study, labels)
    return Line((*start, left, Cell(", ".join(texts), style="wrap"), *values, Cell(remark, style="wrap" if remark else "")))


def _remark(found: list[Winner], study: Study, labels: int) -> str:
    edge, diverged = sum(bool(winner.at_edge) for winner in found), sum(winner.diverged for winner in found)
    pruned = sum(winner.pruned for winner in found)
    parts = [f"tuned at {count(study.template.labels or 0)} labels"] if study.template.labels != labels else []
    parts += [f"at the edge {edge} of {len(found)}: widen the range"] if edge else []
    parts += [f"{count(diverged, 'trial')} diverged"] if diverged else []
    parts += [f"{count(pruned, 'trial')} stopped early"] if pruned else []
    return "; ".join(parts)


def _state(results: Results, arm: str, labels: int) -> str:
    """Why no study has decided: something failed that all seeds wait for, or they go on."""
    reasons = results.gaps(arm, labels).values()
    return "failed" if reasons and all(reason != NOT_RUN for reason in reasons) else "not finished"
