"""Frozen values with a canonical form: what two of them share, they share to the last bit."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["Value"]


class Value(BaseModel):
    """A frozen, hashable record; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def canonical(self) -> str:
        """Its JSON with sorted keys and no spaces: equal values have equal text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    def digest(self) -> str:
        """sha256 of the canonical JSON, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def replace(self, **changes: Any) -> Any:
        """A validated copy with other field values."""
        return type(self).model_validate({**{k: getattr(self, k) for k in type(self).model_fields}, **changes})
