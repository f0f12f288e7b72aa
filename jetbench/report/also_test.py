"""Every arm on the suite's second test set, beside its own: how far what was learnt on one detector holds on another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jetbench.data.catalog import datasets
from jetbench.report.results import Results
from jetbench.report.rows import places
from jetbench.report.words import count, difference_text
from jetbench.statistics.comparison import Comparison
from jetbench.statistics.means import Mean
from jetbench.suites.roles import Role

__all__ = ["AlsoRow", "also_comparison", "also_label", "also_rows", "also_sentences"]


@dataclass(frozen=True)
class AlsoRow:
    """An arm at one label budget: what arms are compared by on its own test jets (`own`) and on those of the second set
    (`there`), means over the finished seeds with both of their errors: between seeds, and from the sample."""

    arm: str
    labels: int
    muted: bool
    seeds: int
    own: Mean | None
    there: Mean | None


def also_rows(results: Results) -> list[AlsoRow]:
    """Make a row for each of the `places`; none where the suite has no second test set."""
    if results.plan.instance.also_test is None:
        return []
    return [_row(results, arm, labels) for arm, labels in places(results)]


def _row(results: Results, arm: str, labels: int) -> AlsoRow:
    values = results.values(arm, labels, f"also/{results.metric.key}")
    return AlsoRow(
        arm=arm,
        labels=labels,
        muted=results.plan.roles[arm] in (Role.CONTROL, Role.FLOOR),
        seeds=len(results.seeds(arm, labels)),
        own=results.mean(arm, labels),
        there=results.mean_of(arm, labels, values, results.also_scores),
    )


def also_label(results: Results) -> str:
    """Name the second test set with its size: "reference (2000 jets)"."""
    instance = results.plan.instance
    return f"{instance.also_test.name} ({count(instance.also_jets)} jets)" if instance.also_test else ""


def also_comparison(results: Results, arm: str, labels: int) -> Comparison | None:
    """Compare a primary arm with its baseline on the second test set, paired and by fresh seeds as on the own one; no verdict is
    taken from it. None where there is no such set, or no fresh seed that both have."""
    if results.plan.instance.also_test is None:
        return None
    return results.compare(arm, results.baselines[arm], labels, results.also_scores)


def also_sentences(results: Results) -> list[str]:
    """Say what each primary comparison comes to on the second test set, and whether that test is blind; nothing without one."""
    return [*_difference(results), *_not_blind(results)]


def _difference(results: Results) -> Iterator[str]:
    metric = results.metric
    for arm, labels in results.primaries:
        found, own = also_comparison(results, arm, labels), results.comparisons.get((arm, labels))
        if found is not None and own is not None:
            over = f", over {count(found.seeds, 'fresh seed')}" if found.pooled else ""
            yield (
                f"{arm} minus {results.baselines[arm]} at {count(labels)} labels, {metric.name} on {also_label(results)}: "
                f"{difference_text(metric, found)}{over}; on the own test jets: {difference_text(metric, own)}. "
                "This is secondary: the verdict rests on the own test jets alone."
            )


def _not_blind(results: Results) -> Iterator[str]:
    """Where one set was simulated with a detector that was chosen to resemble the other."""
    here, there = results.plan.instance.meta, results.plan.instance.also_meta
    if there is None:
        return
    sources = {here.provenance.source, there.provenance.source}
    for entry in datasets.own:  # a plug-in tells in its provenance what it was chosen on
        if sources == {entry.name, entry.tuned_on}:
            tuned = f"The default detector of {entry.name} was chosen on jets of the {entry.tuned_on}"
            yield f"{tuned}: with it, this test is not blind."
