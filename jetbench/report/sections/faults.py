"""What each fault does: the honest difference, the faulty one, and whether the verdict is another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from jetbench.evaluation.plots import DPI, INK, MUTED, PALETTE
from jetbench.report.content import Cell, Line, Plot, SectionContent
from jetbench.report.drawing import style
from jetbench.report.fault_words import POINTER, chance_sentence, fault_lines, fault_rules, fault_sentences
from jetbench.report.faults import Claim, Effect, effects
from jetbench.report.markup import fragment, table
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, capital, count, label
from jetbench.tasks.task import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

HEADINGS = ("comparison", "honest difference", "with the fault", "verdict", "what moved", "interval", "as expected")
BODY = """
{% for sentence in sentences %}
<p>{{ sentence }}</p>
{% endfor %}
{{ table }}
{% if chance %}
<p>{{ chance }}</p>
{% endif %}
<p><small>Each fault is switched on alone, on purpose, in the arms that it strikes; an arm that it does not touch is the honest
one itself. Arms with a fault have the role “faulty”, bear its name, and are part of no other comparison, family or verdict.
Blue: with the fault the verdict is another one. Honest and faulty differences are decided by the same tests, corrected for the
same number of primary comparisons; intervals are {{ level }} ones and not corrected, so that one which leaves out 0 may be
undecided. That of one seed has the error of the test sample alone. {{ rules }} {{ pointer }}</small></p>
"""
CHANGED, SAME = PALETTE[1], PALETTE[0]


def render(results: Results) -> SectionContent | None:
    found = effects(results)
    if not found:
        return None
    body = fragment(
        BODY,
        table=table(HEADINGS, _lines(results), left=HEADINGS[3:]),
        sentences=fault_sentences(results),
        chance=chance_sentence(results),
        level=LEVEL_TEXT,
        rules=fault_rules(),
        pointer=POINTER,
    )
    name = (
        f"{label(results.metric)} minus that of the baseline{'' if results.metric.larger_is_better else ', below zero is better'}"
    )
    plot = Plot(
        "faults",
        "Difference of each primary arm to its baseline, honest and with each fault",
        f"{capital(name)}. Grey: the honest difference with its {LEVEL_TEXT} interval; filled: with the fault another verdict "
        "stands; open: the same one. The axis is logarithmic away from zero.",
        draw,
        (results.metric, name, found),
        faulty=True,
    )
    return SectionContent("faults", "What each fault does", body, (plot,))


def _lines(results: Results) -> Iterator[Line]:
    """A line that names each fault, and one below it for each comparison."""
    for name, some in groupby(fault_lines(results), key=itemgetter("fault")):
        lines = list(some)
        told = f"{lines[0]['what is done']}. Who committed it: {lines[0]['who committed it']}."
        told += f" What the row mixes: {mixes}." if (mixes := lines[0]["mixes"]) else ""
        yield Line((Cell(name, capital(told), "wrap"),), "budget")
        for line in lines:
            cells = (
                Cell(line["comparison"], style="wrap"),
                Cell(line["honest"], line["honest verdict"]),
                Cell(line["faulty"], line["faulty verdict"]),
                line["verdict"],
                Cell(line["what moved"], line["by how much"], "wrap"),
                Cell(line["interval"], style="wrap"),
                Cell(line["as expected"], f"expected: {line['expected']}", "wrap"),
            )
            yield Line(cells, "changed" if line["verdict"] not in ("same verdict", "not run yet") else "")


def draw(metric: Metric, name: str, found: list[Effect]) -> Figure:
    """Draw the differences with each fault beside the honest one, a panel for each primary comparison."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    places = list(dict.fromkeys((one.arm, one.baseline, one.labels) for one in found))
    rows = len(found) // len(places)
    figure = Figure(figsize=(8.4, 0.9 + len(places) * (0.6 + 0.3 * rows)), dpi=DPI, layout="constrained")
    panels = figure.subplots(len(places), 1, sharex=True, squeeze=False)[:, 0]
    near = max(abs(end) for one in found for end in _ends(one.honest)) or 0.01
    for axes, place in zip(panels, places, strict=True):
        some = [one for one in found if (one.arm, one.baseline, one.labels) == place]
        _draw_place(axes, some)
        axes.set_xscale("symlog", linthresh=2 * near)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
        style(axes, f"{place[0]} against {place[1]}, {count(place[2])} labels")
        axes.grid(visible=False, axis="y")
    panels[-1].set_xlabel(name, fontsize=11, color=INK)
    return figure


def _draw_place(axes: Any, found: list[Effect]) -> None:
    honest = found[0].honest
    axes.axvspan(*_ends(honest)[:2], color=MUTED, alpha=0.25, linewidth=0)
    axes.axvline(honest.difference, color=MUTED, linewidth=1.4)
    axes.axvline(0, color=INK, linewidth=0.8)
    for place, one in enumerate(found):
        if one.faulty is None:
            continue
        color = CHANGED if one.changed else SAME
        low, high = _ends(one.faulty)[:2]
        axes.plot([low, high], [place, place], color=color, linewidth=1.6, solid_capstyle="butt")
        fill = color if one.changed else "white"
        look: dict[str, Any] = {"marker": "o", "markersize": 7, "color": color, "markerfacecolor": fill, "markeredgewidth": 1.5}
        axes.plot([one.faulty.difference], [place], linestyle="none", **look)
        axes.text(
            1.01, place, f"{one.faulty.verdict}", transform=axes.get_yaxis_transform(), va="center", fontsize=8.5, color=INK
        )
    axes.set_yticks(range(len(found)), [one.fault.name for one in found])
    axes.set_ylim(len(found) - 0.4, -0.6)


def _ends(claim: Claim) -> tuple[float, float, float]:
    """The ends of the interval, the difference itself where there is none, and the difference."""
    low = claim.difference if claim.low is None else claim.low
    return low, claim.difference if claim.high is None else claim.high, claim.difference
