"""What values an option may have, and where a study searches a parameter. Both stand beside the component or recipe that has it.

What holds for a parameter, first match: a value that the arm itself gives, the range that the arm gives, the range of the suite
or study, the default range beside the component. What is in no list of parameters to be searched has its default.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, TypeGuard

from pydantic import model_validator

from jetbench.errors import SuiteError
from jetbench.registry import Entry, nearest
from jetbench.spec import Options, Scalar
from jetbench.values import Spec

__all__ = ["WIDTHS", "Allowed", "Configured", "Space", "Spaces", "check_given"]


@dataclass(frozen=True)
class Allowed:
    """The values that an option may have: `choices`, texts of a `pattern`, or numbers from `least` to `most`, `above` one and
    `below` another. `text` says it where a pattern would not."""

    choices: tuple[str, ...] = ()
    pattern: str = ""
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    text: str = ""

    def __contains__(self, value: object) -> bool:
        if self.choices:
            return value in self.choices
        if self.pattern:
            return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return False
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        if self.text or self.choices:
            return self.text or " or ".join(map(repr, self.choices))
        ends = (("at least", self.least), ("above", self.above), ("at most", self.most), ("below", self.below))
        return " and ".join(f"{word} {end:g}" for word, end in ends if end is not None)


WIDTHS = Allowed(pattern=r"[1-9]\d*(-[1-9]\d*)*", text="a list of widths such as '64-64-128'")


class Space(Spec):
    """A range from `low` to `high` (whole numbers where both are whole), on a logarithmic scale where `log` says so, or a list of
    `choices`."""

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    choices: tuple[Scalar, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.choices:
            if self.low is not None or self.high is not None or len(set(self.choices)) != len(self.choices):
                raise ValueError("choices differ from each other and stand without low and high")
        elif self.low is None or self.high is None or not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(
                "a range has low < high, both above zero on a logarithmic scale; or give choices, as in {choices: [a, b]}"
            )
        return self

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def nearest(self, value: Scalar) -> Scalar:
        """Return the value itself where it is in the space; else the end of the range or the number among the choices that is
        nearest to it, or the first choice where it is no number."""
        if value in self.choices:
            return value
        numbers = [choice for choice in self.choices if _is_number(choice)]
        if self.low is None or self.high is None:
            near = min(numbers, key=lambda choice: abs(choice - value)) if numbers and _is_number(value) else None
            return self.choices[0] if near is None else near
        return min(max(value, self.low), self.high) if _is_number(value) else self.low


def _is_number(value: Scalar) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


Spaces = tuple[tuple[str, Space], ...]


@dataclass(frozen=True)
class Configured(Entry):
    """A component with options. `defaults` are those that a suite may set, with their defaults; `allowed` is what values they may
    have, where not every one of the default's kind makes sense; `spaces` is where a study searches them unless it says
    otherwise."""

    defaults: Options = ()
    allowed: tuple[tuple[str, Allowed], ...] = ()
    spaces: Spaces = ()


def check_given(where: str, given: Mapping[str, object], entry: Configured) -> None:
    """Raise `SuiteError` for an option that a component has not, for a value of another kind than the default's (a whole number
    is a float too), and for one that is not allowed."""
    usual, allowed = dict(entry.defaults), dict(entry.allowed)
    for name, value in given.items():
        if name not in usual:
            raise SuiteError(f"{where} has no option {name!r}; {nearest(name, usual)}")
        default = usual[name]
        kinds = (int, float) if isinstance(default, float) else (type(default),)
        if default is not None and type(value) not in kinds:
            raise SuiteError(f"{where}.{name} is {value!r}; it is of the kind of its default, {default!r}")
        if value != default and name in allowed and value not in allowed[name]:
            raise SuiteError(f"{where}.{name} is {value!r}; it is {allowed[name]}")
