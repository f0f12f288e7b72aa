"""The page: a frame around the sections, which carries its plots."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files

from jetbench.faults import FAULTY
from jetbench.report.content import SectionContent
from jetbench.report.markup import fragment
from jetbench.report.words import joined
from jetbench.suites.instance import AnyInstance
from jetbench.suites.suite import Instance

__all__ = ["FRAME", "framed", "page"]

FRAME = "report.html"
HONEST = "The honest arms alone"


def page(instance: AnyInstance, contents: Sequence[SectionContent], pictures: Mapping[str, bytes]) -> str:
    """Return the page as text; `pictures` are PNG files by the names of the plots, and a plot without one is left out."""
    told = {"Expected": instance.expected, "Source": instance.source}
    if isinstance(instance, Instance) and instance.settings.faults:
        listed = f"{joined(list(instance.settings.faults))}; arms that bear the name of a fault are no result"
        told = {FAULTY.capitalize(): f"{listed}, and stand under “What each fault does” alone", **told}
        contents = [_marked(content) for content in contents]
    return framed(instance, instance.question, told, contents, pictures)


def _marked(content: SectionContent) -> SectionContent:
    """A section of a suite that is faulty on purpose, each picture of which says whose arms it shows."""
    said = {True: FAULTY.capitalize(), False: HONEST}
    return replace(content, plots=tuple(replace(plot, caption=f"{said[plot.faulty]}. {plot.caption}") for plot in content.plots))


def framed(
    instance: AnyInstance,
    question: str,
    told: Mapping[str, str],
    contents: Sequence[SectionContent],
    pictures: Mapping[str, bytes],
) -> str:
    """Return a page on something of an instance as text, with what it asks as heading and what is `told` of that below it."""
    return fragment(
        (files("jetbench.report") / FRAME).read_text(encoding="utf-8"),
        suite=instance.title,
        scale=instance.scale,
        question=question,
        told=dict(told),
        contents=contents,
        pictures={name: base64.b64encode(data).decode() for name, data in pictures.items()},
    )
