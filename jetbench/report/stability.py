"""How far the result of an arm hangs on learning rate, length and seed: a share of the grid, and the grid itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jetbench.report.drawing import scale
from jetbench.report.pairing import by_unit
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, count, gain, joined, number, quantity
from jetbench.statistics.intervals import Interval, t_interval
from jetbench.statistics.stability import near_best, stable_share
from jetbench.suites.sensitivity import GridPlace

__all__ = [
    "TOLERANCE",
    "Stability",
    "edge_warnings",
    "ends",
    "setting_text",
    "share_text",
    "stabilities",
    "stability_answers",
    "stability_sentences",
    "tolerance_text",
]

TOLERANCE = 0.01  # of the range of the metric, or of its best value where it has none: "within one percent of the best"


@dataclass(frozen=True, eq=False)
class Stability:
    """An arm over its grid. `values` (rates, lengths, seeds) are the headline metric on the test jets at the seeds that ended
    everywhere, NaN where a training diverged, and `means` (rates, lengths) those over the seeds, NaN where one of them diverged.
    `near` (rates, lengths) are the settings whose mean lies within the tolerance of the best. `by_seed` is the share of such
    settings when each seed is taken by itself, its mean over seeds, or over encoders that seeds share; `against` is that minus
    the same of the `baseline`, paired, and None where that has no grid."""

    arm: str
    labels: int
    rates: tuple[float, ...]
    lengths: tuple[float, ...]
    seeds: tuple[int, ...]
    values: np.ndarray
    means: np.ndarray
    near: np.ndarray
    by_seed: Interval
    baseline: str = ""
    against: Interval | None = None

    @property
    def share(self) -> float:
        """The share of settings whose mean over the seeds is within the tolerance of the best."""
        return float(self.near.mean())

    @property
    def error(self) -> float | None:
        """The median over the settings of the error of such a mean between seeds; None for one seed."""
        if len(self.seeds) < 2:
            return None
        errors = self.values.std(axis=2, ddof=1) / np.sqrt(len(self.seeds))
        return float(np.nanmedian(errors)) if np.isfinite(errors).any() else None


def stabilities(results: Results) -> list[Stability]:
    """Read the grid of each arm that has finished it at a seed at least; nothing where the suite has none."""
    arms = dict.fromkeys(place.arm for place in results.plan.grid)
    values = {arm: _values(results, arm) for arm in arms}
    ended = {arm: found for arm, found in values.items() if np.isfinite(_means(found, _ended(found))).any()}
    return [_stability(results, arm, ended) for arm in ended]


def _values(results: Results, arm: str) -> np.ndarray:
    """The metric of each setting and seed (rates, lengths, seeds); NaN where a training diverged, minus infinity where none has
    ended."""
    settings = results.plan.instance.settings
    grid, seeds = settings.sensitivity, range(settings.seeds)
    assert grid is not None
    places = [[[GridPlace(arm, rate, length, s) for s in seeds] for length in grid.length] for rate in grid.learning_rate]
    return np.array([[[_value(results, place) for place in row] for row in rows] for rows in places])


def _value(results: Results, place: GridPlace) -> float:
    key, ledger = results.plan.grid[place], results.ledger
    if ledger.done(key):
        return ledger.tested(key)[f"test/{results.metric.key}"]
    return np.nan if ledger.diverged(key) else -np.inf


def _ended(values: np.ndarray) -> list[int]:
    """The seeds that have ended at every setting, at one of them at least without diverging."""
    ended, finite = (values != -np.inf).all(axis=(0, 1)), np.isfinite(values).any(axis=(0, 1))
    return [int(seed) for seed in np.flatnonzero(ended & finite)]


def _means(values: np.ndarray, seeds: list[int]) -> np.ndarray:
    return values[:, :, seeds].mean(axis=2) if seeds else np.full(values.shape[:2], np.nan)


def _stability(results: Results, arm: str, every: dict[str, np.ndarray]) -> Stability:
    grid, better = results.plan.instance.settings.sensitivity, results.metric.larger_is_better
    assert grid is not None
    labels, seeds = results.plan.instance.settings.labels_at(grid.labels), _ended(every[arm])
    means, baseline = _means(every[arm], seeds), results.baselines.get(arm, "")
    near = near_best(means.reshape(-1), _tolerance(results, means), larger_is_better=better).reshape(means.shape)
    common = [seed for seed in seeds if seed in _ended(every[baseline])] if baseline in every else []
    return Stability(
        arm=arm,
        labels=labels,
        rates=grid.learning_rate,
        lengths=grid.length,
        seeds=tuple(seeds),
        values=every[arm][:, :, seeds],
        means=means,
        near=near,
        by_seed=t_interval(by_unit(_shares(results, every[arm], seeds), _encoders(results, (arm,), labels, seeds))),
        baseline=baseline if common else "",
        against=_against(results, every, (arm, baseline), labels, common) if common else None,
    )


def _tolerance(results: Results, means: np.ndarray) -> float:
    best = np.nanmax(means) if results.metric.larger_is_better else np.nanmin(means)
    return TOLERANCE * scale(results.metric, [float(best)])


def _shares(results: Results, values: np.ndarray, seeds: list[int]) -> np.ndarray:
    """The share of settings near the best of each seed by itself (seeds,), by the tolerance of the arm."""
    rows, better = values[:, :, seeds].reshape(-1, len(seeds)).T, results.metric.larger_is_better
    return stable_share(rows, _tolerance(results, rows), larger_is_better=better)


def _against(results: Results, every: dict[str, np.ndarray], pair: tuple[str, str], labels: int, seeds: list[int]) -> Interval:
    """The shares of an arm minus those of its baseline, seed by seed."""
    mine, other = (_shares(results, every[arm], seeds) for arm in pair)
    return t_interval(by_unit(mine - other, _encoders(results, pair, labels, seeds)))


def _encoders(results: Results, arms: tuple[str, ...], labels: int, seeds: list[int]) -> list[int] | None:
    """Which encoder each seed of one of the arms starts from, where seeds share them."""
    return next((found for arm in arms if (found := results.clusters(arm, labels, seeds))), None)


def tolerance_text(results: Results) -> str:
    """Say how far from the best is near it: "0.01 of the best AUC"."""
    metric = results.metric
    ranged = metric.low is not None and metric.high is not None
    return f"{TOLERANCE:g} of the best {metric.name}" if ranged else f"{100 * TOLERANCE:g} % of the best {metric.name}"


def share_text(found: Interval, signs: bool = False) -> str:
    """Write a share, or a difference of two, with its interval, in percent: "53 % [31, 76]". Student's interval of a share knows
    no limits, and is cut at them; where all units agree it has no width, and would pass for certainty."""
    least, sign = (-1.0, "+") if signs else (0.0, "")
    mean, low, high = (None if end is None else f"{100 * min(max(end, least), 1):{sign}.0f}" for end in _ends(found))
    same = found.low is not None and found.low == found.high
    between = "" if low is None or high is None else f" [{low}, {high}]"
    return f"{mean} %{' each' if same else between}".replace("-", "−")


def _ends(found: Interval) -> tuple[float, float | None, float | None]:
    return found.mean, found.low, found.high


def setting_text(found: Stability, place: tuple[int, int]) -> str:
    """Name a setting by its factors: "rate × 3, length × 0.5"."""
    return f"rate × {found.rates[place[0]]:g}, length × {found.lengths[place[1]]:g}"


def ends(results: Results, found: Stability) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the places of the best and of the worst setting that did not diverge."""
    order = found.means if results.metric.larger_is_better else -found.means
    best, worst = (np.unravel_index(find(order), order.shape) for find in (np.nanargmax, np.nanargmin))
    return (int(best[0]), int(best[1])), (int(worst[0]), int(worst[1]))


