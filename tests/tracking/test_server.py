"""Which server is chosen, as whom it is asked, and how soon it is given up."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator

import pytest

from jetbench.errors import StoreError
from jetbench.tracking.server import credentials, refuse_absent, tracking_server
from jetbench.tracking.store import Store

OWN, MLFLOWS = "JETBENCH_TRACKING_URI", "MLFLOW_TRACKING_URI"


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch):
    for name in (OWN, MLFLOWS):
        monkeypatch.delenv(name, raising=False)


def test_the_option_wins_then_our_variable_then_mlflows(monkeypatch):
    assert tracking_server() is None
    monkeypatch.setenv(MLFLOWS, "http://third:5000/")
    assert tracking_server() == "http://third:5000"
    monkeypatch.setenv(OWN, "https://second/mlflow/")
    assert tracking_server() == "https://second/mlflow"
    assert tracking_server("http://first:5000") == "http://first:5000"


def test_the_database_of_the_folder_can_be_asked_for(monkeypatch):
    monkeypatch.setenv(MLFLOWS, "http://third:5000")
    assert tracking_server("local") is None
    monkeypatch.setenv(OWN, "local")
    assert tracking_server() is None
    monkeypatch.setenv(OWN, "  ")
    assert tracking_server() == "http://third:5000"


@pytest.mark.parametrize(
    "given",
    [
        "sqlite:///mlflow.db",
        "file:///tmp/mlruns",
        "./mlruns",
        "databricks",
        "postgresql://u:planted@db/x",
        "http://",
        "http://h:port",
        "planted",
        "planted-token-of-a-server.planted",
        "me:planted@host://",
    ],
)
def test_what_is_no_server_is_refused_with_what_to_do(given, monkeypatch):
    monkeypatch.setenv(MLFLOWS, given)
    with pytest.raises(StoreError, match=r"MLFLOW_TRACKING_URI names no MLflow server.* set JETBENCH_TRACKING_URI=local") as told:
        tracking_server()
    assert "planted" not in str(told.value)


def test_the_kind_of_address_that_is_refused_is_told():
    with pytest.raises(StoreError, match=r"names no MLflow server \(postgresql://…\): "):
        tracking_server("postgresql://u:planted@db/x")


def test_a_password_in_the_address_goes_to_that_address_alone(monkeypatch):
    monkeypatch.setenv(MLFLOWS, "https://me:pl%40nted@host:5000/mlflow?x=planted")
    server = tracking_server()
    assert server == "https://host:5000/mlflow"
    assert credentials(server) == {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "pl@nted"}
    assert credentials("https://elsewhere:5000/mlflow") == {}
    monkeypatch.setenv(OWN, "https://host:5000")
    assert credentials(tracking_server()) == {}


@pytest.mark.parametrize("other", ["sqlite:///mlflow.db", "local", "http://host:port", "http://[me"])
def test_an_address_that_was_not_chosen_is_no_trouble(other, monkeypatch):
    monkeypatch.setenv(MLFLOWS, other)
    assert credentials(tracking_server("http://host:5000")) == {}
    assert credentials("sqlite:///mlruns/mlflow.db") == {}


def test_a_password_on_the_command_line_is_refused():
    with pytest.raises(StoreError, match="others can read a password on a command line") as told:
        tracking_server("http://me:planted@host:5000")
    assert "planted" not in str(told.value)


def test_no_store_tells_a_password(monkeypatch, tmp_path):
    monkeypatch.setenv(OWN, "http://me:planted@host:5000")
    store = Store(tmp_path, tracking_server())
    assert "planted" not in f"{store!r} {store.uri}"


class Answer(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *given):
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "there"), [(200, True), (404, True), (401, True), (502, False), (503, False)])
def test_who_complains_is_there_and_a_proxy_without_its_server_is_not(status, there, server, monkeypatch):
    monkeypatch.setattr(Answer, "status", status)
    if there:
        refuse_absent(server)
        return
    with pytest.raises(StoreError, match=rf"is away \(it answers {status}\); `jetbench store sync`"):
        refuse_absent(server)


def test_a_server_that_is_away_is_given_up_at_once():
    start = time.monotonic()
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9 is away"):
        refuse_absent("http://127.0.0.1:9")
    assert time.monotonic() - start < 4  # MLflow's client would wait for twelve seconds
