"""Models whose package only an extra installs: their tests are left out where it is missing, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

import pytest

from jetbench.models import ModelEntry


def installed(entries: Iterable[ModelEntry]) -> list[object]:
    """Each model as a parameter of a test, by its name."""
    return [pytest.param(entry, id=entry.name, marks=_marks(entry)) for entry in entries]


def _marks(entry: ModelEntry) -> tuple[pytest.MarkDecorator, ...]:
    missing = bool(entry.extra) and find_spec(entry.extra) is None
    return (pytest.mark.skip(reason=f"pip install 'jetbench[{entry.extra}]' installs its package"),) if missing else ()
