"""Jets that a model would see otherwise than those that it was trained on are refused, with both sides named."""

from __future__ import annotations

from jetbench.errors import DataFileError
from jetbench.jets import Meta
from jetbench.spec import RunSpec
from jetbench.views import ViewEntry
from jetbench.views.likeness import same_pt, unlike

__all__ = ["refuse_unlike"]


def refuse_unlike(spec: RunSpec, view: ViewEntry, here: Meta, there: Meta) -> None:
    """Raise `DataFileError`, with both sides and the remedy, where the run's `view` would find jets with `there` otherwise
    than those with `here`, which it was trained on."""
    reads = spec.view.keywords().get("channels", view.reads)
    if reads == "classes" and there.class_names != here.class_names:
        found = f"classes {', '.join(there.class_names) or 'none'} against {', '.join(here.class_names)}"
    else:
        found = unlike(view, reads, here, there)
    if found:
        told = f"{spec.model.name} was trained on other jets than these, which are named first"
        raise DataFileError(f"{told}: {found}; {_remedy(here, there, reads)}")


def _remedy(here: Meta, there: Meta, reads: object) -> str:
    """A run that looks at the pT alone, where that is what both have in common."""
    if reads == "all" and same_pt(here, there):
        return "name a run that looks at the pT alone, which both have: boosted trees, or a view with `channels: pt`"
    return "take jets that were made alike (`jetbench data info FILE` says how), or name a run that was trained on such jets"
