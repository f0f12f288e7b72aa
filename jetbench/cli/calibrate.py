"""`jetbench calibrate`: how often verdicts err, what they can see and what intervals cover, measured on planted truths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from jetbench.statistics.calibration import Covered, Followed, Rates
    from jetbench.statistics.scenarios import Binormal, Scenario

__all__ = ["calibrate"]

EFFECTS = (0.0025, 0.005, 0.01, 0.015, 0.02)  # planted differences of AUC, on a baseline of 0.93
SHARES = (0.01, 0.1, 0.22, 0.5, 0.67)  # of the pool in a label budget
FEW_JETS = 500  # test jets where the spread between trainings dominates: they hardly matter there
MOST_SEEDS = 65  # five of a first look and sixty more: beyond, nobody follows
TRIALS, VALIDATED = (2, 3, 5), (20, 60, 200)  # of a study, and jets of a validation part
VERDICTS = """
{replays} replays with {jets} test jets; shares in %. The same arm twice is nominally better in 2.5 % and worse in 2.5 %.

| scenario | seeds | better | worse | equivalent | undecided | interval covers | mean ΔAUC | its sd | claimed error |
|---|---|---|---|---|---|---|---|---|---|"""
POOLS = """
Label budgets of a finite pool: a ridge-logistic model with 150 labels against one with thirty times its penalty.

| budget / pool | seeds | interval covers | if shared labels were ignored |
|---|---|---|---|"""
MEANS = """
Intervals of one arm: the share in % that holds the planted mean AUC, and R_x = 1/mean(ε_B) at x % signal efficiency. In brackets
the share of replays with ten and more background jets left per seed, in which the report shows R_x; else it is a lower bound.

| scenario | seeds | mean AUC covers | R50 covers | R30 covers |
|---|---|---|---|---|"""
TUNED = """
Tuning where all rates are equally good: the share of studies in % that leave the recipe, by chance alone. A trial takes its place
that is ahead by more than the standard error of the paired difference over the validation jets, a fifth of the label budget.

| trials | validation jets | leave the recipe |
|---|---|---|"""
FOLLOWED = """
Following "needs n seeds" once, from five seeds on, where trainings differ much: shares of "better" or "worse" in %, first where
there is nothing to find. "Alone" is the second verdict, of those that took a second look. Two looks are two chances, whether the
first five seeds are kept or not; a verdict of fresh seeds keeps its own error, whatever was looked at before.

| planted ΔAUC | first look | in the end, five kept | in the end, fresh decide | second look | five kept, alone | fresh, alone |
|---|---|---|---|---|---|---|"""


@click.command()
@click.option("--replays", type=click.IntRange(min=10), default=400, show_default=True, help="Experiments per scenario.")
@click.option("--jets", type=click.IntRange(min=100), default=3000, show_default=True, help="Test jets, half of them signal.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another number gives other replays.")
def calibrate(replays: int, jets: int, seed: int) -> None:
    """Measure how often verdicts err and what intervals cover, on planted truths; prints Markdown tables as it goes."""
    from jetbench.statistics.calibration import calibrate as measure
    from jetbench.statistics.calibration import cover, follow
    from jetbench.suites.chance import left_by_chance

    click.echo(VERDICTS.format(replays=replays, jets=jets).lstrip())
    for seeds in (5, 10):
        for name, scenario in _planted(seeds, jets).items():
            click.echo(_verdicts(name, seeds, measure(scenario, replays, seed)))
    click.echo(POOLS)
    for seeds, share, scenario in _pools(jets):
        found, ignored = (measure(scenario, replays, seed, widened=widened) for widened in (True, False))
        click.echo(f"| {100 * share:.0f} % | {seeds} | {_percent(found.coverage.mean)} | {_percent(ignored.coverage.mean)} |")
    click.echo(MEANS)
    for name, seeds, scenario in _single(jets):
        click.echo(_covered(name, seeds, cover(scenario, replays, seed)))
    click.echo(TUNED)
    for trials, validated in product(TRIALS, VALIDATED):
        click.echo(f"| {trials} | {validated} | {_percent(left_by_chance(trials, validated, replays, seed).mean)} |")
    click.echo(FOLLOWED)
    for effect, scenario in _followed().items():
        click.echo(_looks(effect, follow(scenario, replays, seed)))


def _planted(seeds: int, jets: int) -> Mapping[str, Scenario]:
    from jetbench.statistics.scenarios import Binormal, Logistic

    common: dict[str, Any] = {"seeds": seeds, "jets": jets}
    return {
        "same arm, other seeds": Binormal(**common),
        "two arms, equal AUC": Binormal(**common, same=False),
        "same arm, training dominates": Binormal(**common, training=0.02, own=0.02),
        "two arms, test sample dominates": Binormal(**common, training=0.0002, own=0.02, same=False),
        "same arm, a few bad trainings": Binormal(**common, training=0.01, skewed=True),
        "same arm, five encoders": Binormal(**common, encoders=5, encoder=0.01, training=0.002),
        "logistic models, 150 labels": Logistic(**common),
        **{f"planted ΔAUC +{effect}": Binormal(**common, effect=effect, same=False) for effect in EFFECTS},
        "logistic models, 300 against 150 labels": Logistic(**common, arm_labels=300),
    }


def _pools(jets: int) -> Iterator[tuple[int, float, Scenario]]:
    from jetbench.statistics.scenarios import Logistic

    for seeds in (5, 10):
        for share in SHARES:
            pool = 2 * round(75 / share)
            yield seeds, share, Logistic(seeds=seeds, jets=jets, pool=pool, arm_ridge=30.0)


def _single(jets: int) -> Iterator[tuple[str, int, Binormal]]:
    from jetbench.statistics.scenarios import Binormal

    for seeds in (5, 10):
        common: dict[str, Any] = {"seeds": seeds, "jets": jets}
        yield "test sample dominates", seeds, Binormal(**common)
        yield "training dominates", seeds, Binormal(**common, training=0.02, own=0.02)
        yield "a few bad trainings", seeds, Binormal(**common, training=0.01, skewed=True)


def _followed() -> Mapping[float, Scenario]:
    from jetbench.statistics.scenarios import Binormal

    return {e: Binormal(seeds=MOST_SEEDS, jets=FEW_JETS, effect=e, training=0.02, own=0.01) for e in (0.0, 0.02)}


def _verdicts(name: str, seeds: int, rates: Rates) -> str:
    shares = (rates.better, rates.worse, rates.equivalent, rates.undecided, rates.coverage)
    errors = f"{rates.difference:+.4f} | {rates.deviation:.4f} | {rates.total_error:.4f}"
    return f"| {name} | {seeds} | {' | '.join(_percent(share.mean) for share in shares)} | {errors} |"


def _covered(name: str, seeds: int, found: Covered) -> str:
    pairs = ((found.rejection_50, found.resolved_50), (found.rejection_30, found.resolved_30))
    rejections = [f"{_percent(covered.mean)} ({_percent(resolved.mean)})" for covered, resolved in pairs]
    return f"| {name} | {seeds} | {_percent(found.auc.mean)} | {' | '.join(rejections)} |"


def _looks(effect: float, found: Followed) -> str:
    shares = [_percent(one.mean) for one in (found.first, found.kept, found.fresh)]
    again = [_percent(found.followed / found.replays), _percent(found.kept_second.mean), _percent(found.fresh_second.mean)]
    return f"| {effect:+g} | {' | '.join([*shares, *again])} |"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
