"""Which baseline each arm of a plan is compared with, in words."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.models import models
from jetbench.suites.graph import Graph, listed
from jetbench.suites.plan import Plan
from jetbench.suites.primaries import primary_of

__all__ = ["compared_lines"]


def compared_lines(plan: Graph) -> list[str]:
    """Say which arms are compared with which baseline, a line for each, and which of them are networks of another model, since no
    baseline has their own. Where such arms differ in their regime they could be compared with each other, and a warning says how.
    A study compares no arms."""
    if not isinstance(plan, Plan):
        return []
    arms: dict[str, list[str]] = {}
    for arm, baseline in plan.baselines.items():
        arms.setdefault(baseline, []).append(arm)
    lines = [f"compared with {baseline}: {', '.join(_named(plan, arm) for arm in found)}" for baseline, found in arms.items()]
    lines += [f"compared with none: {arm}, whose baseline {lost} is not run" for arm, lost in _alone(plan).items()]
    return [*lines, *_warnings(plan)]


def _named(plan: Plan, arm: str) -> str:
    return f"{arm} (of another model, {plan.instance.settings.arms[arm].model})" if _is_stranger(plan, arm) else arm


def _is_stranger(plan: Plan, arm: str) -> bool:
    """Whether it is a network that is compared with one of another model. Trees and floors always are, and are none."""
    arms = plan.instance.settings.arms
    model, baseline = arms[arm].model, plan.baselines.get(arm, arm)
    return model != arms[baseline].model and models[model].kind == "network"


def _alone(plan: Plan) -> dict[str, str]:
    """The arms that are run without their baseline, which is named."""
    settings = plan.instance.settings
    wanted = {arm: primary_of(settings, settings.arms[arm]).baseline for arm in plan.arms}
    return {arm: baseline for arm, baseline in wanted.items() if arm != baseline and arm not in plan.baselines}


def _warnings(plan: Plan) -> Iterator[str]:
    arms, found = plan.instance.settings.arms, dict[str, list[str]]()
    for arm in plan.baselines:
        if _is_stranger(plan, arm):
            found.setdefault(arms[arm].model, []).append(arm)
    for model, names in found.items():
        if len({arms[name].regime for name in names}) > 1:
            pair = "{arm: …, baseline: …}"
            yield (
                f"! {listed('arm', names)} of {model} have no baseline of their own and are compared with that of another model; "
                f"to compare them with each other, give `primary` the list of its pairs so far and their {pair}"
            )
