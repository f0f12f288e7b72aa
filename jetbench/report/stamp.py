"""What a written report was made from: as long as that stays the same, its files stay as they are."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field

from jetbench.files import write_json
from jetbench.report.fingerprint import fingerprint
from jetbench.report.html import FRAME
from jetbench.report.reproduce import command
from jetbench.report.results import Results
from jetbench.runs.environment import code_digest
from jetbench.values import Value

__all__ = ["NAME", "Stamp", "inputs", "maker", "read_stamp", "sha256"]

NAME = "stamp.json"
LIBRARIES = ("jinja2", "matplotlib", "numpy", "scipy")  # that decide how a page reads and a plot looks


FileName = Annotated[str, Field(pattern=r"^[\w-][\w.-]*$")]  # of a file in the folder of the report, and of none elsewhere


class Stamp(Value):
    """`inputs` is the digest of all that the report was made from, `maker` that of code and libraries. `plots` hold the digest of
    what each plot shows, `files` the sha256 of every file of the report, the page first."""

    inputs: str = ""
    maker: str = ""
    plots: dict[str, str] = {}
    files: dict[FileName, str] = {}

    def write(self, folder: Path) -> None:
        """Write the stamp into the folder of its report; raises `StoreError` where the folder does not let us."""
        write_json(folder / NAME, self.model_dump(mode="json"))

    def whole(self, folder: Path, name: str) -> bool:
        """Tell whether the file is there as it was written."""
        path = folder / name
        return path.is_file() and sha256(path.read_bytes()) == self.files.get(name)


def read_stamp(folder: Path) -> Stamp:
    """Read the stamp of a report; an empty one where there is none, or none that can be read: then all is made anew."""
    try:
        return Stamp.model_validate_json((folder / NAME).read_bytes())
    except (OSError, ValueError):
        return Stamp()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def maker() -> str:
    """Return a digest of what turns results into a report: jetbench's own code, the frame of the page, the libraries behind
    it."""
    frame = (files("jetbench.report") / FRAME).read_bytes()
    return fingerprint((code_digest(), frame, tuple(version(name) for name in LIBRARIES)))


def inputs(results: Results) -> str:
    """Return a digest of all that a report shows: the instance, what each run declared when it ended and what it cost, what is
    missing, and what the studies have tried and decided. A finished run's files are covered by the checksums that it declared."""
    plan, keys = results.plan, sorted(results.runs)
    ended = [(key, results.ended(key), results.ledger.costs(key)) for key in keys]
    cells = [(cell, results.last[cell], metrics) for cell, metrics in results.cells.items()]
    studies = (results.trials, list(results.winners.items()))
    missing = list(results.missing.items())
    return fingerprint((plan.instance, plan.instance.meta, plan.skipped, cells, ended, missing, studies, command(plan.instance)))
