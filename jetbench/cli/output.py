"""Where pages are written that a command makes of results: into the store, or wherever its user says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

__all__ = ["output_option", "page_folder"]

output_option: Callable[..., Any] = click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write into this folder; the store and MLflow stay as they are.",
)


def page_folder(output: Path | None, own: Path) -> Path:
    """Return the folder of a page: what the user names, else the store's `own`. Raises `StoreError`, before anything is computed,
    where it cannot be written, or has no folder to be made in: the name may be misspelt."""
    from jetbench.errors import StoreError

    folder = own if output is None else output.absolute()
    if output is not None and not folder.parent.is_dir():
        raise StoreError(f"{output}: there is no folder {folder.parent}; make it, or name another output")
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        remedy = "name another folder" if output else "write elsewhere with --output FOLDER"
        raise StoreError(f"{folder} cannot be written; {remedy}")
    return folder
