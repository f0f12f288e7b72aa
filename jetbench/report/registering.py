"""Runs as a version of a model in the store's registry."""

from __future__ import annotations

import json
import tempfile
from importlib.metadata import version
from pathlib import Path

from jetbench.inference import Ensemble
from jetbench.inference.pyfunc import pack
from jetbench.models import models
from jetbench.report.loading import load_subject
from jetbench.report.subjects import Subject
from jetbench.tracking.registry import Registered, register
from jetbench.tracking.store import Store

__all__ = ["register_subject"]

LOADER = "jetbench.inference.pyfunc"
PACKAGES = ("jetbench", "torch", "numpy", "scikit-learn", "skops")  # whose versions the numbers of a model depend on


def register_subject(found: Subject, store: Store, name: str, alias: str | None = None) -> Registered:
    """Register runs as a version of a model; `alias` points to it. The same runs make no second version.

    Raises `StoreError` for a name that MLflow cannot address and where the store does not take it, and errors as `load_subject`.
    """
    ensemble = load_subject(found, store)
    for member in ensemble.members.values():
        member.refuse(ensemble.meta)
    tags = {"jetbench.run": found.name, "jetbench.instance": found.instance.name, "jetbench.runs": json.dumps(found.keys)}
    with tempfile.TemporaryDirectory() as workplace:
        content = Path(workplace) / "runs"
        pack(ensemble, content)
        return register(store, content, LOADER, name, alias, _requirements(ensemble), tags)


def _requirements(ensemble: Ensemble) -> list[str]:
    extras = {models[member.model_name].extra for member in ensemble.members.values()} - {""}
    return [f"{package}=={version(package)}" for package in (*PACKAGES, *sorted(extras))]
