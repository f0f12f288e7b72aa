"""What an arm is to its suite, and the one look that it has in every plot."""

from __future__ import annotations

from dataclasses import dataclass

from jetbench.evaluation.plots import PALETTE
from jetbench.models import models
from jetbench.suites.plan import Plan
from jetbench.suites.roles import Role

__all__ = ["Look", "is_fitted", "looks"]

GREYS = ("#7A7A7A", "#4D4D4D", "#9C9C9C", "#5F6B76")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "h", "p", "*")  # none that points aside: intervals that are cut end in arrows
DASHES = ((0, (5, 2)), (0, (1.2, 1.6)), (0, (5, 1.5, 1.2, 1.5)), (0, (9, 3)), (0, (3, 1.2)))


@dataclass(frozen=True)
class Look:
    """How an arm is drawn. `muted` ones stay in the background and do not set the scale of a plot."""

    color: str
    marker: str
    dashes: str | tuple[int, tuple[float, ...]]
    muted: bool


def is_fitted(plan: Plan, arm: str) -> bool:
    """Tell whether an arm's model is fitted in one go, as trees are, instead of trained by the loop."""
    return models[plan.instance.settings.arms[arm].model].kind == "fitted"


def looks(plan: Plan) -> dict[str, Look]:
    """Give every arm its look: the baseline has the first colour, the primary arm the second; controls and floors are grey, each
    with its own dashes."""
    named, primary = plan.roles, plan.instance.settings.primary
    first = (primary.baseline, primary.arm)
    ordered = sorted(named, key=lambda arm: first.index(arm) if arm in first else len(first))  # stable: else as in the suite
    bright = [arm for arm in ordered if arm in first or named[arm] is Role.RIVAL]
    muted = [arm for arm in ordered if arm not in bright]
    shown = {arm: Look(PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)], "-", False) for i, arm in enumerate(bright)}
    for i, arm in enumerate(muted):
        marker = MARKERS[(len(bright) + i) % len(MARKERS)]
        shown[arm] = Look(GREYS[i % len(GREYS)], marker, DASHES[i % len(DASHES)], True)
    return {arm: shown[arm] for arm in named}
