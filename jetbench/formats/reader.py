"""What a reader of a foreign file does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from jetbench.errors import DataFileError
from jetbench.jets import Jets, Meta
from jetbench.jets.guard import OWN, guarded

__all__ = ["BLOCK_BYTES", "Reader"]

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

    def __init_subclass__(cls) -> None:
        OWN.add(cls.__module__.partition(".")[0])

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the content, not the name alone, is safely of this format; no for whatever cannot be read."""
        try:
            with guarded(path):
                return cls.looks_right(path)
        except DataFileError:
            return False

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        """Answer for `recognises`, where any error of the file means no. Never true of a carded format: only a card can say what
        the keys mean."""
        return False

    @abstractmethod
    def read(self, start: int, stop: int) -> tuple[Jets, dict[str, int]]:
        """Read the jets start..stop, in the file's order, with `event` counting rows from 0; also return the number of jets by
        named repair (a repair keeps every jet). stop − start is at most `block`; blocks come in any order, rising ones are fast.

        Raises `DataFileError` with file, row and column for values that are NaN or infinite, negative energies, labels that
        are no whole numbers.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""
