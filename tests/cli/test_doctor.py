"""`jetbench doctor` says what to do, and its exit status whether that must be done."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from jetbench.cli import main
from jetbench.doctor import looks as room
from jetbench.doctor.finding import Finding
from jetbench.errors import StoreError


def test_findings_are_told_in_order_and_decide_the_exit_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"packages": [], "cores": [Finding(state="note", what="cores", told="few", remedy="--jobs 1")]}
    for name in ("packages", "cores", "memory", "precision", "gpus", "store", "cache", "scheduler", "server"):
        monkeypatch.setattr(room, f"look_at_{name}", lambda *given, name=name: iter(said.get(name, [])))
    fit = CliRunner().invoke(main, ["doctor", "--store", str(tmp_path)])
    assert (fit.exit_code, fit.output) == (0, "note  cores: few; --jobs 1\neverything is fit for a suite\n")

    def damaged(store: object) -> list[Finding]:
        raise StoreError("mlflow.db is damaged: move it away")

    monkeypatch.setattr(room, "look_at_store", damaged)
    unfit = CliRunner().invoke(main, ["doctor", "--store", str(tmp_path)])
    assert unfit.exit_code == 1
    assert unfit.output.splitlines()[1:] == ["MEND  store: mlflow.db is damaged: move it away", "1 to be mended"]


def test_this_machine_is_looked_at(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["doctor", "--store", str(tmp_path / "store")])
    for what in ("versions", "cores", "memory", "precision", "GPUs", "disk", "store", "scheduler", "server"):
        assert f" {what}: " in done.output, what
