"""What a run was, read from its folder."""

from __future__ import annotations

from pathlib import Path

from jetbench.errors import DataFileError
from jetbench.spec import RunSpec
from jetbench.strict import parse, read_yaml
from jetbench.tracking.folder import RunFolder

__all__ = ["read_spec", "refuse_faulty"]


def read_spec(folder: Path) -> RunSpec:
    """Read what a run was, with nothing left to be chosen; raises `DataFileError` where it cannot be read."""
    run = RunFolder(folder)
    try:
        text = run.spec.read_text()
    except (OSError, ValueError) as error:
        raise DataFileError(f"{run.spec}: cannot be read ({error}); run the suite again") from error
    spec: RunSpec = parse(RunSpec, read_yaml(text, str(run.spec), DataFileError), str(run.spec), DataFileError)
    return spec


def refuse_faulty(folder: Path) -> None:
    """Raise `DataFileError` where a folder is that of a run with a fault on purpose; other folders pass."""
    if RunFolder(folder).spec.exists() and (fault := read_spec(folder).fault) is not None:
        raise DataFileError(f"{folder}: these weights are faulty on purpose ({fault}); take those of an arm without a fault")
