"""What tests of the page share."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from jetbench.report.html import page
from jetbench.report.results import Results
from jetbench.report.sections import contents_of

VOID = {"meta", "img", "br", "link", "input", "hr"}


def page_of(results: Results) -> str:
    """The page without its plots: nothing is drawn."""
    return page(results.plan.instance, contents_of(results), {})


def plot_of(results: Results, name: str) -> Any:
    """One plot, drawn."""
    plot = next(plot for content in contents_of(results) for plot in content.plots if plot.name == name)
    return plot.draw(*plot.given)


class Checked(HTMLParser):
    """Every element that is opened is closed in order; sources, anchors and text are collected."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.anchors: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]
        self.anchors += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
