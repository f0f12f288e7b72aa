"""The teachers of a plan: whose scores its arms follow, told before anything is trained or simulated."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.evaluation.teacher import read_teacher, scores_path
from jetbench.suites.graph import Graph

__all__ = ["teacher_lines"]


def teacher_lines(plan: Graph) -> Iterator[str]:
    """Say of every arm with a teacher who that is and what labels stand behind it. Raises `DataFileError` where the file holds
    other scores by now."""
    for arm, scores in dict.fromkeys((run.arm, one) for run in plan.runs.values() if (one := run.spec.scores) is not None):
        read_teacher(scores_path(scores.name), scores)
        yield f"{arm} is taught by the scores in {scores.name}, of {scores.teacher}"
