"""Whether jets of elsewhere show themselves to a view as those do that a model was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jetbench.views.needs import unmet

if TYPE_CHECKING:
    from jetbench.jets import Meta
    from jetbench.views import ViewEntry

__all__ = ["differences", "same_pt", "unlike"]


def unlike(view: ViewEntry, reads: object, here: Meta, there: Meta) -> str:
    """Say what a view that reads "all" channels or the "pt" alone would find otherwise in jets with `there` than in those with
    `here`, with both sides; empty where nothing is, and for a view that reads no deposits."""
    if reads not in ("all", "pt"):
        return ""
    if reason := unmet(there, view.needs if reads == "all" else ("pt", *view.needs)):
        return f"for the view {view.name!r} {reason}"
    return "; ".join(differences(*((here, there) if reads == "all" else (here.summed(), there.summed()))))


def same_pt(here: Meta, there: Meta) -> bool:
    """Tell whether the pT of both, whatever carries it, shows itself alike."""
    return not unmet(here, ("pt",)) and not unmet(there, ("pt",)) and not list(differences(here.summed(), there.summed()))


def differences(here: Meta, there: Meta) -> Iterator[str]:
    """Yield what a model that has seen jets with `here` would find otherwise in those with `there`, each with both sides, theirs
    first."""
    names, others = ([channel.name for channel in meta.channels] for meta in (here, there))
    if names != others:
        yield f"channels {', '.join(others)} against {', '.join(names)}"
    else:
        for mine, theirs in zip(here.channels, there.channels, strict=True):
            for trait in ("unit", "role", "combine", "weight"):
                if (one := getattr(theirs, trait)) != (other := getattr(mine, trait)):
                    yield f"{trait} of the channel {mine.name} {one or 'none'} against {other or 'none'}"
    if there.grid != here.grid:
        yield f"grid {_grid(there)} against {_grid(here)}"
    if there.extent and here.extent and there.extent != here.extent:  # one that is not known may be the same
        yield f"extent ±{there.extent:g} against ±{here.extent:g}"
    if there.isotropic != here.isotropic:
        yield f"isotropic {there.isotropic} against {here.isotropic}"


def _grid(meta: Meta) -> str:
    grid = meta.grid
    return f"{grid.rows}×{grid.columns} over ±{grid.eta_extent:g} × ±{grid.phi_extent:g}" if grid else "none (constituents)"
