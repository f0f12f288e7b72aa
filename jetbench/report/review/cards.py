"""The card of an arm at one label budget: its means, its difference to the baseline, and what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jetbench.evaluation.classification import EFFICIENCIES
from jetbench.evaluation.plots import PALETTE
from jetbench.report.arms import looks
from jetbench.report.rejections import seed_rejection
from jetbench.report.results import Results
from jetbench.report.review.pictures import CURVES, pictures
from jetbench.report.review.runs import MEANS
from jetbench.report.review.wrongest import FILE, wrongest_table
from jetbench.report.rows import Row, rows
from jetbench.report.tuned import decisions
from jetbench.report.words import brief_difference, count, differences_of, gain, mean_limits, number, possible_ends, quantity
from jetbench.spec import Component
from jetbench.suites.plan import CellKey
from jetbench.suites.studies import plain
from jetbench.tracking.arm_card import ArmCard, Pairs

__all__ = ["ENDS", "arm_cards", "bar_key", "gain_key", "mean_key", "rejection_key", "standing"]

ENDS = ("_low", "_high")  # of the keys of an interval
BAR = " gain"  # what the keys of its bars have in common
Metrics = Iterator[tuple[str, float | None]]


def mean_key(results: Results) -> str:
    """Name the mean of what arms are compared by: "test/auc", as in the runs of the seeds."""
    return f"test/{results.metric.key}"


def gain_key(results: Results) -> str:
    """Name the difference to the baseline with the sign of an improvement: "gain/auc"."""
    return f"gain/{results.metric.key}"


def bar_key(results: Results, labels: int, baseline: str, end: str = "") -> str:
    """Name the same, or the "_low" or "_high" end of its interval, as bars show it, which have two digits after the point: "n100
    gain over scratch in 0.001". A chart holds one key, and so the arms of one baseline; of a longer title little is seen."""
    return f"n{labels}{BAR}{end} over {baseline} in {results.metric.unit or '0.001'}"


def rejection_key(labels: int) -> str:
    """Name R50 as bars show it: "n100 R50"."""
    return f"n{labels} R50"


def arm_cards(results: Results) -> tuple[ArmCard, ...]:
    """Make a card for each row of the comparison that has a finished seed, in its order."""
    found = [row for row in rows(results) if row.seeds]
    width = len(str(len(found)))
    return tuple(_card(results, row, f"{place:0{width}d}") for place, row in enumerate(found, 1))


def _card(results: Results, row: Row, order: str) -> ArmCard:
    arm, labels = row.arm, row.labels
    rejections = dict(_rejections(results, arm, labels))
    metrics = [*_gains(results, row), *_means(results, arm, labels), *rejections.items(), *_charted(results, row, rejections)]
    shown = tuple(pictures(results, arm, labels))
    return ArmCard(
        key=f"arm/{arm}/n{labels}",
        name=f"{arm}/n{labels}",
        tags=_tags(results, row, order),
        params=_params(results, arm, labels),
        metrics={name: _rounded(results, name, value) for name, value in metrics if value is not None},
        runs=tuple(dict.fromkeys(results.last[CellKey(arm, labels, seed)] for seed in results.seeds(arm, labels))),
        note=_note(results, row),
        pictures=shown,
        side_by_side=_asked(results, row) and CURVES in {picture.key for picture in shown},
        tables={FILE: wrongest_table(results, arm, labels)},
    )


def _rounded(results: Results, name: str, value: float) -> float:
    """A value as short as it is known, since MLflow's list shows all digits that it is given: means and differences with those of
    the table, which say nothing of other metrics, and these with six that count. Zero has no sign."""
    own = name.startswith((mean_key(results), gain_key(results))) or BAR in name
    return (round(value, results.metric.digits) if own else float(f"{value:.6g}")) + 0.0


def _asked(results: Results, row: Row) -> bool:
    """Whether the suite's question is about this arm at this budget."""
    return not row.muted and row.labels in {labels for _, labels in results.primaries}


def _means(results: Results, arm: str, labels: int) -> Metrics:
    metric, mean, key = results.metric, results.mean(arm, labels), mean_key(results)
    if mean is not None:
        low, high = possible_ends(metric, mean)
        yield from ((key, mean.mean), (f"{key}_low", low), (f"{key}_high", high))
    for name in (*MEANS, *results.plan.instance.settings.metrics):
        yield f"test/{name}", results.average(arm, labels, f"test/{name}")


