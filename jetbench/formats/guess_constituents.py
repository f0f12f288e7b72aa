"""Constituents among the arrays of a file: a table, an array for each quantity, lists, or all jets one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from jetbench.formats.card import split
from jetbench.formats.guess_arrays import Array, Look, is_square
from jetbench.formats.guess_labels import Found
from jetbench.formats.guess_radius import radius_line, too_wide
from jetbench.formats.guess_rules import Momentum, begins, by_name, by_values, quantity, quoted

__all__ = ["LISTS", "constituents", "starts"]

MEV = 1e4  # median pT of jets beyond which they are in MeV rather than in GeV
MASKS = ("mask", "valid", "is_valid", "present")
OFFSETS = "offsets"
# FatJet_pt is no pT of constituents
OF_JETS = re.compile(r"(?:^|[/._])(?:fat|gen)?(?:jets?|fj)(?:ak\d+)?[/._][a-z]+$", re.IGNORECASE)
FIRST = 512  # jets of a flat file that tell unit and radius
LISTS = ("parquet", "root")  # containers in which a row has lists of its own length


def constituents(look: Look) -> Found | None:
    """Find constituents with a momentum; None where there are none."""
    for find in (_table, _arrays, _flat):
        if (found := find(look)) is not None:
            return found
    return None


def _names(look: Look, columns: int) -> tuple[str, ...]:
    """The names of so many columns, where the file has a list of them."""
    return next((a.words for a in look.arrays if len(a.words) == columns and a.shape == (columns,)), ())


def _named(look: Look) -> dict[str, tuple[str, ...]]:
    """The names of the columns of tables (N, F)."""
    return {a.key: names for a in look.arrays if len(a.shape) == 2 and (names := _names(look, a.shape[1] or 0))}


def _table(look: Look) -> Found | None:
    """One array (N, M, F) or (N, F, M)."""
    for array in sorted(look.arrays, key=lambda array: -array.size):
        if (
            look.container in LISTS
            or array.rows is None
            or array.rows.ndim != 3
            or array.rows.dtype.kind not in "iuf"
            or is_square(array)
        ):
            continue
        for layout, axis in sorted({"NCF": 2, "NFC": 1}.items(), key=lambda one: array.rows.shape[one[1]]):  # type: ignore[union-attr]
            names, columns = _names(look, array.rows.shape[axis]), np.moveaxis(array.rows, axis, 2)
            if (momentum := by_name(names) or by_values(columns)) is None:
                continue
            meant = {name: columns[..., int(i)] for name, i in momentum.places.items()}
            places = {name: f"{array.key}:{i}" for name, i in momentum.places.items()}
            jets, order = int(array.shape[0] or 0), "constituents, features" if layout == "NCF" else "features, constituents"
            axes = _axes(look, momentum, jets)
            lines = [f"layout: {layout}  # jets, {order}", *_momentum(momentum, places, meant, axes)]
            lines += [f"#   column {i}: {name}" for i, name in enumerate(names) if i not in momentum.places.values()]
            used, doubt = {array.key, *axes.values()}, _doubt(look, momentum, meant)
            return Found("constituents", tuple(lines), jets, used, _named(look), doubt)
    return None


def _arrays(look: Look) -> Found | None:
    """An array (N, M), or a column of lists, for each quantity; fields of a compound dataset are such arrays."""
    groups: dict[tuple[object, ...], dict[str, Array]] = {}
    for array in look.arrays:
        if array.rows is not None and array.rows.ndim == 2 and array.rows.dtype.kind in "iufb":
            above, lengths = array.key.rpartition("/")[0], b"" if array.lengths is None else array.lengths.tobytes()
            groups.setdefault((above, array.shape, lengths), {})[array.key] = array
    for arrays in sorted(groups.values(), key=lambda one: -len(one)):
        momentum = by_name({key: key for key in arrays})
        if momentum is None:
            continue
        meant = {name: rows for name, key in momentum.places.items() if (rows := arrays[str(key)].rows) is not None}
        jets = next(iter(arrays.values())).shape[0] or 0
        lists = look.container in LISTS
        lines = [f"layout: {'lists' if lists else 'padded'}  # an array for each quantity"]
        axes = _axes(look, momentum, jets)
        masks = [key for key in arrays if key.split("/")[-1].lower() in MASKS and not lists]
        mask, places = arrays[masks[0]].rows if masks else None, {name: str(key) for name, key in momentum.places.items()}
        lines += _momentum(momentum, places, meant, axes, mask)
        lines += [f"mask: {quoted(key)}  # not zero where there is a constituent" for key in masks[:1]]
        rest = [key for key in arrays if key not in momentum.places.values() and key not in masks]
        lines += [f"#   {key}: a channel by  channels: [{{name: NAME, place: {quoted(key)}}}]" for key in rest]
        used, doubt = {*arrays, *axes.values()}, _doubt(look, momentum, meant, mask)
        return Found("constituents", tuple(lines), jets, used, doubt=doubt)
    return None


def _doubt(look: Look, momentum: Momentum, meant: dict[str, np.ndarray], mask: np.ndarray | None = None) -> str:
    """Say why rows seem to be events rather than jets; empty where they do not."""
    first, lists = str(next(iter(momentum.places.values()))), [a for a in look.arrays if a.lengths is not None]
    for key in (first, *(array.key for array in lists)):
        if OF_JETS.search(key):
            return f"{key} is by its name a quantity of jets, of which a row has several"
    if wide := too_wide(meant, mask):
        return "in most rows constituents lie further from each other than in any jet"
    # near each other they are of one jet, whose constituents may have lists of their own, as tracks of hits
    if wide is None and (nested := [array.key for array in lists if array.inner is not None]):
        return f"{nested[0]} has lists in lists"
    own = next((array.lengths for array in lists if array.key == first), None)
    others = [a.key for a in lists if own is not None and a.lengths is not None and not np.array_equal(a.lengths, own)]
    return f"the lists of {others[0]} are of other lengths than those of {first}" if wide is None and others else ""


def _flat(look: Look) -> Found | None:
    """The constituents of all jets one after another, with their numbers or where each jet begins."""
    if look.container in LISTS:
        return None
    for array in (a for a in look.arrays if a.rows is not None and a.rows.ndim <= 2):
        total = array.shape[0] or 0
        alike = [a for a in look.arrays if a.rows is not None and a.shape[:1] == (total,)]
        ends = next(_ends(look, total), None)
        if ends is None:
            continue
        if array.rows is not None and array.rows.ndim == 2:
            momentum = by_name(_names(look, array.rows.shape[1])) or by_values(array.rows[None])
            places = {name: f"{array.key}:{i}" for name, i in momentum.places.items()} if momentum else {}
        else:
            momentum = by_name({a.key: a.key for a in alike if a.rows is not None and a.rows.ndim == 1})
            places = {name: str(key) for name, key in momentum.places.items()} if momentum else {}
        if momentum is None:
            continue
        key, what, jets = ends
        lines = ["layout: flat  # the constituents of all jets one after another", f"{what}: {quoted(key)}"]
        axes, meant = _axes(look, momentum, jets), _first_jets(look, places, key, what)
        lines += _momentum(momentum, places, meant, axes)
        used, doubt = {key, *(a.key for a in alike), *axes.values()}, _doubt(look, momentum, meant)
        return Found("constituents", tuple(lines), jets, used, doubt=doubt)
    return None


def _first_jets(look: Look, places: dict[str, str], ends: str, what: str) -> dict[str, np.ndarray]:
    """The quantities (n, M) of the first jets, whose constituents stand one after another at these places, zero-padded."""
    begun = {a.key: a.rows if a.whole else a.rows[: len(a.rows) - len(a.rows) // 2] for a in look.arrays if a.rows is not None}
    columns: dict[str, np.ndarray] = {}
    for name, place in places.items():
        key, at = (place, None) if place in begun else split(place)
        columns[name] = begun[key] if at is None else begun[key][:, at]
    numbers = begun[ends][:FIRST].astype(np.int64)
    numbers = np.diff(numbers) if what == OFFSETS else numbers
    numbers = numbers[np.cumsum(numbers) <= min(map(len, columns.values()))]
    real = np.arange(numbers.max(initial=0)) < numbers[:, None]
    found = {name: np.zeros(real.shape) for name in columns}
    for name, column in columns.items():
        found[name][real] = column[: numbers.sum()]
    return found if len(numbers) else {}


def _ends(look: Look, total: int) -> Iterator[tuple[str, str, int]]:
    """Arrays that count so many constituents: their key, what they are, and the number of jets."""
    for array in look.arrays:
        if array.rows is None or array.rows.ndim != 1 or array.rows.dtype.kind not in "iu" or array.shape[0] == total:
            continue
        if array.rows[0] == 0 and array.rows[-1] == total and (np.diff(array.rows.astype(np.int64)) >= 0).all():
            yield array.key, OFFSETS, int(array.shape[0] or 0) - 1
        elif array.whole and int(array.rows.astype(np.int64).sum()) == total:
            yield array.key, "counts", int(array.shape[0] or 0)


def _momentum(
    momentum: Momentum, places: dict[str, str], meant: dict[str, np.ndarray], axes: dict[str, str], mask: np.ndarray | None = None
) -> list[str]:
    """The lines of a momentum, of its unit, of the radius and of the axis."""
    given = ", ".join(f"{name}: {quoted(place)}" for name, place in places.items())
    unit = [f"unit: {momentum.unit}  # by the names"] if momentum.unit else _unit(meant)
    lines = [f"momentum: {{{given}}}  # {momentum.how}", *unit, radius_line(meant, mask)]
    if "energy" not in places and "mass" not in places:
        lines.append("# CHECK: without energy or mass constituents are massless")
    if not momentum.relative:
        return lines
    if not axes:
        return [*lines, "# CHECK: eta and phi are relative to an axis that the file does not have; its eta is taken for zero"]
    lines += ["relative: true  # eta and phi lie around zero in every jet", "axis: given"]
    sure = {name: "" if quantity(place) == name else "  # CHECK: by the beginning of its name" for name, place in axes.items()}
    return [*lines, *(f"jet_{name}: {quoted(place)}{sure[name]}" for name, place in axes.items())]


def _axes(look: Look, momentum: Momentum, jets: int) -> dict[str, str]:
    """The keys of eta and, where the file has it, phi of the axes to which a momentum is relative; none without eta."""
    keys = [a.key for a in reversed(look.arrays) if a.shape == (jets,) and a.rows is not None]
    # the surest last: a name may begin with what it is, as eta_btagJes
    of_jets = {begins(key): key for key in keys if not quantity(key)} | {quantity(key): key for key in keys}
    there = momentum.relative and "eta" in of_jets
    return {name: of_jets[name] for name in ("eta", "phi") if there and name in of_jets}


def starts(look: Look) -> str:
    """Return the key of what seems to say where each jet begins among the constituents of all, without the end of the last one,
    which a card needs; empty where nothing does."""
    rows = {a.key: a.rows for a in look.arrays if a.rows is not None and a.rows.ndim == 1 and a.rows.dtype.kind in "iu"}
    most = max((a.shape[0] or 0 for a in look.arrays if a.rows is not None), default=0)
    for key, values in rows.items():
        rises = len(values) > 2 and values[0] == 0 and (np.diff(values.astype(np.int64)) > 0).all()
        if rises and len(values) <= values[-1] < most and values[1] > 1:
            return key
    return ""


def _unit(meant: dict[str, np.ndarray]) -> list[str]:
    """The unit, by the median pT of the jets."""
    if "pt" in meant:
        pt = np.asarray(meant["pt"], np.float64).sum(axis=1)
    elif {"px", "py"} <= meant.keys():
        pt = np.hypot(*(np.asarray(meant[name], np.float64).sum(axis=1) for name in ("px", "py")))
    else:
        return ["unit: GeV  # CHECK"]
    median = float(np.median(pt[np.isfinite(pt)])) if np.isfinite(pt).any() else 0.0
    if median < 3:
        return [f"unit: GeV  # CHECK: the median pT of the jets is {median:.3g}: these seem to be shares of it, and no GeV"]
    unit = "MeV" if median > MEV else "GeV"
    return [f"unit: {unit}  # CHECK: the median pT of the jets would be {median * (1e-3 if unit == 'MeV' else 1):.3g} GeV"]
