"""Files appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from jetbench.errors import StoreError

__all__ = ["write_atomically"]


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file beside its place, sync it and rename it; raises `StoreError` where the folder does not let us."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error}); is the disk full or the folder read-only?") from error
    finally:
        with contextlib.suppress(OSError):  # what stopped the writing may stop this too, and is the error to show
            temporary.unlink(missing_ok=True)
