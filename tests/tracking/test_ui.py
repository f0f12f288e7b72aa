import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from importlib.metadata import EntryPoints
from urllib.parse import unquote

import pytest

from jetbench.errors import StoreError
from jetbench.report.review.runs import finals_view, trainings_view
from jetbench.tasks.task import Metric
from jetbench.tracking import backend
from jetbench.tracking.journal import Journal
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.store import Store
from jetbench.tracking.ui import chart_link, refuse_old_installation, refuse_taken_port, ui

UI = """
import sys
from pathlib import Path
from jetbench.tracking.store import Store
from jetbench.tracking.ui import ui
ui(Store(Path(sys.argv[1])), port=int(sys.argv[2]), experiment_id="1", echo=lambda line: print(line, flush=True))
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_link_opens_the_charts_of_an_experiment():
    link = chart_link("http://127.0.0.1:5000", "7")
    assert link.startswith("http://127.0.0.1:5000/#/experiments/7/runs?workflowType=machine_learning&compareRunsMode=CHART&")
    assert "compareRunsMode" not in chart_link("http://127.0.0.1:5000", None)


def test_without_a_view_it_opens_on_the_trainings(store, tmp_path):
    tracker, client, page = MlflowTracker(store, "suite"), backend.client(store.uri), tmp_path / "page.html"
    page.write_text("<p>all</p>")
    for kind in ("report", "comparison"):
        tracker.log_report([page], kind, kind)
    client.create_run(tracker.experiment_id, tags={"jetbench.kind": "arm"})
    trained = client.create_run(tracker.experiment_id, tags={"jetbench.kind": "final"})
    query = unquote(chart_link("http://127.0.0.1:5000", tracker.experiment_id).rpartition("searchFilter=")[2])
    assert [run.info.run_id for run in client.search_runs([tracker.experiment_id], query)] == [trained.info.run_id]


def test_mlflow_finds_the_runs_of_the_views_in_their_order(store):
    client, metric = backend.client(store.uri), Metric(key="auc", name="AUC", larger_is_better=True)
    for kind in ("trial", "final", "pretrain", "check", "arm", "report", "comparison"):
        client.create_run("0", tags={"jetbench.kind": kind}, run_name=f"a {kind}")
    for view, kinds in ((finals_view(metric), ["final"]), (trainings_view(metric), ["check", "final", "pretrain", "trial"])):
        found = client.search_runs(["0"], view["searchFilter"], order_by=[f"{view['orderByKey']} ASC"])
        assert [run.data.tags["jetbench.kind"] for run in found] == kinds


def test_a_taken_port_is_an_error_with_the_remedy():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(StoreError, match=r"cannot listen on 127\.0\.0\.1:\d+.*--port"):
            refuse_taken_port("127.0.0.1", other.getsockname()[1])


def test_a_store_on_a_server_only_shows_its_link(tmp_path):
    lines = []
    ui(Store(tmp_path, "http://127.0.0.1:5000/"), experiment_id="7", echo=lines.append)
    assert lines == [chart_link("http://127.0.0.1:5000", "7")]


def test_a_password_is_made_up_each_time_and_printed(tmp_path, monkeypatch):
    given = []

    class Server:
        def wait(self):
            raise KeyboardInterrupt

    @contextmanager
    def serving(store, host, port, password):
        given.append(password)
        yield "http://127.0.0.1:5000", Server()

    monkeypatch.setattr("jetbench.tracking.ui.serving", serving)
    lines = []
    for auth in (True, True, False):
        ui(Store(tmp_path), echo=lines.append, auth=auth)
    first, second, none = given
    assert none is None
    assert first != second
    assert min(len(first), len(second)) >= 20
    assert [line for line in lines if "password" in line] == [f"user jetbench, password {word}" for word in (first, second)]
    assert not any("@" in line for line in lines)  # browsers refuse what a page asks for from an address with a password in it
    with pytest.raises(StoreError, match=r"http://elsewhere is there already"):
        ui(Store(tmp_path, "http://elsewhere"), auth=True)


def test_an_installation_without_the_pages_is_an_error_with_the_remedy(monkeypatch):
    monkeypatch.setattr("jetbench.tracking.ui.entry_points", lambda group: EntryPoints())
    with pytest.raises(StoreError, match="install it again"):
        refuse_old_installation()


def processes_of(group):
    """Processes whose group is `group`, zombies aside."""
    listing = subprocess.run(["ps", "-eo", "pgid=,stat=,pid="], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if line.split()[0] == str(group) and not line.split()[1].startswith("Z")]


def children_of(pid):
    listing = subprocess.run(["ps", "-eo", "ppid=,pid="], capture_output=True, text=True, check=True).stdout
    return [int(fields[1]) for line in listing.splitlines() if (fields := line.split())[0] == str(pid)]


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_pages_open_take_runs_and_end_without_leftovers(tmp_path, card, sign, capfd):
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", UI, str(tmp_path / "served"), str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert re.match(rf"http://127\.0\.0\.1:{port}/#/experiments/1/runs\?", process.stdout.readline())
        (server,) = children_of(process.pid)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            assert b"MLflow" in page.read()
        over_http = MlflowTracker(Store(tmp_path, f"http://127.0.0.1:{port}"), "suite")
        run = card(params=(("optim.lr", "0.1"),))
        with Journal(run.journal) as journal:
            journal.append(0, {"test/auc": 0.9})
            journal.commit()
        report = tmp_path / "roc.json"
        report.write_text("{}")
        over_http.publish(run)
        over_http.finish(run, "FINISHED", [report])
        process.send_signal(sign)
        assert process.wait(20) == 0
        deadline = time.monotonic() + 5
        while processes_of(server) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert processes_of(server) == []
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert capfd.readouterr() == ("", "")
    import mlflow

    client = mlflow.MlflowClient(Store(tmp_path / "served").uri)
    (found,) = client.search_runs([client.get_experiment_by_name("suite").experiment_id])
    assert (found.info.status, found.data.metrics) == ("FINISHED", {"test/auc": 0.9})
    assert [path.name for path in (tmp_path / "served" / "artifacts").rglob("roc.json")] == ["roc.json"]
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
