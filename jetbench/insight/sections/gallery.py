"""Jets one by one: picture, integrated gradients, Grad-CAM, and what stands above them. The sections of single jets share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import INK
from jetbench.insight.drawing import SMALL, draw_grid, draw_map, draw_points, draw_subjets, label_plane, panels
from jetbench.insight.explanations import Explanation
from jetbench.insight.frames import as_seen, pictures
from jetbench.insight.inspection import Inspection
from jetbench.insight.prongs import NEAR, hardest_subjets
from jetbench.jets import Grid, Jets
from jetbench.views.needs import unmet
from jetbench.views.observables import OBSERVABLES, measure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Gallery", "draw", "draw_explained", "gallery", "observed", "start_text", "together", "told"]

SHOWN = {"mass": ("mass [GeV]", 0), "softdrop_mass": ("soft-drop mass [GeV]", 0), "multiplicity": ("multiplicity", 0)}
SHOWN |= {"tau21": ("τ₂₁", 2), "tau32": ("τ₃₂", 2), "d2": ("D₂", 2)}
PICTURES = f"Circles of {NEAR:g} are the three hardest subjets; all pictures have one scale."
MAPS = (
    " Blue speaks for a higher score, orange for a lower one, each map on its own scale. Integrated gradients count from the "
    "score of the reference, {start} ({score}): what a jet has in common with it is white."
)
CAMS = " Grad-CAM counts from no reference."


@dataclass(frozen=True, eq=False)
class Gallery:
    """m jets: pictures (m, rows, columns) in a frame with the name of their unit, axes of their subjets (m, 3, 2), a text above
    each; and where a network explains them its maps (m, …), the places of what these are of, the scores of the reference (m,)
    from which they count, and Grad-CAM (m, rows, columns)."""

    pictures: np.ndarray
    frame: Grid
    unit: str
    subjets: np.ndarray
    texts: tuple[str, ...]
    maps: np.ndarray | None = None
    eta: np.ndarray | None = None
    phi: np.ndarray | None = None
    there: np.ndarray | None = None
    starts: np.ndarray | None = None
    cams: np.ndarray | None = None
    score: str = ""

    @property
    def lines(self) -> int:
        """How many panels there are below each other for each jet."""
        return 1 + (self.maps is not None) + (self.cams is not None)


def gallery(inspection: Inspection, jets: Jets, group: int, texts: Sequence[str]) -> Gallery:
    """Collect what is shown of jets of a group: with maps where there is a network, in the orientation that it sees them in."""
    explained: Explanation | None = None
    if not inspection.no_maps:
        explained = inspection.explainer.explain(jets, inspection.speaks_for(group))
        batch = explained.batch
    else:
        batch = as_seen(None, jets)
    shown, unit = pictures(batch, inspection.frame)
    subjets = hardest_subjets(batch) if any(c.role == "pt" for c in batch.meta.channels) else np.full((len(jets), 0, 2), np.inf)
    given = (shown, inspection.frame, unit, subjets, tuple(texts))
    if explained is None:
        return Gallery(*given)
    places = explained.places
    where = (places.eta, places.phi, places.there)
    return Gallery(*given, explained.maps, *where, explained.starts, explained.cams, inspection.score_text(group))


def together(parts: Sequence[Gallery], score: str) -> Gallery:
    """Return the jets of galleries of one network in one, whose `score` says what all of their maps are of."""
    columns = ("pictures", "subjets", "maps", "eta", "phi", "there", "starts", "cams")
    found = {name: [getattr(one, name) for one in parts] for name in columns}
    joint: dict[str, Any] = {name: np.concatenate(arrays) for name, arrays in found.items() if arrays[0] is not None}
    return replace(parts[0], texts=tuple(text for one in parts for text in one.texts), score=score, **joint)


def told(found: Gallery) -> str:
    """Say what the panels of a gallery show."""
    if found.starts is None:
        return PICTURES
    return PICTURES + MAPS.format(start=start_text(found), score=found.score) + (CAMS if found.cams is not None else "")


def start_text(found: Gallery) -> str:
    """Write the score of the reference, of jets that have each their own as a range; its unit is that of the maps."""
    assert found.starts is not None
    low, high = (f"{end:.3g}".replace("-", "−") for end in (found.starts.min(), found.starts.max()))
    return low if low == high else f"{low} to {high}"


def observed(jets: Jets) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells of the observables of jets in memory; none for jets without a pT in GeV."""
    if unmet(jets.meta, ("GeV",)):
        return [], [[] for _ in range(len(jets))]
    table = measure(jets)
    columns = [OBSERVABLES.index(name) for name in SHOWN]
    digits = [digits for _, digits in SHOWN.values()]
    cells = [["–" if np.isnan(x) else f"{x:.{d}f}" for x, d in zip(row, digits, strict=True)] for row in table[:, columns]]
    return [heading for heading, _ in SHOWN.values()], cells


def draw(found: Gallery, simulated: bool) -> Figure:
    """Draw a column for each jet: its picture with its subjets, then what the network makes of it."""
    jets = len(found.pictures)
    figure, grid = panels(found.lines, jets, simulated)
    brightest = float(found.pictures.max(initial=0))
    for k in range(jets):
        drawn = draw_grid(grid[0, k], found.pictures[k], found.frame, found.texts[k], brightest)
        draw_subjets(grid[0, k], found.subjets[k])
        if found.maps is not None:
            signed = draw_explained(grid[1, k], found, k)
        if found.cams is not None:
            signed = draw_map(grid[2, k], found.cams[k], found.frame, signed=True)
            draw_subjets(grid[2, k], found.subjets[k], INK)
    label_plane(grid)
    names = [found.unit, f"integrated gradients,\n{found.score}", f"Grad-CAM,\n{found.score}"][: found.lines]
    for axes, name in zip(grid[:, 0], names, strict=True):
        axes.set_ylabel(f"{name}\n$\\Delta\\eta$", fontsize=SMALL - 1, color=INK)
    figure.colorbar(drawn, ax=list(grid[0]), shrink=0.85, aspect=18, pad=0.01)
    if found.maps is not None:
        bar = figure.colorbar(signed, ax=list(grid[1:].flat), shrink=0.85, aspect=18, pad=0.01, ticks=[])
        bar.set_label("against ← → for", fontsize=SMALL - 2, color=INK)
    return figure


def draw_explained(axes: Any, found: Gallery, k: int) -> Any:
    """Draw the map of one jet with its subjets; returns what a scale of colours is of."""
    draw_subjets(axes, found.subjets[k], INK)
    assert found.maps is not None
    assert found.eta is not None
    assert found.phi is not None
    if found.there is None:
        return draw_map(axes, found.maps[k], found.frame, signed=True)
    there = found.there[k]
    return draw_points(axes, found.eta[k][there], found.phi[k][there], found.maps[k][there], found.frame, signed=True)
