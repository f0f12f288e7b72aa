"""The command that makes an instance again, found from what its settings say and not from what somebody typed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from functools import reduce
from typing import Any

from jetbench.errors import JetbenchError, SuiteError
from jetbench.strict import parse
from jetbench.suites.instance import merge, parse_override
from jetbench.suites.settings import Settings
from jetbench.suites.suite import Instance, find_suite, suite_names

__all__ = ["command"]

Override = tuple[str, Any]


def command(instance: Instance) -> tuple[str, bool]:
    """Return the command line, and whether it is known to give these very settings: the suite file may be elsewhere or have
    changed. A file goes by its path, as it was given; one that says what a shipped suite says goes by the name of that, which
    every folder knows.

    No dataset is looked for: that a named one is still what it was is checked when it is opened for a run."""
    name = _name(instance)
    words = ["jetbench", "run", "--suite", name, "--scale", instance.scale]
    words += [word for plugin in instance.plugins if plugin.file for word in ("--plugin", plugin.file)]
    try:
        suite = find_suite(name)
        if instance.scale not in suite.scales:
            return shlex.join(words), False
        values = merge(suite.common, suite.scales[instance.scale])
        overrides = [_written(o) for o in _differences(_plain(_settings(values)), _plain(instance.settings))]
        again = _settings(reduce(merge, map(parse_override, overrides), values))
    except JetbenchError:
        return shlex.join(words), False
    for override in overrides:
        words += ["--set", override]
    return shlex.join(words), again.canonical() == instance.settings.canonical()


def _name(instance: Instance) -> str:
    """A suite file by its path, a shipped one, or a copy of one, by its name."""
    if not instance.file:
        return instance.suite
    try:
        copied = instance.suite in suite_names() and find_suite(instance.file) == find_suite(instance.suite)
    except JetbenchError:
        copied = False
    return instance.suite if copied else instance.file


def _settings(values: dict[str, Any]) -> Settings:
    settings: Settings = parse(Settings, values, "suite", SuiteError)
    return settings


def _plain(settings: Settings) -> dict[str, Any]:
    content: dict[str, Any] = settings.model_dump(mode="json", exclude_none=True)
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
