"""What an examination finds."""

from __future__ import annotations

from typing import Literal

from jetbench.values import Value

__all__ = ["Finding"]


class Finding(Value):
    """What is so of one thing. `state` is "ok", "note" for what costs time or is only good to know, or "mend" for what stops a
    suite; `remedy` is what to do."""

    state: Literal["ok", "note", "mend"]
    what: str
    told: str
    remedy: str = ""
