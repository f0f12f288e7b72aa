"""Rules by which names and numbers of arrays tell what they are: momenta by name or by identities, labels, padding."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = [
    "CLASSES",
    "Momentum",
    "begins",
    "by_name",
    "by_values",
    "class_values",
    "disjoint_columns",
    "one_hot",
    "onehot_columns",
    "quantity",
    "quoted",
]

# what the last word of a name means; the words before it say whose quantity it is
WORDS = {
    "px": "px",
    "py": "py",
    "pz": "pz",
    "e": "energy",
    "energy": "energy",
    "pt": "pt",
    "eta": "eta",
    "pseudorapidity": "eta",
    "y": "rapidity",
    "rap": "rapidity",
    "rapidity": "rapidity",
    "phi": "phi",
    "azimuth": "phi",
    "m": "mass",
    "mass": "mass",
    "etarel": "eta, relative",
    "deta": "eta, relative",
    "deltaeta": "eta, relative",
    "phirel": "phi, relative",
    "dphi": "phi, relative",
    "deltaphi": "phi, relative",
}
# the momenta that a card may name, the surest first
SETS = (
    ("px", "py", "pz", "energy"),
    ("px", "py", "pz", "mass"),
    ("pt", "eta", "phi", "energy"),
    ("pt", "eta", "phi", "mass"),
    ("pt", "rapidity", "phi", "mass"),
    ("px", "py", "pz"),
    ("pt", "eta", "phi"),
    ("pt", "rapidity", "phi"),
    ("pt", "eta, relative", "phi, relative"),
)
UNIT = re.compile(r"[^a-z0-9]*(mev|gev)[^a-z0-9]*$")  # at the end of a name: ptMeV, pt_gev, pt [GeV]
STEPS = 10_000  # of a search for columns that make one-hot rows
CLASSES = range(2, 21)  # that a label tells
FEW, MOST = 1e-3, 20_000  # share of constituents that may break a rule; constituents that are tested
ETA, TURN = 6.5, np.pi * (1 + 1e-3)  # |eta| of any detector; |phi|
NARROW = 1.3  # |eta| and |phi| of constituents around an axis: no jet is wider


@dataclass(frozen=True)
class Momentum:
    """Places of quantities: indices of columns or keys. `relative`: eta and phi are differences to the jet axis. `how` tells what
    showed it, and `unit` is the one that names end with, if any."""

    places: Mapping[str, int | str]
    relative: bool
    how: str
    unit: str = ""


def quantity(name: str) -> str:
    """Say which quantity a name means, "px" or "eta, relative"; empty where it means none. A unit may stand behind it."""
    words = [word for word in re.split(r"[^a-z0-9]+", UNIT.sub("", name.lower())) if word]
    if len(words) > 1 and words[-1] == "rel":
        return WORDS.get("".join(words[-2:]), "")
    return WORDS.get(words[-1], "") if words else ""


def begins(name: str) -> str:
    """Say which quantity the first word of a name means, as of eta_btagJes; empty where it means none."""
    return WORDS.get(re.split(r"[^a-z0-9]+", name.split("/")[-1].lower())[0], "")


def quoted(value: object) -> str:
    """Write names, or a list of them, as YAML takes them whatever they are: in JSON."""
    return json.dumps(value, ensure_ascii=False)


def by_name(names: Mapping[str, int | str] | Sequence[str]) -> Momentum | None:
    """Find the momentum among names, of places or in the order of columns."""
    places = names if isinstance(names, Mapping) else {name: i for i, name in enumerate(names)}
    found: dict[str, int | str] = {}
    units: dict[str, str] = {}
    for name, place in places.items():
        if (what := quantity(name)) not in found:
            found[what] = place
            units[what] = _unit(name)
    for wanted in SETS:
        if found.keys() >= set(wanted):
            unit = next((units[key] for key in wanted if units[key]), "")
            return Momentum({key.split(",")[0]: found[key] for key in wanted}, "relative" in wanted[-1], "by their names", unit)
    return None


def _unit(name: str) -> str:
    at_end = UNIT.search(name.lower())
    return {"mev": "MeV", "gev": "GeV"}[at_end[1]] if at_end else ""


def by_values(columns: np.ndarray) -> Momentum | None:
    """Find the momentum among nameless columns (n, M, F), zero-padded: an energy above |p|, or a pT that is never negative beside
    an eta and a phi in their ranges."""
    real = (columns != 0).any(axis=-1)
    flat = columns[real][:MOST].astype(np.float64)
    if len(flat) < 2 or not np.isfinite(flat).all():
        return None
    return _cartesian(flat) or _polar(flat, columns, real)


def _holds(rule: np.ndarray) -> bool:
    return bool(rule.mean() >= 1 - FEW)


def _signed(column: np.ndarray) -> bool:
    return bool(column.min() < 0 < column.max()) and _continuous(column)


def _continuous(column: np.ndarray) -> bool:
    return len(np.unique(column)) > min(20, len(column) // 2)


def _cartesian(flat: np.ndarray) -> Momentum | None:
    signed = [_signed(column) for column in flat.T]
    for first in range(flat.shape[1] - 2):
        if not all(signed[first : first + 3]):
            continue
        squared = (flat[:, first : first + 3] ** 2).sum(axis=1)
        for energy in {first - 1, first + 3} & set(range(flat.shape[1])):
            square = flat[:, energy] ** 2
            near = np.median(squared / np.maximum(square, 1e-300)) > 0.9
            if _holds(flat[:, energy] >= 0) and _holds(square * (1 + 1e-3) >= squared) and near:
                places = {"px": first, "py": first + 1, "pz": first + 2, "energy": energy}
                return Momentum(places, False, "by E² ≥ p²; CHECK the order of px, py and pz")
    return None


def _polar(flat: np.ndarray, columns: np.ndarray, real: np.ndarray) -> Momentum | None:
    kinds = [(_holds(c >= 0) and _continuous(c), _signed(c) and _holds(abs(c) <= ETA), _angle(c)) for c in flat.T]
    found: list[tuple[float, Momentum]] = []
    for first in range(flat.shape[1] - 2):
        for order in (("pt", "eta", "phi"), ("eta", "phi", "pt")):
            pt, eta, phi = (first + order.index(name) for name in ("pt", "eta", "phi"))
            if kinds[pt][0] and kinds[eta][1] and kinds[phi][2]:
                places = {"pt": pt, "eta": eta, "phi": phi}
                relative = _relative(columns, real, places)
                how = f"by their ranges, pT being {'sorted' if (sure := _sorted(columns[..., pt], real)) > 0.9 else 'positive'}"
                energies = [i for i in range(flat.shape[1]) if i not in places.values() and _energy(flat, i, places, relative)]
                extra = {"energy": energies[0]} if energies else {}
                found.append((sure + len(extra), Momentum({**places, **extra}, relative, how)))
    return max(found, key=lambda one: one[0])[1] if found else None


def _angle(column: np.ndarray) -> bool:
    """Whether these are azimuths: in one turn, from 0 on or around it, where jets across its end may reach out of it."""
    around = _signed(column) and _holds(abs(column) <= TURN)
    beyond = _holds((column >= -NARROW) & (column <= 2 * TURN + NARROW)) and column.max() > TURN
    return around or (_continuous(column) and beyond)


def _sorted(pt: np.ndarray, real: np.ndarray) -> float:
    """The share of neighbours that fall in pT."""
    both = real[:, 1:] & real[:, :-1]
    return float((pt[:, 1:] <= pt[:, :-1])[both].mean()) if both.any() else 0.0


def _relative(columns: np.ndarray, real: np.ndarray, places: Mapping[str, int]) -> bool:
    """Whether eta and phi lie around zero in every jet."""
    weight = np.where(real, columns[..., places["pt"]], 0)
    total = np.maximum(weight.sum(axis=1), 1e-300)
    around = [(weight * columns[..., places[name]]).sum(axis=1) / total for name in ("eta", "phi")]
    narrow = [_holds(abs(columns[..., places[name]][real]) < NARROW) for name in ("eta", "phi")]
    return all(narrow) and all(float(np.median(abs(mean))) < 0.1 for mean in around)


def _energy(flat: np.ndarray, column: int, places: Mapping[str, int], relative: bool) -> bool:
    """Whether a column is never below |p|, and near it."""
    if relative or not _holds(flat[:, column] > 0):
        return False
    size = flat[:, places["pt"]] * np.cosh(np.clip(flat[:, places["eta"]], -ETA, ETA))
    return _holds(flat[:, column] * (1 + 1e-3) >= size) and float(np.median(size / flat[:, column])) > 0.9


def class_values(rows: np.ndarray) -> tuple[int, ...]:
    """List the whole numbers that stand for classes in labels (n,) or (n, 1); none where these are no labels."""
    flat = rows.reshape(-1)
    if rows.size != len(rows) or flat.dtype.kind not in "iufb" or not np.isfinite(flat).all():
        return ()
    values = np.unique(flat)
    return tuple(int(v) for v in values) if len(values) in CLASSES and (values == np.floor(values)).all() else ()


def one_hot(rows: np.ndarray) -> bool:
    """Tell whether rows (n, K) are zeros and a single one each, and every column has ones."""
    if rows.ndim != 2 or rows.shape[1] not in CLASSES or rows.dtype.kind not in "iufb":
        return False
    return bool(((rows == 0) | (rows == 1)).all() and (rows.sum(axis=1) == 1).all() and rows.any(axis=0).all())


def disjoint_columns(flags: np.ndarray) -> list[int]:
    """Find the most columns of truth values (n, K), K up to 64, of which every row has exactly one that is true; none where no
    columns are so. The search gives up after a number of steps."""
    rows = np.unique(flags[:, :64], axis=0)
    best: list[int] = []
    steps = 0

    def go_on(chosen: list[int], covered: np.ndarray) -> None:
        nonlocal best, steps
        steps += 1
        if covered.all():
            best = max(best, chosen, key=len)
            return
        for i in np.flatnonzero(rows[int((~covered).argmax())]).tolist():
            if steps < STEPS and not (rows[:, i] & covered).any():
                go_on([*chosen, i], covered | rows[:, i])

    if rows.size:
        go_on([], np.zeros(len(rows), bool))
    return sorted(best)


def onehot_columns(rows: np.ndarray) -> range | None:
    """Find neighbouring columns of a table (n, F) that are one-hot rows: the most of them, the last of these."""
    if rows.ndim != 2 or rows.dtype.kind not in "iufb":
        return None
    flags = np.concatenate([[0], ((rows == 0) | (rows == 1)).all(axis=0), [0]])
    ends = np.flatnonzero(np.diff(flags))
    for start, stop in reversed(list(zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True))):
        for size in range(min(stop - start, CLASSES[-1]), 1, -1):
            for first in range(stop - size, start - 1, -1):
                if one_hot(rows[:, first : first + size]):
                    return range(first, first + size)
    return None
