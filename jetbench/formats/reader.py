"""What a reader of a foreign file does, and the guard that turns whatever a damaged file provokes into one clear error."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jetbench.errors import DataFileError, JetbenchError
from jetbench.jets import Jets, Meta

__all__ = ["BLOCK_BYTES", "Reader", "guarded"]

BLOCK_BYTES = 1 << 26  # of a file's own arrays in one block: 64 MB


class Reader(ABC):
    """One file of a format, opened. Nothing that the file contains is ever executed, and what it declares is believed only as
    far as its size on disk allows.

    A subclass opens its file in `__init__(path)` (a carded one in `__init__(path, card)`), under `guarded`, and sets `meta`,
    `jets` (their number) and `block` (jets that may be read at once: at most `BLOCK_BYTES` of the file's arrays, at least one).
    `remarks` are sentences for whoever converts the file, complete when all jets were read: above all where the jets that come
    out disagree with what the file says of them.
    `meta.class_names` is empty where the file does not say what its labels mean; the labels are then whole numbers from 0 on.
    Raises `DataFileError` where the file is not what it should be.
    """

    meta: Meta
    jets: int
    block: int
    remarks: Sequence[str] = ()

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Whether the content, not the name alone, is safely of this format; false for whatever cannot be read."""
        try:
            return cls.looks_right(path)
        except Exception:  # of foreign bytes libraries make almost any error, and each says that this is another format
            return False

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        """What `recognises` asks; any error means no. Never true of a carded format: only a card can say what the keys mean."""
        return False

    @abstractmethod
    def read(self, start: int, stop: int) -> tuple[Jets, dict[str, int]]:
        """Jets start..stop in memory, in the file's order, with `event` counting rows from 0; and the number of jets by named
        repair (a repair keeps every jet). stop − start is at most `block`; blocks come in any order, rising ones are fast.

        Raises `DataFileError` with file, row and column for values that are NaN or infinite, negative energies, labels that
        are no whole numbers.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Whatever goes wrong in a foreign file is one `DataFileError` that names it: libraries raise almost anything there."""
    try:
        yield
    except JetbenchError:
        raise
    except Exception as error:
        cause = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise DataFileError(f"{path}: damaged, truncated or of another format ({cause})") from error
