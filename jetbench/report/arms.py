"""What an arm is to its suite, and the one look that it has in every plot."""

from __future__ import annotations

from dataclasses import dataclass

from jetbench.evaluation.plots import PALETTE
from jetbench.models import models
from jetbench.suites.plan import Plan
from jetbench.suites.regimes import PlantedTruth, Role, regimes
from jetbench.suites.settings import Arm

__all__ = ["Look", "is_fitted", "looks", "planted_truths", "roles"]

GREYS = ("#7A7A7A", "#4D4D4D", "#9C9C9C", "#5F6B76")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">", "p")
DASHES = ((0, (5, 2)), (0, (1.2, 1.6)), (0, (5, 1.5, 1.2, 1.5)), (0, (9, 3)), (0, (3, 1.2)))


@dataclass(frozen=True)
class Look:
    """How an arm is drawn. `muted` ones stay in the background and do not set the scale of a plot."""

    color: str
    marker: str
    dashes: str | tuple[int, tuple[float, ...]]
    muted: bool


def roles(plan: Plan) -> dict[str, Role]:
    """What each arm is to the suite: its baseline, a rival, a control or a floor."""
    return {arm: _role(plan, arm) for arm in plan.instance.settings.arms}


def planted_truths(plan: Plan) -> dict[str, PlantedTruth]:
    """What must come out of an arm whatever the data, for the arms of which that is known."""
    settings, found = plan.instance.settings, dict[str, PlantedTruth]()
    for arm, chosen in settings.arms.items():
        truth: PlantedTruth | None = "chance" if models[chosen.model].chance else regimes[chosen.regime].truth
        if truth is None and _is_other_seeds(plan, arm):
            truth = "same"
        if truth is not None:
            found[arm] = truth
    return found


def _role(plan: Plan, arm: str) -> Role:
    settings = plan.instance.settings
    if arm == settings.primary.baseline:
        return Role.BASELINE
    if models[settings.arms[arm].model].floor:
        return Role.FLOOR
    return Role.CONTROL if _is_other_seeds(plan, arm) else regimes[settings.arms[arm].regime].role


def _is_other_seeds(plan: Plan, arm: str) -> bool:
    """Whether the arm is the baseline itself with other seeds."""

    def content(one: Arm) -> Arm:
        same: Arm = one.replace(seed_offset=0, labels="all")
        return same

    settings = plan.instance.settings
    baseline, chosen = settings.arms[settings.primary.baseline], settings.arms[arm]
    return chosen.seed_offset != baseline.seed_offset and content(chosen) == content(baseline)


def is_fitted(plan: Plan, arm: str) -> bool:
    """Whether its model is fitted in one go, as trees are, instead of trained by the loop."""
    return models[plan.instance.settings.arms[arm].model].kind == "fitted"


def looks(plan: Plan) -> dict[str, Look]:
    """The baseline has the first colour, the primary arm the second; controls and floors are grey, each with its own dashes."""
    named, primary = roles(plan), plan.instance.settings.primary
    first = (primary.baseline, primary.arm)
    ordered = sorted(named, key=lambda arm: first.index(arm) if arm in first else len(first))  # stable: else as in the suite
    bright = [arm for arm in ordered if arm in first or named[arm] is Role.RIVAL]
    muted = [arm for arm in ordered if arm not in bright]
    shown = {arm: Look(PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)], "-", False) for i, arm in enumerate(bright)}
    for i, arm in enumerate(muted):
        marker = MARKERS[(len(bright) + i) % len(MARKERS)]
        shown[arm] = Look(GREYS[i % len(GREYS)], marker, DASHES[i % len(DASHES)], True)
    return {arm: shown[arm] for arm in named}
