"""Whether the packages are there that jetbench asks for, and which extras are not."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement

from jetbench.doctor.finding import Finding

__all__ = ["look_at_packages"]

SHOWN = ("jetbench", "torch", "numpy", "scikit-learn", "mlflow", "optuna", "distributed", "h5py")
FOR_OTHERS = {"test"}  # extras that only who changes jetbench needs


def look_at_packages() -> Iterator[Finding]:
    """Compare what is installed with what jetbench's own metadata ask for, extra by extra."""
    lacking = list(_lacking(None))
    shown = ", ".join(f"{name} {version(name)}" for name in SHOWN if name not in {one.name for one, _ in lacking})
    yield Finding(state="ok", what="versions", told=f"Python {platform.python_version()}, {shown}")
    for requirement, found in lacking:
        told = f"{requirement} is needed, and {found or 'none'} is installed"
        remedy = "pip install -c constraints.txt . in jetbench's checkout installs what was tested together"
        yield Finding(state="mend", what="packages", told=told, remedy=remedy)
    extras = {extra: list(_lacking(extra)) for extra in metadata("jetbench").get_all("Provides-Extra") or ()}
    for extra, missing in extras.items():
        if missing and extra not in FOR_OTHERS:
            told = f"jetbench[{extra}] is not installed: {', '.join(requirement.name for requirement, _ in missing)}"
            yield Finding(state="note", what="extras", told=told, remedy=f"pip install 'jetbench[{extra}]' where it is wanted")


def _lacking(extra: str | None) -> Iterator[tuple[Requirement, str | None]]:
    """What an extra, or jetbench itself, asks for and is not there, each with the version that is."""
    for text in requires("jetbench") or ():
        requirement = Requirement(text)
        marker = requirement.marker
        own = marker is None or marker.evaluate({"extra": ""})
        if own if extra is not None else not own:
            continue
        if extra is not None and not (marker and marker.evaluate({"extra": extra})):
            continue
        found = _installed(requirement.name)
        if found is None or not requirement.specifier.contains(found, prereleases=True):
            yield requirement, found


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
