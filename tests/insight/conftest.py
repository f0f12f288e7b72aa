"""A store of tiny runs that were really trained, two seeds of every kind of model, once for all tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tiny_runs import Toys, finished_toys_of, toys_of

from jetbench.insight import drawing, inspection, prong_shares
from jetbench.insight.evidence import Evidence, gather
from jetbench.insight.inspection import Inspection
from jetbench.report.subjects import Subject, find_subject
from jetbench.tracking.store import Store

__all__ = ["finished_toys_of", "toys_of"]


@pytest.fixture(autouse=True, scope="session")
def coarse() -> Iterator[None]:
    """Plots of a fifth of their resolution, and few jets for each map."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "DPI", 30)
        for module in (inspection, prong_shares):
            patch.setattr(module, "EXPLAINED", 30)
        yield


@dataclass(frozen=True)
class Trained:
    """The store of a suite that was run on the jets of a file."""

    store: Store
    file: Path

    def subject(self, what: str) -> Subject:
        return find_subject(what, self.store)

    def evidence(self, what: str) -> list[Evidence]:
        return gather(self.subject(what), self.store.root)

    def inspection(self, what: str) -> Inspection:
        subject = self.subject(what)
        return Inspection(subject, gather(subject, self.store.root))


@pytest.fixture(scope="session")
def trained(finished_toys_of: Callable[..., Toys]) -> Callable[..., Trained]:
    """`trained(classes, *overrides)`: all runs of the suite, made once for the same arguments."""

    def make(classes: int = 2, *overrides: str) -> Trained:
        toys = finished_toys_of(classes, *overrides)
        return Trained(Store(toys.store), toys.folder / "jets.h5")

    return make
