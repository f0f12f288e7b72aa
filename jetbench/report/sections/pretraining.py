"""The training loss of every pretraining, and whether it still falls at the end."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from jetbench.evaluation.plots import DPI, INK
from jetbench.report.alarm import ERRORS, change_text
from jetbench.report.arms import Look, looks
from jetbench.report.content import Line, Plot, SectionContent
from jetbench.report.curves import Curve, count_passes, draw_curve, stacked
from jetbench.report.drawing import style
from jetbench.report.markup import fragment, table
from jetbench.report.pretrained import FEATURES, feature_cells, features_of, noted_by
from jetbench.report.pretraining_length import Ending, endings
from jetbench.report.results import Results
from jetbench.report.words import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

ACROSS = 3  # panels side by side; more stand one below the other
TITLE = 42  # characters of a title in one line

BODY = """
{{ table }}
<p><small>The change of the loss over the last tenth of the steps, along a straight line, as a share of it; mean over the
encoders. Where it falls by more than {{ errors }} errors, there was more to learn from the pool, unless labels of the pool are
validated and the best epoch came before the last. It is a sign and no proof: arms may gain nothing by a longer pretraining, and a
schedule that ends at a learning rate of zero flattens the loss in any case. Moved: |w − w₀| / |w₀| of the encoder since random
weights. The last columns say what the features of 128 jets of the pool are like after the last epoch, and in small print after
the first, means over the encoders: standard deviation (1: even in all directions, 0: all jets alike), effective rank (in how many
directions they go), alignment (squared distance of two views of a jet; 0: the same) and uniformity (0: all alike; the lower, the
more even).</small></p>
"""


def render(results: Results) -> SectionContent | None:
    """Show a panel for each kind of pretraining; it goes on where the learning curves end. The encoders of trials, which no
    reported run starts from, are left out, and so are probes on a label budget and what is faulty on purpose."""
    kinds: dict[tuple[str, str], list[str]] = {}  # by name without seed and by arm, the keys of the runs
    for key, run in results.plan.runs.items():
        if run.spec.fault is not None:
            continue
        if run.kind == "pretrain" and run.spec.data != "budget" and run.spec.seed >= 0 and results.ledger.done(key):
            kinds.setdefault((run.name.rsplit("/", 1)[0], run.arm), []).append(key)
    names, named = [kind for kind, _ in kinds], looks(results.plan)
    curves: dict[str, tuple[Curve, Look]] = {}
    for (kind, arm), keys in kinds.items():
        if curve := stacked([results.journal(key) for key in keys], "train/loss"):
            curves[kind if names.count(kind) == 1 else f"{arm}: {kind}"] = curve, named[arm]
    if not curves:
        return None
    caption = "Pretraining on the pool: each seed thin, the mean thick."
    plot = Plot("pretraining", "Training loss of the pretrainings", caption, draw, (curves,))
    return SectionContent("pretraining", body=_ends(results), plots=(plot,))


def _ends(results: Results) -> str:
    """A line for each kind of pretraining that has noted how its loss ended or what its features are like; empty without any."""
    lines = [line for one in endings(results) if (line := _line(results, one))]
    headings = ("pretraining", "encoders", "change of the loss", "length", "encoder moved", *FEATURES.values())
    return fragment(BODY, table=table(headings, lines, left=("length",)), errors=f"{ERRORS:g}") if lines else ""


def _line(results: Results, one: Ending) -> Line | None:
    courses = [features_of(results, key) for key in one.of.runs]
    moved = [noted["encoder_change"] for noted in (noted_by(results, key) for key in one.of.runs) if "encoder_change" in noted]
    if one.change is None and not any(courses):
        return None
    share = f"{100 * np.mean(moved):.2g} %" if moved else "–"
    length = "perhaps too short" if one.short else ""
    return Line((one.of.name, f"{len(one.of.runs)}", change_text(one.change), length, share, *feature_cells(courses)))


def draw(curves: dict[str, tuple[Curve, Look]]) -> Figure:
    """Draw each seed thin, their mean thick, panel by panel."""
    from matplotlib.figure import Figure

    across = min(len(curves), ACROSS)
    rows = -(-len(curves) // across)
    figure = Figure(figsize=(max(3.6 * across, 4.6), 3.0 * rows), dpi=DPI, layout="constrained")
    for place, (kind, (curve, look)) in enumerate(curves.items()):
        axes = figure.add_subplot(rows, across, place + 1)
        axes.plot(curve[0], curve[1].T, color=look.color, linewidth=0.9, alpha=0.45)
        draw_curve(axes, curve, look, "mean", band=False)
        style(axes)
        seeds = f"({count(len(curve[1]), 'seed')})"
        lines = wrap(kind, TITLE)
        title = "\n".join([*lines, seeds] if len(lines[-1]) + len(seeds) >= TITLE else [*lines[:-1], f"{lines[-1]} {seeds}"])
        axes.set_title(title, loc="left", fontsize=9.5, color=INK)
        axes.set_ylabel("" if place % across else "training loss", fontsize=10.5, color=INK)
        count_passes(axes, place + across >= len(curves))
    return figure
