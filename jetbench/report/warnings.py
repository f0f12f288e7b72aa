"""What should make a reader doubt the numbers of a report."""

from __future__ import annotations

import math
from collections.abc import Iterator

from jetbench.report.collapse import collapses
from jetbench.report.floors import floor_warnings
from jetbench.report.machines import mixtures
from jetbench.report.pool import shared_labels
from jetbench.report.pretraining_length import short_pretrainings, unmoved
from jetbench.report.rates import turned
from jetbench.report.results import Results
from jetbench.report.rows import notes
from jetbench.report.stability import edge_warnings
from jetbench.report.truths import truths
from jetbench.report.words import count, is_perfect, number, quantity
from jetbench.statistics.comparison import Comparison
from jetbench.statistics.intervals import t_quantile
from jetbench.suites.contradictions import contradictions
from jetbench.suites.plan import CellKey
from jetbench.suites.roles import Role
from jetbench.tasks.task import Metric

__all__ = ["LOUD", "warnings"]

LOUD = "A PLANTED TRUTH IS VIOLATED"  # how the warning begins that nobody may overlook


def warnings(results: Results) -> list[str]:
    """List violated truths first, then missing cells, what was found out about these jets before,
    augmentations that contradict the target, collapsed encoders,
    pretrainings that may be too short or have hardly moved their encoders, edges of grids, floors that are not cleared, verdicts
    that hang on a rate, seeds that were looked at, machines that are mixed, open truths, budgets too large for the pool, and a
    test set that is too small for equivalence."""
    found = truths(results)
    loud = [
        f"{LOUD} at {count(t.labels)} labels: “{t.claim}” does not come out ({t.text}). "
        "Look for a bug (or bad luck with the seeds) before you believe any other number of this report."
        for t in found
        if t.state == "violated"
    ]
    still = [f"Not shown yet at {count(t.labels)} labels: that {t.claim} ({t.text})." for t in found if t.state == "open"]
    done, planned = len(results.cells), len(results.plan.cells)
    partial = f"Only {count(done)} of {count(planned)} cells are finished: everything here is provisional."
    return [
        *loud,
        *([partial] if done < planned else []),
        *_too_easy(results),
        *results.plan.instance.remarks,
        *contradictions(results.plan),
        *collapses(results),
        *(f"{one}." for one in (*short_pretrainings(results), *unmoved(results))),
        *notes(results),
        *floor_warnings(results),
        *turned(results),
        *edge_warnings(results),
        *_looked_at(results),
        *mixtures(results),
        *still,
        *shared_labels(results),
        *_resolution(results),
    ]


def _too_easy(results: Results) -> Iterator[str]:
    """At which budgets both sides of every primary comparison are perfect, as far as digits are shown."""
    metric = results.metric
    for labels in dict.fromkeys(n for _, n in results.primaries):
        found = [one for (arm, n) in results.primaries if n == labels and (one := results.comparisons.get((arm, n)))]
        if found and all(_both_perfect(metric, one) for one in found):
            best = quantity(metric, number(metric, found[0].arm.mean))
            said = f"test {metric.name} is {best} on both sides, so that there is nothing to compare"
            yield f"Too easy at {count(labels)} labels: {said}."


def _both_perfect(metric: Metric, found: Comparison) -> bool:
    return is_perfect(metric, found.arm.mean) and is_perfect(metric, found.baseline.mean)


def _looked_at(results: Results) -> Iterator[str]:
    """Where a primary arm has seeds that another instance was made of, its verdict may be a second look at them."""
    if results.fresh_from:
        return
    for arm, labels in results.primaries:
        seeds, before = results.seeds(arm, labels), []
        for seed in seeds:
            trained_for = results.environments[results.last[CellKey(arm, labels, seed)]].get("instance")
            before += [seed] if trained_for not in (None, results.plan.instance.name) else []
        if before and len(before) < len(seeds):
            yield (
                f"{count(len(before), 'seed')} of {arm} at {count(labels)} labels were trained for another instance. If its "
                "result was seen before the others were added, this is a second look: let `fresh_from` name the first new seed."
            )


def _resolution(results: Results) -> Iterator[str]:
    """Where the test sample's error alone exceeds what two one-sided tests may have, no number of seeds shows equivalence."""
    jets, metric = results.plan.instance.settings.test_jets, results.metric
    for labels, (half, arm, found) in sorted(_least_errors(results).items()):
        if not half > found.margin > 0 or _both_perfect(metric, found):
            continue
        margin = results.task.margin_text(results.baselines[arm])
        needed = math.ceil(jets * (half / found.margin) ** 2 / 1000) * 1000
        yield (
            f"Equivalence at {count(labels)} labels is out of reach: its margin, {margin}, is "
            f"±{quantity(metric, number(metric, found.margin))}, and {count(jets)} test jets alone leave "
            f"±{quantity(metric, number(metric, half))} or more; about {count(needed)} test jets would be the least."
        )


def _least_errors(results: Results) -> dict[int, tuple[float, str, Comparison]]:
    """By budget the rival with the smallest error from the test sample, after the half width of the interval that it leaves."""
    named = results.plan.roles
    least: dict[int, tuple[float, str, Comparison]] = {}
    for (arm, labels), found in results.comparisons.items():
        half = t_quantile(found.level, math.inf) * found.test_error
        if named[arm] is Role.RIVAL and (labels not in least or half < least[labels][0]):
            least[labels] = half, arm, found
    return least
