"""What a view or an augmentation may need of jets, and why these jets do not have it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from jetbench.jets import Meta

__all__ = ["Need", "unmet"]

# "pt": a channel that carries pT, in any unit; "GeV": that pT in GeV; "isotropic": no direction of the frame is preferred;
# "exact": deposits stand where they were measured, and not at the centres of pixels; "crystals": pixels of energy
Need = Literal["pt", "GeV", "isotropic", "exact", "crystals"]


def unmet(meta: Meta, needs: Iterable[Need]) -> str:
    """Say why jets do not have the first of `needs` that they lack, "… are needed; these jets …"; empty where they have them
    all."""
    return next((reason for need in needs if (reason := _reason(meta, need))), "")


def _reason(meta: Meta, need: Need) -> str:
    units = sorted({channel.unit for channel in meta.channels if channel.role == "pt"})
    if need == "isotropic":
        given = "a frame without a preferred direction is needed; that of these jets has one, which allows mirrors only"
        return "" if meta.isotropic else given
    if need == "exact":
        return "constituents are needed; these jets are pixels, which no rotation leaves on their grid" if meta.grid else ""
    if need == "crystals":
        return _no_crystals(meta)
    if not units:
        return "a channel of the role 'pt' is needed; these jets have none"
    if need == "pt" or units == ["GeV"]:
        return ""
    given = ", ".join(f"pT in {unit}" for unit in units if unit) or "no unit"
    return f"deposits with pT in GeV are needed; these jets give {given}"


def _no_crystals(meta: Meta) -> str:
    if meta.grid is None:
        return "crystals, which are the pixels of an image, are needed; these jets are constituents"
    if any(channel.role == "energy" for channel in meta.channels):
        return ""
    return "a channel of the role 'energy' is needed; these jets have none"
