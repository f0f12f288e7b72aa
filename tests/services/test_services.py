"""A suite against the services of the compose file: its clients hold no credentials of database and bucket, and lose nothing."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from distributed import Client
from services.compose import FILE
from services.rules import CREDENTIALS
from services.stack import BIN, ENVIRONMENT, Stack

import jetbench
from jetbench.tracking.folder import RunFolder, noted
from jetbench.tracking.journal import committed, read

pytestmark = pytest.mark.slow

PASSWORD, TOKEN = "pl@nted/of-the-administrator", "planted-token"
SECRETS = [PASSWORD, quote(PASSWORD, safe=""), TOKEN, base64.b64encode(f"admin:{PASSWORD}".encode()).decode()]
ASSISTANT = "/ajax-api/3.0/mlflow/assistant/config"  # its tool runs shell commands as the server's user
SMALL = ("--set", "labels=[50]", "--set", "tuning=null", "--set", "recipes.supervised.epochs=10")
POINTS = """
select tags.value, metrics.key, metrics.step, metrics.timestamp, metrics.value from metrics
join runs using (run_uuid) join experiments using (experiment_id) join tags using (run_uuid)
where tags.key = 'jetbench.key' and tags.value not like 'arm/%'
and runs.lifecycle_stage = 'active' and experiments.name like '{}.%'
"""
STATES = """
select tags.value, runs.status from runs join experiments using (experiment_id) join tags using (run_uuid)
where tags.key = 'jetbench.key' and runs.lifecycle_stage = 'active' and experiments.name like '{}.%'
"""
RUNS = """
select keys.value, runs.run_uuid, runs.experiment_id from runs join tags as keys using (run_uuid)
join tags as stores on stores.run_uuid = runs.run_uuid and stores.key = 'jetbench.store'
where keys.key = 'jetbench.key' and runs.lifecycle_stage = 'active' and stores.value = '{}'
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The stores of the compose file, with bucket and schema; no server of MLflow yet."""
    with Stack({**ENVIRONMENT, "MLFLOW_ADMIN_PASSWORD": PASSWORD}) as found:
        found.postgres()
        found.start("s3", found.address(8333) + "/healthz")
        found.job("bucket")
        found.job("bucket")  # a second start of everything finds it there
        found.job("mlflow-db")
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, toy_file: Path, suite_text: str) -> Path:
    """Where clients work, with suites that are the same but for their names."""
    found = tmp_path_factory.mktemp("clients")
    for name in ("killed", "shared", "away", "spread"):
        (found / f"{name}.yaml").write_text(suite_text.format(dataset=toy_file).replace("suite: mini", f"suite: {name}"))
    return found


def client(folder: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """`jetbench` as a member of the group has it: with no more in its environment than `more`."""
    kept = {name: value for name, value in os.environ.items() if not CREDENTIALS.search(name) and not name.startswith("MLFLOW")}
    assert not any(secret in value for secret in ENVIRONMENT.values() if secret.startswith("of-") for value in kept.values())
    environment = {**kept, "JETBENCH_CACHE": str(folder / "cache"), **more}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([BIN / "jetbench", *arguments], cwd=folder, env=environment, **pipes)


def told(process: subprocess.Popen[str], status: int = 0) -> str:
    output, _ = process.communicate(timeout=600)
    assert process.returncode == status, output
    assert "Traceback" not in output
    return output


def done(work: Path) -> int:
    return len(list(work.glob("*/done.json")))


def wait_for_runs(work: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while done(work) < count:
        assert process.poll() is None, told(process)
        assert time.monotonic() < deadline
        time.sleep(0.02)


def serve(stack: Stack, name: str = "mlflow") -> str:
    stack.start(name, stack.address(5000) + "/health")
    return stack.address(5000)


Point = tuple[str, str, int, int, float]


def expected(work: Path) -> Counter[Point]:
    """Every point of every journal, and the metrics on the test jets."""
    found: Counter[Point] = Counter()
    for path in work.glob("*/done.json"):
        folder, key = RunFolder(path.parent), noted(path)["key"]
        records, _ = read(folder.journal, 0, committed(folder.journal))
        found.update(
            (key, name, record.step, round(record.time * 1000), value)
            for record in records
            for name, value in record.metrics.items()
        )
        last = round(records[-1].time * 1000)
        found.update((key, name, 0, last, value) for name, value in noted(folder.tested).items())
    return found


def kept(stack: Stack, suite: str) -> Counter[Point]:
    return Counter((key, name, step, int(at), value) for key, name, step, at, value in stack.sql(POINTS.format(suite)))


def states(stack: Stack, suite: str) -> dict[str, str]:
    """The state of every run by its key, where each key has one run."""
    rows = stack.sql(STATES.format(suite))
    found = dict(rows)
    assert len(found) == len(rows)
    return found


def assert_nothing_is_missing(stack: Stack, store: Path, suite: str) -> None:
    """Every metric point, every state and every file of the runs, and the report, stand in MLflow once."""
    from mlflow import MlflowClient

    runs = {noted(path)["key"]: RunFolder(path.parent) for path in (store / "work").glob("*/done.json")}
    assert len(runs) > 3
    assert kept(stack, suite) == expected(store / "work")
    shown = states(stack, suite)
    assert set(shown.values()) == {"FINISHED"}
    assert {key for key in shown if not key.startswith("arm/")} == {*runs, "report"}
    assert sum(key.startswith("arm/") for key in shown) == 3  # the comparison
    mlflow = MlflowClient(stack.address(5000))
    experiment = next(one for one in mlflow.search_experiments() if one.name.startswith(f"{suite}."))
    for run in mlflow.search_runs([experiment.experiment_id]):
        key, files = run.data.tags["jetbench.key"], {one.path for one in mlflow.list_artifacts(run.info.run_id)}
        assert run.info.artifact_uri.startswith("mlflow-artifacts:/")  # the server alone talks to the bucket
        wanted = {"report.html", "results.json"} if key == "report" else {"roc.png"}
        assert files >= ({path.name for path in runs[key].artifacts()} if key in runs else wanted)
    key, found = next((key, found) for key, found in runs.items() if found.scores.exists())
    (run,) = mlflow.search_runs([experiment.experiment_id], f"tags.`jetbench.key` = '{key}'")
    copy = Path(mlflow.download_artifacts(run.info.run_id, "scores.h5", str(store.parent)))
    assert copy.read_bytes() == found.scores.read_bytes()


def test_a_server_that_is_killed_during_a_run_has_all_of_it_afterwards(stack: Stack, folder: Path) -> None:
    address, work = serve(stack), folder / "mlruns/work"
    process = client(folder, "run", "--suite", "killed.yaml", *SMALL, "--tracking-uri", address)
    wait_for_runs(work, 1, process)
    stack.end("mlflow", signal.SIGKILL)
    wait_for_runs(work, done(work) + 2, process)  # they are trained all the same
    os.kill(process.pid, signal.SIGSTOP)  # else a fast machine would be ready before the server is
    assert process.poll() is None
    serve(stack)
    os.kill(process.pid, signal.SIGCONT)
    output = told(process)
    assert "not in MLflow yet" in output
    assert "store sync" not in output.split("not in MLflow yet")[-1].split("\n", 1)[1]  # all of it was taken in the end
    assert_nothing_is_missing(stack, folder / "mlruns", "killed")
    assert not (folder / "mlruns/mlflow.db").exists()


def test_another_place_is_filled_from_the_folders_alone(stack: Stack, folder: Path) -> None:
    """The backup of a results folder: without its database and copies of artifacts, to be restored anywhere."""
    for name in ("work", "reports"):
        shutil.copytree(folder / "mlruns" / name, folder / "restored" / name)
    shutil.copy(folder / "mlruns/instances.jsonl", folder / "restored")
    sync = ("store", "sync", "--store", "restored", "--tracking-uri", "local")
    assert re.search(r"killed\.quick\.\w+: 8 runs, 3 runs of arms and the report shipped to sqlite:", told(client(folder, *sync)))
    with closing(sqlite3.connect(folder / "restored/mlflow.db")) as connection:
        points = connection.execute(POINTS.format("killed")).fetchall()
    assert Counter(points) == expected(folder / "mlruns/work")
    assert "nothing to ship" in told(client(folder, *sync))


def test_two_members_who_run_the_same_suite_at_once_keep_their_own_runs(stack: Stack, folder: Path) -> None:
    shared = ("run", "--suite", "shared.yaml", *SMALL, "--set", "seeds=1", "--tracking-uri", stack.address(5000), "--store")
    works = [folder / name / "work" for name in ("anna", "ben")]
    for process in [client(folder, *shared, work.parent.name) for work in works]:
        told(process)
    assert kept(stack, "shared") == expected(works[0]) + expected(works[1])
    of_anna, of_ben = (runs_of(stack, work.parent) for work in works)
    assert of_anna.keys() == of_ben.keys()
    assert len(of_anna) == 4 + 1 + 3  # runs, report, arms
    told(client(folder, *shared, "anna", "--rerun", "boosted-trees/boosted-trees/n50/s0"))
    assert kept(stack, "shared") == expected(works[0]) + expected(works[1])
    again = runs_of(stack, works[0].parent)
    assert again.keys() == of_anna.keys()
    assert again != of_anna
    (instance,) = {path.stem for path in works[0].glob("shared.*.lock")}
    told(client(folder, "store", "gc", instance, "--store", "anna"))
    sync = ("store", "sync", "--store", "ben", "--tracking-uri", stack.address(5000))
    assert "nothing to ship" in told(client(folder, *sync))
    assert runs_of(stack, works[0].parent) == again
    assert runs_of(stack, works[1].parent) == of_ben


def runs_of(stack: Stack, store: Path) -> dict[str, str]:
    """MLflow's ids of the runs of a store, which have one experiment, by their keys."""
    rows = stack.sql(RUNS.format(noted(store / "store.json")["id"]))
    assert len({experiment for *_, experiment in rows}) == 1
    return {key: run_id for key, run_id, _ in rows}


