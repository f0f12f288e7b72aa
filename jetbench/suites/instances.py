"""Which instances of suites and studies a store has seen: a line each time one is run, so that the latest can be found again."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, TypeVar

from jetbench.errors import StoreError
from jetbench.files import file_lock, write_atomically
from jetbench.plugins import keep
from jetbench.registry import nearest
from jetbench.suites.instance import AnyInstance
from jetbench.suites.study_file import StudyInstance, study_names
from jetbench.suites.suite import Instance, suite_names

__all__ = ["BOOKS", "begun", "forget", "latest", "latest_instance", "latest_study_instance", "named", "remember", "remembered"]

BOOKS: dict[str, str] = {"suite": "instances.jsonl", "study": "studies.jsonl"}
KINDS: dict[str, type[AnyInstance]] = {"suite": Instance, "study": StudyInstance}
PATIENCE = 60.0  # seconds that are waited for another process that writes a line
log = logging.getLogger(__name__)


def remember(root: Path, instance: AnyInstance) -> None:
    """Append the instance, whose plug-ins are kept; one process after the other, where the file system has locks."""
    keep(root, instance.plugins)
    path = root / BOOKS[instance.kind]
    line = json.dumps({"time": time.time(), "instance": instance.model_dump(mode="json")})
    try:
        with _writing(path), open(path, "ab+") as book:
            torn = book.tell() > 0 and _last_byte(book) != b"\n"  # by a full disk: it must not swallow this line too
            book.write(b"\n" * torn + line.encode() + b"\n")
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}); free some space or choose another --store") from error


def remembered(root: Path) -> dict[str, AnyInstance]:
    """Return every instance of a suite or study that was run, by its name, the latest last."""
    found: dict[str, AnyInstance] = {}
    for _, instance in sorted((line for kind in BOOKS for line in _read(root, kind)), key=lambda line: line[0]):
        found.pop(instance.name, None)
        found[instance.name] = instance
    return found


def begun(root: Path, instance: AnyInstance) -> float:
    """Return when an instance was last run, or listed for others to run, in unix seconds; 0 where it never was."""
    return max((told for told, one in _read(root, instance.kind) if one.name == instance.name), default=0.0)


def named(root: Path, name: str, scale: str | None = None) -> list[AnyInstance]:
    """Return what a store remembers by a name, at a scale where one is given, the latest last: the instances of the suite or
    study of that name, or else those whose own names begin so. The name of a suite or study, a shipped one or one that the store
    has run, is never the beginning of another's."""
    return _called(list(remembered(root).values()), name, scale)


def latest(root: Path, suite: str | None, scale: str | None = None) -> Instance:
    """Find the instance of a suite that was run last, of a name and of a scale where they are given; or one by its own name, of
    which as much is enough as no other begins with. Raises `StoreError` for none and for several."""
    return _latest(Instance, "suite", root, suite, scale)


def latest_study_instance(root: Path, study: str | None, scale: str | None = None) -> StudyInstance:
    """Find an instance of a study as `latest` finds one of a suite."""
    return _latest(StudyInstance, "study", root, study, scale)


def latest_instance(root: Path, name: str | None, scale: str | None = None) -> AnyInstance:
    """Find an instance of a suite or study as `latest` finds one of a suite."""
    word = "study" if name in study_names() else "suite"
    return _latest(AnyInstance, word, root, name, scale)  # type: ignore[type-abstract]  # nothing makes one, it is asked for


AnyKind = TypeVar("AnyKind", bound=AnyInstance)


def _latest(kind: type[AnyKind], word: str, root: Path, name: str | None, scale: str | None) -> AnyKind:
    every = list(remembered(root).values())
    found = [one for one in _called(every, name, scale) if isinstance(one, kind)]
    if len(found) > 1 and name not in (None, found[-1].title):
        raise StoreError(f"{root} has several instances {name}…: {', '.join(one.name for one in found)}; write more of the name")
    if found:
        return found[-1]
    what = f" of {word} {name!r}" if name else ""
    at = f" at scale {scale!r}" if scale else ""
    seen = [one for one in every if isinstance(one, kind)]
    raise StoreError(f"{root} has no results{what}{at}; {_other_kind(kind, every, name) or _remedy(word, seen, name, scale)}")


