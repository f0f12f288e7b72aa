"""Blocks of a conversion: they wait in a hidden folder beside its output, owned by one process, where what a killed one has made
stays, and what is known of each settles what becomes of all."""

from __future__ import annotations

import itertools
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jetbench.errors import BusyError, DataFileError
from jetbench.files import file_lock, write_json
from jetbench.formats.columns import UNSELECTED
from jetbench.formats.files import Progress
from jetbench.formats.reading import Source
from jetbench.jets import SourceFile, open_jets
from jetbench.jets.hashes import jet_hashes
from jetbench.jets.plausibility import Plausibility

__all__ = ["SOURCE_LABEL", "Block", "Remarks", "Seen", "added", "events", "look_at", "made_of", "omissions", "workplace"]

# An event id is the first 31 bits of its file's sha256, then the row in that file: files that are converted apart and read as
# one dataset share no ids.
ROW_BITS = 32
SOURCE_LABEL = "label in the source"  # as a target of jets that wait; no card can name one so


@dataclass(frozen=True, eq=False)
class Block:
    """Rows start:stop of a source, where they wait, and the class of all of them where that of the file is given."""

    source: Source
    start: int
    stop: int
    path: Path
    label: int | None

    @property
    def rows(self) -> int:
        return self.stop - self.start

    def stored(self) -> bool:
        """Tell whether an earlier conversion has read the block, and its file is whole."""
        if self.path.exists():
            with suppress(DataFileError):
                stored = open_jets(self.path)
                dropped = sum(rows for _, rows in stored.meta.provenance.dropped)
                return len(stored) + dropped == self.rows and stored.content_digest() == stored.digest
        return False


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of a block that waits: its labels (n,) as they stand in the source, None without, the names of its targets,
    event ids (n,), content hashes (n,) uint64, the number of jets by repair, and that of rows left out by cause."""

    labels: np.ndarray | None
    targets: frozenset[str]
    event: np.ndarray
    hashes: np.ndarray
    repairs: tuple[tuple[str, int], ...]
    dropped: tuple[tuple[str, int], ...]


def look_at(blocks: list[Block], plausibility: Plausibility, progress: Progress) -> Iterator[Seen]:
    """Look at every block that waits, for what is known of it; an empty jet is a copy of nothing: its hash is its own."""
    for i, block in enumerate(blocks):
        jets = open_jets(block.path).read()
        plausibility.add(jets)
        own = ((int(block.source.sha256[:8], 16) >> 1) << ROW_BITS) + jets.event
        hashes = np.where(np.diff(jets.offsets) > 0, jet_hashes(jets), own.astype(np.uint64))
        known = jets.meta.provenance
        yield Seen(jets.targets.get(SOURCE_LABEL), frozenset(jets.targets), own, hashes, known.repairs, known.dropped)
        progress("looking for duplicates", i + 1, len(blocks))


def omissions(seen: list[Seen], rows: int) -> list[str]:
    """Write remarks on rows that were left out, by cause. Raises `DataFileError` where no other is there."""
    counts = added(one.dropped for one in seen)
    said = [
        f"{count} of {rows} rows {'is left out, which' if count == 1 else 'are left out, each of which'} {cause}"
        for cause, count in counts
    ]
    good = rows - sum(count for _, count in counts)
    if not good:
        raise DataFileError(f"nothing is left to convert: {'; '.join(said)}")
    if sum(count for cause, count in counts if not cause.startswith(UNSELECTED)) > good:
        said.append("more rows are left out that cannot be jets than are kept: is the card, or the format, the right one?")
    return said


def added(counts: Iterable[tuple[tuple[str, int], ...]]) -> tuple[tuple[str, int], ...]:
    """Sum numbers by name over all blocks, in the order of the names."""
    total = Counter[str]()
    for one in counts:
        total.update(dict(one))
    return tuple(sorted(total.items()))


def events(seen: list[Seen]) -> tuple[list[np.ndarray], int]:
    """Settle the event ids of all jets, (n,) int64 for each block, and how many jets are copies of an earlier one.

    A jet is known by the 64 bits of its content hash. Memory grows by some fifty bytes a jet: ids, hashes and their order.
    """
    event = np.concatenate([one.event for one in seen])
    _, first, inverse = np.unique(np.concatenate([one.hashes for one in seen]), return_index=True, return_inverse=True)
    ends = np.cumsum([len(one.event) for one in seen])
    return np.split(event[first[inverse]], ends[:-1]), len(event) - len(first)


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
