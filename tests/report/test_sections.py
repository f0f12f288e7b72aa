"""The parts of a report by name: each is there, says something or nothing, and only where the task wants it."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest
from report.pages import Checked, page_of

import jetbench.report.sections as package
from jetbench.errors import UnknownNameError
from jetbench.report.content import Columns, SectionContent
from jetbench.report.results import Results
from jetbench.report.sections import SectionEntry, columns_of, contents_of, sections


def with_sections(results: Results, *names: str) -> Results:
    """The same results under a task that names other parts of the report."""
    own = replace(results)
    vars(own)["task"] = copy(results.task)
    vars(own)["task"].sections = names
    return own


@pytest.fixture(scope="module")
def nothing(finished: Results) -> Results:
    """No cell is finished."""
    missing = dict.fromkeys(finished.plan.cells, "not run yet")
    return replace(finished, cells={}, missing=missing, winners={}, trials={}, runs=finished.plan.runs)


@pytest.mark.parametrize("entry", list(sections), ids=lambda entry: entry.name)
def test_every_part_renders_finished_and_missing_results(entry: SectionEntry, finished: Results, nothing: Results) -> None:
    for results in (finished, nothing):
        content = entry.load()(results)
        assert isinstance(content, Columns) if entry.in_table else content is None or isinstance(content, SectionContent)


def test_every_file_is_in_the_table() -> None:
    files = {path.stem for path in Path(package.__path__[0]).glob("*.py")} - {"__init__"}
    assert {entry.target for entry in sections} == {
        f"jetbench.report.sections.{entry.name.replace('-', '_')}:{'columns' if entry.in_table else 'render'}"
        for entry in sections
    }
    assert files == {entry.name.replace("-", "_") for entry in sections}


def test_a_section_is_one_file_that_no_other_needs() -> None:
    folder = Path(package.__path__[0])
    for path in (folder.parent).rglob("*.py"):
        others = re.findall(r"^\s*(?:from|import) jetbench\.report\.sections\.\S+", path.read_text(), flags=re.MULTILINE)
        assert not others, path


def test_the_page_has_the_sections_in_the_order_of_the_table(finished: Results) -> None:
    anchors = [content.anchor for content in contents_of(finished)]
    assert anchors == Checked(page_of(finished)).anchors
    assert len(set(anchors)) == len(anchors)
    assert anchors[:4] == ["answer", "warnings", "provenance", "comparison"]
    assert {"roc", "label-budget", "differences", "curves", "cost", "tuning", "truths", "protocol", "reproduce"} <= set(anchors)


def test_what_belongs_to_one_task_is_shown_where_the_task_names_it(finished: Results) -> None:
    assert [column.heading for part in columns_of(finished) for column in part.columns] == [
        *("R50", "R30", "accuracy", "F1", "log loss", "ECE"),
    ]
    plain = with_sections(finished)
    assert columns_of(plain) == []
    text = page_of(plain)
    assert not re.search(r"Background rejection|<th>R50|accuracy|DeLong|ECE", text)
    assert "The comparison" in text
    assert [content.anchor for content in contents_of(with_sections(finished, "roc"))].count("roc") == 1


def test_a_section_that_nobody_knows_is_an_error(finished: Results) -> None:
    with pytest.raises(UnknownNameError, match=r"no section of a report 'rok'; did you mean 'roc'"):
        contents_of(with_sections(finished, "rok"))


def test_general_parts_name_no_metric() -> None:
    """What suits every task takes its words from the task."""
    general = {entry.name.replace("-", "_") for entry in sections if entry.general}
    folder = Path(package.__path__[0])
    shared = [path for path in folder.parent.glob("*.py") if path.name not in ("task.py",)]
    for path in [*shared, *(folder / f"{name}.py" for name in general)]:
        assert not re.search(r"\bAUC\b|DeLong|test/auc|val/auc", code_of(path)), path


def code_of(path: Path) -> str:
    """Without docstrings, where AUC is an example."""
    return re.sub(r'"""(?! *\n<|\n).*?"""', "", path.read_text(), flags=re.DOTALL)
