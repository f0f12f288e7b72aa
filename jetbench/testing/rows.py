"""What the torch-free row of a component says of the code behind it must be true."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Collection
from typing import Any, get_args

from jetbench.registry import Entry
from jetbench.spaces import Configured
from jetbench.testing.properties import LeftOut, expect
from jetbench.views.needs import Need
from jetbench.views.table import Table

__all__ = ["expect_described", "expect_known_needs", "expect_sensible_options", "expect_true_defaults", "is_table", "loaded_with"]

COLUMNS = {"target"}  # options that name a column of the jets, which a dataset decides


def expect_described(entry: Any) -> None:
    """Raise `AssertionError` where a row has no summary, no revision, or no code behind its target."""
    expect(entry.summary, "it has no summary, which `jetbench ls` shows")
    expect(entry.revision >= 1, f"its revision is {entry.revision}; the first one is 1")
    expect(not entry.target or entry.load() is not None, f"there is nothing at {entry.target}")


def expect_true_defaults(entry: Configured, given: Collection[str], extra: Collection[str] = ()) -> None:
    """Raise `AssertionError` where the row's defaults are not those of the code, whose arguments `given` somebody else fills in;
    the options `extra` are of another code."""
    code = entry.load()
    parameters = {} if getattr(code, "__init__", None) is object.__init__ else dict(inspect.signature(code).parameters)
    found = {name: one.default for name, one in parameters.items() if name not in given}
    declared = {name: value for name, value in entry.defaults if name not in extra}
    missing = [name for name, value in found.items() if value is inspect.Parameter.empty]
    expect(not missing, f"{entry.target} needs the arguments {missing}, for which nobody has a value; give them defaults")
    expect(declared == found, f"the row has the defaults {declared}, and {entry.target} has {found}")
    expect(
        {type(value) for value in found.values()} <= {bool, int, float, str},
        f"options are numbers, texts and flags, which a suite can write: {found}",
    )


def expect_sensible_options(entry: Configured) -> None:
    """Raise `AssertionError` where a default is not allowed or not searched, where what is searched is not allowed, and where
    nothing says what values an option may have."""
    defaults, allowed, spaces = dict(entry.defaults), dict(entry.allowed), dict(entry.spaces)
    for name in {**allowed, **spaces}:
        expect(name in defaults, f"{name!r} has a range and is none of the options {sorted(defaults)}")
    for name, default in defaults.items():
        if name in COLUMNS or isinstance(default, bool):
            continue
        expect(name in allowed, f"nothing says what values the option {name!r} may have: add it to `allowed`")
        expect(default is None or default in allowed[name], f"the default {name} = {default!r} is not {allowed[name]}")
    for name, space in spaces.items():
        own, ends = defaults[name], space.choices or (space.low, space.high)
        expect(space.nearest(own) == own, f"the default {name} = {own!r} is outside of what is searched, {ends}")
        expect(
            all(end in allowed[name] for end in ends if name in allowed), f"{name} is searched in {ends} and is {allowed[name]}"
        )


def expect_known_needs(needs: Collection[str]) -> None:
    """Raise `AssertionError` where a row needs something of jets that nobody can say of them."""
    unknown = set(needs) - set(get_args(Need))
    expect(not unknown, f"it needs {', '.join(sorted(unknown))} of jets, and what can be needed is {', '.join(get_args(Need))}")


def loaded_with(target: str) -> set[str]:
    """Return the modules that a process has loaded which imports a "module:attribute" and nothing else. Raises `LeftOut` where
    the module is of a file that no other process finds."""
    module, attribute = target.split(":")
    code = f"import sys; from {module} import {attribute}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode and f"No module named {module.split('.')[0]!r}" in done.stderr:
        raise LeftOut("its file was given by hand, and another process does not find it by its name")
    expect(done.returncode == 0, f"{target} cannot be imported in another process: {done.stderr.strip().splitlines()[-1:]}")
    return set(done.stdout.split())


def is_table(entry: Entry) -> bool:
    """Tell whether a view is a table, for models that are fitted; what is no class at all is none."""
    code = entry.load()
    return isinstance(code, type) and issubclass(code, Table)
