"""How many trainings run at a time, and which GPU each of them sees."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from jetbench.engine import devices
from jetbench.engine.devices import gpus, named, places
from jetbench.errors import RunError


@pytest.mark.parametrize(
    ("jobs", "cores", "found", "expected"),
    [
        (None, 4, (), (None,) * 4),
        (2, 4, (), (None, None)),
        (None, 16, ("0",), ("0",)),
        (None, 16, ("0", "1"), ("0", "1")),
        (3, 16, ("0", "1"), ("0", "1", "0")),
        (1, 16, ("4", "7"), ("4",)),
    ],
)
def test_a_gpu_has_one_training_unless_the_user_asks_for_more(
    jobs: int | None, cores: int, found: tuple[str, ...], expected: tuple[str | None, ...]
) -> None:
    assert places(jobs, cores, found) == expected


@pytest.mark.parametrize(
    ("count", "visible", "expected"),
    [
        (2, None, ("0", "1")),
        (2, "2, 3", ("2", "3")),
        (1, "GPU-8f2c,bogus", ("GPU-8f2c",)),
        (0, "", ()),
        (0, None, ()),
    ],
)
def test_gpus_keep_the_names_that_the_user_gave_them(count: int, visible: str | None, expected: tuple[str, ...]) -> None:
    assert named(count, visible) == expected


def answering(monkeypatch: pytest.MonkeyPatch, answer: SimpleNamespace, signs: tuple[str, ...] = ("/proc/self",)) -> list[int]:
    """Torch answers this; the list grows with each time that it is asked."""
    asked: list[int] = []

    def ask(*arguments: object, **keywords: object) -> SimpleNamespace:
        asked.append(1)
        return answer

    monkeypatch.setattr(subprocess, "run", ask)
    monkeypatch.setattr(devices, "SIGNS", signs)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    gpus.cache_clear()
    return asked


@pytest.fixture(autouse=True)
def forget() -> None:
    gpus.cache_clear()


def test_torch_is_asked_once_and_only_where_there_is_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, SimpleNamespace(returncode=0, stdout="2\n", stderr=""))
    assert gpus() == gpus() == ("0", "1")
    assert len(asked) == 1
    asked = answering(monkeypatch, SimpleNamespace(returncode=0, stdout="2\n", stderr=""), signs=("/proc/no such file*",))
    assert gpus() == ()
    assert asked == []


def test_a_torch_that_cannot_answer_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, SimpleNamespace(returncode=1, stdout="", stderr="Traceback\nImportError: libcudart.so.12"))
    with pytest.raises(RunError, match=r"\(ImportError: libcudart.so.12\); CUDA_VISIBLE_DEVICES= goes on without them"):
        gpus()
