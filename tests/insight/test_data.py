"""What stands beside a plot is what it was drawn from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from jetbench.insight.data import plain, plot_data
from jetbench.jets import Grid
from jetbench.report.content import Plot


@dataclass(frozen=True)
class Record:
    values: np.ndarray
    grid: Grid


def draw(curve: np.ndarray, record: Record, names: tuple[str, ...]) -> Any:
    raise AssertionError("the data need no drawing")


def test_data_have_the_names_of_the_drawings_parameters() -> None:
    grid = Grid(rows=2, columns=3, eta_extent=0.8, phi_extent=0.8)
    curve = np.array([1.23456789, np.nan, np.float32(2.0)])
    found = plot_data(Plot("p", "", "", draw, (curve, Record(np.arange(2), grid), ("a", "b"))))
    assert found == {
        "curve": [1.23457, None, 2.0],
        "record": {"values": [0, 1], "grid": {"rows": 2, "columns": 3, "eta_extent": 0.8, "phi_extent": 0.8}},
        "names": ["a", "b"],
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_has_no_plain_form_is_no_silent_gap() -> None:
    with pytest.raises(TypeError, match="object"):
        plain({"a": object()})
