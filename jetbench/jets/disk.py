"""A file for HDF5 to write to that outlives a full disk."""

from __future__ import annotations

import io
from typing import Any

__all__ = ["Disk"]


class Disk(io.FileIO):
    """The first error of writing is kept in `error`, and nothing is written any more. HDF5 hears nothing of it: a library whose
    own buffers cannot be emptied any more ends the process when it closes the file."""

    error: OSError | None = None

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        written = 0
        try:
            while written < len(view) and self.error is None:
                written += super().write(view[written:])
        except OSError as error:
            self.error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        if self.error is None:
            try:
                return super().truncate(size)
            except OSError as error:
                self.error = error
        return self.tell() if size is None else size
