"""The contract of metrics beside a task's own: one keeps it, and each property is broken once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from jetbench.evaluation.metrics import MetricEntry, metrics
from jetbench.testing import check, contract
from jetbench.testing.added_metrics import CONTRACT

GOOD = MetricEntry(
    "share-right", f"{__name__}:share_right", "a share", heading="right", low=0.0, high=1.0, tasks=("classification",)
)


def share_right(truth: Any, scores: Any) -> float:
    return float(np.mean((scores > 0.5) == truth))


def of_the_first(truth: Any, scores: Any) -> float:
    return share_right(truth[:100], scores[:100])


def sorting(truth: Any, scores: Any) -> float:
    right = share_right(truth, scores)
    scores.sort()
    return right


BROKEN = {
    "it says what it is": replace(GOOD, tasks=("tagging",)),
    "values are in its range": replace(GOOD, high=0.9),
    "better predictions are better": replace(GOOD, larger_is_better=False),
    "the order of jets does not matter": replace(GOOD, target=f"{__name__}:of_the_first"),
    "what it judges is left as it is": replace(GOOD, target=f"{__name__}:sorting"),
}


def test_a_metric_keeps_its_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(metrics._entries, GOOD.name, GOOD)
    contract("metric", GOOD.name)


@pytest.mark.parametrize("name", BROKEN)
def test_a_property_fails_where_it_is_broken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(metrics._entries, GOOD.name, BROKEN[name])
    lines = check("metric", GOOD.name).lines
    assert any(line.startswith(f"failed: {name}: ") for line in lines)


def test_every_property_is_broken_once() -> None:
    assert set(BROKEN) == set(CONTRACT.properties)
