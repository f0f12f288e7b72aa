"""The files of a report; what has not changed is neither drawn nor written again."""

from __future__ import annotations

from pathlib import Path

from jetbench.evaluation.plots import save_png, watermarked
from jetbench.faults import FAULTY
from jetbench.files import write_atomically
from jetbench.report.content import Plot
from jetbench.report.export import comparisons_json, to_csv, to_json
from jetbench.report.html import page
from jetbench.report.results import Results
from jetbench.report.sections import contents_of
from jetbench.report.stamp import Stamp, inputs, maker, read_stamp, sha256

__all__ = ["PAGE", "write_report"]

PAGE = "report.html"


def write_report(results: Results, folder: Path) -> list[Path]:
    """Write report.html, results.json, results.csv, comparisons.json and the plots; each appears whole or not at all. A report
    that was made from the same results by the same code is left as it is.

    Returns the files, the page first. Raises `StoreError` where the folder does not let us.
    """
    old, source, code = read_stamp(folder), inputs(results), maker()
    if (old.inputs, old.maker) == (source, code) and all(old.whole(folder, name) for name in old.files):
        return [folder / name for name in old.files]
    new = _write(results, folder, Stamp(inputs=source, maker=code), old)
    for name in old.files.keys() - new.files.keys():  # of a plot that is no part of the report any more
        (folder / name).unlink(missing_ok=True)
    new.write(folder)
    return [folder / name for name in new.files]


def _write(results: Results, folder: Path, new: Stamp, old: Stamp) -> Stamp:
    """Write what is not there yet; `new` with all plots and files in it."""
    contents = contents_of(results)
    plots = {plot.name: plot for content in contents for plot in content.plots}
    new = new.replace(plots={name: plot.digest() for name, plot in plots.items()})
    pictures = {name: _drawn(plot, folder, new, old) for name, plot in plots.items()}
    texts = {
        PAGE: page(results.plan.instance, contents, pictures),
        "results.json": to_json(results),
        "results.csv": to_csv(results),
        "comparisons.json": comparisons_json(results),
    }
    files = {name: text.encode() for name, text in texts.items()} | {_file(name): png for name, png in pictures.items()}
    new = new.replace(files={name: sha256(content) for name, content in files.items()})
    for name in texts:
        if not new.whole(folder, name):
            write_atomically(folder / name, files[name])
    return new


def _drawn(plot: Plot, folder: Path, new: Stamp, old: Stamp) -> bytes:
    """The PNG file of a plot, drawn where what it shows, or the code that draws it, has changed."""
    path = folder / _file(plot.name)
    same = new.maker == old.maker and new.plots[plot.name] == old.plots.get(plot.name)
    if not (same and old.whole(folder, path.name)):
        with watermarked(FAULTY if plot.faulty else ""):
            save_png(plot.draw(*plot.given), path)
    return path.read_bytes()


def _file(plot: str) -> str:
    return f"{plot}.png"
