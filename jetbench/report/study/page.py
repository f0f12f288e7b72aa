"""The page of a study: each arm's trials as a table and as drawings, of which a reader may hide some trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from jetbench.report.content import SectionContent
from jetbench.report.html import page
from jetbench.report.markup import fragment, warnings_box
from jetbench.report.study.importance import refusal
from jetbench.report.study.names import aim_name, parameter_name, plain_number, value_text
from jetbench.report.study.ranking import finished
from jetbench.report.study.spent import ended, hopeless, spent, states_text
from jetbench.report.study.table import trials_table
from jetbench.report.words import count
from jetbench.suites.instance import AnyInstance
from jetbench.suites.trials import Searching, Trial

__all__ = ["CONTROLS", "Drawing", "study_page", "told"]

CONTROLS = "controls.html"
DRAWINGS = """
{% for drawing in drawings %}
<figure class="drawing">
{{ drawing.svg }}
<figcaption><strong>{{ drawing.title }}.</strong> {{ drawing.caption }}</figcaption>
</figure>
{% endfor %}
"""
SUMMARY = """
<p class="told">{{ name }}: every trial has {{ labels }} and {{ seeds }}, of no reported run; sampler {{ study.sampler }}, pruner
{{ study.pruner }}. The test jets have no part in it.</p>
<div class="scroll"><table>
<thead><tr><th>arm</th><th class="left">searched</th><th class="left">found</th><th>score</th><th class="left">trials</th>
<th>labelled passes</th><th>unlabelled passes</th><th>encoders pretrained</th><th>seconds</th></tr></thead>
<tbody>
{% for line in lines %}
<tr>{% for cell in line %}<td{% if loop.index in (2, 3, 5) %} class="left wrap"{% endif %}>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody></table></div>
"""
REMARK = """<p>{{ text }}</p>"""


@dataclass(frozen=True)
class Drawing:
    """A plot as an SVG element of the page; `title` says what it shows, `caption` how to read it."""

    svg: str
    title: str
    caption: str


def study_page(
    instance: AnyInstance,
    warnings: Sequence[str],
    searchings: Sequence[Searching],
    together: Sequence[Drawing],
    each: Mapping[str, Sequence[Drawing]],
) -> str:
    """Return the page as text, with what should make a reader doubt, the drawings of all arms `together` and those of `each`
    search by its name."""
    controls = (files("jetbench.report.study") / CONTROLS).read_text(encoding="utf-8")
    overview = _summary(instance, searchings) + fragment(DRAWINGS, drawings=together)
    box = warnings_box(warnings) if warnings else ""
    contents = [SectionContent("overview", body=box + fragment(controls) + overview)]
    return page(instance, [*contents, *(_section(one, each[one.name]) for one in searchings)], {})


def told(searching: Searching, trial: Trial) -> str:
    """Say in a line what a trial is: "trial 3: learning rate 0.001; validation loss 0.4123; complete"."""
    study = searching.study
    values = ", ".join(f"{parameter_name(one)} {value_text(trial.values[one.path])}" for one in study.searched)
    scores = [f"{aim_name(aim)} {plain_number(score)}" for aim, score in zip(study.aims, trial.scores, strict=False)]
    return "; ".join([f"trial {trial.number}: {values}", *scores, trial.state])


def _section(searching: Searching, drawings: Sequence[Drawing]) -> SectionContent:
    refused = refusal(searching) if finished(searching) else "No trial has been trained to its end yet."
    body = trials_table(searching) + fragment(DRAWINGS, drawings=drawings)
    body += fragment(REMARK, text=refused) if refused else ""
    return SectionContent(searching.name.replace("/", "-"), searching.name, body)


def _summary(instance: AnyInstance, searchings: Sequence[Searching]) -> str:
    study = searchings[0].study  # all arms share all but what is searched
    labels, seeds = count(study.template.labels or 0, "label"), count(study.runs_per_trial, "seed")
    lines = [_line(one) for one in searchings]
    return fragment(SUMMARY, name=instance.name, study=study, labels=labels, seeds=seeds, lines=lines)


def _line(searching: Searching) -> tuple[str, ...]:
    """An arm in the overview: what was searched, what was found, what it has cost."""
    cost = spent(ended(searching))
    searched = "; ".join(one.text for one in searching.study.searched)
    passes = (count(round(cost.labelled)), count(round(cost.unlabelled)), count(cost.pretrained), f"{cost.seconds:.0f}")
    return (searching.name, searched, *_found(searching), states_text(searching), *passes)


def _found(searching: Searching) -> tuple[str, str]:
    """The values and the score of the trial that is selected; of several aims the number of those on the front."""
    if searching.front:
        return f"{count(len(searching.front), 'trial')} on the front", "–"
    if searching.winner is None:
        return "nothing: no trial was trained to its end" if hopeless(searching) else "not finished", "–"
    won = next(trial for trial in searching.trials if trial.number == searching.winner)
    values = "; ".join(f"{parameter_name(one)} {value_text(won.values[one.path])}" for one in searching.study.searched)
    own = " (the recipe's own)" if won.values == searching.study.unsearched else ""
    return f"{values}{own}", plain_number(won.scores[0])
