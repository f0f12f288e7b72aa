"""The frame of an image: pixel jets stand on their own grid, constituents in a square around the jet axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.errors import SuiteError
from jetbench.spec import Component, Options, options

if TYPE_CHECKING:
    from jetbench.jets import Grid, Meta

__all__ = ["EXTENT", "frame_options", "half_widths", "image_grid"]

EXTENT = 0.8  # half width of the frame of jets that do not tell theirs: the radius of the Top Tagging reference set's jets
PIXELS = {"pixels": 32, "extent": EXTENT}
GRID = {"rows", "columns", "eta_extent", "phi_extent"}


def frame_options(meta: Meta, pixels: int, extent: float | None, rebin: int) -> Options:
    """Options of the image view for jets: `rows`, `columns` and extents of the grid that pixel jets come with, `rebin`×`rebin`
    of its pixels in one; of other jets `pixels` and `extent`, by default the jets' own.

    Raises `SuiteError` where `rebin` does not divide the grid, or where there is no grid to rebin.
    """
    grid = meta.grid
    if grid is None:
        if rebin != 1:
            raise SuiteError(f"view.rebin is {rebin}, but these jets are no pixels that could be merged; set view.pixels instead")
        return options({"pixels": pixels, "extent": extent or meta.extent or EXTENT})
    if grid.rows % rebin or grid.columns % rebin:
        raise SuiteError(f"view.rebin is {rebin}, which does not divide the grid of {grid.rows}×{grid.columns} pixels")
    return options(grid.replace(rows=grid.rows // rebin, columns=grid.columns // rebin).model_dump())


def image_grid(view: Component) -> Grid:
    """The grid of an image view with the options of `frame_options`; without any, 32 pixels over ±0.8.

    Raises `SuiteError` for another view or other options.
    """
    from jetbench.jets import Grid

    given = view.keywords()
    if view.name == "image" and set(given) == GRID:
        return Grid(**given)
    square = {**PIXELS, **given}
    if view.name != "image" or set(square) != set(PIXELS):
        known = f"pixels and extent, or {', '.join(sorted(GRID))}"
        raise SuiteError(f"a network sees the view 'image' with the options {known}, not {view.canonical()}")
    n, extent = int(square["pixels"]), float(square["extent"])
    return Grid(rows=n, columns=n, eta_extent=extent, phi_extent=extent)


def half_widths(meta: Meta, extent: float | None = None) -> tuple[float, float]:
    """Half widths in eta and phi of the frame: of the grid of pixel jets, else `extent`, by default the jets' own."""
    if meta.grid is not None:
        return meta.grid.eta_extent, meta.grid.phi_extent
    half = extent or meta.extent or EXTENT
    return half, half
