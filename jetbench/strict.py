"""Files that people write, read strictly: an unknown key is an error that names the nearest valid one."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from jetbench.errors import JetbenchError
from jetbench.registry import nearest

__all__ = ["parse", "read_yaml"]


def read_yaml(text: str, where: str, error: type[JetbenchError]) -> Any:
    """The plain values of a YAML 1.2 text; `error`, naming `where`, for what is no YAML or has a key twice."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as cause:
        raise error(f"{where}: not valid YAML ({cause})") from cause


def parse(model: type[BaseModel], values: Any, where: str, error: type[JetbenchError]) -> Any:
    """Validate, with one `error` that names file, key, cause and, for an unknown key, the nearest valid one."""
    try:
        return model.model_validate(values)
    except ValidationError as cause:
        raise error("\n".join(f"{where}: {_explain(model, item)}" for item in cause.errors())) from None


def _explain(model: type[BaseModel], item: Any) -> str:
    path = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"unknown key {path!r}; {nearest(str(item['loc'][-1]), _keys(model, item['loc'][:-1]))}"
    if item["type"] == "missing":
        return f"the key {path!r} is missing"
    return f"{path or 'values'}: {item['msg'].removeprefix('Value error, ')}" + (f" (given: {item['input']!r})" if path else "")


def _keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The valid keys at a place of the schema."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    node: dict[str, Any] = schema
    for part in location:
        node = node.get("properties", {}).get(str(part)) or node.get("additionalProperties") or node.get("items") or {}
        for option in (node, *node.get("anyOf", [])):
            if "$ref" in option:
                node = definitions[option["$ref"].rsplit("/", 1)[1]]
                break
    return list(node.get("properties", {}))
