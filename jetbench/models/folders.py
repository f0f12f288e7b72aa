"""Folders of imported weights, by what they hold. Torch-free, since every plan asks for them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from jetbench.errors import DataFileError
from jetbench.spec import WeightsRef
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.specs import refuse_faulty

__all__ = ["find_weights", "weights_digest"]

EMPTY = hashlib.sha256().hexdigest()  # of a file of no bytes


def find_weights(folder: str) -> WeightsRef:
    """Find the weights that `jetbench model import` has written to a folder. Raises `DataFileError` where there are none."""
    return WeightsRef(name=folder, sha256=weights_digest(Path(folder).expanduser().absolute()))


def weights_digest(folder: Path) -> str:
    """Return the sha256 of the file of weights in a folder. Raises `DataFileError` where there is none, an empty one, or one
    that is faulty on purpose."""
    refuse_faulty(folder)
    command = f"`jetbench model import FILE --model NAME -o {folder}` makes them"
    try:
        with RunFolder(folder).weights.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = "the folder holds none" if folder.is_dir() and not RunFolder(folder).weights.exists() else error.strerror
        raise DataFileError(f"{folder}: no imported weights are there ({reason}); {command}") from error
    if found == EMPTY:
        raise DataFileError(f"{RunFolder(folder).weights}: is empty; remove the folder, and {command}")
    return found
