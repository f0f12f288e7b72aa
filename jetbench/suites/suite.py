"""Suites: found by name or path, merged with a scale and overrides into an instance."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from jetbench.errors import SuiteError, UnknownNameError
from jetbench.registry import nearest
from jetbench.strict import parse, read_yaml
from jetbench.suites.instance import AnyInstance, resolved
from jetbench.suites.settings import Settings, SuiteFile

__all__ = ["Instance", "find_suite", "instantiate", "suite_names", "suite_text"]


class Instance(AnyInstance):
    """A suite with scale, dataset and overrides."""

    suite: str
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
    names = [path.name for path in files("jetbench.benchmarks").iterdir()]
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def suite_text(name: str) -> str:
    """Return the text of a shipped suite by name, or of any suite file by path."""
    path: Any = files("jetbench.benchmarks") / f"{name}.yaml"
    if not path.is_file():
        path = Path(name).expanduser()
        if not path.is_file():
            raise UnknownNameError(f"no suite and no file {name!r}; {nearest(name, suite_names())}")
    try:
        return str(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise SuiteError(f"{name}: no text, so no suite; a file of jets goes to --dataset") from None


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
    return Instance(suite=suite.suite, **resolved(Settings, suite, scale, given, overrides))
