"""What every component of a kind must do, as named properties that are tried one after another, each from the beginning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from jetbench.errors import JetbenchError
from jetbench.processes import one_thread
from jetbench.registry import Entry

__all__ = ["Contract", "LeftOut", "Report", "each", "expect"]

S = TypeVar("S")
T = TypeVar("T")
Property = Callable[[S], None]


class LeftOut(Exception):  # noqa: N818 (it is no error)
    """A property that cannot be tried for a component; the message says why."""


def expect(holds: Any, told: str) -> None:
    """Raise `AssertionError` with a sentence that tells what was expected and found, where something does not hold; an `assert`
    would be left out by `python -O`."""
    if not holds:
        raise AssertionError(told)


def each(sorts: Iterable[tuple[str, T]], check: Callable[[T], None]) -> None:
    """Check something of several sorts, by name; what is said of one that does not hold begins with its name."""
    for name, subject in sorts:
        try:
            check(subject)
        except AssertionError as error:
            raise AssertionError(f"of {name}, {error}") from error


@dataclass(frozen=True)
class Report:
    """What became of the properties of a contract, a line each: "passed: …", "failed: …: why" or "left out: …: why"."""

    kind: str
    name: str
    lines: tuple[str, ...]
    faults: tuple[Exception, ...] = field(default=(), repr=False)

    @property
    def passed(self) -> bool:
        """Whether no property failed."""
        return not self.faults


class Contract(Generic[S]):
    """The properties of one sort of component. `prepare` makes, of its row and of a sample that somebody may give, what each
    property is given; `covers` says of which rows of a kind the contract is."""

    def __init__(self, prepare: Callable[[Any, Any], S], covers: Callable[[Any], bool] = lambda entry: True) -> None:
        self.prepare = prepare
        self.covers = covers
        self.properties: dict[str, Property[S]] = {}

    def property(self, check: Property[S]) -> Property[S]:
        """Add a property, as a decorator; its name is the sentence that the function's name is."""
        name = check.__name__.replace("_", " ")
        if name in self.properties:
            raise ValueError(f"there are two properties called {name!r}")
        self.properties[name] = check
        return check

    def include(self, checks: Iterable[Property[S]]) -> None:
        """Add properties that several contracts share."""
        for check in checks:
            self.property(check)

    def results(self, entry: Entry, sample: Any = None) -> Iterator[tuple[str, Exception | None]]:
        """Try every property of a registered component: a line of each as it is done, and its error where it fails."""
        for name, check in self.properties.items():
            try:
                with one_thread():  # of which each training has one
                    check(self.prepare(entry, sample))
            except LeftOut as reason:
                yield f"left out: {name}: {reason}", None
            except Exception as error:  # whatever a component raises is what its author has to be told
                yield f"failed: {name}: {_told(error)}", error
            else:
                yield f"passed: {name}", None

    def report(self, kind: str, entry: Entry, sample: Any = None) -> Report:
        """Try every property, and return what has become of them all."""
        found = list(self.results(entry, sample))
        faults = tuple(error for _, error in found if error is not None)
        return Report(kind, entry.name, tuple(line for line, _ in found), faults)


def _told(error: Exception) -> str:
    """What an error says, in one line, with its kind where it is none of those that say everything."""
    text = " ".join(str(error).split())
    return text if isinstance(error, AssertionError | JetbenchError) and text else f"{type(error).__name__}: {text}"
