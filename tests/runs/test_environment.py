"""Which precision a machine computes in, asked without torch."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from jetbench.runs import environment
from jetbench.runs.environment import best_precision

ANSWER = "0, GPU-0a1b-2c, 7.5\n1, GPU-9d8e-7f, 9.0\n"  # one without bf16, one with


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, "fp32"),
        ("0", "fp32"),
        ("1", "bf16"),
        ("1,0", "fp32"),
        ("1, 5", "bf16"),
        ("GPU-9d8e", "bf16"),
        ("GPU-0a1b-2c", "fp32"),
        ("MIG-41c2", "bf16"),
    ],
)
def test_the_visible_gpus_decide(monkeypatch: pytest.MonkeyPatch, visible: str | None, expected: str) -> None:
    see(monkeypatch, visible)
    assert best_precision() == expected


@pytest.mark.parametrize("none", ["", "-1", "-1,1", "7"])
@pytest.mark.parametrize(("flags", "expected"), [("fma avx512_bf16", "bf16"), ("fma", "fp32")])
def test_the_processor_decides_where_no_gpu_is_visible(
    monkeypatch: pytest.MonkeyPatch, none: str, flags: str, expected: str
) -> None:
    see(monkeypatch, none)
    monkeypatch.setattr(environment, "_cpu_info", lambda name: flags)
    assert best_precision() == expected


def see(monkeypatch: pytest.MonkeyPatch, visible: str | None) -> None:
    """A machine of two GPUs and a processor without bf16."""
    monkeypatch.setattr(environment, "DRIVER", Path("/proc/self"))
    monkeypatch.setattr(environment, "_cpu_info", lambda name: "fma")
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **keywords: SimpleNamespace(stdout=ANSWER))
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
