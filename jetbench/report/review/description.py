"""The description of an experiment in Markdown: the question, the answer, and the comparison as a table."""

from __future__ import annotations

from jetbench.faults import FAULTY
from jetbench.report.fault_words import chance_sentence, fault_lines, fault_rules, fault_sentences
from jetbench.report.results import Results
from jetbench.report.review.cards import standing
from jetbench.report.rows import Row, baseline_text, compared_lines, rows
from jetbench.report.sentences import answers
from jetbench.report.summary import summary
from jetbench.report.words import LEVEL_TEXT, brief_difference, capital, count, direction, heading, mean_limits, number

__all__ = ["describe"]


def describe(results: Results) -> str:
    """Write the verdicts, the answer, and below it each arm at each budget."""
    instance = results.plan.instance
    parts = [
        _verdicts(results),  # first: of a long description the page shows two lines
        f"**{instance.question}**",
        "\n\n".join([*summary(results), *answers(results)]),
        _table(results),
        _faults(results),
        "; ".join(compared_lines(results)),
        f"{instance.kind.capitalize()} `{instance.title}`, scale `{instance.scale}`. * marks a primary comparison.",
    ]
    return "\n\n".join(part for part in parts if part)


def _verdicts(results: Results) -> str:
    """Write the primary comparisons in one sentence: difference, interval, verdict and budget of each."""
    budgets = dict.fromkeys(labels for _, labels in results.primaries)
    told = {at: [_verdict(results, arm, at) for arm, labels in results.primaries if labels == at] for at in budgets}
    parts = [f"at {count(labels)} labels: {'; '.join(some)}" for labels, some in told.items()]
    comma = ", " if direction(results.metric) else " "
    return f"{capital(heading(results.metric))}{comma}{'; '.join(parts)} ({LEVEL_TEXT} intervals)."


def _verdict(results: Results, arm: str, labels: int) -> str:
    pair, found = f"{arm} minus {results.baselines[arm]}", results.comparisons.get((arm, labels))
    return f"{pair} {brief_difference(results.metric, found)} **{found.verdict}**" if found else f"{pair} **no answer yet**"


def _table(results: Results) -> str:
    headings = ("labels", "arm", "seeds", heading(results.metric), f"minus {baseline_text(results)}", "verdict")
    lines = [headings, ("---:", "---", "---:", "---", "---", "---"), *(_line(results, row) for row in rows(results))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _faults(results: Results) -> str:
    """What each fault does, of a suite that has some on purpose."""
    lines = list(fault_lines(results))
    if not lines:
        return ""
    sides = ("fault", "comparison", "honest", "honest verdict", "faulty", "faulty verdict")
    columns = (*sides, "verdict", "what moved", "interval", "expected", "as expected", "who committed it")
    listed = [columns, ["---"] * len(columns), *([line[name] for name in columns] for line in lines)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in listed)
    parts = [f"**What each fault does ({FAULTY})**", *fault_sentences(results), table, chance_sentence(results), fault_rules()]
    return "\n\n".join(filter(None, parts))


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
