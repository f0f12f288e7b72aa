"""What a user should know of jets before training on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

import numpy as np

from jetbench.datainfo.sample import Sample
from jetbench.datainfo.separation import LEAK
from jetbench.datainfo.summary import Summary

__all__ = ["with_warnings"]

UNBALANCED = 0.05  # of the largest class: below it a small label budget holds a handful of jets of the smallest one
WEIGHT = "targets/weight"  # a training weighs jets by it and shows it to no model: sets balanced by class have it tell the class
OUTSIDE = 0.01  # share of deposits outside the frame, which an image of that frame loses


def with_warnings(summary: Summary, sample: Sample) -> Summary:
    """Return the summary with its warnings and remarks."""
    return summary.model_copy(update={"warnings": _warnings(summary, sample), "remarks": _remarks(summary)})


def _warnings(summary: Summary, sample: Sample) -> tuple[str, ...]:
    """A sentence for each thing to worry about, with its cause by name and what to do about it."""
    found = (*_leaks(summary), *_classes(summary), *_copies(summary), *_channels(summary), *_columns(summary, sample))
    return (*found, *summary.implausible)


def _remarks(summary: Summary) -> tuple[str, ...]:
    """A sentence for each thing that is no fault but good to know."""
    if summary.row_auc is None or summary.row_auc < LEAK:
        return ()
    return (
        f"classes stand one after the other in the file (AUC of the row number {summary.row_auc:.3f}): "
        "jetbench shuffles them, and any other program that reads the file must too",
    )


def _leaks(summary: Summary) -> Iterator[str]:
    for it in summary.aucs:
        if it.auc > LEAK and it.column != WEIGHT:
            yield (
                f"column {it.column!r} alone tells {it.class_name!r} from the other jets with AUC {it.auc:.4f} (above {LEAK}): "
                "a leak of the label, or jets that need no classifier"
            )


def _classes(summary: Summary) -> Iterator[str]:
    if not summary.jets:
        yield "there are no jets"
    present = {name: count for name, count in summary.classes.items() if count}
    if len(present) == 1:
        yield f"every jet is of class {next(iter(present))!r}: a classifier needs jets of other classes, from another file"
    elif absent := [name for name in summary.classes if name not in present]:
        yield f"no jets of {_names(absent)}, which the file declares as classes"
    if len(present) > 1 and min(present.values()) < UNBALANCED * max(present.values()):
        rare, common = (pick(present, key=lambda name: present[name]) for pick in (min, max))
        yield f"classes are very unbalanced: {present[rare]} jets of {rare!r} against {present[common]} of {common!r}"
    if numbered := [name for name in summary.classes if re.fullmatch(r"class-\d+", name)]:
        yield f"nobody has named {_names(numbered)}: say what the labels mean when the file is converted"


def _copies(summary: Summary) -> Iterator[str]:
    if summary.duplicates:
        yield f"copies of an earlier jet: {summary.duplicates}; a split keeps copies together"
    if summary.contradictions:
        yield f"copies that carry another label than the jet they repeat: {summary.contradictions}"
    if summary.empty_jets:
        yield f"empty jets, without any deposit: {summary.empty_jets}"


def _channels(summary: Summary) -> Iterator[str]:
    if unknown := [c.name for c in summary.channels if not c.unit]:
        yield f"no unit is known of {_names(unknown)}: views and observables that need GeV leave them out"
    for c in summary.channels:
        if c.minimum is not None and c.minimum == c.maximum:
            yield f"channel {c.name!r} is {c.minimum:g} in every deposit"
        elif c.minimum is not None and c.minimum < 0 and c.role in ("pt", "energy"):
            yield f"channel {c.name!r} has the role {c.role!r} and negative values, down to {c.minimum:g}"
    if summary.deposits_outside > OUTSIDE * summary.deposits:
        share = 100 * summary.deposits_outside / summary.deposits
        yield f"{share:.1f} % of the deposits stand outside the frame of the jets, where no image shows them"


def _columns(summary: Summary, sample: Sample) -> Iterator[str]:
    stored = {name: column for name, column in sample.columns.items() if name.startswith(("targets/", "jet_"))}
    for name, column in stored.items():
        if len(column) > 1 and column.min() == column.max():
            yield f"column {name!r} is {column[0]:g} for every jet"
    for name, target in summary.targets.items():
        if target.minimum is not None and target.minimum < 0 and re.search(r"mass|pt", name):
            yield f"target {name!r} has negative values, down to {target.minimum:g}"
    for a, b in combinations(sorted(name for name in stored if name.startswith("targets/")), 2):
        if len(stored[a]) and np.array_equal(stored[a], stored[b]):
            yield f"columns {a!r} and {b!r} are equal: one is a copy of the other"


def _names(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
