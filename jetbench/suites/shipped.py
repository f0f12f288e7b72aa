"""Files of suites and studies: those that are shipped are found by name, any by path."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jetbench.errors import SuiteError, UnknownNameError
from jetbench.registry import nearest

__all__ = ["STUDIES", "SUITES"]


@dataclass(frozen=True)
class Shelf:
    """The shipped files of one `kind`, "suite" or "study", in a package, and the `command` that runs one."""

    kind: str
    package: str
    command: str

    def names(self) -> list[str]:
        """List the names of the shipped files."""
        names = [path.name for path in files(self.package).iterdir()]
        return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))

    def text(self, name: str) -> str:
        """Return the text of a shipped file by name, or of any file by path. Raises `UnknownNameError` for none, `SuiteError` for
        one that is no text."""
        path: Any = files(self.package) / f"{name}.yaml"
        if not path.is_file():
            path = Path(name).expanduser()
            if not path.is_file():
                raise UnknownNameError(f"{self._absent(name, path)}; {self._remedy(name)}")
        try:
            return str(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            raise SuiteError(f"{name}: no text, so no {self.kind}; a file of jets goes to --dataset") from None

    def _absent(self, name: str, path: Path) -> str:
        """Say what is not there: a file where the word looks like a path, else a name."""
        if not path.suffix and os.sep not in name:
            return f"no {self.kind} and no file {name!r}"
        there = "that is a folder" if path.is_dir() else "there is no such file"
        return f"{name}: {there}; a file of a {self.kind} is YAML, NAME.yaml, and a shipped {self.kind} goes by its name alone"

    def _remedy(self, name: str) -> str:
        """Say what a name is on another shelf; else the nearest one on this."""
        other = next((shelf for shelf in (SUITES, STUDIES) if name in shelf.names()), None)
        return f"it is a {other.kind}: `{other.command} {name}`" if other else nearest(name, self.names())


SUITES = Shelf("suite", "jetbench.benchmarks", "jetbench run --suite")
STUDIES = Shelf("study", "jetbench.studies", "jetbench study run")
