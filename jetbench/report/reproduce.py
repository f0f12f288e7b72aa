"""The command that makes an instance again, found from what its settings say and not from what somebody typed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from jetbench.errors import JetbenchError
from jetbench.suites.suite import Instance, find_suite, instantiate

__all__ = ["command"]

Override = tuple[str, Any]


def command(instance: Instance) -> tuple[str, bool]:
    """The command line, and whether it is known to give this very instance: the suite file may be elsewhere or have changed."""
    words = ["jetbench", "run", "--suite", instance.suite, "--scale", instance.scale]
    try:
        shipped = instantiate(find_suite(instance.suite), instance.scale)
        overrides = [_written(o) for o in _differences(_plain(shipped), _plain(instance))]
        again = instantiate(find_suite(instance.suite), instance.scale, overrides=tuple(overrides))
    except JetbenchError:
        return shlex.join(words), False
    for override in overrides:
        words += ["--set", override]
    return shlex.join(words), again.name == instance.name


def _plain(instance: Instance) -> dict[str, Any]:
    content: dict[str, Any] = instance.settings.model_dump(mode="json", exclude_none=True)
    return content


def _differences(base: dict[str, Any], other: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[Override]:
    """Key by key, with dots for depth; None for a key that is gone."""
    for key in [*base, *(k for k in other if k not in base)]:
        here, mine, theirs = (*path, key), base.get(key), other.get(key)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            yield from _differences(mine, theirs, here)
        elif mine != theirs:
            yield ".".join(here), theirs


def _written(override: Override) -> str:
    """JSON is YAML too."""
    key, value = override
    return f"{key}={json.dumps(value, separators=(',', ':'))}"
