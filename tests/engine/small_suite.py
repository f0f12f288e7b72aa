"""A suite of toy jets in a folder, its own test jets, and a run of it from beginning to end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from jetbench.data.splits import split_jets
from jetbench.engine.engine import execute
from jetbench.engine.prepare import prepare
from jetbench.jets import Jets, save_jets
from jetbench.suites.plan import Plan
from jetbench.suites.settings import SuiteFile
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker

__all__ = ["run", "write_suite"]


def write_suite(folder: Path, toy_jets: Jets, suite_text: str) -> tuple[SuiteFile, Jets]:
    """Write jets and suite; returns the suite and those of the jets that it tests on."""
    save_jets(folder / "toy.h5", [toy_jets])
    (folder / "mini.yaml").write_text(suite_text.format(dataset=folder / "toy.h5"))
    suite = find_suite(str(folder / "mini.yaml"))
    digest = instantiate(suite).dataset.sha256
    return suite, toy_jets.take(split_jets(toy_jets.targets["label"], toy_jets.event, 100, None, 0, digest).test)


def run(plan: Plan, store: Store, tracker: MemoryTracker, cache: Path) -> Counter[str]:
    """Run a plan with a cache of its own; returns how often each kind of event came, ticks apart."""
    store.work.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JETBENCH_CACHE", str(cache))
        made = lambda crew: prepare(plan, 2, lambda what, done, total: None)  # noqa: E731
        return Counter(event.kind for event in execute(plan, store, tracker, lambda: [None] * 2, made) if event.kind != "tick")
