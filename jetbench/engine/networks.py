"""Networks of plug-ins in a plan, each tried once before anything is simulated."""

from __future__ import annotations

from jetbench.errors import PluginError
from jetbench.models import models
from jetbench.spec import PluginRef, RunSpec
from jetbench.suites.graph import Graph, PlannedRun, listed

__all__ = ["try_networks"]


def try_networks(plan: Graph) -> None:
    """Build every network of a plan whose model or view is a plug-in's, and show it a few jets as its view shows them. Raises
    `PluginError`, which tells all that do not fit at once, with their arms."""
    alike: dict[object, list[PlannedRun]] = {}
    for run in plan.runs.values():
        if models[run.spec.model.name].kind == "network" and _plugin(run.spec) is not None:
            alike.setdefault((run.spec.model, run.spec.view, run.spec.task), []).append(run)
    if not alike:
        return
    from jetbench.runs.tried import network_fault  # torch, which a plan without plug-ins does without

    meta = plan.instance.meta
    told = [_told(runs, fault) for runs in alike.values() if (fault := network_fault(runs[0].spec, meta))]
    if told:
        raise PluginError("; ".join(told))


def _plugin(spec: RunSpec) -> PluginRef | None:
    return spec.model.plugin or spec.view.plugin


def _told(runs: list[PlannedRun], fault: str) -> str:
    spec, arms = runs[0].spec, list(dict.fromkeys(run.arm for run in runs))
    plugin, name = _plugin(spec), spec.model.name
    assert plugin is not None
    return (
        f"{listed('arm', arms)}: the network {name!r} with {plugin.text}, tried on toy jets as its view shows them: {fault}; "
        f"`jetbench show {name}{plugin.option}` tries it by its contract"
    )
