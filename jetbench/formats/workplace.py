"""Where a conversion works: a hidden folder beside its output, owned by one process; what a killed one has made stays there."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from jetbench.errors import BusyError, DataFileError
from jetbench.files import file_lock, write_json
from jetbench.jets import SourceFile, open_jets

__all__ = ["Remarks", "made_of", "workplace"]


@contextmanager
def workplace(output: Path) -> Iterator[Path]:
    """Own the folder for a conversion's blocks while inside. It is gone afterwards, unless the conversion failed and blocks wait
    there for the next one.

    Raises `BusyError` where another process owns it, `DataFileError` where the system refuses to write.
    """
    folder = output.with_name(f".{output.name}.blocks")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file_lock(folder / "lock", wait=False) as free:
            if not free:
                raise BusyError(f"another process is writing {output}; wait for it, or choose another output")
            try:
                yield folder
            except BaseException:
                if not any(folder.glob("*.h5")):
                    shutil.rmtree(folder)
                raise
            shutil.rmtree(folder)
    except OSError as error:
        raise DataFileError(f"{output}: cannot be written ({error}); is the disk full or the folder read-only?") from error


def made_of(output: Path, paths: list[Path]) -> tuple[SourceFile, ...] | None:
    """Return what the output was made of, where it is a file of jets from an earlier conversion; None where there is no file.

    Raises `DataFileError` where it is one of the files to convert, at `paths`, or no file of jets.
    """
    if not output.exists():
        return None
    if output.resolve() in [path.resolve() for path in paths]:
        raise DataFileError(f"{output} is one of the files to convert; choose another output")
    try:
        return open_jets(output).meta.provenance.files
    except DataFileError as error:
        raise DataFileError(f"{output} is there already and no file of jets; remove it, or choose another output") from error


class Remarks:
    """The remarks of readers on the jets that they have read, kept beside the blocks for a conversion that goes on later."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: dict[str, list[str]] = {}
        with suppress(OSError, ValueError):
            self._kept = {
                str(place): list(map(str, said)) for place, said in json.loads(path.read_text(encoding="utf-8")).items()
            }

    def keep(self, place: str, remarks: Sequence[str]) -> None:
        """Keep the remarks on a stretch of jets, `place`, instead of earlier ones, which told less."""
        if (said := list(remarks)) != self._kept.get(place, []):
            self._kept[place] = said
            write_json(self.path, self._kept)

    def all(self) -> list[str]:
        """List what was said, each sentence once."""
        return list(dict.fromkeys(itertools.chain.from_iterable(self._kept.values())))
