"""The plan of an instance, whatever kind it is of."""

from __future__ import annotations

from jetbench.suites.graph import Graph
from jetbench.suites.instance import AnyInstance
from jetbench.suites.planning import make_plan
from jetbench.suites.study_file import StudyInstance
from jetbench.suites.study_planning import make_study_plan
from jetbench.suites.suite import Instance

__all__ = ["plan_instance"]


def plan_instance(instance: AnyInstance) -> Graph:
    """Plan a suite or a study. Raises `SuiteError` as `make_plan` and `make_study_plan` do."""
    if isinstance(instance, StudyInstance):
        return make_study_plan(instance)
    assert isinstance(instance, Instance)
    return make_plan(instance)
