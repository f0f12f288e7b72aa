"""Plug-ins that have changed since a store had runs of theirs: what a plan trains anew because of it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from jetbench.engine.survey import ENDED, survey
from jetbench.errors import JetbenchError
from jetbench.plugins import adopt, scope
from jetbench.spec import PluginRef
from jetbench.suites.graph import Graph
from jetbench.suites.instance import AnyInstance
from jetbench.suites.instances import remembered
from jetbench.suites.plans import plan_instance
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

__all__ = ["changed_lines"]


class Older(NamedTuple):
    """A plug-in in the form that the latest instance had which used one of its name."""

    plugin: PluginRef
    instance: AnyInstance


def changed_lines(plan: Graph, store: Store) -> list[str]:
    """Say how many runs of a plan the store has begun or finished with older forms of its plug-ins, which are other runs now."""
    older = _older(plan.instance, store.root)
    if not older:
        return []
    since = older[0].instance
    names = " and ".join(Path(one.plugin.file).name or one.plugin.distribution for one in older)
    told = f"{names} {'has' if len(older) == 1 else 'have'} changed since {since.name} was run"
    try:
        anew = _anew(plan, older, store)
    except JetbenchError:  # an older form of an installed package is gone, and an older file may not fit any more
        same = (since.title, since.scale) == (plan.instance.title, plan.instance.scale)
        return [f"{told}: runs that rest on it are trained anew"] if same else []
    return [f"{told}: {anew} run{'' if anew == 1 else 's'} of before {'is' if anew == 1 else 'are'} trained anew"] if anew else []


def _older(instance: AnyInstance, root: Path) -> list[Older]:
    latest: dict[tuple[str, str], Older] = {}
    for one in remembered(root).values():
        latest |= {_named(plugin): Older(plugin, one) for plugin in one.plugins}
    found = [latest[_named(now)] for now in instance.plugins if _named(now) in latest]
    return [one for one in found if one.plugin.sha256 not in {now.sha256 for now in instance.plugins}]


def _named(plugin: PluginRef) -> tuple[str, str]:
    """What stays as it is when the code changes: the name of the file, or of the distribution."""
    return Path(plugin.file).name, plugin.distribution


def _anew(plan: Graph, older: list[Older], store: Store) -> int:
    """How many runs have begun under the older forms, by their names, whose like now has not ended."""
    ledger = Ledger(store.work)
    with scope():
        adopt((one.plugin for one in older), store.root)
        before = survey(plan_instance(plan.instance.anew()), ledger)
    begun = {run.name: key for key, run in before.runs.items() if before.states[key] != "planned"}
    now = survey(plan, ledger)
    return sum(run.name in begun and begun[run.name] != key and now.states[key] not in ENDED for key, run in now.runs.items())
