"""Cluster files: what a batch system is asked for, what is refused, and a suite on jobs of this machine."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import pytest
from ruamel.yaml import YAML

from jetbench.api import open_session
from jetbench.engine import clusters
from jetbench.engine.clusters import ClusterFile, cluster_pool, make_cluster, read_cluster
from jetbench.errors import MissingPackageError, RunError

PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"

SLURM = """
    #!/usr/bin/env bash

    #SBATCH -J dask-worker
    #SBATCH -p gpu
    #SBATCH -n 1
    #SBATCH --cpus-per-task=1
    #SBATCH --mem=4G
    #SBATCH -t 12:00:00
    #SBATCH --gres=gpu:1
    . .venv/bin/activate
    python -m distributed.cli.dask_worker ADDRESS --name dummy-name --nthreads 1 --memory-limit 3.73GiB --nanny \
--death-timeout 600 --resources GPU=1 --lifetime 11h --lifetime-stagger 10m
"""

HTCONDOR = """
    #!/usr/bin/env condor_submit

    MY.DaskWorkerName = "htcondor--$F(MY.JobId)--"
    batch_name = dummy-name
    RequestCpus = MY.DaskWorkerCores
    RequestMemory = floor(MY.DaskWorkerMemory / 1048576)
    RequestDisk = floor(MY.DaskWorkerDisk / 1024)
    MY.JobId = "$(ClusterId).$(ProcId)"
    MY.DaskWorkerCores = 1
    MY.DaskWorkerMemory = 4000000000
    MY.DaskWorkerDisk = 1000000000
    request_gpus = 1

    Arguments = "-c '. .venv/bin/activate; python -m distributed.cli.dask_worker ADDRESS --name dummy-name --nthreads 1 \
--memory-limit 3.73GiB --nanny --death-timeout 600 --resources GPU=1'"
    Executable = /bin/sh

    Queue
"""


def of_the_page(kind: str) -> dict[str, Any]:
    """The cluster file of a kind that the page on clusters shows."""
    files = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.S)
    return next(found for text in files if (found := YAML(typ="safe").load(text))["kind"] == kind)


@pytest.mark.parametrize(("kind", "script"), [("slurm", SLURM), ("htcondor", HTCONDOR)])
def test_the_recipes_of_the_page_ask_for_this(kind: str, script: str) -> None:
    file = ClusterFile.model_validate(of_the_page(kind))
    here = {"scheduler_options": {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}, "interface": None}
    with make_cluster(file.replace(options=file.options | here), "gpu.yaml") as cluster:
        lines = re.sub(r"tcp://[\d.]+:\d+", "ADDRESS", cluster.job_script()).strip().splitlines()
    assert [line.rstrip() for line in lines if line.strip()] == [line for line in dedent(script).splitlines() if line.strip()]


def test_ctrl_c_stays_what_it_was_and_the_dashboard_is_for_this_machine() -> None:
    """dask-jobqueue would have it end the process without a word."""
    code = "import signal; from jetbench.engine.clusters import *; options = {'cores': 1, 'memory': '1GB', 'interface': None}\n"
    code += "options |= {'scheduler_options': {'host': '127.0.0.1'}}\n"
    code += "with make_cluster(ClusterFile(kind='local', jobs=1, options=options), 'x') as cluster:\n"
    code += "    print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, cluster.dashboard_link)"
    hear = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, preexec_fn=hear)
    assert done.stdout.startswith("True http://127.0.0.1:"), done.stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: slurm\njobs: 2\noption: {cores: 1}\n", "unknown key 'option'; did you mean 'options'?"),
        ("kind: pbs\njobs: 2\n", "kind: should be 'slurm', 'htcondor' or 'local'"),
        ("kind: slurm\n", "give either `jobs`, how many there are, or `adapt`"),
        ("kind: slurm\njobs: 1\nadapt: {maximum: 2}\n", "give either `jobs`, how many there are, or `adapt`"),
        ("kind: slurm\nadapt: {minimum: 3, maximum: 2}\n", "a minimum of 3 is more than the maximum of 2"),
        ("kind: slurm\njobs: 0\n", "jobs: should be greater than or equal to 1"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "gpu.yaml").write_text(text)
    with pytest.raises(RunError, match=re.escape(told)):
        read_cluster(tmp_path / "gpu.yaml")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read"):
        read_cluster(tmp_path / "none.yaml")


@pytest.mark.filterwarnings("ignore:unclosed cluster:ResourceWarning")
def test_options_that_dask_jobqueue_does_not_know_are_refused() -> None:
    file = ClusterFile(kind="slurm", jobs=1, options={"cores": 1, "memory": "1GB", "queeu": "gpu"})
    with pytest.raises(RunError, match=r"gpu.yaml: dask-jobqueue does not take these options for slurm .*'queeu'.*; mend"):
        make_cluster(file, "gpu.yaml")


def test_without_dask_jobqueue_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'jetbench\[cluster\]'"):
        make_cluster(ClusterFile(kind="slurm", jobs=1), "gpu.yaml")


def test_as_many_runs_are_handed_out_as_the_most_jobs_have_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer would never have so many jobs asked for."""
    asked: list[dict[str, object]] = []
    made = SimpleNamespace(adapt=lambda **options: asked.append(options), scheduler_address="tcp://127.0.0.1:9")
    monkeypatch.setattr(clusters, "make_cluster", lambda file, where: nullcontext(made))
    monkeypatch.setattr(clusters, "scheduler_pool", lambda address, lock, most, expected: lambda places: nullcontext(expected))
    (tmp_path / "cpu.yaml").write_text("kind: slurm\nadapt: {maximum: 20}\noptions: {cores: 4}\n")
    with cluster_pool(tmp_path / "cpu.yaml", tmp_path)(list) as expected:
        assert expected == 80
    assert asked == [{"minimum_jobs": 0, "maximum_jobs": 20, "target_duration": "500ms"}]


LOCAL = """
kind: local
adapt: {maximum: 1}
options:
  cores: 1
  memory: 2GB
  log_directory: FOLDER
  job_script_prologue: []
  scheduler_options: {dashboard_address: "127.0.0.1:0", host: 127.0.0.1}
"""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # dask-jobqueue's toy jobs are not waited for
def test_a_suite_runs_on_jobs_that_come_for_it(suite_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "local.yaml").write_text(LOCAL.replace("FOLDER", str(tmp_path)))
    short = ("seeds=1", "labels=[50]", "tuning=null", "arms.boosted-trees=null")
    session = open_session(suite_path, overrides=short, store=tmp_path / "store")
    events = Counter(event.kind for event in session.run(cluster=tmp_path / "local.yaml"))
    assert events["done"] == len(session.plan.runs)
    assert events["failed"] == 0
