"""Which suite instances a store has seen: a line each time one is run, so that the latest can be found again."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path
from typing import BinaryIO

from jetbench.errors import StoreError
from jetbench.files import write_atomically
from jetbench.registry import nearest
from jetbench.suites.suite import Instance, suite_names

__all__ = ["forget", "latest", "remember", "remembered"]

BOOK = "instances.jsonl"
log = logging.getLogger(__name__)


def remember(root: Path, instance: Instance) -> None:
    """Append the instance; one short line in append mode is written whole."""
    line = json.dumps({"time": time.time(), "instance": instance.model_dump(mode="json")})
    try:
        with open(root / BOOK, "ab+") as book:
            torn = book.tell() > 0 and _last_byte(book) != b"\n"  # by a full disk: it must not swallow this line too
            book.write(b"\n" * torn + line.encode() + b"\n")
    except OSError as error:
        raise StoreError(
            f"{root / BOOK} cannot be written ({error.strerror}); free some space or choose another --store"
        ) from error


def remembered(root: Path) -> dict[str, Instance]:
    """Return every instance that was run, by its name, the latest last."""
    found: dict[str, Instance] = {}
    for instance in _read(root / BOOK):
        found.pop(instance.name, None)
        found[instance.name] = instance
    return found


def latest(root: Path, suite: str | None, scale: str | None = None) -> Instance:
    """Find the instance that was run last, of a suite and of a scale where they are named; or one by its own name, of which as
    much is enough as no other begins with. Raises `StoreError` for none and for several."""
    seen = list(remembered(root).values())
    found = [i for i in seen if suite in (None, i.suite) and scale in (None, i.scale)]
    if found:
        return found[-1]
    called = [i for i in seen if suite is not None and i.name.startswith(suite) and scale in (None, i.scale)]
    if len(called) > 1:
        raise StoreError(f"{root} has several instances {suite}…: {', '.join(i.name for i in called)}; write more of the name")
    if called:
        return called[0]
    what = f" of suite {suite!r}" if suite else ""
    at = f" at scale {scale!r}" if scale else ""
    raise StoreError(f"{root} has no results{what}{at}; {_remedy(seen, suite, scale)}")


def forget(root: Path, name: str) -> None:
    """Take the lines of an instance out of the book."""
    book = root / BOOK
    lines = book.read_bytes().splitlines(keepends=True)
    write_atomically(book, b"".join(line for line in lines if _named(line) != name))


def _named(line: bytes) -> str | None:
    """The name of the instance on a line; None where it is not readable."""
    try:
        return Instance.model_validate(json.loads(line)["instance"]).name
    except (ValueError, KeyError, TypeError):
        return None


def _remedy(seen: list[Instance], suite: str | None, scale: str | None) -> str:
    """The nearest name that has results, or for a name that is right the command that makes them."""
    suites = {i.suite for i in seen}
    if suite is not None and suite not in suites and suite not in suite_names():
        return nearest(suite, suites or suite_names())
    scales = {i.scale for i in seen if suite in (None, i.suite)}
    if scale is not None and scales:
        return f"there are some at other scales: {nearest(scale, scales)}"
    return f"`jetbench run --suite {suite or 'NAME'}{f' --scale {scale}' if scale else ''}` makes them"


def _read(book: Path) -> list[Instance]:
    if not book.exists():
        return []
    instances, unreadable = [], []
    for number, line in enumerate(book.read_bytes().splitlines(), 1):
        try:
            instances.append(Instance.model_validate(json.loads(line)["instance"]))
        except (ValueError, KeyError, TypeError):  # torn by a full disk, or written by another version
            unreadable.append(str(number))
    if unreadable:
        lines = f"line {unreadable[0]} is" if len(unreadable) == 1 else f"lines {', '.join(unreadable)} are"
        log.warning("%s: %s not readable and passed over; the next `jetbench run` of its suite lists it again", book, lines)
    return instances


def _last_byte(book: BinaryIO) -> bytes:
    book.seek(-1, os.SEEK_END)
    return book.read(1)
