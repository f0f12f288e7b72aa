"""A copy of a file of jets without their labels, for a pool to pretrain on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import jetbench
from jetbench.errors import DataFileError
from jetbench.files import refuse_output
from jetbench.jets import Jets, open_jets, save_jets

__all__ = ["copy_unlabelled"]

REMARK = "labels left out"
STRETCH = 1 << 14  # jets that are read at a time


def copy_unlabelled(paths: Sequence[Path], output: Path, progress: Callable[[int, int], None]) -> tuple[str, int]:
    """Write the jets of the one file at `paths` to `output`, in their order and with their event ids, so that splits still know
    them; returns the digest of the copy and the number of its jets.

    Raises `DataFileError` for several files, which are copied apart, and for jets without labels; `StoreError` where the output
    is there already.
    """
    if len(paths) > 1:
        raise DataFileError(f"{paths[0]} and {paths[1]}: files of jets are copied without labels one by one; name a single one")
    (path,) = paths
    jets = open_jets(path)
    if "label" not in jets.targets:
        raise DataFileError(f"{path} is a file of jets without labels already; every command takes it as it is")
    refuse_output(output)
    return save_jets(output, _stripped(jets, progress)), len(jets)


def _stripped(jets: Jets, progress: Callable[[int, int], None]) -> Iterator[Jets]:
    said = jets.meta.provenance
    told = said.replace(code=jetbench.__version__, remarks=(*said.remarks, REMARK))
    meta = jets.meta.replace(class_names=(), provenance=told)
    for start in range(0, len(jets), STRETCH):
        part = jets[start : start + STRETCH]
        targets = {name: column for name, column in part.targets.items() if name != "label"}
        yield replace(part, meta=meta, targets=targets, stored=None)
        progress(min(start + STRETCH, len(jets)), len(jets))
