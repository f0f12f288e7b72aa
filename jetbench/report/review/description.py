"""The description of an experiment in Markdown: the question, the answer, and the comparison as a table."""

from __future__ import annotations

from jetbench.report.results import Results
from jetbench.report.review.cards import standing
from jetbench.report.rows import Row, baseline_text, compared_lines, rows
from jetbench.report.sentences import answers
from jetbench.report.words import brief_difference, count, heading, mean_limits, number

__all__ = ["describe"]


def describe(results: Results) -> str:
    """Write the answer, and below it each arm at each budget."""
    instance = results.plan.instance
    parts = [
        " ".join(answers(results)),  # first: of a long description the page shows the beginning
        f"**{instance.question}**",
        _table(results),
        "; ".join(compared_lines(results)),
        f"{instance.kind.capitalize()} `{instance.title}`, scale `{instance.scale}`. * marks a primary comparison.",
    ]
    return "\n\n".join(part for part in parts if part)


def _table(results: Results) -> str:
    headings = ("labels", "arm", "seeds", heading(results.metric), f"minus {baseline_text(results)}", "verdict")
    lines = [headings, ("---:", "---", "---:", "---", "---", "---"), *(_line(results, row) for row in rows(results))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _line(results: Results, row: Row) -> tuple[str, ...]:
    mean, found = row.headline, row.comparison
    seeds = f"{row.seeds}" if row.seeds == row.planned else f"{row.seeds} of {row.planned}"
    name = f"{row.arm} ({row.role})" if row.muted else f"**{row.arm}**"
    verdict = (standing(row) if row.seeds else "missing") + (" *" if row.primary else "")
    return (
        count(row.labels),
        name,
        seeds,
        f"{number(results.metric, mean.mean)} {mean_limits(results.metric, mean)}".rstrip() if mean else "–",
        brief_difference(results.metric, found) if found else "",
        f"**{verdict}**" if row.primary else verdict,
    )
