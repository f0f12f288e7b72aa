"""A page with its plots, each of which also stands beside it as PNG and PDF, with its data as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from jetbench.evaluation.plots import save_pdf, save_png, watermarked
from jetbench.faults import FAULTY, watermark_text
from jetbench.faults import faults as registered
from jetbench.files import write_atomically
from jetbench.insight.data import plot_data
from jetbench.report.content import SectionContent
from jetbench.report.html import framed
from jetbench.report.words import joined
from jetbench.suites.instance import AnyInstance

__all__ = ["write_page"]


def write_page(
    folder: Path,
    name: str,
    instance: AnyInstance,
    question: str,
    told: Mapping[str, str],
    contents: Sequence[SectionContent],
    faults: Sequence[str] = (),
    *,
    tidy: bool = True,
) -> list[Path]:
    """Write NAME.html, and NAME_PLOT.png, .pdf and .json for each plot, in place of those of an earlier time; return the files,
    the page first. What is left of an earlier page goes where the folder is ours to `tidy`. Where runs with `faults` are shown,
    page and plots say so. Raises `StoreError` where the folder does not let us."""
    told = {FAULTY.capitalize(): "; ".join(f"{one}: {registered[one].summary}" for one in faults), **told} if faults else told
    pictures: dict[str, bytes] = {}
    files = [folder / f"{name}.html"]
    for plot in (plot for content in contents for plot in content.plots):
        figure = plot.draw(*plot.given)
        png, pdf, data = (folder / f"{name}_{plot.name}.{suffix}" for suffix in ("png", "pdf", "json"))
        with watermarked(watermark_text(joined(list(faults))) if faults else ""):
            save_png(figure, png)
            save_pdf(figure, pdf)
        write_atomically(data, (json.dumps(plot_data(plot), allow_nan=False) + "\n").encode())
        pictures[plot.name] = png.read_bytes()
        files += [png, pdf, data]
    write_atomically(files[0], framed(instance, question, told, contents, pictures).encode())
    for path in set(folder.glob(f"{name}[._]*") if tidy else ()) - set(files):  # of a plot that is no part of the page any more
        path.unlink()
    return files
