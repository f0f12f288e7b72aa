"""Durations as people write them."""

from __future__ import annotations

import re

import click

__all__ = ["Duration"]

SECONDS = {"h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0}
PARTS = re.compile(r"(\d+(?:\.\d+)?)\s*(h|min|m|s)", re.IGNORECASE)


class Duration(click.ParamType):
    """ "90s", "20m", "1h30m": a float of seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds; an error for a text that is no duration, and for none at all."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        seconds = sum(float(number) * SECONDS[unit.lower()] for number, unit in PARTS.findall(text))
        if PARTS.sub("", text).strip() or seconds <= 0:
            self.fail(f"{text!r} is no duration; write it as in 90s, 20m or 1h30m", param, ctx)
        return seconds
