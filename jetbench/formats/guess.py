"""A draft of the card for a file: what its arrays seem to be, with a mark at everything that its owner has to decide."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jetbench.formats import formats
from jetbench.formats.card import split
from jetbench.formats.guess_arrays import MANY, Array, Look
from jetbench.formats.guess_constituents import LISTS, constituents, starts
from jetbench.formats.guess_events import jets_of_events
from jetbench.formats.guess_images import images
from jetbench.formats.guess_labels import Found, label_lines
from jetbench.formats.guess_rules import quantity, quoted
from jetbench.formats.reading import survey

__all__ = ["Guess", "guess"]

BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")  # in a name they would end a comment, and begin a key
UNSURE = (
    "# Rows seem to be events and no jets: {}. {}. Below is the card for rows that are one jet each, as comments: "
    "sed -i 's/^#: //' card.yaml  makes it one"
)
OF_LISTS = "A card says in `events` what is a list of jets, and which constituents they have (docs/cards.md)"
OF_ARRAYS = (
    "Write each jet as a row of its own, as numpy's reshape makes one of (events, jets, …), or lists of jets as parquet, of "
    "which a card says so in `events` (docs/cards.md)"
)
NONE = (
    "no card can be drafted: neither images nor constituents with a momentum were found among these arrays. Names of momenta "
    "end with px, py, pz, or with pt, eta (rapidity), phi (azimuth), and with energy (e) or mass (m), and MeV or GeV may follow. "
    "`jetbench show constituents` and `jetbench show images` list what a card may say"
)


@dataclass(frozen=True)
class Guess:
    """`text` is YAML: the arrays of the file as comments and, where there is a `card`, the draft of one. `known` is the name of a
    format that needs none; its card is the one that is shipped, if it has any. Of rows that seem to be events, but do not tell
    their jets, a draft stands in comments and counts as none."""

    text: str
    card: bool
    known: str


def guess(path: Path) -> Guess:
    """Look at a file in a child process, in bounded memory and with nothing of it executed, and draft its card.

    Raises `DataFileError` for a file that cannot be read, and for what is no HDF5, npz, npy, parquet or ROOT.
    """
    look, known = survey(path)
    lines = [f"# {path.name}: {look.container}", *(f"#   {_line(array)}" for array in look.arrays[:MANY])]
    lines += [f"#   {remark}" for remark in look.remarks]
    if known:
        lines.append(f"# It is of the format {known}, which needs no card: jetbench data convert {path.name} -o jets.h5")
        doubt, drafted = "", _shipped(known)  # a draft would say less than what is known of the format
    else:
        with np.errstate(all="ignore"):  # numbers of any size are looked at
            doubt, drafted = _draft(look)
        unsure = [UNSURE.format(doubt, OF_LISTS if look.container in LISTS else OF_ARRAYS)]
        lines += unsure if doubt else _comments(look, bool(drafted))
        drafted = [f"#: {line}" for line in drafted] if doubt else drafted
    text = "\n".join(BREAKS.sub("?", line) for line in [*lines, *drafted])
    return Guess(text, bool(drafted and not doubt), known)


def _shipped(name: str) -> list[str]:
    """The lines of the card that is shipped with jetbench for a format; none where code reads it."""
    from jetbench.formats.shipped_cards import card_text

    return ["# This is its card.", *card_text(name).splitlines()] if formats[name].shipped else []


def _comments(look: Look, drafted: bool) -> list[str]:
    """What stands above a draft, or instead of one."""
    if drafted:
        return ["# What is marked with CHECK the file does not say."]
    if key := starts(look):
        return [f"# {NONE}", f"# {key} seems to say where each jet begins: offsets of a card have the end of the last one too"]
    return [f"# {NONE}"]


def _line(array: Array) -> str:
    """What an array is, with the range of what was looked at."""
    shape = "×".join("…" if size is None else str(size) for size in array.shape)
    tree = f"{array.tree}, " if array.tree else ""
    start = f"{tree}{array.key}: {shape or '()'} {array.dtype}".rstrip()
    if array.trouble:
        return f"{start}: {array.trouble}"
    shown = (array.inner or array).rows
    if shown is None:
        return f"{start}: {', '.join(array.words[:12])}{', …' if len(array.words) > 12 else ''}"
    rows = shown[np.isfinite(shown)] if shown.dtype.kind == "f" else shown
    ends = f"{rows.min():.6g} … {rows.max():.6g}" if rows.size else "no finite number"
    missing = shown.size - rows.size
    odd = f", {missing} NaN or infinite" if missing else ""
    return f"{start}: {ends}{odd}{'' if array.whole else f' in {array.some} rows'}"


def _draft(look: Look) -> tuple[str, list[str]]:
    """Why the rows seem to be events, though the card takes them for jets, and the lines of a card; none where nothing is found
    to describe."""
    tree = max((array.tree for array in look.arrays), key=[array.tree for array in look.arrays].count, default="")
    # a place names no key that ends like a column, and a card one tree
    look = replace(look, arrays=tuple(a for a in look.arrays if split(a.key)[1] is None and a.tree == tree))
    look = replace(look, arrays=tuple(a for a in look.arrays if not _counter(a, look.arrays)))
    of_events = jets_of_events(look)
    look = of_events.look if of_events else look
    found = constituents(look) or images(look)
    if found is None:
        return "", []
    lines = [f"kind: {found.kind}", f"source: {quoted(look.path.name)}  # CHECK: where the jets come from, as a DOI or a program"]
    lines += [f"format: {look.container}", *([f"tree: {quoted(tree)}"] if tree else [])]
    lines += [*(of_events.lines if of_events else ()), *found.lines, *label_lines(look, found)]
    lines += _numbers(look, found, of_events.numbers if of_events else ())
    return found.doubt if of_events is None else "", lines


def _numbers(look: Look, found: Found, of_events: Collection[str]) -> Iterator[str]:
    """What else the jets have one number of; of those of events weights alone."""
    of_jets = [a for a in look.arrays if a.shape in ((found.jets,), (found.jets, 1)) and a.rows is not None]
    of_jets = [array for array in of_jets if array.key not in found.used]
    weights = [array.key for array in of_jets if _weighs(array)][:1]
    for array in (one for one in of_jets[:MANY] if one.key in weights or one.key not in of_events):
        if array.key in weights:
            told = "CHECK: it seems to weigh the jets, which a training can do by it (sample_weight)"
            yield f"weights: {quoted(array.key)}  # {told}"
        else:
            yield _of_jets(array, found.kind)


def _counter(array: Array, others: Iterable[Array]) -> bool:
    """Tell whether these are the lengths of lists, as uproot writes them beside a branch: `npart_pt` of `part_pt`."""
    for other in others:
        if other.lengths is not None and array.rows is not None and array.key.startswith("n"):
            some, called = min(array.some, len(other.lengths)), array.key[1:]
            if other.key == called or other.key.startswith(f"{called}_"):
                return array.rows.ndim == 1 and array.rows[:some].tolist() == other.lengths[:some].tolist()
    return False


def _weighs(array: Array) -> bool:
    """Tell whether numbers may be weights: by the name, and none is negative."""
    assert array.rows is not None
    return "weight" in array.key.split("/")[-1].lower() and bool((array.rows >= 0).all())


def _of_jets(array: Array, kind: str) -> str:
    """What else a number for each jet may be: only its owner knows."""
    place, what = quoted(array.key), quantity(array.key.split("/")[-1])
    if kind == "images" and what in ("pt", "eta", "phi"):
        return f"# CHECK: is this the {what} of the jets?  columns: {{jet_{what}: {place}}}  keeps it"
    if kind == "images" and what == "mass":
        return f"# CHECK: is this the mass of the jets?  targets: {{mass: {place}}}  keeps it"
    if what in ("pt", "eta", "mass"):
        return f"# CHECK: is this the {what} of the jets?  checks: {{{what}: {place}}}  compares it with what is computed"
    return f"# kept as a target by  targets: {{NAME: {place}}}"
