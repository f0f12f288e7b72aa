import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from jetbench.tracking.pages import ASSISTANT, PASSWORD, USER, Guard
from jetbench.tracking.store import Store
from jetbench.tracking.ui import serving

ROUTES = """
import json
import os
from mlflow.server.assistant.api import assistant_router
print(json.dumps([[sorted(route.methods)[0], route.path] for route in assistant_router.routes]))
"""

USERS = """
import asyncio
import base64
import json
from jetbench.tracking.pages import create_app_with_users

app = create_app_with_users()
asked = {
    "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
    "query_string": b"", "root_path": "", "server": ("localhost", 5000), "client": ("127.0.0.1", 1),
}

def answer(path, password):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"localhost:5000")]
    if password:
        headers.append((b"authorization", b"Basic " + base64.b64encode(b"admin:" + password.encode())))
    asyncio.run(app({**asked, "path": path, "raw_path": path.encode(), "headers": headers}, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode()

found = {}
for password in ("", "wrong-password", "right-password"):
    found[password] = [
        answer("/ajax-api/2.0/mlflow/users/current", password)[0],
        answer("/ajax-api/3.0/mlflow/assistant/config", password)[0],
    ]
print(json.dumps([found, "data-assistant-ui]{display:none" in answer("/", "right-password")[1]]))
"""


def basic(password, user=USER):
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


def status(guard, path, authorization=None):
    """What the guard answers; 200 where it passes the request on."""
    sent = []

    async def send(message):
        sent.append(message)

    headers = [] if authorization is None else [(b"authorization", authorization)]
    asyncio.run(guard({"type": "http", "method": "GET", "path": path, "headers": headers}, None, send))
    return sent[0]["status"] if sent else 200


async def passed_on(scope, receive, send):
    """An app that lets everything through."""


@pytest.mark.parametrize("prefix", ["", "/behind/a/proxy"])
def test_the_assistant_is_not_there(prefix):
    guard = Guard(passed_on)
    assert status(guard, f"{prefix}/ajax-api/3.0/mlflow/assistant/config") == 404
    assert status(guard, f"{prefix}/ajax-api/3.0/mlflow/assistant") == 404
    assert status(guard, f"{prefix}/ajax-api/2.0/mlflow/runs/search") == 200


def test_only_who_knows_the_password_gets_in():
    guard = Guard(passed_on, "secret")
    assert status(guard, "/", basic("secret")) == 200
    for wrong in (None, b"", b"Basic", b"Bearer secret", basic("Secret"), basic(""), basic("secret", "root")):
        assert status(guard, "/", wrong) == 401
        assert status(guard, "/ajax-api/3.0/mlflow/assistant/config", wrong) == 401
    assert status(guard, "/ajax-api/3.0/mlflow/assistant/config", basic("secret")) == 404
    assert status(guard, "/health") == 200  # says nothing but that there is a server


def test_the_life_of_the_app_goes_on():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(Guard(app, "secret")({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]


def asked(address, method="GET", password=None):
    headers = {"Content-Type": "application/json"}
    if password:
        headers["Authorization"] = basic(password).decode()
    body = None if method == "GET" else b"{}"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers, method=method), timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


@pytest.mark.slow
def test_a_real_server_has_no_assistant_and_asks_for_the_password(tmp_path, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = subprocess.run([sys.executable, "-W", "ignore", "-c", ROUTES], capture_output=True, text=True, check=True).stdout
    routes = json.loads(told.splitlines()[-1])
    assert len(routes) > 8
    with serving(Store(tmp_path), port=port, password="secret") as (address, _):
        assert asked(f"{address}/health") == (200, b"OK")
        assert asked(address)[0] == asked(f"{address}/ajax-api/2.0/mlflow/experiments/search?max_results=1")[0] == 401
        assert asked(f"{address}/ajax-api/2.0/mlflow/experiments/search?max_results=1", password="secret")[0] == 200
        for method, path in routes:
            assert ASSISTANT in path
            assert asked(address + path.format(provider="ollama", session_id="0"), method, "secret")[0] == 404, path
        assert b"[data-assistant-ui]{display:none!important}" in asked(address, password="secret")[1]
        import mlflow

        for name, value in (("MLFLOW_TRACKING_USERNAME", USER), ("MLFLOW_TRACKING_PASSWORD", "secret")):
            monkeypatch.setenv(name, value)
        assert mlflow.MlflowClient(address).get_experiment("0").name == "Default"
    assert PASSWORD not in os.environ


def test_the_parts_that_are_hidden_are_marked_as_the_assistants():
    from importlib.util import find_spec
    from pathlib import Path

    (script,) = Path(find_spec("mlflow").origin).parent.glob("server/js/build/static/js/main.*.js")
    assert script.read_text().count('"data-assistant-ui":"true"') == 4


@pytest.mark.slow
def test_the_app_with_users_asks_for_one_and_has_no_assistant_for_any(tmp_path):
    settings = tmp_path / "auth.ini"
    settings.write_text(f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{tmp_path}/users.db\n")
    told = {
        "MLFLOW_AUTH_CONFIG_PATH": str(settings),
        "MLFLOW_AUTH_ADMIN_USERNAME": "admin",
        "MLFLOW_AUTH_ADMIN_PASSWORD": "right-password",
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "of-the-sessions",
        "_MLFLOW_SGI_NAME": "uvicorn",  # as `mlflow server` tells its workers
        "TMPDIR": str(tmp_path),
    }
    command = [sys.executable, "-W", "ignore", "-c", USERS]
    ended = subprocess.run(command, env=os.environ | told, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found, hidden = json.loads(ended.stdout.splitlines()[-1])
    assert found == {"": [401, 404], "wrong-password": [401, 404], "right-password": [200, 404]}
    assert hidden
    assert not list(tmp_path.glob("*.lock"))


def test_the_apps_that_setup_names_are_factories():
    """MLflow calls what an entry point names where it is a function."""
    import configparser
    import types
    from importlib import import_module
    from pathlib import Path

    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    named = dict(line.split(" = ") for line in setup["options.entry_points"]["mlflow.app"].split("\n") if line)
    assert named.keys() == {"jetbench", "jetbench-auth"}
    for value in named.values():
        module, name = value.split(":")
        assert isinstance(getattr(import_module(module), name), types.FunctionType)
