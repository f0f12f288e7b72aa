"""Images among the arrays of a file, and what their card may say."""

from __future__ import annotations

import numpy as np

from jetbench.formats.guess_arrays import LEAST, Array, Look, is_square
from jetbench.formats.guess_labels import Found
from jetbench.formats.guess_rules import by_values, quoted

__all__ = ["images"]

CHANNELS = 16  # at the most
CRYSTAL = 0.0174  # width of a crystal of the CMS barrel in eta and phi: images of these sizes are mostly made of them
CRYSTALS = (32, 125)
PLAIN = 0.8


def images(look: Look) -> Found | None:
    """Find the largest stack of images (N, H, W), (N, H, W, C) or (N, C, H, W)."""
    found = [(array, layout) for array in look.arrays if array.rows is not None and (layout := _layout(array))]
    if not found:
        return None
    array, layout = max(found, key=lambda one: one[0].size)
    size = dict(zip(layout, array.shape, strict=True))
    rows, columns = int(size["H"] or 0), int(size["W"] or 0)
    rule = "no axis of channels" if layout == "NHW" else "the short axis is that of channels"
    pixels = _pixels(array, layout)
    lines = [f"images: {quoted(array.key)}", f"layout: {layout}  # {rule}", "channels:"]
    lines += _channels(pixels)
    for name, number in (("eta_extent", rows), ("phi_extent", columns)):
        fine = rows in CRYSTALS and columns in CRYSTALS
        width = round(number * CRYSTAL / 2, 4) if fine else PLAIN
        lines.append(f"{name}: {width}  # CHECK: half the width of an image{' of crystals' if fine else ''}, around the jet axis")
    if pixels.dtype.kind == "f" and (pixels != pixels.astype(np.float32)).any():
        lines.append("cast: true  # these numbers are rounded to float32")
    lines.append(
        "# CHECK: isotropic: false where phi is special, as in a magnetic field; rows are taken for eta, columns for phi"
    )
    if empty := int((pixels == 0).reshape(len(pixels), -1).all(axis=1).sum()):
        lines.append(f"# CHECK: {empty} of {len(pixels)} images are empty, which no jet is")
    return Found("images", tuple(lines), int(array.shape[0] or 0), {array.key}, doubt=_doubt(array, layout))


def _doubt(array: Array, layout: str) -> str:
    """Say why what would be images (n, H, W, C) seems to be the constituents of several jets in each row; empty where it does
    not."""
    assert array.rows is not None
    jets, constituents = array.rows.shape[1:3]
    if layout != "NHWC" or jets == constituents or by_values(array.rows.reshape(-1, *array.rows.shape[2:])) is None:
        return ""
    return f"{array.key} holds a momentum for each of {jets} times {constituents} constituents, as those of several jets"


def _layout(array: Array) -> str:
    """The layout of images; empty where the array has none."""
    shape = tuple(size or 0 for size in array.shape)
    if is_square(array):
        return "NHW"
    if len(shape) != 4:
        return ""
    if shape[1] <= CHANNELS and min(shape[2:]) >= LEAST and shape[1] < min(shape[2:]):
        return "NCHW"
    return "NHWC" if shape[3] <= CHANNELS and min(shape[1:3]) >= LEAST else ""


def _pixels(array: Array, layout: str) -> np.ndarray:
    """The images that were looked at (n, C, H, W)."""
    assert array.rows is not None
    rows = array.rows[:, None] if layout == "NHW" else array.rows
    return np.moveaxis(rows, -1, 1) if layout == "NHWC" else rows


def _channels(pixels: np.ndarray) -> list[str]:
    signed = [bool((pixels[:, i] < 0).any()) for i in range(pixels.shape[1])]
    if signed == [False, True]:
        return [
            "  - {name: energy, unit: GeV, role: pt}  # CHECK: the first of two channels, never negative: an energy?",
            "  - {name: time, unit: ns, combine: mean, weight: energy}  # CHECK: the second, of both signs: a time?",
        ]
    names = [f"channel-{i}" for i in range(len(signed))]
    signs = [", signed: true" if one else "" for one in signed]
    lines = [f'  - {{name: {name}, unit: ""{sign}}}' for name, sign in zip(names, signs, strict=True)]
    return ["  # CHECK: names and units; what adds up to the jet's pT has  unit: GeV, role: pt", *lines]
