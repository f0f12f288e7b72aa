"""A file for HDF5 to write to that outlives a full disk."""

from __future__ import annotations

import io
from typing import Any

__all__ = ["Disk"]


class Disk(io.FileIO):
    """A file that keeps its first error of writing in `error` and writes nothing from then on.

    HDF5 does not hear of it, since it ends the process when it closes a file that its buffers cannot be written to.
    """

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
