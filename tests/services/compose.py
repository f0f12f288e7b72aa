"""The compose file as Compose reads it: anchors merged, variables put in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

__all__ = ["EXAMPLE", "FILE", "File", "interpolated", "merged", "missing", "strings", "variables"]

ROOT = Path(__file__).parents[2]
FILE, EXAMPLE = ROOT / "docker-compose.yml", ROOT / ".env.example"
File = dict[str, Any]
REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)(?:(:[-?])([^}]*))?\})")


def merged(path: Path = FILE) -> File:
    """Read the file with its anchors merged, and its variables as they stand there."""
    content: File = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return content


def strings(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of the file with the path to it, as in "services.mlflow.command.0"."""
    if isinstance(value, Mapping | list):
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, inner in pairs:
            yield from strings(inner, f"{at}.{key}".lstrip("."))
    elif isinstance(value, str):
        yield at, value


def variables(content: File) -> dict[str, str]:
    """Return the variables of the file: ":?" for one that has to be set, ":-" for one that may be."""
    return {name: kind for _, text in strings(content) for _, name, kind, _ in REFERENCE.findall(text) if name}


def missing(content: File, environment: Mapping[str, str]) -> set[str]:
    """Return the variables without which Compose refuses to do anything."""
    return {name for name, kind in variables(content).items() if kind == ":?" and not environment.get(name)}


def interpolated(value: Any, environment: Mapping[str, str]) -> Any:
    """Put the variables in."""
    if isinstance(value, Mapping):
        return {key: interpolated(inner, environment) for key, inner in value.items()}
    if isinstance(value, list):
        return [interpolated(inner, environment) for inner in value]
    return REFERENCE.sub(lambda found: _value(found, environment), value) if isinstance(value, str) else value


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    dollar, name, kind, text = found.groups()
    if dollar:
        return "$"
    if kind == ":?" and not environment.get(name):
        raise KeyError(f"{name}: {text}")
    return environment.get(name) or (text if kind == ":-" else "")
