"""MLflow's own pages over a results folder, in one small server that ends with the command."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import FrameType
from typing import IO

from jetbench.errors import StoreError
from jetbench.tracking.backend import ENVIRONMENT
from jetbench.tracking.database import copy_database
from jetbench.tracking.pages import APP, PASSWORD, USER
from jetbench.tracking.shared_views import view_link
from jetbench.tracking.store import Store

__all__ = ["ADDRESS", "chart_link", "servable", "serving", "ui"]

ADDRESS = "http://127.0.0.1:5000"  # where `ui` serves, unless it is told otherwise
START, STOP = 90.0, 5.0  # seconds


def chart_link(address: str, experiment_id: str | None, view: str | None = None) -> str:
    """Return the page that charts an experiment: by the shared `view` of that name, and without one its trainings side by side;
    the page of all experiments without an id."""
    here = address.rstrip("/")
    return f"{here}/{view_link(experiment_id, view)}" if experiment_id else f"{here}/#/experiments?workflowType=machine_learning"


def ui(
    store: Store,
    host: str = "127.0.0.1",
    port: int = 5000,
    experiment_id: str | None = None,
    view: str | None = None,
    echo: Callable[[str], None] = print,
    auth: bool = False,
) -> None:
    """Serve the store until Ctrl-C or SIGTERM, with `auth` behind a random password. StoreError when the port is taken or the
    server does not start."""
    if store.tracking_uri and auth:
        raise StoreError(f"--auth guards a server that it starts; {store.tracking_uri} is there already, and guards itself")
    if store.tracking_uri:
        echo(chart_link(store.tracking_uri, experiment_id, view))
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        password = secrets.token_urlsafe(16) if auth else None
        with serving(store, host, port, password) as (address, server):
            echo(chart_link(address, experiment_id, view))
            if password:
                echo(f"user {USER}, password {password}")
            echo("Ctrl-C ends it")
            server.wait()
            raise StoreError(f"MLflow's server ended by itself with exit status {server.returncode}")
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def servable(store: Store, echo: Callable[[str], None] = print) -> Iterator[Store]:
    """Yield a store that a server can work on: where its folder cannot be written, with a copy of its database, of which people
    are told. Raises `StoreError` where that has none."""
    if store.tracking_uri or all(os.access(path, os.W_OK) for path in (store.root, store.database) if path.exists()):
        yield store
        return
    if not store.database.exists():
        raise StoreError(
            f"{store.root} cannot be written and has no {store.database.name}: copy it, then `jetbench store sync --store COPY` "
            "makes one from the folders of the runs"
        )
    with TemporaryDirectory(prefix="jetbench-ui-") as folder:
        try:
            copy = copy_database(store.database, Path(folder))
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{store.database} cannot be copied ({error}); ask its owner to let you read it") from error
        echo(f"{store.root} cannot be written: the pages are of a copy of its database, as it is now; changes to them are lost")
        yield replace(store, copy=copy)


@contextmanager
def serving(
    store: Store, host: str = "127.0.0.1", port: int = 5000, password: str | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start a server and yield its address and process once it answers; it is gone with all its processes at the end."""
    refuse_taken_port(host, port)
    refuse_old_installation()
    store.prepare()
    guarded = {PASSWORD: password} if password else {}
    with TemporaryFile() as log:
        server = subprocess.Popen(
            _command(store, host, port),
            env=os.environ | ENVIRONMENT | guarded,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches this process only, which then ends the whole group
            cwd=store.root,
        )
        try:
            address = f"http://{host}:{port}"
            wait_until_healthy(address, server, log)
            yield address, server
        finally:
            _end(server)


def _command(store: Store, host: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1", "--app-name", APP),
        *("--backend-store-uri", store.uri, "--artifacts-destination", str(store.artifacts)),
    ]


def refuse_taken_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StoreError(f"cannot listen on {host}:{port}: {error.strerror}; choose another port with --port") from error


def refuse_old_installation() -> None:
    """Raise `StoreError` where the installed metadata do not name our app: MLflow's own would be no substitute."""
    if APP not in entry_points(group="mlflow.app").names:
        raise StoreError("MLflow does not find jetbench's pages: jetbench was installed before it had them; install it again")


def wait_until_healthy(address: str, server: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    deadline = time.monotonic() + START
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    log.seek(0)
    last = log.read().decode(errors="replace").strip().splitlines()[-5:]
    raise StoreError("\n".join(["MLflow's server does not start; its last words:", *last]))


def _end(server: subprocess.Popen[bytes]) -> None:
    """Terminate the whole process group, then kill what is left of it."""
    for sign, patience in ((signal.SIGTERM, STOP), (signal.SIGKILL, STOP)):
        try:
            os.killpg(server.pid, sign)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + patience
        while _group_lives(server) and time.monotonic() < deadline:
            time.sleep(0.05)


def _group_lives(server: subprocess.Popen[bytes]) -> bool:
    server.poll()  # else the dead leader stays in its group
    try:
        os.killpg(server.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
