"""Folders of imported weights, by what they hold. Torch-free, since every plan asks for them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from jetbench.errors import DataFileError
from jetbench.spec import WeightsRef
from jetbench.tracking.folder import RunFolder

__all__ = ["find_weights", "weights_digest"]


def find_weights(folder: str) -> WeightsRef:
    """Find the weights that `jetbench model import` has written to a folder. Raises `DataFileError` where there are none."""
    return WeightsRef(name=folder, sha256=weights_digest(Path(folder).expanduser().absolute()))


def weights_digest(folder: Path) -> str:
    """Return the sha256 of the file of weights in a folder. Raises `DataFileError` where there is none."""
    try:
        with RunFolder(folder).weights.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        command = f"jetbench model import FILE --model NAME -o {folder}"
        raise DataFileError(f"{folder}: no imported weights are there ({error.strerror}); `{command}` makes them") from error
