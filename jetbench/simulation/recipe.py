"""What a simulated dataset is made from: a frozen value whose seed key names the dataset and seeds its jets."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator

from jetbench.errors import SimulationError
from jetbench.registry import nearest
from jetbench.values import Value

__all__ = ["SimulationRecipe"]

MOST_JETS = 100_000_000  # all of JetClass; event ids stay unique to five times as many


class SimulationRecipe(Value, ABC):
    """`jets` jets from one `seed`, shared equally by the classes; a subclass adds its options as fields with defaults.

    A subclass declares `name` as a `Literal` field with a default, so that recipes of two kinds never share a seed key, and
    `class_names`, in the order of the labels. Raises `SimulationError` where an option is unknown or makes no sense.
    """

    class_names: ClassVar[tuple[str, ...]]
    seed_fields: ClassVar[tuple[str, ...]] = ("name", "jets", "seed", "revision")  # never changed: see `seed_form`

    name: str
    jets: int
    seed: int
    revision: int = Field(default=1, description="raised by hand whenever the same recipe gives other jets")
    plugin: str = Field(default="", description="digest of the plug-in that makes the jets; empty for a built-in simulator")

    @property
    @abstractmethod
    def rate(self) -> float:
        """About how many jets a core makes per second, for forecasts."""

    @property
    def seed_form(self) -> str:
        """JSON of what the jets depend on: `seed_fields`, and other fields only where they differ from their defaults.

        A new option whose default makes the jets of before therefore leaves the form, and with it every jet, as it is. The form
        is independent of how values are digested elsewhere.
        """
        later = (name for name, field in type(self).model_fields.items() if getattr(self, name) != field.default)
        form = {name: self.seed_value(name) for name in (*self.seed_fields, *later)}
        return json.dumps(form, sort_keys=True, separators=(",", ":"))

    def seed_value(self, name: str) -> Any:
        """Return what stands for a field in `seed_form`: its value, unless a subclass keeps the form of an earlier release."""
        return getattr(self, name)

    @property
    def seed_key(self) -> str:
        """sha256 of `seed_form`, 64 hexadecimal digits: it seeds generator, detector, event ids and splits, and names files."""
        return hashlib.sha256(self.seed_form.encode()).hexdigest()

    @property
    def mark(self) -> str:
        """The remark in the provenance of jets that tells them from those of any other recipe."""
        return f"recipe digest {self.seed_key}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """All remarks for the provenance: the recipe in full, and its `mark`."""
        return f"recipe {self.seed_form}", self.mark

    @model_validator(mode="wrap")
    @classmethod
    def _one_error(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            raise SimulationError(f"{cls.__name__}: " + "; ".join(map(cls._explain, error.errors()))) from None

    @classmethod
    def _explain(cls, error: Any) -> str:
        option = ".".join(map(str, error["loc"]))
        if error["type"] == "extra_forbidden":
            return f"no option {option!r}; {nearest(option, set(cls.model_fields) - {'name'})}"
        return f"{option} is {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"

    @model_validator(mode="after")
    def _shared_equally(self) -> Self:
        classes = len(self.class_names)
        if self.jets < classes or self.jets % classes:
            whole = max(1, self.jets // classes) * classes
            raise SimulationError(
                f"jets is {self.jets}; the {classes} classes share them equally, so ask for a positive multiple of {classes}, "
                f"such as {whole}"
            )
        if self.jets > MOST_JETS:
            raise SimulationError(
                f"jets is {self.jets}; at most {MOST_JETS} are simulated into one dataset, others by another seed"
            )
        return self
