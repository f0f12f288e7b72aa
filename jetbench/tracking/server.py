"""Which MLflow server a results folder reports to, and as whom."""

from __future__ import annotations

import http.client
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import SplitResult, unquote, urlsplit

from jetbench.errors import StoreError

__all__ = ["LOCAL", "credentials", "refuse_absent", "tracking_server"]

OPTION, VARIABLES = "--tracking-uri", ("JETBENCH_TRACKING_URI", "MLFLOW_TRACKING_URI")
LOCAL = "local"
USER, PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
PATIENCE = 5.0  # seconds for a server to say that it is there


def tracking_server(option: str | None = None) -> str | None:
    """Return the address of the server, http://host:port: the `--tracking-uri` option, else `JETBENCH_TRACKING_URI`, else
    `MLFLOW_TRACKING_URI`. None means the database of the results folder: where none is named, and for "local".

    User and password are never part of it. Raises `StoreError` for an address of another kind, and for a password in the option.
    """
    for name, given in _named(option):
        if given == LOCAL:
            return None
        address = _split(name, given)
        if name == OPTION and address.username is not None:
            raise StoreError(
                f"{OPTION}: others can read a password on a command line; set {USER} and {PASSWORD}, or have it in {VARIABLES[0]}"
            )
        return _plain(address)
    return None


def credentials(server: str) -> dict[str, str]:
    """Return user and password that the environment has in the address of this server, as the variables that MLflow reads;
    empty where it has none."""
    for _, given in _named(None):
        address = _parsed(given)
        if address and address.username is not None and _plain(address) == server:
            return {USER: unquote(address.username), PASSWORD: unquote(address.password or "")}
    return {}


def refuse_absent(server: str) -> None:
    """Raise `StoreError` within seconds where nobody answers at the address: MLflow's client would try for much longer. What
    answers with a complaint is there, and the client, which knows more of certificates and passwords, will say what is wrong."""
    try:
        with urllib.request.urlopen(f"{server}/health", timeout=PATIENCE):
            return
    except urllib.error.HTTPError as error:
        if error.code < 500:
            return
        reason: object = f"it answers {error.code}"
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return
    raise StoreError(f"MLflow's server {server} is away ({reason}); `jetbench store sync` ships what it lacks once it is back")


def _named(option: str | None) -> Iterator[tuple[str, str]]:
    """What has a value of the places that may name a server, first the one that wins."""
    values = {OPTION: option, **{name: os.environ.get(name) for name in VARIABLES}}
    return ((name, value.strip()) for name, value in values.items() if value and value.strip())


def _split(name: str, given: str) -> SplitResult:
    address = _parsed(given)
    if address:
        return address
    kind = SCHEME.match(given)
    shown = f" ({kind.group()}…)" if kind else ""  # anything else may be a password or a token
    raise StoreError(
        f"{name} names no MLflow server{shown}: jetbench reports to one at http://… or https://…, or to the database of its "
        f"results folder; for that one set {VARIABLES[0]}={LOCAL}"
    )


def _parsed(given: str) -> SplitResult | None:
    """The parts of an address of a server; None where it is no such address."""
    try:
        address = urlsplit(given)
        known = address.scheme in ("http", "https") and address.hostname and (address.port or True)
    except ValueError:  # a port that is no number
        return None
    return address if known else None


def _plain(address: SplitResult) -> str:
    """The address without user, password, query and fragment."""
    host = address.netloc.rpartition("@")[2]
    return f"{address.scheme}://{host}{address.path.rstrip('/')}"
