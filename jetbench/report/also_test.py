"""Every arm on the suite's other test sets, beside its own: how far what was learnt on one kind of jets holds on others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from jetbench.data.catalog import datasets
from jetbench.report.results import Results
from jetbench.report.rows import places
from jetbench.report.words import count, difference_text, joined
from jetbench.spec import Variation
from jetbench.statistics.comparison import Comparison
from jetbench.statistics.means import Mean
from jetbench.suites.roles import Role
from jetbench.tracking.folder import also_key

__all__ = ["AlsoRow", "also_comparison", "also_heading", "also_label", "also_lines", "also_rows", "also_sentences"]


@dataclass(frozen=True)
class AlsoRow:
    """An arm at one label budget: what arms are compared by on its own test jets (`own`) and on those of each other test set by
    name (`there`), means over the finished seeds with both of their errors: between seeds, and from the sample."""

    arm: str
    labels: int
    muted: bool
    seeds: int
    own: Mean | None
    there: dict[str, Mean | None]


def also_rows(results: Results) -> list[AlsoRow]:
    """Make a row for each of the `places`; none where the suite has no other test set."""
    if not results.plan.instance.variations:
        return []
    return [_row(results, arm, labels) for arm, labels in places(results)]


def _row(results: Results, arm: str, labels: int) -> AlsoRow:
    names = [one.name for one in results.plan.instance.variations]
    return AlsoRow(
        arm=arm,
        labels=labels,
        muted=results.plan.roles[arm] in (Role.CONTROL, Role.FLOOR),
        seeds=len(results.seeds(arm, labels)),
        own=results.mean(arm, labels),
        there={name: _mean(results, arm, labels, name) for name in names},
    )


def _mean(results: Results, arm: str, labels: int, name: str) -> Mean | None:
    values = results.values(arm, labels, also_key(name, results.metric.key))
    return results.mean_of(arm, labels, values, partial(results.also_scores, name))


def also_heading(results: Results, one: Variation) -> str:
    """Name a test set briefly: by its own name, or the only one by that of its jets with their number."""
    return one.name or also_label(results, one)


def also_label(results: Results, one: Variation) -> str:
    """Say what jets a test set has: "reference (2000 jets)", "the own test jets, momenta × 1.02"."""
    if one.dataset is not None:
        options = results.plan.instance.settings.variations[one.name].options
        given = "".join(f", {name} {str(value).lower()}" for name, value in options.items()) if one.name else ""
        return f"{one.dataset.name}{given} ({count(results.plan.instance.also[one.name].jets)} jets)"
    if one.shares is not None:
        return f"the own test jets, thinned to {joined([f'{100 * share:.3g} % {name}' for name, share in one.shares])}"
    return f"the own test jets, momenta × {one.energy_scale:g}"


def also_lines(results: Results) -> list[str]:
    """Say of each named test set what jets it has."""
    return [f"{one.name}: {also_label(results, one)}" for one in results.plan.instance.variations if one.name]


def also_comparison(results: Results, arm: str, labels: int, name: str = "") -> Comparison | None:
    """Compare a primary arm with its baseline on another test set, paired and by fresh seeds as on the own one; no verdict is
    taken from it. None where there is no such set, or no fresh seed that both have."""
    if name not in {one.name for one in results.plan.instance.variations}:
        return None
    return results.compare(arm, results.baselines[arm], labels, partial(results.also_scores, name))


def also_sentences(results: Results) -> list[str]:
    """Say what each primary comparison comes to on the only other test set, or how far the arms are apart on several, and whether
    these tests are blind; nothing without one."""
    return [line for one in results.plan.instance.variations for line in (*_difference(results, one), *_not_blind(results, one))]


def _difference(results: Results, one: Variation) -> Iterator[str]:
    metric = results.metric
    for arm, labels in results.primaries if not one.name else ():
        found, own = also_comparison(results, arm, labels), results.comparisons.get((arm, labels))
        if found is not None and own is not None:
            over = f", over {count(found.seeds, 'fresh seed')}" if found.pooled else ""
            yield (
                f"{arm} minus {results.baselines[arm]} at {count(labels)} labels, {metric.name} on {also_label(results, one)}: "
                f"{difference_text(metric, found)}{over}; on the own test jets: {difference_text(metric, own)}. "
                "This is secondary: the verdict rests on the own test jets alone."
            )


def _not_blind(results: Results, one: Variation) -> Iterator[str]:
    """Where one set was simulated with a detector that was chosen to resemble the other."""
    if one.dataset is None:
        return
    sources = {meta.provenance.source for meta in (results.plan.instance.meta, results.plan.instance.also[one.name].meta)}
    for entry in datasets.own:  # a plug-in tells in its provenance what it was chosen on
        if sources == {entry.name, entry.tuned_on}:
            tuned = f"The default detector of {entry.name} was chosen on jets of the {entry.tuned_on}"
            yield f"{tuned}: with it, this test is not blind."
