"""Do the maps point at the prongs? The share of the attributions near the three hardest subjets, trained and untrained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import INK, MUTED, PALETTE
from jetbench.insight.drawing import panels, style
from jetbench.insight.inspection import Inspection
from jetbench.insight.prong_shares import DISTANCES, ProngShares, sentence
from jetbench.insight.prongs import NEAR
from jetbench.report.content import Plot, SectionContent
from jetbench.report.markup import fragment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

TEXT = """<p>{{ told }}.</p>
<p class="told">Subjets: anti-kT of radius {{ near }}. An attribution counts by its size. The untrained networks have the weights
that the same seeds began with; that they look at subjets too is what their inputs do, which are brightest there.</p>"""
CAPTION = (
    "Left, of the run that is shown: the mean share in bins of the distance to the nearest of the three hardest subjets. Right: "
    "the mean share within 0.2 of them, seed by seed; the dotted line is that of the pT."
)
LOOKS = {"trained": (PALETTE[0], "-"), "untrained": (PALETTE[1], (0, (5, 2))), "pT": (MUTED, (0, (1.2, 1.6)))}


def render(inspection: Inspection, found: ProngShares) -> SectionContent:
    """Show the shares, and against the distance to the nearest subjet."""
    body = fragment(TEXT, told=sentence(found, inspection.subject.name), near=f"{NEAR:g}")
    alt = "Share of attributions against the distance to the nearest subjet"
    plot = Plot("prongs", alt, CAPTION, draw, (found.profiles, found.by_seed, found.pt.mean, inspection.simulated))
    return SectionContent("prongs", "Do the maps point at the prongs?", body, (plot,))


def draw(profiles: Mapping[str, np.ndarray], by_seed: np.ndarray, pt: float, simulated: bool) -> Figure:
    """Draw the shares against the distance as steps, and those near a subjet seed by seed."""
    figure, ((axes, beside),) = panels(1, 2, simulated, width=5.2, height=3.4)
    _draw_profiles(axes, profiles)
    for place, name in enumerate(("trained", "untrained")):
        marker = {"marker": "os"[place], "markersize": 8, "linestyle": ""}
        beside.plot(range(len(by_seed)), 100 * by_seed[:, place], color=LOOKS[name][0], label=name, **marker)
    beside.axhline(100 * pt, color=MUTED, linestyle=LOOKS["pT"][1], linewidth=1.6)
    beside.set(xlim=(-0.5, len(by_seed) - 0.5), ylim=(0, 100))
    beside.set_xticks(range(len(by_seed)))
    beside.set_xlabel("seeds in their order", fontsize=11, color=INK)
    beside.set_ylabel(f"share within {NEAR:g} of the subjets [%]", fontsize=11, color=INK)
    style(beside)
    beside.legend(frameon=False, fontsize=10, loc="lower right")
    return figure


def _draw_profiles(axes: Any, profiles: Mapping[str, np.ndarray]) -> None:
    for name, profile in profiles.items():
        color, dashes = LOOKS[name]
        text = "share of the pT" if name == "pT" else f"attributions, {name}"
        axes.stairs(100 * profile, DISTANCES, color=color, linestyle=dashes, linewidth=2, label=text)
    axes.axvline(NEAR, color=INK, linewidth=1, linestyle=(0, (2, 3)))
    axes.set(xlim=DISTANCES[[0, -1]], ylim=(0, None))
    axes.set_xlabel("distance to the nearest subjet [rad]", fontsize=11, color=INK)
    axes.set_ylabel("share per bin [%]", fontsize=11, color=INK)
    style(axes)
    axes.legend(frameon=False, fontsize=10)
