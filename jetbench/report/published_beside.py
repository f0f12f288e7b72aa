"""What others have printed, beside the numbers of a suite that asks the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jetbench.report.pool_size import PoolCurve, pool_curves
from jetbench.report.published import PublishedLabels, PublishedPoint, published_labels, published_pool_sizes
from jetbench.report.results import Results
from jetbench.report.words import brief_difference, count, joined, signed
from jetbench.suites.stages import regimes

__all__ = ["label_lines", "pool_size_lines", "published_numbers"]


def pool_size_lines(results: Results) -> list[str]:
    """Write a sentence for each published row against the size of the pool, with the curves whose interval its exponent lies in;
    empty where the suite has no such curve."""
    curves, found = pool_curves(results), []
    for row in published_pool_sizes(results.metric) if curves else ():
        exponent = row.exponent(results.metric)
        values = ", ".join(f"{value:g}" for value in row.values)
        sides = [f"{_side(curve, exponent)} the interval of {_named(curve)}" for curve in curves if curve.law]
        found.append(
            f"Published: {values} at {', '.join(count(jets) for jets in row.jets)} unlabelled jets ({row.of}; {row.source}), "
            f"fitted likewise α = {exponent:.3f}, of which printed means tell no interval"
            + (f"; it lies {joined(sides)}." if sides else ".")
        )
    return found


def _named(curve: PoolCurve) -> str:
    return f"{curve.name} at {count(curve.labels)} labels"


def _side(curve: PoolCurve, exponent: float) -> str:
    assert curve.law is not None
    low, high = curve.law.exponent.low, curve.law.exponent.high
    assert low is not None
    assert high is not None
    return "below" if exponent < low else "above" if exponent > high else "within"


def label_lines(results: Results) -> list[str]:
    """Write a sentence for each published row of what pretraining gains, of the encoders that the suite asks that of, with its
    own gain at the budgets that both have."""
    found = []
    for arm, row in _rows(results):
        metric, points = results.metric.name, joined([_point(point) for point in row.points])
        here = [_beside(results, arm, point) for point in row.points if (arm, point.labels) in results.comparisons]
        found.append(
            f"Published: {metric} from scratch and pretrained {points} ({row.of}; {row.source})"
            + (
                f"; here {arm} minus {results.baselines[arm]} is {joined(here)}."
                if here
                else f"; {arm} has none of these budgets."
            )
        )
    return found


def _rows(results: Results) -> Iterator[tuple[str, PublishedLabels]]:
    """The published rows of each primary arm that is pretrained without labels and stands against scratch."""
    arms = results.plan.instance.settings.arms
    for arm in dict.fromkeys(arm for arm, _ in results.primaries):
        without_labels = any(stage.data == "pool" for stage in regimes[arms[arm].regime].stages)
        if without_labels and arms[results.baselines[arm]].regime == "scratch":
            yield from ((arm, row) for row in published_labels(results.metric, arms[arm].model))


def _point(point: PublishedPoint) -> str:
    means = ((point.scratch, point.scratch_error), (point.pretrained, point.pretrained_error))
    told = [f"{mean:g}{f' ± {error:g}' if error is not None else ''}" for mean, error in means]
    return f"{' and '.join(told)} at {count(point.labels)} labels"


def _beside(results: Results, arm: str, point: PublishedPoint) -> str:
    published = signed(results.metric, point.pretrained - point.scratch)
    ours = brief_difference(results.metric, results.comparisons[arm, point.labels])
    return f"{ours} at {count(point.labels)} labels, where {published} is published"


def published_numbers(results: Results) -> dict[str, list[dict[str, Any]]]:
    """Return the published rows that stand beside the results: against the size of the pool with their exponent and where it lies
    (`below`, `within` or `above` the interval) for each curve that has one, and against the number of labels with the arm that
    each stands beside."""
    curves = pool_curves(results)
    return {
        "pool_sizes": [
            {
                **row.model_dump(mode="json"),
                "exponent": (exponent := row.exponent(results.metric)),
                "beside": [
                    {"name": one.name, "labels": one.labels, "lies": _side(one, exponent)}
                    for one in curves
                    if one.law is not None
                ],
            }
            for row in (published_pool_sizes(results.metric) if curves else ())
        ],
        "label_budgets": [
            {**row.model_dump(mode="json"), "arm": arm, "baseline": results.baselines[arm]} for arm, row in _rows(results)
        ],
    }
