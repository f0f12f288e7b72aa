"""The files of a study: its page, its plots, its trials; what has not changed is not drawn again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jetbench.evaluation.plots import save_png
from jetbench.files import write_atomically
from jetbench.report.content import Plot
from jetbench.report.fingerprint import fingerprint
from jetbench.report.stamp import Stamp, maker, read_stamp, sha256
from jetbench.report.study.page import CONTROLS, Drawing, study_page, told
from jetbench.report.study.plots import plots_of, plots_of_arms
from jetbench.report.study.vector import inline_svg
from jetbench.suites.instance import AnyInstance
from jetbench.suites.trials import Searching

__all__ = ["PAGE", "trials_csv", "write_study"]

PAGE = "study.html"


def write_study(instance: AnyInstance, searchings: Sequence[Searching], folder: Path, warnings: Sequence[str] = ()) -> list[Path]:
    """Write study.html, trials.csv and the plots; each appears whole or not at all. A page that was made from the same trials and
    warnings by the same code is left as it is.

    Returns the files, the page first. Raises `StoreError` where the folder does not let us.
    """
    old = read_stamp(folder)
    controls = (files("jetbench.report.study") / CONTROLS).read_bytes()
    shown = (instance, instance.meta, list(searchings), list(warnings))
    new = Stamp(inputs=fingerprint(shown), maker=fingerprint((maker(), controls)))
    if (old.inputs, old.maker) == (new.inputs, new.maker) and all(old.whole(folder, name) for name in old.files):
        return [folder / name for name in old.files]
    pictures: list[str] = []
    together = [_drawn(plot, {}, folder, pictures) for plot in plots_of_arms(searchings)]
    each = {one.name: _draw_all(one, folder, pictures) for one in searchings}
    texts = {PAGE: study_page(instance, warnings, searchings, together, each), "trials.csv": trials_csv(searchings)}
    for name, text in texts.items():
        write_atomically(folder / name, text.encode())
    names = [*texts, *pictures]
    for name in old.files.keys() - set(names):  # of a plot that is no part of the page any more
        (folder / name).unlink(missing_ok=True)
    new.replace(files={name: sha256((folder / name).read_bytes()) for name in names}).write(folder)
    return [folder / name for name in names]


def _draw_all(searching: Searching, folder: Path, pictures: list[str]) -> list[Drawing]:
    texts = {trial.number: told(searching, trial) for trial in searching.trials}
    return [_drawn(plot, texts, folder, pictures) for plot in plots_of(searching)]


def _drawn(plot: Plot, texts: Mapping[int, str], folder: Path, pictures: list[str]) -> Drawing:
    """Draw a plot once: as a picture in the folder, whose name joins `pictures`, and for the page."""
    figure = plot.draw(*plot.given)
    pictures.append(f"{plot.name}.png")
    save_png(figure, folder / pictures[-1])
    return Drawing(inline_svg(figure, plot.name, plot.alt, texts), plot.alt, plot.caption)


def trials_csv(searchings: Sequence[Searching]) -> str:
    """Return all trials as CSV, a line for each value and score of each: the searches of a study have columns of their own."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("search", "trial", "state", "name", "value"))
    for searching in searchings:
        for trial in searching.trials:
            writer.writerows((searching.name, trial.number, trial.state, *pair) for pair in _pairs(searching, trial.number))
    return text.getvalue()


def _pairs(searching: Searching, number: int) -> Iterator[tuple[str, object]]:
    trial = next(trial for trial in searching.trials if trial.number == number)
    yield from trial.values.items()
    yield from zip((aim.metric for aim in searching.study.aims), trial.scores, strict=False)
    yield from (
        ("cost/labelled_passes", trial.labelled_passes),
        ("cost/unlabelled_passes", trial.unlabelled_passes),
        ("cost/seconds", trial.seconds),
    )
