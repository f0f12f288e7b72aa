"""What a run was, read from its folder."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from jetbench.errors import DataFileError
from jetbench.spec import RunSpec
from jetbench.strict import parse, read_yaml
from jetbench.tracking.folder import RunFolder

__all__ = ["FAULT", "read_spec", "refuse_faulty"]

FAULT = "fault"  # the key of its name in the metadata of weights


def read_spec(folder: Path) -> RunSpec:
    """Read what a run was, with nothing left to be chosen; raises `DataFileError` where it cannot be read."""
    run = RunFolder(folder)
    try:
        text = run.spec.read_text()
    except (OSError, ValueError) as error:
        raise DataFileError(f"{run.spec}: cannot be read ({error}); run the suite again") from error
    spec: RunSpec = parse(RunSpec, read_yaml(text, str(run.spec), DataFileError), str(run.spec), DataFileError)
    return spec


def refuse_faulty(path: Path) -> None:
    """Raise `DataFileError` where a folder, or a file of weights, is of a run with a fault on purpose: by the spec that lies
    there, or by the name that the weights bear wherever they were taken to. All else passes."""
    real = path.resolve()
    folder, weights = (real, RunFolder(real).weights) if real.is_dir() else (real.parent, real)
    fault = read_spec(folder).fault if RunFolder(folder).spec.exists() else _borne(weights)
    if fault is not None:
        raise DataFileError(f"{path}: these weights are faulty on purpose ({fault}); take those of an arm without a fault")


def _borne(weights: Path) -> str | None:
    """The fault that a file of weights bears the name of; none of a file that cannot be read, which others tell."""
    try:
        with safe_open(weights, "numpy") as file:
            return (file.metadata() or {}).get(FAULT)
    except (OSError, SafetensorError):
        return None
