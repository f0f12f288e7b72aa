"""A suite as a job array, as the recipes of docs/cluster.md have it."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from jetbench.api import Session
from jetbench.cli import main
from jetbench.cli.array import show_one
from jetbench.engine.child import STOPPED
from jetbench.engine.events import Event
from jetbench.engine.schedule import RANK
from jetbench.suites.plan import Plan
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

DOCS = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")
SMALL = ("seeds=1", "labels=[50]", "arms.boosted-trees=null")


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], env={"JETBENCH_TRACKING_URI": None})


def test_the_list_stands_alone_on_standard_output(suite_path: Path, tmp_path: Path, plan_of: Callable[..., Plan]) -> None:
    plan, given = plan_of(), ("run", "--suite", suite_path, "--store", tmp_path / "store", "--list")
    first = call(*given)
    assert (first.exit_code, first.stderr) == (0, "")
    assert set(first.stdout.split("\n")) == {*plan.runs, ""}
    assert call(*given).stdout == first.stdout
    assert not (tmp_path / "store" / "mlflow.db").exists()


def test_what_cannot_be_listed_yet_is_told_beside_the_list(
    suite_path: Path, tmp_path: Path, plan_of: Callable[..., Plan]
) -> None:
    search = ("tuning.sampler=random", "tuning.trials=6", "tuning.factors=[0.1,10.0]", "arms.boosted-trees=null")
    given = ("run", "--suite", suite_path, "--store", tmp_path / "store", *(part for one in search for part in ("--set", one)))
    result = call(*given, "--list")
    assert result.exit_code == 0
    assert all(re.fullmatch("[0-9a-f]{64}", line) for line in result.stdout.splitlines())
    assert re.search(r"not all is listed: 2 searches, scratch/n50 among them, .* 8 runs wait; list again when", result.stderr)


def test_an_empty_list_says_what_is_next(tmp_path: Path, plan_of: Callable[..., Plan], suite_path: Path) -> None:
    plan = plan_of("tuning=null", *SMALL)
    for run in plan.runs.values():
        folder = Ledger(tmp_path / "store" / "work").run(run.key)
        folder.path.mkdir(parents=True)
        folder.weights.write_bytes(b"weights")
        Ledger(tmp_path / "store" / "work").finish(run.key, [folder.weights])
    options = (part for one in ("tuning=null", *SMALL) for part in ("--set", one))
    result = call("run", "--suite", suite_path, "--store", tmp_path / "store", *options, "--list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing is left" in result.stderr


@pytest.mark.parametrize(
    "given",
    [
        ("--list", "--only", "a"),
        ("--only", "a", "--dry-run"),
        ("--list", "--rerun", "all"),
        ("--only", "a", "--scheduler", "tcp://node1:8786"),
        ("--list", "--cluster", "slurm.yaml"),
        ("--cluster", "slurm.yaml", "--scheduler-file", "scheduler.json"),
    ],
)
def test_one_command_is_asked_for_at_a_time(given: tuple[str, ...], suite_path: Path) -> None:
    result = call("run", "--suite", suite_path, *given)
    assert result.exit_code == 2
    assert "do not go together" in result.output


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("done", 0, "a/b is finished"),
        ("skipped", 0, "a/b had ended before (so)"),
        ("diverged", 0, "a/b has diverged: so"),
        ("pruned", 0, "a/b was stopped early"),
        ("failed", 1, "FAILED a/b: so"),
        ("waiting", 75, "a/b cannot begin yet: so"),
        ("elsewhere", 75, "a/b is trained by another process"),
        ("stopped", 75, "a/b: so"),
    ],
)
def test_a_batch_system_knows_by_the_status_what_to_do(
    kind: Any,
    status: int,
    words: str,
    plan_of: Callable[..., Plan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def events(session: Session, *given: object) -> Iterator[Event]:
        yield Event("tick")
        yield Event(kind, "a/b", "so", "key")

    monkeypatch.setattr(Session, "run_one", events)
    assert show_one(Session(plan_of(), Store(tmp_path)), "key", None) == status
    assert words in capsys.readouterr().out


def test_the_recipes_start_again_what_is_to_be_started_again() -> None:
    rows = [int(status) for status in re.findall(r"^\| (\d+) \| ", DOCS, re.M)]
    assert rows == [0, 1, STOPPED, 143]
    assert "75 | 143) scontrol requeue" in DOCS  # which another test runs
    settings = dict(line.split(" = ", 1) for line in block("on_exit_hold").splitlines() if " = " in line)
    for status in rows:
        held = classad(settings["on_exit_hold"], ExitBySignal=False, ExitCode=status)
        assert held == (status in (STOPPED, 143))
    assert not classad(settings["on_exit_hold"], ExitBySignal=True, ExitCode=STOPPED)
    subcode = int(settings["on_exit_hold_subcode"])
    for of, since in ((subcode, 301), (subcode, 299), (0, 301)):
        held = {"HoldReasonSubCode": of, "EnteredCurrentStatus": 0, "time": partial(int, since)}
        assert classad(settings["periodic_release"], **held) == (of == subcode and since > 300)
    assert DOCS.count("jetbench run --suite ssl-vs-scratch --list > keys.txt") == 2


def classad(expression: str, **attributes: object) -> bool:
    """Evaluate an expression of HTCondor, as far as the recipe uses its language."""
    return bool(eval(expression.replace("&&", "and").replace("||", "or"), {}, attributes))


def block(first: str) -> str:
    """The fenced block of the docs that has a text in it, of the small suite instead of the shipped one."""
    found = next(text for text in re.findall(r"^```\w*\n(.*?)^```", DOCS, re.S | re.M) if first in text)
    options = " ".join(f"--set {one}" for one in SMALL)
    return found.replace("--suite ssl-vs-scratch", f"--suite mini.yaml {options}")


@pytest.fixture
def site(tmp_path: Path, suite_path: Path) -> Iterator[Callable[..., str]]:
    """A machine with jetbench and a small batch system: `site(script, FAIL=…)` returns what a script writes."""
    programs, system = tmp_path / "bin", Path(__file__).with_name("batch_system.py")
    programs.mkdir()
    for name in ("sbatch", "scontrol", "srun"):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {system} {name} "$@"\n')
        (programs / name).chmod(0o755)
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    own = {"PATH": path, "JETBENCH_TRACKING_URI": "local"}

    def run(script: str, **environment: str) -> str:
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=tmp_path,
            env=os.environ | own | environment,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def table(site: Callable[..., str], store: Path) -> list[tuple[str, ...]]:
    """All that `jetbench results` says of a suite but what the machine decides."""
    rows = csv.DictReader(io.StringIO(site(f"jetbench results mini --format csv --store {store}")))
    return sorted(tuple(row.values()) for row in rows if "cost/" not in str(row.values()))


def statuses(store: Path) -> Counter[str]:
    """What MLflow says of the runs of the suite, its report and arms apart."""
    from jetbench.tracking import backend

    client = backend.load().MlflowClient(Store(store).uri)
    experiments = [one.experiment_id for one in client.search_experiments() if one.name.startswith("mini.")]
    found = client.search_runs(experiments, max_results=200)
    return Counter(run.info.status for run in found if run.data.tags["jetbench.kind"] in RANK)


@pytest.mark.slow
def test_arrays_give_the_table_of_an_undisturbed_run(
    site: Callable[..., str], tmp_path: Path, plan_of: Callable[..., Plan]
) -> None:
    """By Slurm's recipe, on a node that dies on the way, and by the loop for one machine, which has each key
    twice; MLflow has each run once."""
    plan, run = plan_of(*SMALL), block("--list").splitlines()[2].split(" --list")[0]
    assert run.startswith("jetbench run --suite mini.yaml")
    site(f"{run} --store undisturbed")
    expected = table(site, tmp_path / "undisturbed")
    assert len(expected) > 20

    (tmp_path / "array.sh").write_text(block("#!/bin/bash"))
    output = site(block("sbatch --array"), FAIL=str(tmp_path / "mlruns" / "splits"))
    ends = Counter(line.split(": ")[1] for line in output.splitlines())
    assert ends["0"] == len(plan.runs)
    assert ends["-9"] >= 1
    logs = "\n".join(path.read_text() for path in (tmp_path / "logs").glob("*"))
    assert sorted(re.findall("(.*) is finished", logs)) == sorted(run.name for run in plan.runs.values())
    assert len(re.findall("cannot begin yet", logs)) == ends["75"]
    for store in (tmp_path / "mlruns", tmp_path / "alone"):
        if store.name == "alone":
            twice = site(f"export JETBENCH_STORE={store}; {run} --list | sed p > keys.txt; {block('xargs')}")
            assert len(re.findall(" is finished$", twice, re.M)) == len(plan.runs)
        assert site(f"{run} --store {store} --list") == ""
        assert not (store / "mlflow.db").exists()
        site(f"jetbench store sync mini --store {store}")
        assert statuses(store) == {"FINISHED": len(plan.runs)}
        again = site(f"{run} --store {store}")
        assert f"{len(plan.runs)} runs were finished before" in again
        assert table(site, store) == expected
        assert statuses(store) == {"FINISHED": len(plan.runs)}
