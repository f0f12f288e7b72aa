"""Where a study searches a parameter. A space stands beside the component or recipe that has the parameter.

What holds for a parameter that is searched, first match: a value that the arm itself gives, the range that the suite gives, the
default range beside the component.
"""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from jetbench.spec import Scalar
from jetbench.values import Spec

__all__ = ["Space", "Spaces"]


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
            raise ValueError("a range has low < high, both above zero on a logarithmic scale; or give a list of choices")
        return self

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


Spaces = tuple[tuple[str, Space], ...]
