"""Cards of every kind, read from YAML."""

from __future__ import annotations

from pathlib import Path

from jetbench.errors import DataFileError
from jetbench.formats.card import ConstituentCard
from jetbench.formats.image_card import ImageCard
from jetbench.registry import nearest
from jetbench.strict import parse, read_yaml

__all__ = ["parse_card", "read_card"]

KINDS: dict[str, type[ConstituentCard | ImageCard]] = {"constituents": ConstituentCard, "images": ImageCard}


def read_card(path: str | Path) -> ConstituentCard | ImageCard:
    """Read the card in a YAML file strictly. Raises `DataFileError` naming file, key and the nearest valid key."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        byte, line = error.object[error.start], error.object.count(b"\n", 0, error.start) + 1
        raise DataFileError(f"{path}: its text is not UTF-8 (byte {byte:#x} on line {line}); save it as UTF-8") from error
    except OSError as error:
        raise DataFileError(f"{path}: no card can be read here ({error})") from error
    return parse_card(text, str(path))


def parse_card(text: str, where: str) -> ConstituentCard | ImageCard:
    """Read the text of a card, as `read_card` does, which is from `where`."""
    values = read_yaml(text, where, DataFileError)
    if not isinstance(values, dict) or not isinstance(values.get("kind"), str) or values["kind"] not in KINDS:
        kind = values.get("kind", "") if isinstance(values, dict) else ""
        raise DataFileError(f"{where}: a card says in the key 'kind' what it describes; {nearest(str(kind), KINDS)}")
    return parse(KINDS[values["kind"]], values, where, DataFileError)
