"""Readers of the field's files. The table is light; the code behind a name is imported when a file is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from jetbench.registry import Entry, Registry

__all__ = ["FormatEntry", "formats"]


@dataclass(frozen=True)
class FormatEntry(Entry):
    """`target` names a `Reader`. `carded`: it needs a card, a YAML file that says what the file's keys mean."""

    carded: bool = False


formats: Registry[FormatEntry] = Registry("format", [])
