"""Which primary comparison an arm belongs to, and so which baseline it is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from jetbench.suites.choices import Arm
from jetbench.suites.settings import Primary, Settings

__all__ = ["primary_of"]


def primary_of(settings: Settings, arm: Arm, among: Sequence[Primary] = ()) -> Primary:
    """Return the primary comparison that an arm belongs to, of all or of some of them.

    It is the one that names the arm; else the one whose baseline has the arm's encoder, which is its model with options and
    view; else the one whose baseline has the arm's model. A model that is nobody's baseline, as that of trees and floors, belongs
    to the first. Among equals the first one counts.
    """

    def nearness(one: Primary) -> tuple[bool, bool, bool]:
        named = [settings.arms[name] for name in (one.arm, one.baseline)]
        return arm in named, _encoder(named[1]) == _encoder(arm), named[1].model == arm.model

    return max(among or settings.primary, key=nearness)


def _encoder(arm: Arm) -> tuple[object, ...]:
    return arm.model, arm.model_options, arm.view
