"""Encoders whose features do not tell jets apart any more: whoever starts from them learns nothing about pretraining."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jetbench.report.pretrained import noted_by, pretrained
from jetbench.report.results import Results
from jetbench.report.words import count, joined

__all__ = ["collapses"]

SPREAD, RANK = "features/standard_deviation", "features/effective_rank"
# The square of the standard deviation is about one minus the mean cosine between the features of different jets: below 0.01 that
# cosine is above 0.9999, and a tenth of the difference is what rounding to bf16 makes. Deep sets with random weights have 0.14.
COLLAPSED = 0.01
# A pretraining by SimCLR whose loss never left the logarithm of its number of candidates ended at 1.6, those that had learnt at 4
# to 19, deep sets with random weights at 6 to 7.
ONE_DIRECTION = 2.0


def collapses(results: Results) -> Iterator[str]:
    """Yield a warning for each kind of pretraining of which an encoder behind a finished cell ended in collapse."""
    for kind in pretrained(results):
        spreads, ranks = (_ends(results, kind.runs, metric) for metric in (SPREAD, RANK))
        same = [key for key, end in spreads.items() if end < COLLAPSED]
        line = [key for key, end in ranks.items() if end < ONE_DIRECTION and key not in same]
        if same:
            yield (
                f"{len(same)} of {count(len(spreads), 'encoder')} of {kind.name} collapsed: the features of all jets are "
                f"practically the same (standard deviation {min(spreads[key] for key in same):.1g}; 1 is even, and below "
                f"{COLLAPSED:g} hardly two jets differ). "
                f"What {joined(kind.arms(same))} comes to says nothing about pretraining."
            )
        if line:
            yield (
                f"{len(line)} of {count(len(ranks), 'encoder')} of {kind.name} collapsed: the features of all jets lie "
                f"practically along one line (effective rank {min(ranks[key] for key in line):.2g}, below {ONE_DIRECTION:g}). "
                f"What {joined(kind.arms(line))} comes to says little about pretraining."
            )


def _ends(results: Results, keys: Iterable[str], metric: str) -> dict[str, float]:
    """What the features had of a diagnostic after the last epoch, by run; without those that have not looked at it."""
    noted = {key: noted_by(results, key) for key in keys}
    return {key: found[metric] for key, found in noted.items() if metric in found}
