"""What answers under the address of a server: MLflow's app without its assistant, for `jetbench ui` behind a password where one
is set, for a group behind MLflow's own users.

MLflow 3.17 offers an assistant to whoever reaches the port: its routes take a provider with permissions, and its tool then runs
shell commands as the server's user. No setting turns it off. The server is started by `mlflow server --app-name jetbench`, or
`jetbench-auth`, which finds the app by its entry point.
"""

from __future__ import annotations

import base64
import hmac
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.files import file_lock
from jetbench.tracking import backend

if TYPE_CHECKING:
    from flask import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["APP", "ASSISTANT", "PASSWORD", "USER", "Guard", "create_app", "create_app_with_users"]

APP, USER = "jetbench", "jetbench"
PASSWORD = "JETBENCH_UI_PASSWORD"  # an environment is hidden from other users of the machine, a command line is not
ASSISTANT = "/mlflow/assistant"  # in the path of each of its routes, whatever is in front
UNGUARDED = "/health"
# its button, and its panel, which opens by itself on a first visit
HIDDEN = b"<style>[data-assistant-ui]{display:none!important}</style></head>"


class Guard:
    """Passes requests on to `app`, but for those of the assistant (404), and those without the password, where there is one
    (401)."""

    def __init__(self, app: ASGIApp, password: str | None = None) -> None:
        self.app = app
        told = base64.b64encode(f"{USER}:{password}".encode())
        self.expected = b"Basic " + told if password else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import PlainTextResponse

        answer = self.app
        if scope["type"] != "lifespan" and not self._knows(scope):
            answer = PlainTextResponse("a password is needed", 401, {"WWW-Authenticate": 'Basic realm="jetbench"'})
        elif scope["type"] != "lifespan" and ASSISTANT in scope["path"]:
            answer = PlainTextResponse("not here", 404)
        await answer(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        return self.expected is None or scope["path"] == UNGUARDED or hmac.compare_digest(given, self.expected)


def create_app() -> ASGIApp:
    """Make the app; the password is that of the environment."""
    backend.load()
    from mlflow.server import app as pages
    from mlflow.server.fastapi_app import app

    pages.after_request(_without_panel)
    return Guard(app, os.environ.get(PASSWORD))


def create_app_with_users() -> ASGIApp:
    """Make the app that asks for one of MLflow's users (basic-auth), as the settings at MLFLOW_AUTH_CONFIG_PATH say."""
    backend.load()
    from mlflow.server import app as pages

    # one worker of a server at a time: each makes the tables and the first user where there are none
    with file_lock(Path(tempfile.gettempdir()) / f"jetbench-auth.{os.getuid()}.{os.getppid()}.lock", remove=True):
        from mlflow.server.auth import create_app as with_users

        app = with_users()
    pages.after_request(_without_panel)
    return Guard(app)


def _without_panel(response: Response) -> Response:
    """Hide what would call the assistant from MLflow's one page."""
    from flask import request

    if request.endpoint == "serve":
        response.direct_passthrough = False
        response.set_data(response.get_data().replace(b"</head>", HIDDEN))
    return response
