"""What an arm is to its suite, and the one look that it has in every plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import lcm
from typing import TypeVar

from jetbench.evaluation.plots import LINES, PALETTE
from jetbench.models import models
from jetbench.suites.plan import Plan
from jetbench.suites.roles import Role
from jetbench.suites.stages import regimes

__all__ = ["Look", "is_fitted", "looks"]

T = TypeVar("T")

GREYS = ("#7A7A7A", "#4D4D4D", "#9C9C9C", "#5F6B76")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "h", "p", "*")  # none that points aside: intervals that are cut end in arrows
MOST_ALIKE = 3  # arms of one regime that may share its colour: dashes alone tell no more of them apart
DASHES = LINES[1:]
AGAIN = lcm(len(GREYS), len(MARKERS))  # arms after which a grey would come back with its marker
STRIDE = 3  # markers between those of arms that share an encoder


@dataclass(frozen=True)
class Look:
    """How an arm is drawn. `muted` ones stay in the background and do not set the scale of a plot; those that are not `filled`
    have hollow markers, since their encoder stays as it is."""

    color: str
    marker: str
    dashes: str | tuple[int, tuple[float, ...]]
    muted: bool
    filled: bool = True

    @property
    def face(self) -> str:
        """The colour inside the marker."""
        return self.color if self.filled else "white"


def is_fitted(plan: Plan, arm: str) -> bool:
    """Tell whether an arm's model is fitted in one go, as trees are, instead of trained by the loop."""
    return models[plan.instance.settings.arms[arm].model].kind == "fitted"


def looks(plan: Plan) -> dict[str, Look]:
    """Give every arm its look, no two the same: the baseline has the first colour, the primary arm the second; controls and
    floors are grey, each with its own dashes. Arms of several models under one regime share its colour, and a model has its
    marker and its dashes. Where these are too many, and where no colour is shared, an arm has a colour and a marker of its own,
    or those of the arm that starts from the same encoder: where that is frozen, markers are hollow."""
    named, primaries = plan.roles, plan.instance.settings.primary
    first = [name for one in primaries for name in (one.baseline, one.arm)]
    ordered = sorted(named, key=lambda arm: first.index(arm) if arm in first else len(first))  # stable: else as in the suite
    bright = [arm for arm in ordered if arm in first or named[arm] in (Role.RIVAL, Role.EXTERNAL)]
    muted = [arm for arm in ordered if arm not in bright]
    shown = _bright(plan, bright)
    for i, arm in enumerate(muted):
        marker = _of(MARKERS, len(bright) + i + i // AGAIN)
        shown[arm] = Look(_of(GREYS, i), marker, _of(DASHES, i), True)
    frozen = _frozen(plan)
    return {arm: replace(shown[arm], filled=arm not in frozen) for arm in named}


def _bright(plan: Plan, bright: Sequence[str]) -> dict[str, Look]:
    arms, colors = plan.instance.settings.arms, _colors(plan, bright)
    alike = Counter(colors.values())
    if max(alike.values(), default=1) > MOST_ALIKE or len(alike) == len(bright) or len(alike) > len(PALETTE):
        return _by_encoder(plan, bright)
    sharing = [arm for arm in bright if alike[colors[arm]] > 1]
    models = list(dict.fromkeys(arms[arm].model for arm in sharing))
    shown = {}
    for i, arm in enumerate(bright):
        color, model = _of(PALETTE, colors[arm]), arms[arm].model
        place = models.index(model) if model in models else len(models) + i if models else i
        dashes = _of(DASHES, place - 1) if model in models[1:] else "-"
        shown[arm] = Look(color, _of(MARKERS, place), dashes, False)
    return shown


def _by_encoder(plan: Plan, bright: Sequence[str]) -> dict[str, Look]:
    """A colour and a marker for each encoder; of several arms that go on training one, the further ones have other markers."""
    families: dict[str, list[str]] = {}
    cells = {cell.arm: cell for cell in reversed(plan.cells)}  # the first of each arm: its smallest budget
    for arm in bright:
        runs = list(plan.chain(cells[arm])) if arm in cells else []
        families.setdefault(runs[-1].key if len(runs) > 1 else arm, []).append(arm)
    frozen, shown = _frozen(plan), {}
    for i, family in enumerate(families.values()):
        place = i + i // len(PALETTE)  # colours and markers are as many: the same pair must not come back
        whole = [arm for arm in family if arm not in frozen]
        hollow = [arm for arm in family if arm in frozen]
        for j, arm in enumerate([*whole, *hollow]):
            step = j if arm in whole else j - len(whole)
            shown[arm] = Look(_of(PALETTE, i), _of(MARKERS, place + STRIDE * step), _of(LINES, i + j), False)
    return shown


def _frozen(plan: Plan) -> set[str]:
    """The arms whose head alone is trained, on an encoder that stays as it is."""
    return {arm for arm, given in plan.instance.settings.arms.items() if regimes[given.regime].stages[-1].trains == "head"}


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
