"""What a run's child process is sent."""

from __future__ import annotations

from jetbench.data.catalog import cache_folder
from jetbench.engine.prepare import Prepared
from jetbench.evaluation.teacher import scores_path
from jetbench.runs.job import Job, OtherFiles
from jetbench.spec import RunSpec
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.tracking.store import Store

__all__ = ["make_job"]


def make_job(
    plan: Graph, store: Store, run: PlannedRun, spec: RunSpec, prepared: Prepared, limits: tuple[tuple[int, float], ...]
) -> Job:
    """Return the job of a run with its resolved spec; `limits` are those of its study."""
    return Job(
        key=run.key,
        instance=plan.instance.name,
        spec=spec,
        store=store.root,
        dataset=prepared.dataset,
        unlabelled=prepared.unlabelled if spec.unlabelled else None,
        table=prepared.tables.get(spec.view.name),
        also={one.name: _other(prepared, one.name, spec.view.name) for one in spec.variations if one.dataset},
        limits=limits,
        weights=prepared.weights[spec.weights.sha256] if spec.weights else None,
        scores=scores_path(spec.scores.name) if spec.scores else None,
        cache=cache_folder(),
    )


def _other(prepared: Prepared, name: str, view: str) -> OtherFiles:
    return OtherFiles(prepared.also[name], prepared.also_tables[name].get(view))
