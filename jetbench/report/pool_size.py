"""The metric against the number of unlabelled jets: arms that differ in nothing else, and the power law that they follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from jetbench.report.pairing import by_unit
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, count, joined
from jetbench.statistics.comparison import Verdict, seed_weights
from jetbench.statistics.means import Mean
from jetbench.statistics.power_law import LEAST_SIZES, PowerLaw, fit_power_law, sensitivities
from jetbench.suites.plan import CellKey

__all__ = [
    "PoolCurve",
    "exponent_text",
    "families",
    "pool_curves",
    "pool_names",
    "pool_sentences",
    "size_text",
]

LEAST_UNITS = 2  # of one seed nobody knows how far it is from the next


@dataclass(frozen=True)
class PoolCurve:
    """Arms of one kind, `name`, at a label budget: `arms` by the number of unlabelled jets that they have seen, rising. `law` is
    what they follow, or None, for the `reason`; `seeds` is how many it rests on, and `caveat` what weighs it."""

    name: str
    labels: int
    baseline: str
    arms: dict[int, str]
    law: PowerLaw | None = None
    reason: str = ""
    seeds: int = 0
    caveat: str = ""


def pool_curves(results: Results) -> list[PoolCurve]:
    """Find the arms that differ in the number of unlabelled jets alone, budget by budget, and fit what they follow; empty where
    the suite has none."""
    found = [_curve(results, family, labels) for labels in results.plan.instance.settings.labels for family in families(results)]
    return [curve for curve in found if curve.arms]


def families(results: Results) -> list[list[str]]:
    """Group the arms that are run by what they are but for the size of their pool; a group has two or more sizes."""
    arms, alike = results.plan.instance.settings.arms, dict[str, list[str]]()
    for name in results.plan.arms:
        alike.setdefault(arms[name].replace(pool_jets=None, labels="all").canonical(), []).append(name)
    return [names for names in alike.values() if len(names) > 1 and len({arms[name].pool_jets for name in names}) > 1]


def pool_names(results: Results) -> dict[str, str]:
    """Name the pool of each arm of a curve: "1000 jets", and of one that has seen all "all (19 998) jets"."""
    sizes = {arm: size for curve in pool_curves(results) for size, arm in curve.arms.items()}
    return {arm: size_text(results, arm, size) for arm, size in sizes.items()}


def size_text(results: Results, arm: str, size: int) -> str:
    """Write the number of jets that an arm has seen."""
    return f"all ({count(size)}) jets" if _limit(results, arm) is None else count(size, "jet")


def _limit(results: Results, arm: str) -> int | None:
    """The number of jets that an arm or its suite asks for; None for all."""
    settings = results.plan.instance.settings
    return settings.arms[arm].pool_jets or settings.pool_jets


def _curve(results: Results, family: Sequence[str], labels: int) -> PoolCurve:
    arm = results.plan.instance.settings.arms[family[0]]
    sizes = {_size(results, name, labels): name for name in family if results.seeds(name, labels)}
    baseline = results.baselines.get(family[0], "")
    curve = PoolCurve(f"{arm.model} under {arm.regime}", labels, baseline, dict(sorted(sizes.items())))
    return _fitted(results, curve) if sizes else curve


def _size(results: Results, arm: str, labels: int) -> int:
    """How many unlabelled jets the arm's pretraining has seen: as many as the suite says, or all that it has found."""
    first = results.chain(CellKey(arm, labels, results.seeds(arm, labels)[0]))[-1]
    return results.runs[first].spec.pool_jets or round(results.metrics(first)["train/jets"])


def _fitted(results: Results, curve: PoolCurve) -> PoolCurve:
    """The curve with its law, or with the reason why it has none."""
    arms, labels = list(curve.arms.values()), curve.labels
    seeds = sorted(set.intersection(*({*results.seeds(arm, labels)} for arm in arms)))
    seeds = [seed for seed in seeds if seed >= results.fresh_from]
    clusters = results.clusters(arms[0], labels, seeds) if seeds else None
    units = len(set(clusters)) if clusters else len(seeds)
    left = _left(results, curve, seeds)
    if reason := _reason(results, curve, units, left):
        return replace(curve, reason=reason, seeds=len(seeds))
    law = _law(results, curve, seeds, clusters, left)
    return replace(curve, law=law, seeds=len(seeds), caveat=_caveat(results, curve))


