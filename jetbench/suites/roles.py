"""What an arm is to its suite, and what must come out of it whatever the jets."""

from __future__ import annotations

from enum import StrEnum

from jetbench.models import models
from jetbench.suites.choices import Arm
from jetbench.suites.primaries import primary_of
from jetbench.suites.settings import Settings
from jetbench.suites.stages import Truth, regimes

__all__ = ["Role", "role", "truth"]


class Role(StrEnum):
    """Baselines and rivals are what the suite compares; controls and floors tell whether the comparison can be trusted. An
    external arm starts from weights of elsewhere, of which nobody knows what they have seen. A faulty one has a fault on purpose
    and is part of no comparison but that of its fault."""

    BASELINE = "baseline"
    RIVAL = "rival"
    CONTROL = "control"
    FLOOR = "floor"
    EXTERNAL = "external"
    FAULTY = "faulty"


def role(settings: Settings, arm: str) -> Role:
    """Return the role of an arm, by its model and its regime."""
    chosen = settings.arms[arm]
    if arm in {one.baseline for one in settings.primary}:
        return Role.BASELINE
    if models[chosen.model].floor:
        return Role.FLOOR
    if regimes[chosen.regime].external:
        return Role.EXTERNAL
    return Role.CONTROL if regimes[chosen.regime].control or _is_other_seeds(settings, arm) else Role.RIVAL


def truth(settings: Settings, arm: str) -> Truth | None:
    """Return what an arm must do beside its baseline: be ahead, not be ahead, be the same with other seeds, or rank by chance."""
    chosen = settings.arms[arm]
    if not models[chosen.model].ranks:
        return "chance"
    return regimes[chosen.regime].truth or ("same" if _is_other_seeds(settings, arm) else None)


def _is_other_seeds(settings: Settings, arm: str) -> bool:
    """Whether the arm is its baseline itself with other seeds."""

    def content(one: Arm) -> Arm:
        same: Arm = one.replace(seed_offset=0, labels="all")
        return same

    chosen = settings.arms[arm]
    baseline = settings.arms[primary_of(settings, chosen).baseline]
    return chosen.seed_offset != baseline.seed_offset and content(chosen) == content(baseline)
