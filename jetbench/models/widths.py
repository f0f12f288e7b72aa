"""Widths of layers, as options give them."""

from __future__ import annotations

from jetbench.errors import SuiteError
from jetbench.spaces import WIDTHS

__all__ = ["read_widths"]


def read_widths(option: str, text: str) -> list[int]:
    """Return the widths that a text such as "64-64-128" lists. Raises `SuiteError`, naming the option, for any other."""
    if text not in WIDTHS:
        raise SuiteError(f"{option} is {text!r}; it is {WIDTHS}")
    return [int(width) for width in text.split("-")]
