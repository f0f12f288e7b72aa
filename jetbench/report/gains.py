"""What the primary arms gain over their baselines, compared with each other: which encoder needs what the suite asks about?"""

from __future__ import annotations

from itertools import combinations

from jetbench.report.pairing import paired_gains
from jetbench.report.results import Results
from jetbench.statistics.comparison import Comparison
from jetbench.statistics.multiplicity import adjust
from jetbench.suites.plan import CellKey

__all__ = ["Place", "encoder_names", "gain_differences"]

Place = tuple[str, int]  # arm and label budget


def encoder_names(results: Results) -> dict[str, str]:
    """Name the encoder of each baseline of a primary comparison: by its model, where no two of them have the same one."""
    arms = results.plan.instance.settings.arms
    models = {one.baseline: arms[one.baseline].model for one in results.plan.primaries}
    return models if len(set(models.values())) == len(models) else {baseline: baseline for baseline in models}


def gain_differences(results: Results) -> dict[tuple[Place, Place], Comparison]:
    """Compare the gains of each two primary arms that have different baselines, paired over the fresh seeds that all four arms
    have finished; corrected by Holm for the number of these comparisons, which are secondary."""
    found = {}
    for one, other in combinations(results.primaries, 2):
        if results.baselines[one[0]] != results.baselines[other[0]]:
            seeds = sorted({*_seeds(results, one)} & {*_seeds(results, other)})
            if seeds:
                found[one, other] = _compared(results, one, other, seeds)
    return adjust(found, ())


def _seeds(results: Results, place: Place) -> list[int]:
    arm, labels = place
    return results.fresh_seeds(arm, results.baselines[arm], labels)


def _compared(results: Results, one: Place, other: Place, seeds: list[int]) -> Comparison:
    places = [(name, labels) for arm, labels in (one, other) for name in (arm, results.baselines[arm])]
    clusters = next((found for place in places if (found := results.clusters(*place, seeds))), None)
    sides = [[results.scores(CellKey(*place, seed)) for seed in seeds] for place in places]
    shared = max(results.shared(labels) for _, labels in (one, other))
    return paired_gains(results.task, (sides[0], sides[1]), (sides[2], sides[3]), clusters, shared)
