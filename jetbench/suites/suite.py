"""Suites: found by name or path, merged with a scale and overrides into an instance."""

from __future__ import annotations

from typing import ClassVar, Literal

from jetbench.errors import SuiteError
from jetbench.strict import parse, read_yaml
from jetbench.suites.instance import AnyInstance, resolved
from jetbench.suites.settings import Asked, Settings, SuiteFile
from jetbench.suites.shipped import SUITES

__all__ = ["Instance", "find_suite", "instantiate", "suite_names", "suite_text"]


class Instance(AnyInstance):
    """A suite with scale, dataset and overrides."""

    labels_only: ClassVar[frozenset[str]] = AnyInstance.labels_only | {"asks"}

    suite: str
    asks: Asked = "verdicts"
    settings: Settings

    @property
    def title(self) -> str:
        return self.suite

    @property
    def kind(self) -> Literal["suite", "study"]:
        return "suite"

    @property
    def budgets(self) -> tuple[int, ...]:
        return self.settings.labels


def suite_names() -> list[str]:
    """List the names of the shipped suites."""
    return SUITES.names()


def suite_text(name: str) -> str:
    """Return the text of a shipped suite by name, or of any suite file by path, as `Shelf.text` does."""
    return SUITES.text(name)


def find_suite(name: str) -> SuiteFile:
    """Read a shipped suite by name, or any suite file by path, strictly."""
    return parse(SuiteFile, read_yaml(suite_text(name), name, SuiteError), name, SuiteError)


def instantiate(
    suite: SuiteFile,
    scale: str | None = None,
    dataset: str | None = None,
    unlabelled: str | None = None,
    overrides: tuple[str, ...] = (),
    also_test: str | None = None,
) -> Instance:
    """Make an instance of the suite at a scale, with another dataset, unlabelled pool or second test set, and `key=value`
    overrides (dots descend)."""
    given = {"dataset": dataset, "unlabelled": unlabelled, "also_test": also_test}
    return Instance(suite=suite.suite, asks=suite.asks, **resolved(Settings, suite, scale, given, overrides))
