from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.jets import guard, ragged
from jetbench.jets.guard import guarded, is_bug


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests bring readers of their own, which makes theirs, and with them this one, packages whose faults are bugs."""
    monkeypatch.setattr(guard, "OWN", {"jetbench"})


def test_a_library_that_stumbles_over_a_file_is_one_clear_error(tmp_path: Path) -> None:
    with (
        pytest.raises(DataFileError, match=r"a\.npz: damaged, truncated or of another format \(ValueError: "),
        guarded(tmp_path / "a.npz"),
    ):
        np.frombuffer(b"123", np.int64)
    with pytest.raises(DataFileError, match="KeyError"), guarded(tmp_path / "a.npz"):
        raise KeyError("raised by no code of ours")


def test_an_error_that_is_clear_already_passes() -> None:
    with pytest.raises(DataFileError, match=r"^clear$"), guarded(Path("a.npz")):
        raise DataFileError("clear")


def test_a_bug_passes_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ragged, "np", None)
    with pytest.raises(AttributeError, match="repeat"), guarded(Path("a.npz")):
        ragged.owners(np.array([0, 1]))


def test_what_a_bug_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def caught(kind: type[Exception]) -> Exception:
        try:
            raise kind("here")
        except Exception as error:
            return error

    assert not is_bug(caught(TypeError))
    monkeypatch.setattr(guard, "OWN", {__name__.partition(".")[0]})
    assert is_bug(caught(TypeError))
    assert not is_bug(caught(ValueError)), "what a file holds can be a wrong value"
    assert not is_bug(caught(OSError))
    assert not is_bug(TypeError("never raised"))