def test_a_server_that_was_away_is_filled_afterwards_and_no_secret_is_left_anywhere(stack: Stack, folder: Path) -> None:
    stack.end("mlflow")
    server = f"http://admin:{quote(PASSWORD, safe='')}@127.0.0.1:{stack.ports['5000']}"
    secret = {"MLFLOW_TRACKING_URI": server, "MLFLOW_TRACKING_TOKEN": TOKEN, "JETBENCH_STORE": "later"}
    outputs = [told(client(folder, "run", "--suite", "away.yaml", *SMALL, "--set", "seeds=1", **secret))]
    assert "4 runs are not in MLflow yet; `jetbench store sync` ships them" in outputs[0]
    outputs.append(told(client(folder, "store", "sync", **secret), 1))
    assert "is away" in outputs[-1]
    serve(stack, "mlflow-auth")
    wrong = secret | {"MLFLOW_TRACKING_URI": server.replace("admin", "nobody")}
    outputs.append(told(client(folder, "store", "sync", **wrong), 1))
    assert "cannot open http://127.0.0.1" in outputs[-1]
    outputs.append(told(client(folder, "store", "sync", **secret)))
    assert "4 runs, 3 runs of arms and the report shipped" in outputs[-1]
    before = snapshot(stack)
    outputs.append(told(client(folder, "store", "sync", "away", **secret)))
    assert "nothing to ship" in outputs[-1]
    assert snapshot(stack) == before
    assert kept(stack, "away") == expected(folder / "later/work")
    shown = states(stack, "away")
    assert set(shown.values()) == {"FINISHED"}
    assert len(shown) == 4 + 1 + 3  # runs, report, arms
    assert ask(stack.address(5000), "localhost:5000") == 401
    assert ask(stack.address(5000), "localhost:5000", ASSISTANT) == 404
    assert ask(stack.address(5000), "localhost:5000", ASSISTANT, user="admin") == 404
    assert ask(stack.address(5000), "localhost:5000", user="admin") == 200
    assert "Traceback" not in stack.log("mlflow-auth")
    for text in (
        *outputs,
        *(stack.log(name) for name in ("mlflow-auth", "s3", "postgres")),
        dump(stack).decode(errors="replace"),
    ):
        assert not [secret for secret in SECRETS if secret in text]
    assert not [path for path in (folder / "later").rglob("*") if path.is_file() and holds_a_secret(path)]
    assert not [path for path in (stack.folder / "data").rglob("*") if path.is_file() and holds_a_secret(path)]


