"""Numbers per jet of a sample spread over a whole collection: simple observables, stored columns, mean images.

A large collection is represented by `SAMPLE` jets, since a column of all of them would grow with the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jetbench.jets import Grid, Jets, Meta
from jetbench.jets.ragged import owners
from jetbench.seeds import numpy_rng
from jetbench.views.frame import half_widths
from jetbench.views.needs import unmet
from jetbench.views.observables import SIMPLE, simple_observables

__all__ = ["SAMPLE", "Sample", "Sampler", "left_out", "sample_rows", "with_unit"]

SAMPLE = 100_000  # jets: an AUC of 0.5 is known to 0.002 (Hanley & McNeil 1982), and 40 columns take 32 MB
PIXELS = 32  # of an image's side where jets bring no grid of their own
LARGEST_GRID = 512 * 512  # pixels: a finer grid is shown as PIXELS × PIXELS
NEEDS_PT = ("pt", *(name for name in SIMPLE if name != "multiplicity"))


@dataclass(frozen=True, eq=False)
class Sample:
    """k jets: rows (k,) in the collection; labels (k,) int32, zeros where jets have none; groups, the class names or one name
    for all; columns, each (k,) float64; quantities, the column that a spectrum is made of and its unit, None for a pure number;
    images (groups, rows, columns), the mean per jet of `brightness` on `frame`."""

    rows: np.ndarray
    labels: np.ndarray
    groups: tuple[str, ...]
    columns: dict[str, np.ndarray]
    quantities: dict[str, tuple[str, str | None]]
    images: np.ndarray
    frame: Grid
    brightness: str


def sample_rows(jets: int, size: int = SAMPLE) -> np.ndarray:
    """Choose all rows, or of more than `size` jets one drawn from each of `size` equal stretches.

    Even strides would see one class only where classes alternate.
    """
    if jets <= size:
        return np.arange(jets)
    edges = np.arange(size + 1) * jets // size
    return numpy_rng("data-info", jets).integers(edges[:-1], edges[1:])


def left_out(meta: Meta) -> dict[str, str]:
    """Name the columns that these jets cannot have, with the reason."""
    missing = {str(name): "the source does not tell it" for name in meta.unknown}
    without_pt, without_gev = unmet(meta, ("pt",)), unmet(meta, ("GeV",))
    if without_pt:
        missing |= dict.fromkeys(NEEDS_PT, without_pt)
    elif without_gev:
        missing["mass"] = without_gev
    return missing


class Sampler:
    """Collects a `Sample` of jets from consecutive blocks of them."""

    def __init__(self, jets: Jets) -> None:
        self.groups = (jets.meta.class_names if "label" in jets.targets else ()) or ("all jets",)
        self.frame = _frame(jets.meta)
        self.brightness, self.bright = _brightness(jets.meta)
        self.quantities = _quantities(jets.meta, [*jets.targets])
        self.images = np.zeros((len(self.groups), self.frame.rows, self.frame.columns))
        self.rows: list[np.ndarray] = []
        self.labels: list[np.ndarray] = []
        self.columns: list[dict[str, np.ndarray]] = []

    def add(self, block: Jets, rows: np.ndarray, start: int) -> None:
        """Take the jets at `rows` of the collection out of the block that begins at row `start`."""
        jets = block.take(rows - start)
        labels = jets.targets["label"] if "label" in jets.targets else np.zeros(len(jets), np.int32)
        self.rows.append(rows)
        self.labels.append(labels)
        self.columns.append(_columns(jets))
        values = jets.values[:, self.bright].sum(axis=1) if self.bright else np.ones(len(jets.eta))
        self.images += _image_sums(jets, values, labels, self.images.shape[0], self.frame)

    def finish(self) -> Sample:
        labels = np.concatenate(self.labels)
        counts = np.bincount(labels, minlength=len(self.groups))
        return Sample(
            rows=np.concatenate(self.rows),
            labels=labels,
            groups=self.groups,
            columns={name: np.concatenate([part[name] for part in self.columns]) for name in self.columns[0]},
            quantities=self.quantities,
            images=self.images / np.maximum(counts, 1)[:, None, None],
            frame=self.frame,
            brightness=self.brightness,
        )


def _columns(jets: Jets) -> dict[str, np.ndarray]:
    """Columns by name, each (n,) float64: observables of the deposits, then what is stored, by its name in the file."""
    missing = left_out(jets.meta)
    table = _channel_columns(jets)
    if "pt" not in missing:
        simple = dict(zip(SIMPLE, simple_observables(jets).T, strict=True))
        table = {"pt": _per_jet(jets, jets.pt()), **simple, **table}
    else:
        table = {"multiplicity": np.diff(jets.offsets), **table}
    table |= {name: getattr(jets, name) for name in ("jet_pt", "jet_eta")} | {"|jet_eta|": np.abs(jets.jet_eta)}
    table |= {f"targets/{name}": column for name, column in jets.targets.items() if name != "label"}
    return {name: np.asarray(column, np.float64) for name, column in table.items() if name.strip("|") not in missing}


def _channel_columns(jets: Jets) -> dict[str, np.ndarray]:
    """Of each channel the number of deposits that are not zero, their mean and, of an extensive one, their sum; a channel that
    is the whole pT has its sums among the observables."""
    table = {}
    for i, channel in enumerate(jets.meta.channels):
        if channel.role == "pt" and jets.meta.pt_channels() == [i]:
            continue
        total, hits = _per_jet(jets, jets.values[:, i]), _per_jet(jets, jets.values[:, i] != 0)
        if channel.combine == "sum":
            table[f"sum({channel.name})"] = total
        table[f"mean({channel.name})"] = total / np.maximum(hits, 1)
        table[f"hits({channel.name})"] = hits
    return table


def _per_jet(jets: Jets, values: np.ndarray) -> np.ndarray:
    return np.bincount(owners(jets.offsets), values, minlength=len(jets))


def _frame(meta: Meta) -> Grid:
    """The jets' own grid, else the frame that a network would see them in."""
    if meta.grid is not None and meta.grid.rows * meta.grid.columns <= LARGEST_GRID:
        return meta.grid
    eta, phi = half_widths(meta)
    return Grid(rows=PIXELS, columns=PIXELS, eta_extent=eta, phi_extent=phi)


