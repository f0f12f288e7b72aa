"""Packages beside jetbench's own that models need: are they installed?"""

from __future__ import annotations

from importlib.util import find_spec

from jetbench.errors import MissingPackageError
from jetbench.models import models
from jetbench.suites.choices import Common

__all__ = ["refuse_missing_packages"]


def refuse_missing_packages(settings: Common) -> None:
    """Raise `MissingPackageError` for an arm whose model needs a package that is not installed. A store is read without."""
    for name, arm in settings.arms.items():
        extra = models[arm.model].extra
        if extra and find_spec(extra) is None:
            raise MissingPackageError(
                f"the arm {name!r} has the model {arm.model!r}, which needs the package {extra}; "
                f"pip install 'jetbench[{extra}]' installs it"
            )
