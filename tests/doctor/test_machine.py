"""What is said of cores, memory, precision and GPUs of a machine that a test describes."""

from __future__ import annotations

from pathlib import Path

import pytest

from jetbench.doctor import machine
from jetbench.doctor.machine import look_at_cores, look_at_gpus, look_at_memory, look_at_precision, quota


@pytest.mark.parametrize(("content", "limit"), [("max 100000", None), ("150000 100000", 1.5), ("", None)])
def test_a_container_may_allow_fewer_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, limit: float | None
) -> None:
    (tmp_path / "cpu.max").write_text(content)
    monkeypatch.setattr(machine, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(machine, "cores", lambda: 8)
    assert quota() == limit
    notes = [one for one in look_at_cores() if one.state == "note"]
    assert [one.remedy for one in notes] == (["--jobs 1 starts no more than can run"] if limit else [])


@pytest.mark.parametrize(("free", "state", "remedy"), [(40e9, "ok", ""), (2.5e9, "note", "--jobs 3 takes less")])
def test_memory_for_every_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: float, state: str, remedy: str) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: 99 kB\nMemAvailable:   {int(free / 1024)} kB\n")
    monkeypatch.setattr(machine, "MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "cores", lambda: 8)
    (found,) = look_at_memory()
    assert (found.state, found.remedy) == (state, remedy)


@pytest.mark.parametrize(
    ("chosen", "bf16", "state", "told"),
    [
        ("bf16", 0.5, "ok", "2.0 times faster"),
        ("bf16", 4.0, "note", "4.0 times slower"),
        ("fp32", 4.0, "ok", "4.0 times slower"),
    ],
)
def test_a_precision_that_is_slower_here_is_noted(
    monkeypatch: pytest.MonkeyPatch, chosen: str, bf16: float, state: str, told: str
) -> None:
    monkeypatch.setattr(machine, "best_precision", lambda: chosen)
    monkeypatch.setattr(machine, "_seconds", lambda precision: bf16 if precision == "bf16" else 1.0)
    (found,) = look_at_precision()
    assert found.state == state
    assert f"trainings compute in {chosen}" in found.told
    assert told in found.told
    assert found.remedy.startswith("--set precision=fp32") == (state == "note")


def test_products_are_timed_in_both_precisions() -> None:
    assert machine._seconds("fp32") > 0
    assert machine._seconds("bf16") > 0


@pytest.mark.parametrize(
    ("seen", "driver", "state", "told"),
    [
        (("0", "1"), True, "ok", "torch uses 2"),
        ((), True, "note", "torch sees no GPU"),
        ((), False, "ok", "none: trainings run on the processor"),
    ],
)
def test_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: tuple[str, ...], driver: bool, state: str, told: str
) -> None:
    if driver:
        (tmp_path / "nvidia0").touch()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(machine, "SIGNS", (str(tmp_path / "nvidia*"),))
    monkeypatch.setattr(machine, "gpus", lambda: seen)
    (found,) = look_at_gpus()
    assert found.state == state
    assert told in found.told
