"""The golden file is complete, and a sketch notices what it should."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from golden import builders, numbers

VALUES = np.random.default_rng(0).normal(size=(200, 12))


def test_every_component_has_numbers_at_its_revision() -> None:
    there, needed = set(numbers.golden()), builders.keys()
    assert not needed - there, f"write them with {numbers.WRITE}=1 pytest tests/golden -m ''"
    assert not there - needed, "numbers of what there is no more; take them out of the file"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A golden file with one component at revision 1."""
    path = tmp_path / "golden.json"
    path.write_text(json.dumps({"view wave@1": numbers.sketch("x", VALUES), "view other@1": {"n": 3}}))
    monkeypatch.setattr(numbers, "GOLDEN", path)
    monkeypatch.delenv(numbers.WRITE, raising=False)
    return path


def changed(place: int) -> np.ndarray:
    values = VALUES.copy()
    values.flat[place] += 0.1
    return values


@pytest.mark.parametrize("other", [VALUES[:, ::-1], VALUES * 1.001, VALUES[1:], VALUES.T, *map(changed, (0, 777, 2399))])
def test_a_change_needs_a_revision(file: Path, other: np.ndarray) -> None:
    with pytest.raises(AssertionError, match="view wave@1: numbers changed, so raise its revision: x"):
        numbers.check("view wave@1", numbers.sketch("x", other))


def test_the_last_digits_of_another_machine_are_no_change(file: Path) -> None:
    numbers.check("view wave@1", numbers.sketch("x", VALUES.astype(np.float32)))
    with pytest.raises(AssertionError, match="n 3 -> 4"):
        numbers.check("view other@1", {"n": 4})


def test_a_revision_without_numbers_is_refused_until_they_are_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="no golden numbers of view wave@2: write them with JETBENCH_WRITE_GOLDEN=1"):
        numbers.check("view wave@2", numbers.sketch("x", VALUES))
    monkeypatch.setenv(numbers.WRITE, "1")
    with pytest.raises(pytest.skip.Exception, match="view wave@2 was written"):
        numbers.check("view wave@2", numbers.sketch("x", VALUES))
    assert set(numbers.golden()) == {"view wave@2", "view other@1"}
    numbers.check("view wave@2", numbers.sketch("x", VALUES))


def test_what_has_numbers_is_never_written_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(numbers.WRITE, "1")
    before = file.read_bytes()
    with pytest.raises(AssertionError, match="numbers changed"):
        numbers.check("view wave@1", numbers.sketch("x", 2 * VALUES))
    assert file.read_bytes() == before
