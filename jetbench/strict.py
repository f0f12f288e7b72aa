"""Files that people write, read strictly: an unknown key is an error that names the nearest valid one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from jetbench.errors import JetbenchError
from jetbench.registry import nearest

__all__ = ["parse", "read_yaml"]


def read_yaml(text: str, where: str, error: type[JetbenchError]) -> Any:
    """Return the plain values of a YAML 1.2 text; `error`, naming `where`, for what is no YAML or has a key twice."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as cause:
        raise error(f"{where}: not valid YAML ({_problem(cause)})") from cause


def _problem(cause: Exception) -> str:
    """What is wrong, and where; the parser's advice on its own settings is left out."""
    mark = getattr(cause, "problem_mark", None)
    problem = getattr(cause, "problem", None) or str(cause)
    return f"{problem}, line {mark.line + 1}, column {mark.column + 1}" if mark else problem


def parse(model: type[BaseModel], values: Any, where: str, error: type[JetbenchError]) -> Any:
    """Validate, with one `error` that names file, key, cause and, for an unknown key, the nearest valid one."""
    if not isinstance(values, dict | BaseModel):
        raise error(f"{where}: {'it is empty' if values is None else 'it holds no mapping of keys to values in YAML'}")
    try:
        return model.model_validate(values)
    except ValidationError as cause:
        places: dict[tuple[int | str, ...], list[Any]] = {}
        for item in cause.errors():
            places.setdefault(_place(values, item), []).append(item)
        raise error("\n".join(f"{where}: {_explain(model, *place)}" for place in places.items())) from None


def _place(values: Any, item: Any) -> tuple[int | str, ...]:
    """The keys that lead to an error, without the types that pydantic adds where a value may be of several."""
    found = []
    for part in item["loc"]:
        known = part in values if isinstance(values, dict) else isinstance(values, list | tuple) and isinstance(part, int)
        if known:
            values = values[part]
            found.append(part)
    return (*found, item["loc"][-1]) if item["type"] == "missing" else tuple(found)


def _explain(model: type[BaseModel], place: tuple[int | str, ...], items: Sequence[Any]) -> str:
    """One line on a place of the file: what is wrong there, or what each of the types that it may have asks for."""
    path = ".".join(str(part) for part in place)
    if items[0]["type"] == "extra_forbidden":
        return f"unknown key {path!r}; {nearest(str(place[-1]), _keys(model, place[:-1]))}"
    if items[0]["type"] == "missing":
        return f"the key {path!r} is missing"
    causes = " or ".join(_cause(item["msg"]) for item in items).replace(" or should be ", " or ")
    return f"{path}: {causes} (given: {items[0]['input']!r})" if path else causes


# the file's words for what pydantic calls by the names of Python's types
WORDS = {r"a valid dictionary( or instance of \w+)?": "a mapping", "a valid tuple": "a list", "^Tuple": "a list"}


def _cause(message: str) -> str:
    message = message.removeprefix("Value error, ").replace("Input should be", "should be")
    for pattern, word in WORDS.items():
        message = re.sub(pattern, word, message)
    return message


def _keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The valid keys at a place of the schema."""
    schema = model.model_json_schema()
    nodes = [schema]
    for part in location:
        below = [found for node in nodes if isinstance(found := _below(node, str(part)), dict)]
        nodes = [option for node in below for option in _options(node, schema.get("$defs", {}))]
    return list(dict.fromkeys(key for node in nodes for key in node.get("properties", {})))


def _below(node: dict[str, Any], part: str) -> Any:
    """What a schema says of a key: by its name, or of all keys of a mapping, or of the parts of a list."""
    named, every = node.get("properties", {}).get(part), [*node.get("patternProperties", {}).values()]
    return named or node.get("additionalProperties") or next(iter(every), None) or node.get("items")


def _options(node: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """What may stand at a node of a schema: itself, what it refers to, or any of several."""
    if "$ref" in node:
        return _options(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
    several = [*node.get("anyOf", []), *node.get("oneOf", [])]
    return [option for one in several for option in _options(one, definitions)] if several else [node]
