"""What each model gives for what it takes: the metric beside size, memory, speed, and how soon its best epoch came."""

from __future__ import annotations

from collections.abc import Sequence

from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.machines import machines
from jetbench.report.markup import by_budget, fragment, table
from jetbench.report.results import Results
from jetbench.report.rows import places
from jetbench.report.words import count, joined, label, number

__all__ = ["render"]

# heading, its unit, and key of each column; what depends on the machine is measured, by the process that trains
MEASURED = (
    ("parameters", "", "cost/parameters"),
    ("operations", "10⁶ per jet", "cost/flops"),
    ("memory", "MB at most", "cost/peak_memory"),
    ("GPU memory", "MB at most", "cost/peak_device_memory"),
    ("training", "jets per second", "cost/training_jets_per_second"),
    ("inference", "jets per second", "cost/inference_jets_per_second"),
    ("passes to best", "", "cost/passes_to_best"),
    ("time to best", "seconds", "cost/seconds_to_best"),
)
SCALES = {"cost/flops": 1e-6}
SPEED = "cost/training_jets_per_second"
APART = 1.5  # speeds of one arm that differ by more were measured beside other work
BODY = """
{{ table }}
<p><small>Means over the finished seeds, of their last training alone. Memory is that of the process that trains, the jets that it
has open and its libraries included; speeds are those of one core, or of a GPU where there is one; those of trees leave out their
observables, which are computed once. Speeds and memory are no property of an arm alone: they depend on the machine, on what else
ran there, and on how many trainings ran at a time.
{% if machines %}
Measured on {{ machines }}; other load and the number of trainings at a time are not noted.
{% endif %}
{% if disturbed %}
Speeds of seeds that do the same work differ by more than {{ apart }} times for {{ disturbed }}: other work ran beside some
of them, so that operations are the better guide.
{% endif %}
The best epoch is the one that the recipe would keep, by what it selects.</small></p>
"""


def render(results: Results) -> SectionContent | None:
    """Show what is measured of the arms, budget by budget; nothing where no run has measured its speed."""
    found = sorted(places(results), key=lambda place: place[1])
    shown = [one for one in MEASURED if any(len(results.values(*place, one[2])) for place in found)]
    if SPEED not in {key for _, _, key in shown}:
        return None
    headings: list[str | Cell] = ["arm", label(results.metric), *(Cell(name, unit) for name, unit, _ in shown)]
    lines = [(labels, _line(results, arm, labels, [key for _, _, key in shown])) for arm, labels in found]
    hardware = dict.fromkeys(machine.hardware for machine in machines(results) if machine.hardware)
    body = fragment(
        BODY,
        table=table(headings, by_budget(lines)),
        machines=joined(list(hardware)),
        disturbed=joined(_disturbed(results, found)),
        apart=APART,
    )
    return SectionContent("efficiency", "What each model gives for what it takes", body)


def _disturbed(results: Results, found: Sequence[tuple[str, int]]) -> list[str]:
    """The arms whose seeds were trained at very different speeds at one of their budgets."""
    speeds = {place: results.values(*place, SPEED) for place in found}
    return list(dict.fromkeys(arm for (arm, _), some in speeds.items() if len(some) and some.max() > APART * some.min()))


def _line(results: Results, arm: str, labels: int, keys: list[str]) -> Line:
    mean = results.average(arm, labels, f"test/{results.metric.key}")
    headline = "–" if mean is None else number(results.metric, mean)
    return Line((arm, headline, *(_mean(results, arm, labels, key) for key in keys)))


def _mean(results: Results, arm: str, labels: int, key: str) -> str:
    """The mean over seeds, as a whole number unless it is small; a dash where nothing is measured, or nothing there."""
    values = results.values(arm, labels, key) * SCALES.get(key, 1.0)
    mean = float(values.mean()) if len(values) else 0.0
    return "–" if mean == 0 else count(round(mean)) if mean >= 10 else f"{mean:.2g}"
