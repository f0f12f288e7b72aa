"""Frozen values with a canonical form: what two of them share, they share to the last bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

__all__ = ["Spec", "Value"]

PLAIN = (str, int, float)  # first to be asked for: most of what a value holds


class Value(BaseModel):
    """A frozen, hashable record; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def canonical(self) -> str:
        """Return its JSON with sorted keys and no spaces: equal values have equal text."""
        return _text(self.model_dump(mode="json"))

    def digest(self) -> str:
        """Return the sha256 of the canonical JSON, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def replace(self, **changes: Any) -> Any:
        """Return a validated copy with other field values."""
        return type(self).model_validate({**{k: getattr(self, k) for k in type(self).model_fields}, **changes})


class Spec(Value):
    """A value that says what is done. Its canonical form leaves out fields that have their default, so that a field that is added
    later, with a default, changes no digest, and those in `labels_only`, which tell people something and decide no number."""

    labels_only: ClassVar[frozenset[str]] = frozenset()

    def canonical(self) -> str:
        return _text(self._lean)

    def digest(self) -> str:
        return self._digest

    @cached_property
    def _digest(self) -> str:
        """Asked for by whoever starts from a run, by the plan and by the ledger: computed once."""
        return super().digest()

    @cached_property
    def _lean(self) -> dict[str, Any]:
        """The plain content: parts that thousands of runs of a plan share are asked once."""
        content = vars(self)
        return {name: _lean(content[name]) for name, default in _defaults(type(self)) if content[name] != default}


ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def _text(content: Any) -> str:
    return ENCODER.encode(content)


@cache
def _defaults(kind: type[Spec]) -> tuple[tuple[str, Any], ...]:
    """The fields that decide something, each with its default: asked once, since a plan has thousands of specs."""
    return tuple((name, field.get_default()) for name, field in kind.model_fields.items() if name not in kind.labels_only)


def _lean(value: Any) -> Any:
    """The plain content of a value, field by field."""
    if value is None or isinstance(value, PLAIN):
        return value
    if isinstance(value, Spec):
        return value._lean
    if isinstance(value, Value):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_lean(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): _lean(one) for name, one in value.items()}
    return value