def stability_answers(results: Results) -> list[str]:
    """Say of each primary arm whether it is seen to be more or less stable than its baseline, by seeds."""
    found = {one.arm: one for one in stabilities(results)}
    lines = []
    for arm in dict.fromkeys(name for name, _ in results.primaries):
        if arm in found and (against := found[arm].against) is not None:
            one, other = found[arm], found[found[arm].baseline]
            shares = f"{share_text(one.by_seed)} of the settings against {share_text(other.by_seed)}"
            between = f"a difference of {share_text(against, signs=True)}"
            lines.append(
                f"{_seen(one, against)} at {count(one.labels)} labels: within {tolerance_text(results)}, seed by seed, are "
                f"{shares}, {between} ({LEVEL_TEXT} intervals, which describe these test jets)."
            )
    return lines


def _seen(one: Stability, against: Interval) -> str:
    if against.low is None or against.high is None or against.low <= 0 <= against.high:
        return f"No difference in stability between {one.arm} and {one.baseline} is seen"
    return f"{one.arm} is {'more' if against.mean > 0 else 'less'} stable than {one.baseline}"


def edge_warnings(results: Results) -> list[str]:
    """Name the arms whose best setting lies at the edge of the grid, and is ahead of their own by more than the spread between
    seeds: what they are compared by is not what they can."""
    return [line for one in stabilities(results) if (line := _edge(results, one))]


