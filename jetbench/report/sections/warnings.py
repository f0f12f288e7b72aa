"""What should make a reader doubt, in a box."""

from __future__ import annotations

from jetbench.report.content import SectionContent
from jetbench.report.markup import warnings_box
from jetbench.report.results import Results
from jetbench.report.warnings import LOUD, warnings

__all__ = ["render"]


def render(results: Results) -> SectionContent | None:
    found = warnings(results)
    return SectionContent("warnings", body=warnings_box(found, LOUD)) if found else None
