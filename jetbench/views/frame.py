"""The frame of an image: pixel jets stand on their own grid, constituents in a square around the jet axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jetbench.errors import SuiteError
from jetbench.spec import Options, Scalar, options
from jetbench.views.channels import Shown
from jetbench.views.needs import unmet

if TYPE_CHECKING:
    from jetbench.jets import Grid, Meta

__all__ = ["EXTENT", "GRID", "frame_options", "half_widths", "image_grid", "mass_frame_options"]

EXTENT = 0.8  # half width of the frame of jets that do not tell theirs: the radius of the Top Tagging reference set's jets
PIXELS = {"pixels": 32, "extent": EXTENT}
GRID = {"rows", "columns", "eta_extent", "phi_extent"}


def frame_options(
    meta: Meta,
    pixels: int = 32,
    extent: float | None = None,
    rebin: int = 1,
    align: str | None = None,
    channels: Shown = "all",
) -> Options:
    """Settle the options of the image view for jets with `meta`.

    Jets that are pixels already are shown on their own grid, `rebin`×`rebin` of its pixels in one: the result has `rows`,
    `columns` and the extents. Other jets are rendered in `pixels`×`pixels` over ±`extent` around the axis, by default the jets'
    own extent (their radius), or 0.8 where they tell none. `pixels` and `extent` have no effect on jets that are pixels.
    `align` is an option of the result where it is given, `channels` where it is not "all".

    Raises `SuiteError` where `rebin` does not divide the grid, where there is no grid to rebin, and for the pT of jets without.
    """
    shown: dict[str, str] = {"align": align} if align else {}
    if channels != "all":
        shown["channels"] = channels
        if reason := unmet(meta, ("pt",)):
            raise SuiteError(f"view.image.channels is {channels!r}: {reason}")
    grid = meta.grid
    if grid is None:
        if rebin != 1:
            raise SuiteError(
                f"view.image.rebin is {rebin}, but these jets are no pixels that could be merged; set view.image.pixels instead"
            )
        return options({"pixels": pixels, "extent": float(extent or meta.extent or EXTENT), **shown})
    if grid.rows % rebin or grid.columns % rebin:
        raise SuiteError(f"view.image.rebin is {rebin}, which does not divide the grid of {grid.rows}×{grid.columns} pixels")
    return options(grid.replace(rows=grid.rows // rebin, columns=grid.columns // rebin).model_dump() | shown)


def mass_frame_options(meta: Meta, channels: Shown = "all", **given: Any) -> Options:
    """Settle the options of the view pixels-mass: those of `frame_options` for the same image, whatever channels it shows; their
    pT is summed."""
    return frame_options(meta, **given)


def image_grid(given: Mapping[str, Scalar]) -> Grid:
    """Return the grid of an image view with the options of `frame_options`, `align` aside; without any, 32 pixels over ±0.8.

    Raises `SuiteError` for other options.
    """
    from jetbench.jets import Grid

    given = {name: value for name, value in given.items() if name not in ("align", "channels")}
    if set(given) == GRID:
        return Grid.model_validate(given)
    square = {**PIXELS, **given}
    if set(square) != set(PIXELS):
        known = f"pixels and extent, or {', '.join(sorted(GRID))}"
        raise SuiteError(f"the view 'image' has the options {known}, not {', '.join(sorted(given))}")
    n, extent = square["pixels"], square["extent"]
    return Grid.model_validate({"rows": n, "columns": n, "eta_extent": extent, "phi_extent": extent})


def half_widths(meta: Meta, extent: float | None = None) -> tuple[float, float]:
    """Return half widths in eta and phi of the frame: of the grid of pixel jets, else `extent`, by default the jets' own."""
    if meta.grid is not None:
        return meta.grid.eta_extent, meta.grid.phi_extent
    half = extent or meta.extent or EXTENT
    return half, half
