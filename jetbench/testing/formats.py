"""The contract of a format: its reader takes no foreign file for its own, and gives the jets of a sample in any blocks.

Without a sample nothing tells whether a reader can read: what needs one is then left out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np

from jetbench.errors import DataFileError
from jetbench.files import write_atomically
from jetbench.formats import FormatEntry, formats
from jetbench.formats.cards import read_card
from jetbench.formats.reader import Block, Reader
from jetbench.jets import Jets, concatenate
from jetbench.testing.properties import Contract, LeftOut, expect
from jetbench.testing.rows import expect_described

__all__ = ["CONTRACT"]

BEGINNINGS = {
    "an empty file": b"",
    "a text": b"eta,phi,pt\n0.1,0.2,3\n",
    "the beginning of a ROOT file": b"root",
    "the beginning of a zip": b"PK\x03\x04",
    "the beginning of an HDF5 file": b"\x89HDF\r\n\x1a\n",
    "the beginning of a parquet file": b"PAR1",
    "a pickle": b"\x80\x04N.",
}


@dataclass(frozen=True)
class FormatCase:
    """A format, and a small file of it, beside which a card of the same name stands where the format needs one."""

    entry: FormatEntry
    sample: Path | None

    @property
    def reader(self) -> type[Reader]:
        reader: type[Reader] = self.entry.load()
        return reader

    def open(self, path: Path) -> closing[Reader]:
        """Open a file, one that needs a card with that of the sample."""
        if not self.entry.carded:
            return closing(self.entry.load()(path))
        return closing(self.entry.load()(path, read_card(self.own.with_suffix(".yaml"))))

    @property
    def own(self) -> Path:
        """The sample. Raises `LeftOut` where none is given."""
        if self.sample is None:
            raise LeftOut("no sample of the format is given")
        return self.sample

    def read(self, path: Path, start: int = 0, block: int | None = None) -> list[Block]:
        """Read a file from a jet on, in blocks of the reader's size or of another."""
        with self.open(path) as reader:
            reader.block = block or reader.block
            return list(reader.blocks(start))


CONTRACT: Contract[FormatCase] = Contract(FormatCase)
holds = CONTRACT.property


@holds
def the_row_names_a_reader(case: FormatCase) -> None:
    expect_described(case.entry)
    expect(issubclass(case.reader, Reader), f"{case.entry.target} is no `Reader`")
    own = case.reader.looks_right.__func__ is not Reader.looks_right.__func__  # type: ignore[attr-defined]
    told = "only a card can say what its keys mean" if case.entry.carded else "without a card it is found by nothing else"
    expect(own != case.entry.carded, f"its reader {'recognises' if own else 'does not recognise'} files, and {told}")


def _foreign(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files that are of no format, by what they are."""
    for i, (called, content) in enumerate(BEGINNINGS.items()):
        write_atomically(folder / f"foreign-{i}", content)
        yield called, folder / f"foreign-{i}"
    with h5py.File(folder / "foreign.h5", "w") as file:
        file["recipe"] = np.arange(3)
    yield "an HDF5 file of something else", folder / "foreign.h5"
    np.savez(folder / "foreign.npz", recipe=np.arange(3))
    yield "an npz file of something else", folder / "foreign.npz"
    yield "a file that is not there", folder / "missing"
    yield "a folder", folder


@holds
def foreign_files_are_not_recognised(case: FormatCase) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for called, path in _foreign(Path(folder)):
            expect(not case.reader.recognises(path), f"it takes {called} for its own")


@holds
def foreign_files_are_one_clear_error(case: FormatCase) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for called, path in _foreign(Path(folder)):
            try:
                case.open(path).__exit__(None, None, None)
            except DataFileError as error:
                expect(str(path) in str(error), f"of {called}, the error does not name the file: {error}")
            else:
                raise AssertionError(f"{called} is opened")


@holds
def its_own_file_is_recognised_and_by_no_other(case: FormatCase) -> None:
    path = case.own
    found = [entry.name for entry in formats if not entry.carded and entry.load().recognises(path)]
    expected = [] if case.entry.carded else [case.entry.name]
    expect(found == expected, f"{path.name} is recognised by {found}, and {expected} is expected")


@holds
def a_file_becomes_valid_jets(case: FormatCase) -> None:
    with case.open(case.own) as reader:
        expect(reader.jets > 0 and reader.block > 0, f"it has {reader.jets} jets, of which {reader.block} may be read at once")
        count = min(reader.jets, reader.block)
        jets, repairs = next(iter(reader.blocks()))
        meta, remarks, rows = reader.meta, list(reader.remarks), reader.rows_of(np.arange(count))
    expect(len(jets) == count, f"of {count} jets it gives {len(jets)}")
    expect(jets.meta == meta, "the jets have other metadata than the reader tells")
    expect(np.array_equal(jets.event, rows), "`event` does not count the rows of the file from 0 on")
    expect(all(isinstance(one, str) and one for one in remarks), f"remarks are sentences, and these are {remarks}")
    expect(all(0 <= changed <= count for changed in repairs.values()), f"more jets are repaired than there are: {repairs}")
    _named(jets).validate()


def _named(jets: Jets) -> Jets:
    """The jets with names for all their classes: a file may not say what its labels mean."""
    if "label" not in jets.targets or jets.meta.class_names:
        return jets
    names = tuple(f"class {k}" for k in range(int(jets.targets["label"].max()) + 1))
    return replace(jets, meta=jets.meta.replace(class_names=names))


@holds
def blocks_of_any_size_are_the_same_jets(case: FormatCase) -> None:
    whole = concatenate([jets for jets, _ in case.read(case.own)])
    size = max(1, len(whole) // 3)
    blocks = [jets for jets, _ in case.read(case.own, 0, size)]
    expect([len(jets) for jets in blocks[:2]] == [size, size], f"its blocks have not the {size} jets that are asked for")
    late = [jets for jets, _ in case.read(case.own, size, size)]
    for how, parts in (("in blocks", blocks), ("from a later block on", [blocks[0], *late])):
        same = concatenate(parts).content_digest() == whole.content_digest()
        expect(same, f"read {how}, the jets are others than read at once")


@holds
def a_file_that_is_cut_off_is_one_clear_error(case: FormatCase) -> None:
    content = case.own.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for share in (0.3, 0.7, 0.95):
            path = Path(folder, case.own.name)
            write_atomically(path, content[: int(share * len(content))])
            try:
                case.read(path)
            except DataFileError as error:
                expect(str(path) in str(error), f"the error does not name the file: {error}")