def holds_a_secret(path: Path) -> bool:
    content = path.read_bytes()
    return any(secret.encode() in content for secret in SECRETS)


def snapshot(stack: Stack) -> dict[str, object]:
    """What the database says of runs, and how many there are of everything."""
    tables = ("experiments", "runs", "metrics", "latest_metrics", "params", "tags", "inputs", "datasets")
    counts = {table: stack.sql(f"select count(*), sum(hashtext({table}::text)) from {table}") for table in tables}
    return {**counts, "objects": sum(path.is_file() for path in (stack.folder / "data").rglob("*.dat"))}


def dump(stack: Stack) -> bytes:
    return stack.postgres_tool("pg_dump", "--username=mlflow", "mlflow")


DOCS = (FILE.parent / "docs/services.md").read_text(encoding="utf-8")


def documented(service: str) -> list[list[str]]:
    """What the page has a service's container do, as program and arguments, in its order."""
    return [line.split() for line in re.findall(rf"^docker compose .* {service} (.*?) [<>]", DOCS, re.M)]


def test_a_backup_of_database_and_bucket_brings_both_back(stack: Stack, folder: Path) -> None:
    """By the commands of the page."""
    stack.end("mlflow-auth")
    before = snapshot(stack)
    (save, restore), (pack, unpack) = documented("postgres"), documented("--entrypoint tar s3")
    database = stack.postgres_tool(*save)
    stack.end("s3")
    objects = subprocess.run(["tar", *map(stack.here, pack)], capture_output=True, check=True).stdout
    shutil.rmtree(stack.folder / "data")
    (stack.folder / "data").mkdir()
    stack.sql("drop schema public cascade", "create schema public")
    subprocess.run(["tar", *map(stack.here, unpack)], input=objects, check=True)
    stack.postgres_tool(*restore, given=database)
    stack.start("s3", stack.address(8333) + "/healthz")
    assert snapshot(stack) == before
    serve(stack)
    assert_nothing_is_missing(stack, folder / "mlruns", "killed")


