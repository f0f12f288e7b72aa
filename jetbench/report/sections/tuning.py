"""What the studies have decided, arm by arm."""

from __future__ import annotations

from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.results import NOT_RUN, Results
from jetbench.report.words import count, direction, label, number
from jetbench.suites.studies import Study

__all__ = ["render"]

BODY = """
{{ table }}
<p><small>Chosen by the {{ metric.name }} on the validation part of the label budget; the winner is trained again with fresh
seeds.</small></p>
"""


def render(results: Results) -> SectionContent | None:
    plan, metric = results.plan, results.task.tuning
    lines = [_line(results, arm, labels, plan.studies[digest]) for (arm, labels), digest in plan.tuned.items()]
    found = Cell(label(metric, "validation"), direction(metric))
    headings = ("arm", "labels", "tuned at", "searched", "trials", "winner", found, "remark")
    body = fragment(BODY, table=table(headings, lines, left=("searched", "winner", "remark")), metric=metric)
    return SectionContent("tuning", "Tuning", body) if lines else None


def _line(results: Results, arm: str, labels: int, study: Study) -> Line:
    """A study at one of the budgets that it decides for; it may have no winner yet."""
    searched = "; ".join(one.text for one in study.searched)
    start = (arm, count(labels), count(study.template.labels or 0), Cell(searched, style="wrap"))
    winner = results.winners.get((arm, labels))
    if winner is None:
        return Line((*start, "–", "–", "–", _state(results, arm, labels)))
    remark = "at the edge: widen the range" if winner.at_edge else ""
    found = number(results.task.tuning, winner.metric)
    trials = f"{winner.trials}, {winner.diverged} diverged" if winner.diverged else f"{winner.trials}"
    return Line((*start, trials, Cell(winner.text, style="wrap"), found, Cell(remark, style="wrap" if remark else "")))


def _state(results: Results, arm: str, labels: int) -> str:
    """Why a study has no winner: something failed that all seeds wait for, or it goes on."""
    reasons = results.gaps(arm, labels).values()
    return "failed" if reasons and all(reason != NOT_RUN for reason in reasons) else "not finished"
