"""Contracts: what every registered component must do, whoever has written it. They import nothing of pytest, so that a command
can try them too.

    from jetbench.testing import contract

    def test_my_model():
        contract("model", "my-model")
"""

from __future__ import annotations

from pathlib import Path

from jetbench.errors import UnknownNameError
from jetbench.registry import Entry, nearest
from jetbench.testing.kinds import KINDS
from jetbench.testing.properties import Contract, Report

__all__ = ["Report", "check", "contract", "contract_of"]


def contract_of(kind: str, name: str) -> tuple[Entry, Contract]:
    """Find a component and its contract. Raises `UnknownNameError` where there is no such kind, no such component, or no contract
    that covers it."""
    if kind not in KINDS:
        raise UnknownNameError(f"no contract for the kind {kind!r}; {nearest(kind, KINDS)}")
    entry = KINDS[kind].table()[name]
    found = [one for one in KINDS[kind].contracts() if one.covers(entry)]
    if len(found) != 1:
        raise UnknownNameError(f"{len(found)} contracts cover the {kind} {name!r}, and one should")
    return entry, found[0]


def check(kind: str, name: str, sample: Path | None = None) -> Report:
    """Try the contract of the component that is registered as a "model", "objective", … by this name, in a few seconds.

    `sample` is a small file of a format, which alone tells whether its reader can read. Raises `UnknownNameError` for what is not
    registered.
    """
    entry, found = contract_of(kind, name)
    return found.report(kind, entry, sample)


def contract(kind: str, name: str, sample: Path | None = None) -> None:
    """Raise `AssertionError` with all properties that a component fails, from the first one's error, those of one cause together;
    arguments are those of `check`."""
    report = check(kind, name, sample)
    if not report.passed:
        causes: dict[str, list[str]] = {}
        for line in report.lines:
            if line.startswith("failed: "):
                _, failed, why = line.split(": ", 2)
                causes.setdefault(why, []).append(failed)
        told = "\n".join(f"failed: {_first_of(failed)}: {why}" for why, failed in causes.items())
        raise AssertionError(f"the {kind} {name!r} breaks its contract:\n{told}") from report.faults[0]


def _first_of(failed: list[str]) -> str:
    others = len(failed) - 1
    return failed[0] + (f", and {others} more for the same reason" if others else "")
