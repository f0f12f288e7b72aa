"""The metric of every arm beside what its model takes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from jetbench.report.results import Results
from jetbench.report.sections.efficiency import SPEED, render

MEASURED = {
    "cost/parameters": 174_529.0,
    "cost/flops": 2.5e6,
    "cost/training_jets_per_second": 512.4,
    "cost/passes_to_best": 12_000.0,
    "cost/seconds_to_best": 7.5,
}


def rows(body: str) -> list[list[str]]:
    """The text of the cells, row by row."""
    found = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.S)]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in found]


def test_nothing_is_said_where_no_speed_was_measured(finished: Results) -> None:
    assert render(finished) is None


@pytest.fixture(scope="module")
def measured(finished: Results) -> Results:
    """Seeds of ResNet-15 from scratch have measured what they took, on no GPU."""
    cells = {
        cell: metrics | ({name: value * (1 + cell.seed) / 3 for name, value in MEASURED.items()} if cell.arm == "scratch" else {})
        for cell, metrics in finished.cells.items()
    }
    return replace(finished, cells=cells)


def test_what_an_arm_takes_stands_beside_its_metric(measured: Results) -> None:
    content = render(measured)
    assert content is not None
    headings, *lines = rows(content.body)
    assert headings == [
        *("arm", "test AUC", "parameters", "operations 10⁶ per jet", "training jets per second"),
        *("passes to best", "time to best seconds"),
    ]
    labels = measured.plan.instance.settings.labels[0]
    auc = measured.headlines("scratch", labels).mean()
    first = next(line for line in lines if line[0] == "scratch")
    assert first == ["scratch", f"{auc:.4f}", "174 529", "2.5", "512", "12 000", "7.5"]
    assert next(line for line in lines if line[0] == "boosted-trees")[2:] == ["–"] * 5


def test_what_depends_on_the_machine_is_said_with_the_machine(measured: Results) -> None:
    content = render(measured)
    assert content is not None
    assert "they depend on the machine, on what else\nran there, and on how many trainings ran at a time." in content.body
    assert "Measured on" not in content.body
    machine = {"processor": "Toy 9000", "machine": "x86_64", "cores": 2}
    noted = replace(measured)
    vars(noted)["environments"] = {key: one | machine for key, one in measured.environments.items()}
    told = render(noted)
    assert told is not None
    assert "Measured on Toy 9000, x86_64, 2 cores; other load" in told.body


def test_speeds_that_other_work_has_touched_are_said_to_be(measured: Results) -> None:
    """Those of the fixture are 1 : 2 : 3."""
    quiet = {
        cell: metrics | ({SPEED: 100.0 + 49 * (cell.seed % 2)} if SPEED in metrics else {})
        for cell, metrics in measured.cells.items()
    }
    found = [render(measured), render(replace(measured, cells=quiet))]
    said = ["differ by more than 1.5 times for scratch:" in content.body for content in found if content]
    assert said == [True, False]
