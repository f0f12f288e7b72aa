"""What must be there before the first run: the datasets, and the table of observables where a model needs it."""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jetbench.data.catalog import Dataset, cache_folder
from jetbench.engine.checks import check_also_test, check_data
from jetbench.engine.networks import try_networks
from jetbench.engine.teachers import teacher_lines
from jetbench.engine.weights import try_weights, weights_folders
from jetbench.errors import DataFileError
from jetbench.files import file_lock, replacing
from jetbench.jets import Jets, open_jets, verify
from jetbench.jets.shards import partition
from jetbench.processes import Workers, run_jobs
from jetbench.runs.job import JetFiles
from jetbench.suites.graph import Graph
from jetbench.views import views
from jetbench.views.table import Table

__all__ = ["Prepared", "prepare"]

log = logging.getLogger(__name__)

BLOCK = 500  # jets per job: half a second of FastJet


@dataclass(frozen=True)
class Prepared:
    """Files that every run may open; `tables` by view, of those that are computed once for a dataset; `also` are the other test
    sets that have jets of their own, by name, and `also_tables` the tables of each; `weights` are the folders of imported ones by
    the sha256 of their file."""

    dataset: JetFiles
    unlabelled: JetFiles | None
    tables: Mapping[str, Path]
    also: Mapping[str, JetFiles] = field(default_factory=dict)
    also_tables: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    weights: Mapping[str, Path] = field(default_factory=dict)


def prepare(plan: Graph, workers: Workers, progress: Callable[[str, int, int], None]) -> Prepared:
    """Make what is missing; `progress` is called with what is being made, jets done and jets in all."""
    try_networks(plan)
    instance, weights = plan.instance, _weights(plan)
    for line in teacher_lines(plan):
        log.warning(line)
    dataset, unlabelled, also = instance.find_dataset(), instance.find_unlabelled(), instance.find_also()
    expected = [(dataset, instance.dataset), (unlabelled, instance.unlabelled)]
    expected += [(also.get(one.name), one.dataset) for one in instance.variations]
    for found, planned in expected:
        if found is not None and planned is not None and found.ref.sha256 != planned.sha256:
            raise DataFileError(f"{found.path}: replaced by other jets since the plan was made; start the command again")
    labelled = _ready(dataset, workers, progress)
    pool = None if unlabelled is None else _ready(unlabelled, workers, progress)
    others = {name: _ready(one, workers, progress) for name, one in also.items()}
    check_data(plan, dataset.path, unlabelled.path if unlabelled else None)
    check_also_test(plan, {name: one.path for name, one in others.items()}, dataset.path, unlabelled.path if unlabelled else None)
    tables = _tables(plan, dataset, workers, progress)
    also_tables = {name: _tables(plan, one, workers, progress) for name, one in also.items()}
    return Prepared(labelled, pool, tables, others, also_tables, weights)


def _weights(plan: Graph) -> dict[str, Path]:
    """The folders of the imported weights. Where they come from and what has to be adapted is told arm by arm, and what does not
    fit is an error before anything is simulated."""
    for arm in try_weights(plan):
        for line in arm.lines():
            log.warning(line)
    return weights_folders(plan)


def _tables(plan: Graph, dataset: Dataset, workers: Workers, progress: Callable[[str, int, int], None]) -> dict[str, Path]:
    """The tables of a dataset by view, for the views of the plan that have one."""
    return {
        view: _table(view, dataset, workers, functools.partial(progress, f"jet {view}"))
        for view in dict.fromkeys(run.spec.view.name for run in plan.runs.values())
        if views[view].tabled
    }


def _ready(dataset: Dataset, workers: Workers, progress: Callable[[str, int, int], None]) -> JetFiles:
    """Make the dataset where it is missing, and verify what its files say of themselves."""
    dataset.make(workers, functools.partial(progress, "simulating jets"))
    digest = verify(dataset.path, cache=cache_folder(), progress=functools.partial(progress, "checking jets"))
    return JetFiles(dataset.path.absolute(), digest)  # workers have folders of their own


def _table(view: str, dataset: Dataset, workers: Workers, progress: Callable[[int, int], None]) -> Path:
    """The view's table (n, columns) of a dataset as a .npy file in the cache, computed once over all workers."""
    code = f"r{views[view].revision}" + (f"-{plugin.sha256[:12]}" if (plugin := views[view].plugin) else "")
    path = cache_folder() / f"{view}-{dataset.ref.sha256[:16]}-{code}.npy"
    with file_lock(path.with_suffix(".lock")):
        if path.exists():
            return path
        with replacing(path) as temporary:
            _fill(temporary, view, dataset, workers, progress)
    return path


def _fill(path: Path, view: str, dataset: Dataset, workers: Workers, progress: Callable[[int, int], None]) -> None:
    """Write the table block by block; each block is computed by one worker, and none is kept in memory."""
    kind: type[Table] = views[view].load()
    undefined: Counter[str] = Counter()
    blocks = partition(dataset.jets, -(-dataset.jets // BLOCK))
    table = np.lib.format.open_memmap(path, "w+", np.float32, (dataset.jets, len(kind.columns)))
    done = 0
    with closing(run_jobs(functools.partial(_block, view, dataset.path), blocks, workers)) as reports:
        for rows, _, (block, missing) in reports:
            table[rows.start : rows.stop] = block
            undefined.update(missing)
            done += len(rows)
            progress(done, dataset.jets)
    table.flush()
    for remark in kind.remarks(undefined, dataset.jets):
        log.warning("%s: %s", dataset.path.name, remark)


def _block(view: str, path: Path, rows: range, tell: Callable[[object], None]) -> tuple[np.ndarray, dict[str, int]]:
    table: type[Table] = views[view].load()
    return table.counted_rows(_opened(path)[rows.start : rows.stop])


@functools.cache
def _opened(path: Path) -> Jets:
    """Opened once in a worker, which has many blocks of it to read."""
    return open_jets(path)
