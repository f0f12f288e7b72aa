"""Which array tells the class of a jet: by its name, or by its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from jetbench.formats.guess_arrays import Array, Look
from jetbench.formats.guess_rules import CLASSES, class_values, disjoint_columns, one_hot, onehot_columns, quoted
from jetbench.formats.tables import first_few

__all__ = ["Found", "label_lines"]

NAMES = ("label", "labels", "y", "target", "targets", "truth", "class", "is_signal", "is_signal_new", "signal")
STEM = re.compile(r"label_|is_|is(?=[A-Z])|label(?=[A-Z])|flag_|truth_")  # how names of a class each begin
NOT_TOLD = "# CHECK: no labels were found; a file of one class each is told by  label_from_files: {NAME: PATTERN}"
PERHAPS = "# CHECK: no labels were found that are sure; one of these may be, by  label: PLACE:  "
ORDER = "CHECK: the names of the classes, in the order of their numbers"


@dataclass(frozen=True)
class Found:
    """What the jets of a file are: the `kind` of card with the `lines` that say so, their number, the keys that are `used`, and
    tables (n, F) of numbers of jets, with the names of their columns. `doubt` is why the rows seem to be events, if they do."""

    kind: str
    lines: tuple[str, ...]
    jets: int
    used: set[str]
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    doubt: str = ""


def label_lines(look: Look, found: Found) -> Iterator[str]:
    """Say what tells the classes, and that their names have to be checked."""
    arrays = [a for a in look.arrays if a.rows is not None and a.shape[:1] == (found.jets,) and a.key not in found.used]
    arrays.sort(key=lambda array: not _called(array))  # stable: those that are called so come first
    for tell in (_by_name, _onehot, _columns, _flags, _few_numbers):
        lines = tell(arrays, found)
        if lines:
            yield from lines
            return
    if flags := [array.key for array in sorted(arrays, key=lambda array: not STEM.match(_name(array))) if _varies(array)]:
        yield f"{PERHAPS}{first_few(flags)}"
    yield NOT_TOLD


def _name(array: Array) -> str:
    return array.key.split("/")[-1].lower()


def _called(array: Array) -> bool:
    """Whether an array of whole numbers bears the name of labels; those of zeros and ones may be a class each."""
    return _name(array) in NAMES or ("label" in _name(array) and not _flag(array))


def _classes(number: int, counts: np.ndarray, some: int) -> list[str]:
    shares = ", ".join(f"{100 * count / some:.3g} %" for count in counts)
    return [f"class_names: [{', '.join(f'class-{i}' for i in range(number))}]  # {ORDER}; shares of {some} jets: {shares}"]


def _by_name(arrays: list[Array], found: Found) -> list[str]:
    return _whole_numbers([array for array in arrays if _called(array)], found, [])


def _few_numbers(arrays: list[Array], found: Found) -> list[str]:
    return _whole_numbers([array for array in arrays if not _called(array)], found, arrays)


def _whole_numbers(arrays: list[Array], found: Found, beside: list[Array]) -> list[str]:
    for array in arrays:
        assert array.rows is not None
        values = class_values(array.rows)
        sure = _called(array)
        if not values or not (sure or (array.shape == (found.jets,) and values[0] == 0 and len(values) == values[-1] + 1)):
            continue
        if not sure and any(_varies(other) for other in beside if other is not array) and len(values) == 2:
            continue  # several columns of zeros and ones are one-hot, or tell something else
        found.used.add(array.key)
        why = "by its name" if _name(array) in NAMES else "CHECK: by its name" if sure else "CHECK: by its few whole numbers"
        others = [] if values == tuple(range(len(values))) else [f"label_values: {list(values)}  # the numbers of the classes"]
        counts = np.array([(array.rows == value).sum() for value in values])
        return [f"label: {quoted(array.key)}  # {why}", *_classes(len(values), counts, array.some), *others]
    return []


def _onehot(arrays: list[Array], found: Found) -> list[str]:
    for array in arrays:
        if array.rows is not None and one_hot(array.rows):
            found.used.add(array.key)
            return _one(array.rows, quoted(array.key), "one-hot rows")
    return []


def _one(rows: np.ndarray, place: str, how: str, names: list[str] | None = None) -> list[str]:
    """The lines for one-hot columns (n, K)."""
    lines = _classes(rows.shape[1], rows.sum(axis=0), len(rows))
    if names and len(set(names)) == len(names):
        lines = [f"class_names: {quoted(names)}  # CHECK: as the columns are called"]
    return [f"label: {place}  # {how}", *lines]


def _columns(arrays: list[Array], found: Found) -> list[str]:
    """One-hot columns among others in a table."""
    for array in arrays:
        if array.rows is not None and (columns := onehot_columns(array.rows)) is not None:
            names = found.names.get(array.key, ())
            called = [names[i] for i in columns] if names else None
            place = quoted([f"{array.key}:{i}" for i in columns])
            return _one(array.rows[:, list(columns)], place, "CHECK: one-hot columns of the table", called)
    return []


def _flag(array: Array) -> bool:
    return array.rows is not None and array.rows.ndim == 1 and set(np.unique(array.rows).tolist()) <= {0, 1}


def _varies(array: Array) -> bool:
    """Whether an array has both zeros and ones, and nothing else. The number of the run, or a flag never set, tells no class."""
    return _flag(array) and array.rows is not None and len(np.unique(array.rows)) == 2


def _flags(arrays: list[Array], found: Found) -> list[str]:
    """One array of zeros and ones for each class, also among others: those of which each row has a single one."""
    flags = [array for array in arrays if _flag(array)]
    rows = min((array.some for array in flags), default=0)
    if not rows:
        return []
    table = np.column_stack([array.rows[:rows] != 0 for array in flags if array.rows is not None])
    stems = [match[0] if (match := STEM.match(array.key.split("/")[-1])) else "" for array in flags]
    for stem in sorted(set(stems), key=lambda stem: (not stem, stem)):
        # what begins alike first; then any: a class without jets in these rows can be told by its name alone
        columns = [i for i in range(len(flags)) if stem in ("", stems[i])]
        full = [i for i in columns if table[:, i].any()]
        chosen = [full[i] for i in disjoint_columns(table[:, full])]
        chosen = sorted([*chosen, *(i for i in columns if chosen and stem and not table[:, i].any())])
        if len(chosen) in CLASSES:
            keys = [flags[i].key for i in chosen]
            found.used.update(keys)
            how = "one array for each class" if len(chosen) == len(flags) else "CHECK: one array for each class, among others"
            names = [key.split("/")[-1].removeprefix(stem) for key in keys]
            return _one(table[:, chosen], quoted(keys), how, names)
    return []
