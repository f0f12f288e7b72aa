"""Where the layers of the encoder are active: the mean size over their channels, averaged over classes and for single jets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jetbench.evaluation.plots import INK
from jetbench.insight.activations import activations, stages_of
from jetbench.insight.drawing import SMALL, draw_grid, draw_map, draw_points, label_plane, panels
from jetbench.insight.frames import Places, average_map, pictures, places_of
from jetbench.insight.inspection import Inspection
from jetbench.jets import Grid, Jets
from jetbench.report.content import Plot, SectionContent
from jetbench.report.markup import fragment
from jetbench.report.words import joined

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ActivationMaps", "draw", "render"]

TEXT = """<p>Mean size, over its channels, of the output of {{ layers }}.{{ flat }}</p>"""
FLAT = " The output of {} has no place in the plane of the jet and is not drawn."


@dataclass(frozen=True, eq=False)
class ActivationMaps:
    """By the name of a row, a picture (rows, columns) in the frame, and by layer a map; of a set a row's `places` say where the
    numbers of its constituents stand, None where they are averaged over jets."""

    frame: Grid
    unit: str
    pictures: dict[str, np.ndarray]
    maps: dict[str, dict[str, np.ndarray]]
    places: dict[str, Places | None]


def render(inspection: Inspection) -> SectionContent | None:
    """Show the named layers, or the stages, where there is a network and its jets."""
    if inspection.no_places:
        return None
    network = inspection.shown.predictor.network
    assert network is not None
    names = inspection.layers or tuple(stages_of(network.encoder))
    rows: dict[str, Jets] = {}
    for k, name in inspection.groups.items():
        rows[f"mean of {name}"] = inspection.shown.jets.take(inspection.rows(k))
    for k, typical in inspection.typical.items() if inspection.shown.tested else ():
        rows[f"one of {inspection.groups[k]}"] = inspection.shown.jets.take(typical[:1])
    found, flat = _maps(inspection, names, rows)
    if not any(found.maps.values()):
        return None
    text = FLAT.format(_layers(flat)) if flat else ""
    plot = Plot(
        "activations",
        "Activations of the layers, averaged over classes and of single jets",
        "Rows are means over jets of a class, and single jets in the middle of it, by their score or the size of their residual. "
        "Each panel has its own scale, that of the pT is logarithmic.",
        draw,
        (found, inspection.simulated),
    )
    body = fragment(TEXT, layers=_layers([name for name in names if name not in flat]), flat=text)
    return SectionContent("activations", "Activation maps", body, (plot,))


def _layers(names: list[str]) -> str:
    """Name layers as such: "the layer “jet”"."""
    return f"the {'layer' if len(names) == 1 else 'layers'} {joined([f'“{name}”' for name in names])}"


def _maps(inspection: Inspection, names: tuple[str, ...], rows: dict[str, Jets]) -> tuple[ActivationMaps, list[str]]:
    """The maps of all rows, and the layers that give out none."""
    explainer, frame = inspection.explainer, inspection.frame
    network = inspection.shown.predictor.network
    assert network is not None
    found, flat = ActivationMaps(frame, pictures(explainer.batch(next(iter(rows.values()))), frame)[1], {}, {}, {}), list[str]()
    for row, jets in rows.items():
        batch = explainer.batch(jets)
        shown, _ = pictures(batch, frame)
        places, single = places_of(explainer.view, batch), len(jets) == 1
        found.pictures[row], found.maps[row] = shown.mean(axis=0), {}
        found.places[row] = places if single and places.there is not None else None
        for name, output in activations(network.encoder, explainer.inputs(jets), names).items():
            sizes = _sizes(output.abs().cpu().numpy(), places)
            if sizes is None:
                flat = [*dict.fromkeys([*flat, name])]
            else:
                found.maps[row][name] = sizes if single and places.there is not None else _mean(sizes, places, frame)
    return found, flat


def _sizes(output: np.ndarray, places: Places) -> np.ndarray | None:
    """The mean over channels of what a layer gives out, (n, rows, columns) of images, (n, number) of sets; None for what has no
    place in the plane."""
    if places.there is None:
        return output.mean(axis=1) if output.ndim == 4 else None
    return output.mean(axis=2) if output.ndim == 3 and output.shape[:2] == places.there.shape else None


def _mean(sizes: np.ndarray, places: Places, frame: Grid) -> np.ndarray:
    """The mean over jets; stages of an image are drawn with their own, larger pixels."""
    return sizes.mean(axis=0) if places.there is None else average_map(sizes, places, frame)


def draw(found: ActivationMaps, simulated: bool) -> Figure:
    """Draw a row of panels for each row of maps: the picture, then its layers."""
    layers = list(next(iter(found.maps.values())))
    figure, grid = panels(len(found.pictures), 1 + len(layers), simulated)
    for line, row in zip(grid, found.pictures, strict=True):
        first = row == next(iter(found.pictures))
        draw_grid(line[0], found.pictures[row], found.frame, found.unit if first else "")
        for axes, layer in zip(line[1:], layers, strict=True):
            values, places = found.maps[row][layer], found.places[row]
            if places is None or places.there is None:
                draw_map(axes, values, found.frame, False, layer if first else "")
            else:
                there = places.there[0]
                draw_points(
                    axes, places.eta[0][there], places.phi[0][there], values[0][there], found.frame, False, layer if first else ""
                )
    label_plane(grid)
    for axes, row in zip(grid[:, 0], found.pictures, strict=True):
        axes.set_ylabel(f"{row}\n$\\Delta\\eta$", fontsize=SMALL - 1, color=INK)
    return figure