def _edge(results: Results, one: Stability) -> str:
    (rate, length), own = ends(results, one)[0], (one.rates.index(1.0), one.lengths.index(1.0))
    places = ((rate, len(one.rates)), (length, len(one.lengths)))
    at_edge = any(size > 1 and place in (0, size - 1) for place, size in places)
    if not at_edge or len(one.seeds) < 2 or not np.isfinite(one.means[own]):
        return ""
    ahead = gain(results.metric, float(one.means[rate, length] - one.means[own]))
    spread = max(float(one.values[place].std(ddof=1)) for place in ((rate, length), own))
    if ahead <= spread:
        return ""
    best, at_own, told = (
        quantity(results.metric, number(results.metric, value)) for value in (one.means[rate, length], one.means[own], spread)
    )
    return (
        f"{one.arm} is best at the edge of its grid, {setting_text(one, (rate, length))}: {best} against {at_own} at the suite's "
        f"own setting, more than the spread between seeds (±{told}). Its numbers at that setting are not what it can reach."
    )


def stability_sentences(results: Results) -> list[str]:
    """Say of each arm how much of its grid is near its best, and how that compares with its baseline; and what is not there."""
    found = stabilities(results)
    return [*(_sentence(results, one, found) for one in found), *(unfinished(results) if found else [])]


def _sentence(results: Results, found: Stability, every: list[Stability]) -> str:
    metric, (best, worst) = results.metric, ends(results, found)
    near, of = int(found.near.sum()), count(found.near.size, "setting")
    top, low = (quantity(metric, number(metric, float(found.means[place]))) for place in (best, worst))
    text = (
        f"{found.arm} at {count(found.labels)} labels: {share_text(found.by_seed)} of its settings are within "
        f"{tolerance_text(results)}, seed by seed"
    )
    if found.against is not None:
        text += f", that of {found.baseline} subtracted {share_text(found.against, signs=True)}"
    some = [one for one in (found.by_seed, found.against) if one is not None]
    if any(one.low is None for one in some):
        text += " (one encoder or seed has no interval)"
    elif any(one.low != one.high for one in some):
        text += f" ({LEVEL_TEXT} intervals)"
    means = (
        f" Of the means over seeds, which describe and have no interval, {near} of {of} ({100 * found.share:.0f} %): the best is "
        f"{top} at {setting_text(found, best)}, the worst {low} at {setting_text(found, worst)}"
    )
    return f"{text}.{means}{_ahead(results, found, every)}.{_chance(results, found)}"


def _ahead(results: Results, found: Stability, every: list[Stability]) -> str:
    """At how many settings the mean is ahead of that of the baseline."""
    other = next((one for one in every if one.arm == found.baseline), None)
    if other is None:
        return ""
    better = results.metric.larger_is_better
    ahead = int((found.means > other.means if better else found.means < other.means).sum())
    return f"; ahead of {found.baseline} at {ahead} of {count(found.near.size, 'setting')}"


def _chance(results: Results, found: Stability) -> str:
    """How far chance alone moves a mean, where that is no small part of the tolerance."""
    edge = _tolerance(results, found.means)
    if found.error is None or found.error <= edge / 2:
        return ""
    error = quantity(results.metric, number(results.metric, found.error))
    return f" Between seeds a mean has an error of ±{error} (median), so that chance moves settings over this edge."


def unfinished(results: Results) -> list[str]:
    """Say of which arms of a grid, and of which seeds, nothing is shown since a training of them has not ended or has failed."""
    found = {one.arm: one for one in stabilities(results)}
    seeds, told = range(results.plan.instance.settings.seeds), []
    for arm in dict.fromkeys(place.arm for place in results.plan.grid):
        left = [seed for seed in seeds if arm not in found or seed not in found[arm].seeds]
        if left:
            which = "every seed" if len(left) == len(seeds) else f"seed {joined(list(map(str, left)))}"
            told.append(f"Not in the grid of {arm}, since a training has not ended or has failed, or all diverged: {which}.")
    return told