def _pt_unit(meta: Meta) -> str | None:
    """Unit of the pT, empty where the source does not tell it or tells several; None where there is no pT."""
    units = {c.unit for c in meta.channels if c.role == "pt"}
    return None if not units else units.pop() if len(units) == 1 else ""


def _brightness(meta: Meta) -> tuple[str, list[int]]:
    """What an image shows, with the channels that are summed for it: the pT, else the first energy, else the first extensive
    channel, else the number of deposits (no channel)."""
    unit = _pt_unit(meta)
    if unit is not None:
        return with_unit("pT", unit), meta.pt_channels()
    extensive = [i for i, c in enumerate(meta.channels) if c.combine == "sum"]
    if not extensive:
        return "deposits", []
    first = min(extensive, key=lambda i: meta.channels[i].role != "energy")
    return with_unit(meta.channels[first].name, meta.channels[first].unit), [first]


def _quantities(meta: Meta, targets: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """What spectra are made of, as (column, unit): the pT or else the brightness, the mass where there is one, the
    multiplicity."""
    unit, (_, bright) = _pt_unit(meta), _brightness(meta)
    found: dict[str, tuple[str, str | None]] = {}
    if "jet_pt" not in meta.unknown:
        found["pt"] = ("jet_pt", "GeV")
    elif unit is not None:
        found["pt"] = ("pt", unit)
    elif bright:
        channel = meta.channels[bright[0]]
        found[channel.name] = (f"sum({channel.name})", channel.unit)
    if meta.in_gev:
        found["mass"] = ("mass", "GeV")
    elif "mass" in targets:
        found["mass"] = ("targets/mass", "GeV")
    return found | {"multiplicity": ("multiplicity", None)}


def with_unit(name: str, unit: str) -> str:
    return f"{name} [{unit or 'no unit'}]"


def _image_sums(jets: Jets, values: np.ndarray, labels: np.ndarray, groups: int, frame: Grid) -> np.ndarray:
    """Sum over jets of their images (groups, rows, columns); deposits outside the frame are lost."""
    row = np.floor((jets.eta / frame.eta_extent + 1) * (frame.rows / 2)).astype(np.int64)
    column = np.floor((jets.phi / frame.phi_extent + 1) * (frame.columns / 2)).astype(np.int64)
    inside = (row >= 0) & (row < frame.rows) & (column >= 0) & (column < frame.columns)
    pixel = (labels[owners(jets.offsets)] * frame.rows + row) * frame.columns + column
    sums = np.bincount(pixel[inside], values[inside], minlength=groups * frame.rows * frame.columns)
    return sums.reshape(groups, frame.rows, frame.columns)