def _called(every: Sequence[AnyInstance], name: str | None, scale: str | None = None) -> list[AnyInstance]:
    titles = {*suite_names(), *study_names(), *(one.title for one in every)}
    there = [one for one in every if scale in (None, one.scale)]
    return [one for one in there if name is None or name == one.title or (name not in titles and one.name.startswith(name))]


def _other_kind(kind: type[AnyInstance], every: Sequence[AnyInstance], name: str | None) -> str:
    """What to do where the name is that of a study and a suite was meant, or the other way round."""
    others = _called(every, name) if name is not None else []
    other = next((one for one in others if not isinstance(one, kind)), None)
    command = "jetbench study show" if isinstance(other, StudyInstance) else "jetbench report"
    return f"it is a {other.kind}: `{command} {name}`" if other else ""


def forget(root: Path, name: str) -> None:
    """Take the lines of an instance out of its book."""
    for kind, book in BOOKS.items():
        if (path := root / book).exists():
            with _writing(path):
                lines = path.read_bytes().splitlines(keepends=True)
                write_atomically(path, b"".join(line for line in lines if _named(kind, line) != name))


def _writing(book: Path) -> AbstractContextManager[bool]:
    """Own a book: an append alone is no whole line where several hosts share the folder."""
    return file_lock(book.with_suffix(".lock"), patience=PATIENCE, remove=True)


def _named(kind: str, line: bytes) -> str | None:
    """The name of the instance on a line; None where it is not readable."""
    try:
        return KINDS[kind].model_validate(json.loads(line)["instance"]).name
    except (ValueError, KeyError, TypeError):
        return None


def _remedy(word: str, seen: Sequence[AnyInstance], name: str | None, scale: str | None) -> str:
    """The nearest name that has results, or for a name that is right the command that makes them."""
    shipped = suite_names() if word == "suite" else study_names()
    named = {one.title for one in seen}
    if name is not None and name not in named and name not in shipped:
        return nearest(name, named or shipped)
    scales = {one.scale for one in seen if name in (None, one.title)}
    if scale is not None and scales:
        close = get_close_matches(scale, sorted(scales), n=1)
        asked = f"; did you mean {close[0]!r}?" if close else ": name one with --scale"
        return f"it has some at the scale{'' if len(scales) == 1 else 's'} {', '.join(sorted(scales))}{asked}"
    command = f"run --suite {name or 'NAME'}" if word == "suite" else f"study run {name or 'NAME'}"
    return f"`jetbench {command}{f' --scale {scale}' if scale else ''}` makes them"


def _read(root: Path, kind: str) -> list[tuple[float, AnyInstance]]:
    """The instances of a kind, each with the time when it was run."""
    book = root / BOOKS[kind]
    if not book.exists():
        return []
    instances: list[tuple[float, AnyInstance]] = []
    unreadable = []
    for number, line in enumerate(book.read_bytes().splitlines(), 1):
        try:
            content = json.loads(line)
            instances.append((float(content["time"]), KINDS[kind].model_validate(content["instance"])))
        except (ValueError, KeyError, TypeError):  # torn by a full disk, or written by another version
            unreadable.append(str(number))
    if unreadable:
        lines = f"line {unreadable[0]} is" if len(unreadable) == 1 else f"lines {', '.join(unreadable)} are"
        log.warning("%s: %s not readable and passed over; the next run of its %s lists it again", book, lines, kind)
    return instances


def _last_byte(book: BinaryIO) -> bytes:
    book.seek(-1, os.SEEK_END)
    return book.read(1)
