"""Which instances of suites and studies a store has seen: a line each time one is run, so that the latest can be found again."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from jetbench.errors import StoreError
from jetbench.registry import nearest
from jetbench.suites.instance import AnyInstance
from jetbench.suites.study_file import StudyInstance, study_names
from jetbench.suites.suite import Instance, suite_names

__all__ = ["latest", "latest_study_instance", "remember"]

BOOKS = {"suite": "instances.jsonl", "study": "studies.jsonl"}
WORDS: dict[type, str] = {Instance: "suite", StudyInstance: "study"}
log = logging.getLogger(__name__)


def remember(root: Path, instance: AnyInstance) -> None:
    """Append the instance; one short line in append mode is written whole."""
    path = root / BOOKS[instance.kind]
    line = json.dumps({"time": time.time(), "instance": instance.model_dump(mode="json")})
    try:
        with open(path, "ab+") as book:
            torn = book.tell() > 0 and _last_byte(book) != b"\n"  # by a full disk: it must not swallow this line too
            book.write(b"\n" * torn + line.encode() + b"\n")
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}); free some space or choose another --store") from error


def latest(root: Path, suite: str | None, scale: str | None = None) -> Instance:
    """Find the instance of a suite that was run last, of one name and of a scale where they are given."""
    return _latest(Instance, root, suite, scale)


def latest_study_instance(root: Path, study: str | None, scale: str | None = None) -> StudyInstance:
    """Find the instance of a study that was run last, of one name and of a scale where they are given."""
    return _latest(StudyInstance, root, study, scale)


AnyKind = TypeVar("AnyKind", Instance, StudyInstance)


def _latest(kind: type[AnyKind], root: Path, name: str | None, scale: str | None) -> AnyKind:
    word = WORDS[kind]
    seen = _read(kind, root / BOOKS[word])
    found = [one for one in seen if name in (None, one.title) and scale in (None, one.scale)]
    if not found:
        what = f" of {word} {name!r}" if name else ""
        at = f" at scale {scale!r}" if scale else ""
        raise StoreError(f"{root} has no results{what}{at}; {_remedy(word, seen, name, scale)}")
    return found[-1]


def _remedy(word: str, seen: Sequence[AnyInstance], name: str | None, scale: str | None) -> str:
    """The nearest name that has results, or for a name that is right the command that makes them."""
    shipped = suite_names() if word == "suite" else study_names()
    named = {one.title for one in seen}
    if name is not None and name not in named and name not in shipped:
        return nearest(name, named or shipped)
    scales = {one.scale for one in seen if name in (None, one.title)}
    if scale is not None and scales:
        return f"there are some at other scales: {nearest(scale, scales)}"
    command = f"run --suite {name or 'NAME'}" if word == "suite" else f"study run {name or 'NAME'}"
    return f"`jetbench {command}{f' --scale {scale}' if scale else ''}` makes them"


def _read(kind: type[AnyKind], book: Path) -> list[AnyKind]:
    if not book.exists():
        return []
    instances: list[AnyKind] = []
    unreadable = []
    for number, line in enumerate(book.read_bytes().splitlines(), 1):
        try:
            instances.append(kind.model_validate(json.loads(line)["instance"]))
        except (ValueError, KeyError, TypeError):  # torn by a full disk, or written by another version
            unreadable.append(str(number))
    if unreadable:
        lines = f"line {unreadable[0]} is" if len(unreadable) == 1 else f"lines {', '.join(unreadable)} are"
        log.warning("%s: %s not readable and passed over; the next run of its %s lists it again", book, lines, WORDS[kind])
    return instances


def _last_byte(book: BinaryIO) -> bytes:
    book.seek(-1, os.SEEK_END)
    return book.read(1)
