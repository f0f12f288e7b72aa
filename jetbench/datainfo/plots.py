"""One plot of a collection of jets: counts, spectra and mean image per class, and what each column alone gives away."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.datainfo.sample import Sample, with_unit
from jetbench.datainfo.separation import LEAK
from jetbench.datainfo.summary import Summary
from jetbench.evaluation.plots import DPI, INK, MUTED, PALETTE, finish

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

__all__ = ["dataset_plot"]

BINS = (20, 50)  # least and most of a spectrum
SHOWN = (0.001, 0.999)  # quantiles that a spectrum's axis covers: one wild value does not hide the others
DASHES = ("-", (0, (4, 2)), (0, (1, 1)))  # tell classes of the same colour apart
BARS = 22  # columns with the largest AUC
IMAGES = 10  # classes whose mean image is shown
PER_ROW = 5
ROW = 3.4  # inches

Panel = Callable[[Any], None]


def dataset_plot(summary: Summary, sample: Sample) -> Figure:
    """Draw panels of counts, spectra, AUCs and mean images; those that make no sense for these jets are left out."""
    from matplotlib.figure import Figure

    shown = min(len(sample.groups), IMAGES)
    image_rows = -(-shown // PER_ROW)
    figure = Figure(figsize=(15, 7.6 + ROW * image_rows), dpi=DPI, layout="constrained")
    top, bottom = figure.subfigures(2, 1, squeeze=False, height_ratios=(7.6, ROW * image_rows), hspace=0.02).ravel()
    top.suptitle(_plain(_title(summary)), fontsize=14, color=INK, x=0.01, ha="left")
    _draw_panels(top, summary, sample)
    _draw_images(bottom, sample, shown, image_rows)
    return figure


def _title(summary: Summary) -> str:
    text = f"{summary.file.rsplit('/', 1)[-1]}: {_spaced(summary.jets)} jets"
    return text if summary.sample == summary.jets else f"{text}, of which {_spaced(summary.sample)} are shown"


def _draw_panels(part: SubFigure, summary: Summary, sample: Sample) -> None:
    """Two rows of panels, beside them the AUCs over the whole height."""
    from matplotlib.lines import Line2D

    panels: list[Panel] = [partial(_counts, summary=summary)] if summary.classes else []
    panels += [partial(_spectrum, sample=sample, quantity=quantity) for quantity in summary.spectra]
    if len(panels) < 4:
        panels.append(partial(_occupancy, summary=summary))
    columns = -(-len(panels) // 2)
    grid = part.add_gridspec(2, columns + bool(summary.aucs))
    for i, panel in enumerate(panels):
        panel(part.add_subplot(grid[divmod(i, columns)]))
    if summary.aucs:
        _aucs(part.add_subplot(grid[:, columns]), summary)
    if len(sample.groups) > 1:
        handles = [Line2D([], [], linewidth=1.8, **_style(k)) for k in range(len(sample.groups))]
        part.legend(
            handles,
            [_plain(name) for name in sample.groups],
            loc="outside upper right",
            ncols=PER_ROW,
            fontsize=11,
            frameon=False,
        )


def _style(k: int) -> dict[str, Any]:
    return {"color": PALETTE[k % len(PALETTE)], "linestyle": DASHES[k // len(PALETTE) % len(DASHES)]}


def _counts(axes: Any, summary: Summary) -> None:
    places = range(len(summary.classes))
    axes.barh(places, list(summary.classes.values()), color=[_style(k)["color"] for k in places], height=0.7)
    axes.set_yticks(places, [_plain(name) for name in summary.classes])
    axes.invert_yaxis()
    axes.set_xlabel("jets", fontsize=13, color=INK)
    finish(axes)


def _spectrum(axes: Any, sample: Sample, quantity: str) -> None:
    """Shares per bin, so that classes of different size compare; the binning is of all classes together."""
    column, unit = sample.quantities[quantity]
    values = sample.columns[column]
    low, high = np.quantile(values, SHOWN) if len(values) else (0.0, 1.0)
    # about as many bins as a bin holds jets of a class
    bins = int(np.clip(np.sqrt(len(values) / len(sample.groups)), *BINS))
    edges = _edges(low, high, bins, whole=quantity == "multiplicity")
    for k in range(len(sample.groups)):
        counts, _ = np.histogram(values[sample.labels == k], edges)
        axes.stairs(counts / max(counts.sum(), 1), edges, linewidth=1.8, **_style(k))
    words = {"pt": "jet $p_T$", "mass": "jet mass", "multiplicity": "multiplicity"}
    name = words.get(quantity, _plain(f"sum of {quantity}"))
    axes.set_xlabel(name if unit is None else with_unit(name, unit), fontsize=13, color=INK)
    axes.set_ylabel("share of jets", fontsize=13, color=INK)
    axes.set_ylim(bottom=0)
    finish(axes)


def _edges(low: float, high: float, bins: int, whole: bool) -> np.ndarray:
    """Edges of about that many bins, of whole numbers where values are counts: others would hold now one count, now two."""
    if not whole:
        return np.linspace(low, high, bins + 1) if high > low else np.linspace(low - 0.5, low + 0.5, bins + 1)
    width = max(1, round((high - low) / bins))
    return np.arange(np.floor(low) - 0.5, high + width + 0.5, width)


def _occupancy(axes: Any, summary: Summary) -> None:
    names = [_plain(with_unit(c.name, c.unit)) for c in summary.channels]
    axes.barh(np.arange(len(names)), [100 * (c.occupancy or 0) for c in summary.channels], color=MUTED, height=0.7)
    axes.set_yticks(np.arange(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("deposits that are not zero [%]", fontsize=13, color=INK)
    finish(axes)


def _aucs(axes: Any, summary: Summary) -> None:
    best = summary.aucs[:BARS]
    places = np.arange(len(best))
    axes.barh(places, [it.auc - 0.5 for it in best], left=0.5, height=0.7, color=[_alarm(it.auc) for it in best])
    for place, it in zip(places, best, strict=True):
        axes.plot([it.low, it.high], [place, place], color=INK, linewidth=1.2)
    axes.axvline(LEAK, color=PALETTE[1], linewidth=1.2, linestyle=(0, (4, 3)))
    several = len(summary.classes) > 2
    axes.set_yticks(places, [_plain(f"{it.column}  ({it.class_name})" if several else it.column) for it in best])
    axes.invert_yaxis()
    axes.set_xlim(0.5, 1.0)
    axes.set_xlabel(f"AUC of the column alone\n(dashed: a leak above {LEAK})", fontsize=13, color=INK)
    hidden = f"the best {len(best)} of {len(summary.aucs)} columns" if len(best) < len(summary.aucs) else ""
    finish(axes, ", ".join(part for part in (hidden, "one class against the rest" if several else "") if part))


def _alarm(area: float) -> str:
    return PALETTE[1] if area > LEAK else MUTED


def _draw_images(part: SubFigure, sample: Sample, shown: int, rows: int) -> None:
    """Mean images on one logarithmic scale of four decades, eta upwards and phi to the right, as many as fit."""
    from matplotlib.colors import LogNorm

    frame, brightest = sample.frame, float(sample.images.max(initial=0)) or 1.0
    norm = LogNorm(1e-4 * brightest, brightest, clip=True)
    sides = (-frame.phi_extent, frame.phi_extent, -frame.eta_extent, frame.eta_extent)
    places = part.add_gridspec(rows, PER_ROW)
    all_axes = [part.add_subplot(places[divmod(k, PER_ROW)]) for k in range(shown)]
    for k, axes in enumerate(all_axes):
        drawn = axes.imshow(sample.images[k], origin="lower", extent=sides, norm=norm, cmap="viridis", interpolation="nearest")
        axes.set_title(_plain(sample.groups[k]), fontsize=13, color=INK)
        axes.set_xlabel("$\\phi$ from the axis", color=INK)
        axes.set_ylabel("$\\eta$ from the axis", color=INK)
    part.colorbar(drawn, ax=all_axes, label=_plain(f"mean {sample.brightness} per pixel"), shrink=0.9, pad=0.01, aspect=30)


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _plain(text: str) -> str:
    """A name of the user's, in which a dollar begins no formula."""
    return text.replace("$", r"\$")
