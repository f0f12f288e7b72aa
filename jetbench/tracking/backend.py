"""How MLflow is imported: late, quiet, and without telemetry."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from jetbench.errors import StoreError
from jetbench.tracking.server import credentials

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["ENVIRONMENT", "client", "forget_places", "load", "speaking_plainly"]

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # with MLflow's own values a server that is away blocks one call for four minutes
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
SHIPPED_LATER = "the runs' folders hold everything, the same command ships it later"
_lock = threading.Lock()


def load() -> ModuleType:
    """Import MLflow once (1.5 s), with jetbench's settings; what the user has set in the environment wins."""
    with _lock:
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        import mlflow

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        # it logs the traceback of every failed statement; speaking_plainly tells what matters
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        return mlflow


def client(uri: str) -> MlflowClient:
    """Connect to a database or a server; to that as whom the environment says. MLflow takes user, password and token from there
    alone, so that no address, message or log of ours contains them. Where the variables lack what the address has of user and
    password, both are those of the address: nobody's name goes with another's password."""
    mlflow = load()
    given = {name: value for name, value in credentials(uri).items() if value}
    if not all(os.environ.get(name) for name in given):
        os.environ.update(given)
    return mlflow.MlflowClient(uri)


def forget_places() -> None:
    """Let MLflow ask anew where artifacts lie: it remembers that by a run's id alone, in the whole process, and runs of a copied
    store have the ids of the original's."""
    from mlflow.tracking._tracking_service import utils

    utils._artifact_repos_cache.clear()


@contextmanager
def speaking_plainly(what: str, remedy: str = SHIPPED_LATER) -> Iterator[None]:
    """Turn the failures of a store (locked, away, full, refused) into a StoreError that begins with `what` failed and ends with
    the remedy."""
    import sqlalchemy.exc

    mlflow = load()
    try:
        yield
    except (mlflow.MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        # the database's own words stand at the bottom of two wrappers
        cause = " ".join(str(getattr(error.__cause__, "orig", None) or error).split())[:300]
        raise StoreError(f"{what}: {cause}; {remedy}") from error
