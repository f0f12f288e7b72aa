from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from jetbench.evaluation.plots import save_png, watermarked
from jetbench.insight.write import write_page
from jetbench.report.content import Plot, SectionContent
from jetbench.suites.plan import Plan

DRAWN: list[Figure] = []


def draw(height: float) -> Figure:
    figure = Figure()
    figure.add_subplot().plot([0, 1], [0, height])
    DRAWN.append(figure)
    return figure


def test_a_page_on_runs_with_faults_says_so(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    """Once across each plot, whatever the number of its files, and at the head of the page."""
    contents, instance = [SectionContent("a", "A", plots=(Plot("p", "alt", "caption", draw, (1.0,)),))], plan_of().instance
    honest, faulty = (
        write_page(tmp_path / name, "page", instance, "What?", {}, contents, faults)
        for name, faults in (("honest", ()), ("faulty", ("first-rows", "one-seed")))
    )
    assert [[text.get_text() for text in figure.texts] for figure in DRAWN[-2:]] == [
        [],
        ["faulty on purpose: first-rows and one-seed"],
    ]
    assert "Faulty on purpose: first-rows: the label subset is the first rows of a file" in faulty[0].read_text()
    assert "; one-seed: the first seed alone" in faulty[0].read_text()
    assert "aulty on purpose" not in honest[0].read_text()
    assert honest[1].read_bytes() != faulty[1].read_bytes()


def test_a_watermark_ends_with_its_block(tmp_path: Path) -> None:
    with watermarked("outer"):
        with watermarked("inner"):
            save_png(one := draw(1.0), tmp_path / "one.png")
        save_png(two := draw(1.0), tmp_path / "two.png")
    save_png(three := draw(1.0), tmp_path / "three.png")
    assert [[text.get_text() for text in figure.texts] for figure in (one, two, three)] == [["inner"], ["outer"], []]
