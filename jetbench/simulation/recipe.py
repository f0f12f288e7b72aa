"""What a simulated dataset is made from: a frozen value whose digest names the dataset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator

from jetbench.errors import SimulationError
from jetbench.registry import nearest
from jetbench.values import Value

if TYPE_CHECKING:
    from jetbench.jets import Jets, Meta
    from jetbench.simulation.chunks import Chunk

__all__ = ["SimulationRecipe"]

MOST_JETS = 100_000_000  # all of JetClass; event ids stay unique to five times as many


class SimulationRecipe(Value, ABC):
    """`jets` jets from one `seed`, shared equally by the classes; a subclass adds its options as fields with defaults.

    A subclass declares `name` as a `Literal` field with a default, so that recipes of two kinds never share a digest, and
    `class_names`, in the order of the labels. Raises `SimulationError` where an option is unknown or makes no sense.
    """

    class_names: ClassVar[tuple[str, ...]]

    name: str
    jets: int
    seed: int
    revision: int = Field(default=1, description="raised by hand whenever the same recipe gives other jets")

    @abstractmethod
    def meta(self) -> Meta:
        """Channels, classes and provenance of every chunk; the provenance's remarks are `remarks`."""

    @property
    @abstractmethod
    def rate(self) -> float:
        """About how many jets a core makes per second, for forecasts."""

    @abstractmethod
    def make(self, chunk: Chunk, progress: Callable[[int], None]) -> Jets:
        """Simulate one chunk of this recipe; the same chunk always gives the same jets, with the ids of `chunk.event_ids`.

        `progress` hears of the number of jets so far. Raises `SimulationError` where that fails.
        """

    @property
    def remarks(self) -> tuple[str, ...]:
        """What tells the jets of one recipe from those of another, for the provenance."""
        return f"recipe {self.canonical()}", f"recipe digest {self.digest()}"

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
