"""The scheduler runs a job, and a server is asked for its health without its password being shown."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from jetbench.doctor import services
from jetbench.doctor.services import look_at_scheduler, look_at_server


@contextmanager
def answering(status: int) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *given: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JETBENCH_TRACKING_URI", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


def test_the_scheduler_runs_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.state for one in look_at_scheduler()] == ["ok"]

    def shut(workers: int) -> Iterator[None]:
        raise OSError("no socket")

    monkeypatch.setattr(services, "local_cluster", shut)
    (found,) = look_at_scheduler()
    assert (found.state, found.told) == ("mend", "Dask does not start here (no socket)")


def test_without_a_name_there_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.told for one in look_at_server()] == ["none is named: MLflow's database lies in the store"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///x.db")
    (found,) = look_at_server()
    assert found.state == "mend"  # `jetbench run` refuses it too
    assert found.told.startswith("MLFLOW_TRACKING_URI names no MLflow server (sqlite://…)")
    assert "set JETBENCH_TRACKING_URI=local" in found.told


def test_a_server_that_answers_and_one_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@{address}/")
        (found,) = look_at_server()
        assert (found.state, found.told) == ("ok", f"http://{address} answers")
    with answering(500) as address:
        monkeypatch.setenv("JETBENCH_TRACKING_URI", f"http://user:secret@{address}")
        (found,) = look_at_server()
        assert (found.state, found.what) == ("note", "server")
        assert "secret" not in found.told
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("JETBENCH_TRACKING_URI", f"http://127.0.0.1:{taken.getsockname()[1]}")
        (found,) = look_at_server()
        assert found.state == "note"
        assert "is away (" in found.told
        assert "start it, or mend the address" in found.remedy
