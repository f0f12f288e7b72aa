"""Several files of jets as one collection, and its parts for several workers."""

from __future__ import annotations

import glob
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jetbench.errors import DataFileError
from jetbench.jets.container import Column, Jets, Stored
from jetbench.jets.file import open_file
from jetbench.jets.meta import PLAIN_COLUMNS, Meta, Provenance

__all__ = ["Source", "joint_digest", "open_jets", "partition", "shard_paths"]


# a file, a folder or a glob of files, or a list of these
Source = str | Path | Sequence[str | Path]


def shard_paths(source: Source) -> list[Path]:
    """List the files that a source stands for: a file itself, the *.h5 of a folder or the matches of a glob such as
    `jets-*.h5` sorted by name, and those of a list in its order. Raises `DataFileError` where there are none."""
    given = [source] if isinstance(source, str | Path) else source
    found = [path for one in given for path in _matches(Path(one).expanduser())]
    if not found:
        raise DataFileError("no file of jets is given; name at least one")
    return found


def _matches(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if path.is_dir():
        found = sorted(path.glob("*.h5"))
    elif glob.has_magic(path.name):
        found = sorted(Path(name) for name in glob.glob(str(path)))
    else:
        raise DataFileError(f"{path}: there is no such file")
    if not found:
        raise DataFileError(f"{path}: no file of jets is there or matches")
    return found


def open_jets(source: Source) -> Jets:
    """Open the jets of a file, of all files of a folder or glob (sorted by name), or of the files listed (in that order),
    lazily: a slice reads what it covers. Files stay open as long as the jets live.

    The digest of several files derives from theirs; it is what the files say of themselves, which `verify` checks. Event ids
    are taken as they are: jets of one id stay together in a split whichever file they come from. Files of one class each have
    their classes together, in the order of the files. Raises `DataFileError` where a file is missing, damaged or does not fit
    the others.
    """
    paths = shard_paths(source)
    shards = [open_file(path) for path in paths]
    if len(shards) == 1:
        return shards[0]
    names = _joint_classes(shards)
    shards = [_among(names, shard) for shard in shards]
    for path, shard in zip(paths, shards, strict=True):
        if differences := _differences(shards[0], shard):
            raise DataFileError(f"{path}: does not fit {paths[0]}: {'; '.join(differences)}")
    starts = np.cumsum([0, *(int(shard.offsets[-1]) for shard in shards)])
    offsets = [shard.offsets[1:] + start for shard, start in zip(shards, starts, strict=False)]
    columns: dict[str, Any] = {name: _Joined([getattr(shard, name) for shard in shards]) for name in PLAIN_COLUMNS}
    return Jets(
        meta=shards[0].meta.replace(provenance=_merged([shard.meta.provenance for shard in shards])),
        offsets=np.concatenate([np.zeros(1, np.int64), *offsets]),
        **columns,
        targets={name: _Joined([shard.targets[name] for shard in shards]) for name in shards[0].targets},
        stored=Stored(joint_digest([shard.digest for shard in shards])),
    )


def joint_digest(digests: Sequence[str]) -> str:
    """Return the digest of one collection from those of its files, in their order."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def partition(jets: int, parts: int) -> list[range]:
    """Cut the rows 0..jets into `parts` contiguous ranges that differ by one row at most: all rows, none of them twice.

    A worker that takes one of them opens the same files as the others and reads only what its range covers.
    """
    edges = [i * jets // parts for i in range(parts + 1)]
    return [range(start, stop) for start, stop in itertools.pairwise(edges)]


def _joint_classes(shards: list[Jets]) -> tuple[str, ...]:
    """The classes of files that have one each, after those of files that have the same several."""
    lists = dict.fromkeys(shard.meta.class_names for shard in shards)
    several = [names for names in lists if len(names) != 1]
    return tuple(dict.fromkeys(itertools.chain(*several, *lists)))


def _among(names: tuple[str, ...], shard: Jets) -> Jets:
    """A file of one class as one of these; any other as it is, which fits or does not."""
    if len(shard.meta.class_names) != 1 or shard.meta.class_names == names or "label" not in shard.targets:
        return shard
    (own,) = shard.meta.class_names
    targets = {**shard.targets, "label": _Raised(shard.targets["label"], names.index(own))}
    return replace(shard, meta=shard.meta.replace(class_names=names), targets=targets)


def _differences(first: Jets, other: Jets) -> list[str]:
    """What keeps two files from being one collection, in words."""
    fields = [name for name in Meta.model_fields if name != "provenance"]
    found = [
        f"{name.replace('_', ' ')} {_shown(getattr(other.meta, name))} instead of {_shown(getattr(first.meta, name))}"
        for name in fields
        if getattr(other.meta, name) != getattr(first.meta, name)
    ]
    if other.targets.keys() != first.targets.keys():
        found.append(f"targets {_shown(sorted(other.targets))} instead of {_shown(sorted(first.targets))}")
    return found


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "(" + ", ".join(_shown(item) for item in value) + ")"
    if name := getattr(value, "name", None):
        details = (value.unit, value.combine, value.weight, value.role)
        return f"{name} [{', '.join(str(d) for d in details if d)}]"
    return str(value)


def _merged(origins: list[Provenance]) -> Provenance:
    """What all agree on, and the files, remarks, cuts, repairs and dropped rows of each."""
    first = origins[0]
    agreed = {name: getattr(first, name) for name in Provenance.model_fields if len({getattr(o, name) for o in origins}) == 1}
    return Provenance(
        **{
            "source": " + ".join(dict.fromkeys(o.source for o in origins)),
            "files": tuple(dict.fromkeys(file for o in origins for file in o.files)),
            "remarks": tuple(dict.fromkeys(remark for o in origins for remark in o.remarks)),
            "licence": "; ".join(dict.fromkeys(o.licence for o in origins if o.licence)),
            "cuts": tuple(dict.fromkeys(cut for o in origins for cut in o.cuts)),
            "repairs": tuple(repair for o in origins for repair in o.repairs),
            "dropped": tuple(cause for o in origins for cause in o.dropped),
        }
        | agreed
    )


class _Raised:
    """Whole numbers of a file, each with the same number added."""

    def __init__(self, column: Column, by: int) -> None:
        self._column, self._by = column, np.int32(by)
        self.dtype, self.shape = column.dtype, column.shape

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, rows: slice) -> np.ndarray:
        raised: np.ndarray = self._column[rows] + self._by
        return raised


class _Joined:
    """Columns of several files, one after another."""

    def __init__(self, columns: list[Column]) -> None:
        self._columns = columns
        self._starts = np.cumsum([0, *(len(column) for column in columns)]).tolist()
        self.dtype, self.shape = columns[0].dtype, (self._starts[-1], *columns[0].shape[1:])

    def __len__(self) -> int:
        return self._starts[-1]

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(len(self))
        parts = [
            column[max(start - first, 0) : stop - first]
            for column, first in zip(self._columns, self._starts, strict=False)
            if first < stop and first + len(column) > start
        ]
        return parts[0] if len(parts) == 1 else np.concatenate([np.zeros((0, *self.shape[1:]), self.dtype), *parts])
