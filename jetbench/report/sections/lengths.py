"""Whether labels or compute limit each arm at each budget, and the signs that say so."""

from __future__ import annotations

from jetbench.report.alarm import (
    ERRORS,
    FROZEN,
    MARGINS,
    Alarm,
    Estimate,
    Signs,
    change_text,
    frozen,
    is_head_alone,
    length_counts,
    limited,
    saturated,
    signs,
    times_text,
)
from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import by_budget, fragment, table
from jetbench.report.results import Results
from jetbench.report.rows import places
from jetbench.report.words import count, joined, label, number, quantity, signed
from jetbench.tasks.task import Metric

__all__ = ["render"]

BODY = """
{{ table }}
<p><small>{{ metric }} on the training jets without augmentation, with the final weights, beside that on the test jets; the change
of the training loss over the last tenth of the steps, along a straight line, as a share of the loss (a schedule that ends at
a learning rate of zero flattens it in any case); |w − w₀| / |w₀| of the encoder in its pretraining, since random weights, and in
the fine-tuning, since those that it started with; of an arm from scratch the latter is its one training, since random weights.
Means over the finished seeds, or over their encoders.
{% if times %}Gain: the test {{ metric }} of one training {{ times }} as long minus that of the same one at
its usual length, both on labels of their own and with the recipe's own values; its error is that of the test sample and of two
trainings, taken from the spread between seeds. {% endif %}Compute limits an arm whose loss still falls by more than {{ errors }}
errors before the training {{ metric }} is ahead by {{ margins }} margins of equivalence (then what falls is the loss of jets
known by heart), or which gains more than {{ errors }} errors by a longer training; it may limit one
whose training {{ metric }} is not ahead of its test {{ metric }}, or which is no more than {{ errors }} errors better than at the
next smaller budget, each of whose labels it saw more often, or whose training {{ metric }} is worse by more than
{{ errors }} errors than the test {{ metric }} of the strongest floor (hints and no tests: chance may do the first within the
errors, labels that teach nothing more the second, and a network that cannot see what the floor sees the third).
“No sign of compute” says no more than that
none of these called: {% if times %}a training {{ times }} as long may gain what stands below it and stay unseen, and where
nothing stands below it none was made. {% else %}no longer training was made, which alone would show what it gains. {% endif %}
An encoder that has moved from random weights by less than {{ frozen }} % is practically frozen.{{ heads }}</small></p>
"""


def render(results: Results) -> SectionContent | None:
    lines = [(n, _line(results, arm, n)) for arm, n in places(results) if length_counts(results, arm) and results.seeds(arm, n)]
    if not lines:
        return None
    metric = results.metric
    moved = (Cell("encoder moved", "in pretraining"), Cell("encoder moved", "in fine-tuning or training"))
    shown: tuple[str | Cell, ...] = ("arm", label(metric, "training"), label(metric), "change of the loss", *moved)
    times = times_text(results.plan.instance.settings.longer or 1.0) if results.longer else ""
    headings = (*shown, *([f"gain by {times} the length"] if times else []), "limited by")
    body = fragment(
        BODY,
        table=table(headings, by_budget(lines), left=("limited by",)),
        metric=metric.name,
        times=times,
        margins=MARGINS,
        errors=f"{ERRORS:g}",
        frozen=f"{100 * FROZEN:g}",
        heads=_heads(results),
    )
    return SectionContent("lengths", "Labels or compute?", body)


def _heads(results: Results) -> str:
    """Say why arms that train a head alone have no line, and whether their heads were trained to the end; empty without any."""
    found = [(arm, n) for arm, n in places(results) if is_head_alone(results, arm) and results.seeds(arm, n)]
    if not found:
        return ""
    changes = {place: change for place in found if (change := signs(results, *place).loss_change)}
    falls = {place: change for place, change in changes.items() if change.value < -ERRORS * change.error}
    listed = [f"{arm} at {count(n)} labels ({change_text(change)})" for (arm, n), change in falls.items()]
    beyond = f"by more than {ERRORS:g} errors"
    ends = f"the loss still falls {beyond} of {joined(listed)}" if listed else f"of none the loss still falls {beyond}"
    arms = list(dict.fromkeys(arm for arm, _ in found))
    without = f"Without a line {'is' if len(arms) == 1 else 'are'} {joined(arms)}"
    why = "of which a head alone is trained, on a frozen encoder that limits it"
    return f" {without}, {why}{f'; {ends}' if changes else ''}."


def _line(results: Results, arm: str, labels: int) -> Line:
    metric, found = results.metric, signs(results, arm, labels)
    means = [
        f"{number(metric, mean.value)} ±{number(metric, mean.error)}" if mean else "–" for mean in (found.trained, found.tested)
    ]
    before, moved = (f"{100 * one:.2g} %" if one is not None else "–" for one in (found.pretraining_change, found.encoder_change))
    hardly = "practically frozen" if frozen(results, arm, labels) else ""
    gained = [_gain(metric, found.gain)] if results.longer else []
    full = saturated(results, arm, labels)
    limit = Cell("–", full, "wrap") if full else _limit(metric, found, limited(results, arm, labels))
    return Line((arm, *means, change_text(found.loss_change), before, Cell(moved, hardly), *gained, limit))


def _gain(metric: Metric, found: Estimate | None) -> str:
    return f"{signed(metric, found.value)} ± {number(metric, found.error)}" if found else ""


def _limit(metric: Metric, found: Signs, called: tuple[Alarm, ...]) -> Cell:
    if called:
        sure = any(one.tested for one in called)
        return Cell("compute" if sure else "perhaps compute", "; ".join(one.seen for one in called), "wrap")
    if found.trained is None:
        return Cell("–")
    small = "" if found.unseen is None else f"a gain below {quantity(metric, number(metric, found.unseen))} is not seen"
    return Cell("no sign of compute", small)
