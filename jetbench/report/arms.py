"""What an arm is to its suite, and the one look that it has in every plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from jetbench.evaluation.plots import LINES, PALETTE
from jetbench.models import models
from jetbench.suites.plan import Plan
from jetbench.suites.roles import Role

__all__ = ["Look", "is_fitted", "looks"]

T = TypeVar("T")

GREYS = ("#7A7A7A", "#4D4D4D", "#9C9C9C", "#5F6B76")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "h", "p", "*")  # none that points aside: intervals that are cut end in arrows
MOST_ALIKE = 3  # arms of one regime that may share its colour: dashes alone tell no more of them apart
DASHES = LINES[1:]


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
    with its own dashes. Arms of several models under one regime share its colour, and a model has its marker and its dashes.
    Where these are too many, and where no colour is shared, each arm has a colour, a marker and dashes of its own."""
    named, primaries = plan.roles, plan.instance.settings.primary
    first = [name for one in primaries for name in (one.baseline, one.arm)]
    ordered = sorted(named, key=lambda arm: first.index(arm) if arm in first else len(first))  # stable: else as in the suite
    bright = [arm for arm in ordered if arm in first or named[arm] in (Role.RIVAL, Role.EXTERNAL)]
    muted = [arm for arm in ordered if arm not in bright]
    shown = _bright(plan, bright)
    for i, arm in enumerate(muted):
        shown[arm] = Look(_of(GREYS, i), _of(MARKERS, len(bright) + i), _of(DASHES, i), True)
    return {arm: shown[arm] for arm in named}


def _bright(plan: Plan, bright: Sequence[str]) -> dict[str, Look]:
    arms, colors = plan.instance.settings.arms, _colors(plan, bright)
    alike = Counter(colors.values())
    if max(alike.values(), default=1) > MOST_ALIKE or len(alike) == len(bright):
        return {arm: Look(_of(PALETTE, i), _of(MARKERS, i), _of(LINES, i), False) for i, arm in enumerate(bright)}
    sharing = [arm for arm in bright if alike[colors[arm]] > 1]
    models = list(dict.fromkeys(arms[arm].model for arm in sharing))
    shown = {}
    for i, arm in enumerate(bright):
        color, model = _of(PALETTE, colors[arm]), arms[arm].model
        place = models.index(model) if model in models else len(models) + i if models else i
        dashes = _of(DASHES, place - 1) if model in models[1:] else "-"
        shown[arm] = Look(color, _of(MARKERS, place), dashes, False)
    return shown


def _of(given: Sequence[T], place: int) -> T:
    """What stands at a place, from the first on again where there are fewer."""
    return given[place % len(given)]


def _colors(plan: Plan, bright: Sequence[str]) -> dict[str, int]:
    """The place of each arm's colour: an arm takes that of its regime, unless an arm of its own model has it."""
    found: dict[str, int] = {}
    kinds = {arm: (given.regime, given.model) for arm, given in plan.instance.settings.arms.items()}
    for arm in bright:
        regime, model = kinds[arm]
        of_regime = {found[other] for other in found if kinds[other][0] == regime}
        taken = {found[other] for other in found if kinds[other] == (regime, model)}
        found[arm] = min(of_regime - taken, default=len(set(found.values())))
    return found
