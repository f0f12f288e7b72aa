"""The plan of an instance, whatever kind it is of."""

from __future__ import annotations

from pathlib import Path

from jetbench.errors import JetbenchError, StoreError
from jetbench.plugins import adopt
from jetbench.suites.graph import Graph
from jetbench.suites.instance import AnyInstance
from jetbench.suites.planning import make_plan
from jetbench.suites.study_file import StudyInstance
from jetbench.suites.study_planning import make_study_plan
from jetbench.suites.suite import Instance

__all__ = ["plan_instance", "plan_remembered"]


def plan_instance(instance: AnyInstance) -> Graph:
    """Plan a suite or a study. Raises `SuiteError` as `make_plan` and `make_study_plan` do."""
    if isinstance(instance, StudyInstance):
        return make_study_plan(instance)
    assert isinstance(instance, Instance)
    return make_plan(instance)


def plan_remembered(instance: AnyInstance, root: Path) -> Graph:
    """Plan an instance that the store of a folder remembers, with the plug-ins that the store keeps, which count from then on.
    Raises `StoreError` where that is no longer possible, with what to do."""
    try:
        adopt(instance.plugins, root)
        return plan_instance(instance)
    except JetbenchError as error:
        remedy = f"`jetbench store gc {instance.name}` removes it"
        raise StoreError(f"{instance.name} can no longer be planned ({error}); {remedy}") from error
