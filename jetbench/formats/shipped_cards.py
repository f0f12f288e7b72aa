"""Readers of the formats that are a shipped card, and no code."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jetbench.formats.cards import parse_card
from jetbench.formats.constituents import ConstituentTable
from jetbench.formats.image_reader import Images
from jetbench.formats.reader import Reader

__all__ = ["card_text", "shipped_card", "shipped_reader"]

PACKAGE = "jetbench.formats.shipped"


def card_text(name: str) -> str:
    """Return the shipped card of a format as it is."""
    return files(PACKAGE).joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def shipped_card(name: str) -> Any:
    """Return the shipped card of a format, read."""
    return parse_card(card_text(name), f"the card of {name}")


@cache
def shipped_reader(name: str) -> type[Reader]:
    """Return the reader of a format that is a shipped card. It recognises a file by the arrays that the card names, with room for
    the columns that it names, and by the PDG numbers of the first jets where it has any."""
    card = shipped_card(name)
    base: Any = {"constituents": ConstituentTable, "images": Images}[card.kind]

    def opened(reader: Any, path: Path) -> None:
        base.__init__(reader, path, card)

    def looks_right(cls: Any, path: Path) -> bool:
        with closing(cls(path)) as reader:
            return card.kind == "images" or bool(reader.is_likely())

    return type(name, (base,), {"__init__": opened, "looks_right": classmethod(looks_right), "__module__": __name__})