def _left(results: Results, curve: PoolCurve, seeds: Sequence[int]) -> np.ndarray:
    """What the metric leaves to its best value, of each seed at each size (seeds, sizes)."""
    rows = [[results.cells[CellKey(arm, curve.labels, seed)] for arm in curve.arms.values()] for seed in seeds]
    return results.metric.left(np.array([[cell[f"test/{results.metric.key}"] for cell in row] for row in rows]))


def _reason(results: Results, curve: PoolCurve, units: int, left: np.ndarray) -> str:
    """Why so many units of the curve, which leave so much, give no exponent; empty where they do."""
    if (sizes := len(curve.arms)) < LEAST_SIZES:
        return f"a power law needs {LEAST_SIZES} sizes of the pool, and {sizes} of them {_has(sizes)} finished seeds"
    if units < LEAST_UNITS:
        return f"it takes {LEAST_UNITS} seeds or encoders that all sizes have finished, and there {_is(units)} {units}"
    if not left.all():
        return f"a seed leaves nothing to the best {results.metric.name} there is, and a power law is never zero"
    return ""


def _caveat(results: Results, curve: PoolCurve) -> str:
    """A curve that is not shown to leave its baseline has an exponent too, but it is not that of a gain."""
    *_, largest = curve.arms.values()
    found = results.comparisons.get((largest, curve.labels))
    if found is None:
        return f"the arm with the largest pool, {largest}, has no comparison with {curve.baseline} yet" if curve.baseline else ""
    if found.verdict is Verdict.BETTER:
        return ""
    return f"the arm with the largest pool, {largest}, is not shown to be better than {curve.baseline} ({found.verdict})"


def _law(results: Results, curve: PoolCurve, seeds: list[int], clusters: list[int] | None, left: np.ndarray) -> PowerLaw:
    sizes = list(curve.arms)
    moves = sensitivities(sizes, left, seed_weights(len(seeds), clusters))
    scores = [results.scores(CellKey(arm, curve.labels, seed)) for seed in seeds for arm in curve.arms.values()]
    variance = results.task.covariance(scores[0][1], np.stack([one for _, _, one in scores]), moves.reshape(1, -1))[0, 0]
    of_units = np.exp(np.stack([by_unit(column, clusters) for column in np.log(left).T], axis=1))
    return fit_power_law(sizes, of_units, float(variance), results.shared(curve.labels))


def pool_sentences(results: Results) -> list[str]:
    """Write a sentence for each curve: its exponent with its interval, or why it has none."""
    return [_sentence(results, curve) for curve in pool_curves(results)]


def _sentence(results: Results, curve: PoolCurve) -> str:
    at = f"At {count(curve.labels)} labels"
    if curve.law is None:
        return f"{at} the size of the pool has no exponent for {curve.name}: {curve.reason}."
    sizes, exponent = [count(size) for size in curve.arms], curve.law.exponent
    errors = f"±{exponent.seed_error:.3f} between seeds, ±{exponent.test_error:.3f} from the test sample"
    return (
        f"{at} {_left_text(results)} of {curve.name} goes as the number of unlabelled jets to the power −α, α = "
        f"{exponent_text(exponent)} ({LEVEL_TEXT} interval; {errors}), fitted to {joined(sizes)} jets over "
        f"{count(curve.seeds, 'seed')}{f'; {curve.caveat}' if curve.caveat else ''}."
    )


def _left_text(results: Results) -> str:
    metric = results.metric
    return f"{metric.high:g} − {metric.name}" if metric.larger_is_better else metric.name


def exponent_text(exponent: Mean) -> str:
    """Write an exponent with its interval: "0.041 [0.012, 0.070]"."""
    between = "" if exponent.low is None or exponent.high is None else f" [{exponent.low:.3f}, {exponent.high:.3f}]"
    return f"{exponent.mean:.3f}{between}".replace("-", "−")


def _has(number: int) -> str:
    return "has" if number == 1 else "have"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
