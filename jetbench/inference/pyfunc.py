"""Runs in a folder of their own, which MLflow loads by this module: files that hold no code but that of plug-ins, and a list of
them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jetbench.errors import DataFileError
from jetbench.files import write_json
from jetbench.inference.ensemble import Ensemble
from jetbench.inference.loading import load_predictor
from jetbench.jets import Jets, Meta
from jetbench.plugins import keep

__all__ = ["Served", "pack", "unpack"]

LIST = "ensemble.json"


class Served:
    """What `mlflow.pyfunc.load_model` gives: `predict` takes jets, or the path of a file of them, as `Ensemble.predict` does."""

    def __init__(self, ensemble: Ensemble) -> None:
        self.ensemble = ensemble

    def predict(self, data: str | Path | Jets, params: dict[str, Any] | None = None) -> Any:
        """Predict jets; `params` are MLflow's, and there are none."""
        return self.ensemble.predict(data)


def pack(ensemble: Ensemble, folder: Path) -> None:
    """Copy what the members need into a folder, each into one of its own."""
    for number, member in enumerate(ensemble.members.values()):
        (folder / str(number)).mkdir(parents=True)
        for file in member.files:
            shutil.copyfile(file, folder / str(number) / file.name)
        keep(folder, member.spec.plugins)
    names = list(ensemble.members)
    write_json(folder / LIST, {"name": ensemble.name, "members": names, "meta": ensemble.meta.model_dump(mode="json")})


def unpack(folder: Path) -> Ensemble:
    """Load what `pack` has written. Raises `DataFileError` for a folder that is damaged, and as `load_predictor` does."""
    try:
        told = json.loads((folder / LIST).read_text())
        name, meta = str(told["name"]), Meta.model_validate(told["meta"])
        members = {str(one): folder / str(number) for number, one in enumerate(told["members"])}
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise DataFileError(f"{folder / LIST}: no readable list of runs ({error}); register the model again") from error
    return Ensemble(name, {one: load_predictor(place, meta) for one, place in members.items()}, meta)


def _load_pyfunc(path: str) -> Served:
    """Load the folder; MLflow calls a loader module by this name."""
    return Served(unpack(Path(path)))
