"""A draft of the card for a file: what its arrays seem to be, with a mark at everything that its owner has to decide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jetbench.formats.guess_arrays import Array, Look
from jetbench.formats.guess_constituents import constituents
from jetbench.formats.guess_images import images
from jetbench.formats.guess_labels import label_lines
from jetbench.formats.guess_rules import quantity
from jetbench.formats.reading import survey

__all__ = ["Guess", "guess"]

BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")  # in a name they would end a comment, and begin a key
NONE = (
    "no card can be drafted: neither images nor constituents with a momentum were found among these arrays; "
    "`jetbench show constituents` and `jetbench show images` list what a card may say"
)
WEIGHTS = ("weight", "weights", "training_weights", "sample_weight", "event_weight")


@dataclass(frozen=True)
class Guess:
    """`text` is YAML: the arrays of the file as comments and, where there is a `card`, the draft of one. `known` is the name of a
    format that needs none."""

    text: str
    card: bool
    known: str


def guess(path: Path) -> Guess:
    """Look at a file in a child process, in bounded memory and with nothing of it executed, and draft its card.

    Raises `DataFileError` for a file that cannot be read, and for what is no HDF5, npz, npy, parquet or ROOT.
    """
    look, known = survey(path)
    lines = [f"# {path.name}: {look.container}", *(f"#   {_line(array)}" for array in look.arrays)]
    lines += [f"#   {remark}" for remark in look.remarks]
    if known:
        lines.append(f"# It is of the format {known}, which needs no card: jetbench data convert {path.name} -o jets.h5")
    drafted = list(_draft(look))
    if drafted:
        lines += ["# What is marked with CHECK the file does not say.", *drafted]
    elif not known:
        lines.append(f"# {NONE}")
    return Guess("\n".join(BREAKS.sub("?", line) for line in lines), bool(drafted), known)


def _line(array: Array) -> str:
    """What an array is, with the range of what was looked at."""
    shape = "×".join("…" if size is None else str(size) for size in array.shape)
    tree = f"{array.tree}, " if array.tree else ""
    start = f"{tree}{array.key}: {shape or '()'} {array.dtype}".rstrip()
    if array.trouble:
        return f"{start}: {array.trouble}"
    if array.rows is None:
        return f"{start}: {', '.join(array.words[:12])}{', …' if len(array.words) > 12 else ''}"
    rows = array.rows[np.isfinite(array.rows)] if array.rows.dtype.kind == "f" else array.rows
    ends = f"{rows.min():.6g} … {rows.max():.6g}" if rows.size else "no finite number"
    missing = array.rows.size - rows.size
    odd = f", {missing} NaN or infinite" if missing else ""
    return f"{start}: {ends}{odd}{'' if array.whole else f' in {array.some} rows'}"


def _draft(look: Look) -> Iterator[str]:
    """The lines of a card; none where nothing is found to describe."""
    tree = max((array.tree for array in look.arrays), key=[array.tree for array in look.arrays].count, default="")
    # a place names no key with a colon, and a card one tree
    look = replace(look, arrays=tuple(a for a in look.arrays if ":" not in a.key and a.tree == tree))
    found = constituents(look) or images(look)
    if found is None:
        return
    yield f"kind: {found.kind}"
    yield f"source: {json.dumps(look.path.name, ensure_ascii=False)}  # CHECK: where the jets come from, as a DOI or a program"
    yield f"format: {look.container}"
    if tree:
        yield f"tree: {json.dumps(tree, ensure_ascii=False)}"
    yield from found.lines
    yield from label_lines(look, found)
    axes = [line for line in found.lines if line.startswith("jet_")]
    for array in look.arrays:
        told = array.key in found.used or any(line.endswith(f" {json.dumps(array.key, ensure_ascii=False)}") for line in axes)
        if array.shape in ((found.jets,), (found.jets, 1)) and array.rows is not None and not told:
            yield from _of_jets(array)


def _of_jets(array: Array) -> Iterator[str]:
    """What else a number for each jet may be: only its owner knows."""
    name, place = array.key.split("/")[-1], json.dumps(array.key, ensure_ascii=False)
    if name.lower() in WEIGHTS:
        yield f"weights: {place}  # CHECK: it seems to weigh the jets, which a training can do by it (sample_weight)"
    elif (what := quantity(name)) in ("pt", "eta", "mass"):
        yield f"# CHECK: is this the {what} of the jets?  checks: {{{what}: {place}}}  compares it with what is computed"
    else:
        yield f"# kept as a target by  targets: {{NAME: {place}}}"
