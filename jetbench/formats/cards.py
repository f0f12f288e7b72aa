"""Cards of every kind, read from YAML."""

from __future__ import annotations

from pathlib import Path

from jetbench.errors import DataFileError
from jetbench.formats.card import ConstituentCard
from jetbench.formats.image_card import ImageCard
from jetbench.registry import nearest
from jetbench.strict import parse, read_yaml

__all__ = ["read_card"]

KINDS: dict[str, type[ConstituentCard | ImageCard]] = {"constituents": ConstituentCard, "images": ImageCard}


def read_card(path: str | Path) -> ConstituentCard | ImageCard:
    """Read the card in a YAML file strictly. Raises `DataFileError` naming file, key and the nearest valid key."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(f"{path}: no card can be read here ({error})") from error
    values = read_yaml(text, str(path), DataFileError)
    if not isinstance(values, dict) or not isinstance(values.get("kind"), str) or values["kind"] not in KINDS:
        kind = values.get("kind", "") if isinstance(values, dict) else ""
        raise DataFileError(f"{path}: a card says in the key 'kind' what it describes; {nearest(str(kind), KINDS)}")
    return parse(KINDS[values["kind"]], values, str(path), DataFileError)