def _gains(results: Results, row: Row) -> Metrics:
    """Nothing but a zero for a baseline, which is what the others are measured from."""
    found, key, metric = row.comparison, gain_key(results), results.metric
    if found is None:
        yield key, 0.0 if row.arm in results.baselines.values() else None
        return
    reached = [gain(metric, end) for end in possible_ends(differences_of(metric), found) if end is not None]
    yield key, gain(metric, found.difference)
    yield from ((f"{key}_low", min(reached)), (f"{key}_high", max(reached))) if reached else ()


def _charted(results: Results, row: Row, rejections: Mapping[str, float | None]) -> Metrics:
    """What charts alone need: without the arms that are not compared, far from which all others would look alike."""
    gains, key, scale = dict(_gains(results, row)), gain_key(results), 1 if results.metric.unit else 1000
    if row.muted or gains[key] is None:
        return
    baseline = results.baselines[row.arm] if row.comparison else row.arm
    for end in ("", *ENDS):
        value = gains.get(f"{key}{end}")
        yield bar_key(results, row.labels, baseline, end), None if value is None else scale * value
    yield rejection_key(row.labels), rejections.get("test/background_rejection_50")
    yield "labels", float(row.labels)


def _rejections(results: Results, arm: str, labels: int) -> Metrics:
    """The rejections of two classes; of one that is not resolved the lower end alone, which no chart draws with them."""
    if "rejection" not in results.task.sections or len(results.plan.instance.meta.class_names) > 2:
        return
    for percent in EFFICIENCIES:
        found, key = seed_rejection(results, arm, labels, percent), f"test/background_rejection_{percent}"
        if found and found.resolved and found.rejection is not None:
            yield from ((key, found.rejection), (f"{key}_low", found.low), (f"{key}_high", found.high))
        elif found:
            yield f"{key}_low", found.low


def standing(row: Row) -> str:
    """Say in a word how an arm stands to its baseline."""
    if row.comparison:
        return str(row.comparison.verdict)
    return "baseline" if row.role == "baseline" else "no partner yet"


def _tags(results: Results, row: Row, order: str) -> Pairs:
    instance = results.plan.instance
    tags = {
        "jetbench.scale": instance.scale,
        "jetbench.instance": instance.name,
        "jetbench.arm": row.arm,
        "jetbench.order": order,
        "jetbench.role": str(row.role),
        "jetbench.verdict": standing(row) + (" *" if row.primary else ""),
        "jetbench.baseline": results.baselines.get(row.arm, ""),
        "jetbench.difference": brief_difference(results.metric, row.comparison) if row.comparison else "",
        "jetbench.seeds": f"{row.seeds} of {row.planned}",
        "mlflow.runColor": _color(results, row),
    }
    return tuple((name, value) for name, value in tags.items() if value)


def _color(results: Results, row: Row) -> str:
    """One colour per arm, where the report's plots tell some of one colour apart by their markers; grey for muted ones."""
    if row.muted:
        return looks(results.plan)[row.arm].color
    bright = [arm for arm in results.plan.arms if not looks(results.plan)[arm].muted]
    return PALETTE[bright.index(row.arm) % len(PALETTE)]


def _params(results: Results, arm: str, labels: int) -> Pairs:
    """What makes an arm, the same few names for all; what studies have decided stands in place of the recipe's values."""
    last, given = results.plan.declared(CellKey(arm, labels, results.seeds(arm, labels)[0]))[-1], results.plan.instance.settings
    decided = [dict(one.values) for one in decisions(results, arm, labels)]
    rates = [one.get("recipe.learning_rate", last.recipe.learning_rate) for one in decided] or [last.recipe.learning_rate]
    values = {
        "arm": arm,
        "labels": labels,
        "regime": given.arms[arm].regime,
        "model": _component(last.model),
        "view": _component(last.view),
        "recipe": last.recipe.name,
        "learning_rate": _distinct([plain(rate) for rate in rates]),
        "passes": last.recipe.passes,
    }
    return tuple((name, str(value)) for name, value in values.items())


def _component(one: Component) -> str:
    return " ".join([one.name, *(f"{name}={value}" for name, value in one.options if value is not None)])


def _distinct(texts: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(texts))


def _note(results: Results, row: Row) -> str:
    """Markdown, the difference with its verdict first: the page shows three lines of it."""
    metric, mean, found = results.metric, row.headline, row.comparison
    place = f"**{row.arm}** ({row.role}) at {count(row.labels)} labels"
    minus = f" minus {results.baselines[row.arm]}: {brief_difference(metric, found)}, **{found.verdict}**" if found else ""
    lines = [place + minus]
    if mean is not None:
        value = quantity(metric, f"{number(metric, mean.mean)} {mean_limits(metric, mean)}".rstrip())
        lines.append(f"test {metric.name} {value}, mean over {count(row.seeds, 'seed')}")
    return "\n\n".join([*lines, *(f"⚠ {note}" for note in row.notes)])
