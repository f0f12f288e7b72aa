"""Jets to be predicted: in memory, in files of jetbench's or of the field, or simulated; never more than a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jetbench.data.catalog import find_dataset
from jetbench.errors import DataFileError
from jetbench.formats.files import expand, find_sources
from jetbench.formats.reading import Source, Stretch, detect, read
from jetbench.jets import Jets, Meta, open_jets
from jetbench.jets.shards import joint_digest

__all__ = ["JetSource", "find_source"]

Progress = Callable[[str, int, int], None]  # what is being read or made, done and in all


@dataclass(frozen=True, eq=False)
class JetSource:
    """`jets` jets with `meta`; `parts` yields them in their order, in memory or on file. `digest` is the one by which runs name
    a dataset, of foreign files the sha256 of their bytes. `remarks` are sentences of readers, complete after the last part."""

    name: str
    meta: Meta
    jets: int
    digest: str
    parts: Callable[[], Iterator[Jets]]
    remarks: list[str] = field(default_factory=list)


def find_source(
    data: str | Path | Jets,
    jets: int | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> JetSource:
    """Find jets by what they are: jets themselves, a path, folder or glob of files, or a simulated dataset by its name, with how
    many `jets`, its seed and options, which is made where it is not there.

    Raises errors as `data.catalog.find_dataset` does, and `DataFileError` for files of other formats that are not read, and for
    what is neither jets nor a name of them.
    """
    told = progress or (lambda what, done, total: None)
    if isinstance(data, Jets):
        return JetSource("jets in memory", data.meta, len(data), data.digest, lambda: iter([data]))
    if not isinstance(data, str | Path):
        raise DataFileError(
            f"a {type(data).__name__} is neither jets nor the path of a file of them: give the path, or what "
            "`jetbench.jets.open_jets(FILE)` opens; `jetbench data convert` makes such a file of arrays, and "
            "`jetbench model export` a network that takes tensors"
        )
    try:
        found = find_dataset(data, jets, seed, options)
    except DataFileError:
        if not _recognised(data):
            raise
        return _foreign(find_sources(data, None, None, told), str(data))
    found.make(workers, lambda done, total: told("simulating jets", done, total))
    stored = open_jets(found.path)
    return JetSource(found.ref.name, stored.meta, len(stored), found.ref.sha256, lambda: iter([stored]))


def _recognised(data: str | Path) -> bool:
    """Whether the first of these files is of a format of the field."""
    try:
        detect(expand(data)[0])
    except (DataFileError, OSError):
        return False
    return True


def _foreign(sources: list[Source], name: str) -> JetSource:
    digest = joint_digest([source.sha256 for source in sources])
    remarks: list[str] = []

    def parts() -> Iterator[Jets]:
        said: dict[str, tuple[str, ...]] = {}
        with closing(read([Stretch(source, 0, source.jets) for source in sources])) as blocks:
            for stretch, part in blocks:
                said[stretch.source.path.name] = part.remarks
                yield part.jets
        remarks.extend(f"{file}: {remark}" for file, its in said.items() for remark in its)

    return JetSource(Path(name).name, sources[0].meta, sum(source.jets for source in sources), digest, parts, remarks)