def ask(address: str, host: str, path: str = "/api/2.0/mlflow/experiments/search?max_results=1", user: str = "") -> int:
    headers = {"Host": host}
    if user:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(address + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_server_answers_to_its_own_name_and_to_no_strangers(stack: Stack) -> None:
    address = stack.address(5000)
    assert [ask(address, host) for host in ("mlflow:5000", "localhost:5000", "evil.example")] == [200, 200, 403]
    assert ask(address, "localhost:5000", ASSISTANT) == 404


def test_every_check_of_health_finds_its_service_healthy_and_notices_its_end(stack: Stack) -> None:
    assert stack.healthy("mlflow")
    stack.end("mlflow")
    assert not stack.healthy("mlflow")


def test_the_scheduler_hands_jobs_to_two_workers_that_have_jetbench_and_may_start_processes(stack: Stack) -> None:
    """A training is a process of its own, which a daemon may not start."""
    stack.start("scheduler", stack.address(8787) + "/health")
    stack.start("worker", stack.address(8788) + "/health", ("--nworkers=2", "--name=worker"))
    assert stack.healthy("scheduler")
    assert stack.healthy("worker")
    assert not [name for name in stack.environment("worker") if CREDENTIALS.search(name) or name.startswith("MLFLOW")]
    with Client(f"tcp://127.0.0.1:{stack.ports['8786']}", timeout=60) as dask:
        dask.wait_for_workers(2, timeout=60)
        versions = dask.run(eval, "__import__('jetbench.cli').__version__")
        daemons = dask.run(eval, "__import__('multiprocessing').current_process().daemon")
    assert list(versions.values()) == [jetbench.__version__] * 2
    assert list(daemons.values()) == [False] * 2


def test_the_workers_train_a_suite_of_which_the_server_has_all(stack: Stack, folder: Path) -> None:
    """With what the test above has started: driver and workers hold no credentials."""
    address, scheduler, store = serve(stack), f"tcp://127.0.0.1:{stack.ports['8786']}", folder / "spread"
    where = ("--scheduler", scheduler, "--tracking-uri", address, "--store", store.name)
    told(client(folder, "run", "--suite", "spread.yaml", *SMALL, "--set", "seeds=1", *where))
    assert_nothing_is_missing(stack, store, "spread")
    trained = {path.parent.name for path in (store / "work").glob("*/done.json")}
    with Client(scheduler, timeout=60) as dask:
        logs = dask.run(lambda dask_worker: [str(line[0]) for line in dask_worker.state.log])
    handled = [{name for name in trained if any(line.startswith(f"{name}-") for line in log)} for log in logs.values()]
    assert [bool(names) for names in handled] == [True, True]
    assert set.union(*handled) == trained


def test_the_dashboard_reads_a_journal_of_optuna(stack: Stack) -> None:
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    optuna.create_study(study_name="rates", storage=JournalStorage(JournalFileBackend(str(stack.folder / "optuna.journal"))))
    stack.start("dashboard", stack.address(8080) + "/api/meta")
    assert stack.healthy("dashboard")
    with urllib.request.urlopen(stack.address(8080) + "/api/studies", timeout=30) as answer:
        assert b'"rates"' in answer.read()
