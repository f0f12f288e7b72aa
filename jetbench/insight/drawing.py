"""How jets and maps of them are drawn, alike on every page: eta upwards, phi to the right, in radians from the jet axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from jetbench.evaluation.plots import DPI, INK, MUTED, PALETTE, finish, sign
from jetbench.insight.prongs import NEAR
from jetbench.jets import Grid
from jetbench.report.drawing import style

__all__ = ["draw_cloud", "draw_grid", "draw_map", "draw_points", "draw_subjets", "label_plane", "panels", "strongest", "style"]

SMALL = 10.0  # font size of the names of axes [pt]
DECADES = 1e-4  # of the brightest pixel: below, a picture is dark
SIDE = 2.1  # of a panel [inch]


def panels(rows: int, columns: int, simulated: bool, width: float = SIDE, height: float = SIDE) -> tuple[Any, np.ndarray]:
    """Return a signed plot and its panels (rows, columns)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns + 0.9, height * rows + 0.7), dpi=DPI, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    sign(figure, simulated)
    return figure, grid


def draw_grid(axes: Any, picture: np.ndarray, frame: Grid, title: str = "", brightest: float | None = None) -> Any:
    """Draw a picture of jets (rows, columns) on a logarithmic scale of four decades, up to its own brightest pixel or to that of
    all pictures that share the scale; returns what a scale of colours is of."""
    from matplotlib.colors import LogNorm

    brightest = (float(picture.max(initial=0)) if brightest is None else brightest) or 1.0
    drawn = _image(axes, picture, frame, cmap="viridis", norm=LogNorm(DECADES * brightest, brightest, clip=True))
    finish(axes, title, size=SMALL)
    return drawn


def draw_map(axes: Any, values: np.ndarray, frame: Grid, signed: bool, title: str = "") -> Any:
    """Draw a map (rows, columns): a signed one from orange, against the score, over white to blue, for it; another from black."""
    high = strongest(values)
    if signed:
        drawn = _image(axes, values, frame, cmap=_signed(), vmin=-high, vmax=high)
    else:
        drawn = _image(axes, values, frame, cmap="viridis", vmin=0, vmax=high)
    finish(axes, title, size=SMALL)
    return drawn


def draw_points(
    axes: Any, eta: np.ndarray, phi: np.ndarray, values: np.ndarray, frame: Grid, signed: bool, title: str = ""
) -> Any:
    """Draw numbers of the constituents of one jet, each (k,), in the colours of `draw_map`."""
    high = strongest(values)
    colors: dict[str, Any] = (
        {"cmap": _signed(), "vmin": -high, "vmax": high} if signed else {"cmap": "viridis", "vmin": 0, "vmax": high}
    )
    drawn = axes.scatter(phi, eta, c=values, s=14, edgecolors=MUTED, linewidths=0.3, **colors)
    axes.set(xlim=(-frame.phi_extent, frame.phi_extent), ylim=(-frame.eta_extent, frame.eta_extent), aspect="equal")
    finish(axes, title, size=SMALL)
    return drawn


def draw_cloud(axes: Any, across: np.ndarray, up: np.ndarray, color: str, name: str | None) -> None:
    """Draw many jets as small points, with a larger one for the legend."""
    axes.scatter(across, up, s=5, alpha=0.5, linewidths=0, color=color, rasterized=True)
    axes.plot([], [], color=color, marker="o", markersize=6, linestyle="", label=name)


def draw_subjets(axes: Any, subjets: np.ndarray, color: str = "white") -> None:
    """Draw a circle around each of the subjets (k, 2) that a jet has."""
    from matplotlib.patches import Circle

    for eta, phi in subjets[np.isfinite(subjets).all(axis=1)]:
        axes.add_patch(Circle((phi, eta), NEAR, fill=False, edgecolor=color, linewidth=1.1, linestyle=(0, (3, 2))))


def label_plane(grid: np.ndarray) -> None:
    """Name the axes of panels (rows, columns), at the left and below; the others show no numbers."""
    for row, line in enumerate(grid):
        for column, axes in enumerate(line):
            if row == len(grid) - 1:
                axes.set_xlabel("$\\Delta\\phi$ [rad]", fontsize=SMALL - 1, color=INK)
            else:
                axes.tick_params(labelbottom=False)
            if column:
                axes.tick_params(labelleft=False)


def strongest(values: np.ndarray) -> float:
    """Return the end of a scale of colours: nearly the largest size, so that one pixel does not darken all others."""
    return float(np.quantile(np.abs(values), 0.998)) or 1.0


def _signed() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [PALETTE[1], "#FFFFFF", PALETTE[0]])


def _image(axes: Any, values: np.ndarray, frame: Grid, **colors: Any) -> Any:
    sides = (-frame.phi_extent, frame.phi_extent, -frame.eta_extent, frame.eta_extent)
    return axes.imshow(values, origin="lower", extent=sides, interpolation="nearest", **colors)
