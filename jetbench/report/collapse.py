"""Encoders whose features do not tell jets apart any more: whoever starts from them learns nothing about pretraining."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.report.results import Results
from jetbench.report.words import count, joined

__all__ = ["collapses"]

KEY = "features/standard_deviation"
# The square of the standard deviation is about one minus the mean cosine between the features of different jets: below 0.01 that
# cosine is above 0.9999, and a tenth of the difference is what rounding to bf16 makes. Deep sets with random weights have 0.1.
COLLAPSED = 0.01


def collapses(results: Results) -> Iterator[str]:
    """Yield a warning for each kind of pretraining of which an encoder behind a finished cell ended in collapse."""
    arms, ends = _arms(results), dict[str, dict[str, float]]()
    for key in arms:
        if (end := _end(results, key)) is not None:
            ends.setdefault(results.runs[key].name.rsplit("/", 1)[0], {})[key] = end
    for name, found in ends.items():
        lost = [key for key, end in found.items() if end < COLLAPSED]
        if lost:
            named = joined(list(dict.fromkeys(arm for key in lost for arm in arms[key])))
            yield (
                f"{len(lost)} of {count(len(found), 'encoder')} of {name} collapsed: the features of all jets are practically "
                f"the same (standard deviation {min(found[key] for key in lost):.1g}; 1 is even, and below {COLLAPSED:g} hardly "
                "two jets differ). "
                f"What {named} comes to says nothing about pretraining."
            )


def _arms(results: Results) -> dict[str, dict[str, None]]:
    """The arms at each run that stands before the last of a finished cell, by its key."""
    found: dict[str, dict[str, None]] = {}
    for cell in results.cells:
        for key in results.chain(cell)[1:]:
            found.setdefault(key, {})[cell.arm] = None
    return found


def _end(results: Results, key: str) -> float | None:
    """The standard deviation of the features after the last epoch; None of a run that has not looked at it."""
    noted = [record.metrics[KEY] for record in results.journal(key) if KEY in record.metrics]
    return noted[-1] if noted else None
