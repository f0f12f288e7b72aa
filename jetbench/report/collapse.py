"""Encoders whose features do not tell jets apart any more: whoever starts from them learns nothing about pretraining."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.report.pretrained import pretrained
from jetbench.report.results import Results
from jetbench.report.words import count, joined

__all__ = ["collapses"]

KEY = "features/standard_deviation"
# The square of the standard deviation is about one minus the mean cosine between the features of different jets: below 0.01 that
# cosine is above 0.9999, and a tenth of the difference is what rounding to bf16 makes. Deep sets with random weights have 0.14.
COLLAPSED = 0.01


def collapses(results: Results) -> Iterator[str]:
    """Yield a warning for each kind of pretraining of which an encoder behind a finished cell ended in collapse."""
    for kind in pretrained(results):
        found = {key: end for key in kind.runs if (end := _end(results, key)) is not None}
        lost = [key for key, end in found.items() if end < COLLAPSED]
        if lost:
            yield (
                f"{len(lost)} of {count(len(found), 'encoder')} of {kind.name} collapsed: the features of all jets are "
                f"practically the same (standard deviation {min(found[key] for key in lost):.1g}; 1 is even, and below "
                f"{COLLAPSED:g} hardly two jets differ). "
                f"What {joined(kind.arms(lost))} comes to says nothing about pretraining."
            )


def _end(results: Results, key: str) -> float | None:
    """The standard deviation of the features after the last epoch; None of a run that has not looked at it."""
    noted = [record.metrics[KEY] for record in results.journal(key) if KEY in record.metrics]
    return noted[-1] if noted else None
