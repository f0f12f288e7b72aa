"""Shared views of an experiment's page in MLflow: a tag of the experiment holds one, and a link opens it by its name.

The names stay the same: a later report changes what an old link opens.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

__all__ = ["ARMS", "RUNS", "TRAININGS", "packed", "view_link", "view_tag"]

ARMS, RUNS = "arms", "runs"  # the comparison, and the single runs
TRAININGS = " and ".join(f"tags.`jetbench.kind` != '{kind}'" for kind in ("report", "comparison", "arm"))  # what all others are


def view_tag(name: str) -> str:
    """Name the tag of an experiment that holds a view."""
    return f"mlflow.sharedViewState.{name}"


def packed(view: Mapping[str, Any]) -> str:
    """Write a view as the tag holds it."""
    return "deflate;" + base64.b64encode(zlib.compress(json.dumps(view).encode())).decode()


def view_link(experiment_id: str, view: str | None) -> str:
    """Return the link, within MLflow's pages, that charts an experiment by a view; without one its trainings as they come."""
    shown = f"viewStateShareKey={view}" if view else f"searchFilter={quote(TRAININGS)}"
    # without /runs the page forgets the rest and opens as a list; without the type it opens in its mode for language models
    return f"#/experiments/{experiment_id}/runs?workflowType=machine_learning&compareRunsMode=CHART&{shown}"
