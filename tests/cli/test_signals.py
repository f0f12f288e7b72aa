"""How a command ends that is told to stop."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import click
import pytest
from cli.program import command, wait

from jetbench.cli.progress import resumable, told


@pytest.mark.parametrize(("sign", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_command_with_a_sentence_and_its_own_status(
    sign: signal.Signals, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        with resumable():
            os.kill(os.getpid(), sign)
            time.sleep(10)

    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(click.exceptions.Exit) as ended:
            interrupted()
        assert ended.value.exit_code == status
        assert "goes on from there" in capsys.readouterr().err
        told.check()  # what comes next in this process has been told nothing
        assert signal.getsignal(signal.SIGTERM) == (signal.SIG_IGN if status == 143 else before[signal.SIGTERM])
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class Swallower:
    """As it is collected, Python drops what is raised in it."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_that_a_callback_has_swallowed_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(click.exceptions.Exit) as ended, resumable():  # noqa: PT012
            Swallower()
            told.check()
        assert ended.value.exit_code == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.slow
def test_sigterm_leaves_checkpoints_and_killed_runs_and_the_command_goes_on(suite_path: Path, tmp_path: Path) -> None:
    """As a batch system ends a job: to the driver and all its children at once, and twice."""
    settings = ("tuning=null", "recipes.simclr.passes=120000", "recipes.simclr.epochs=100", "labels=[50]", "seeds=1")
    run = ("run", "--suite", suite_path, *(part for setting in settings for part in ("--set", setting)))
    first = command(*run, cwd=tmp_path)
    deadline = time.monotonic() + 200
    while not any(int(mark.read_text() or 0) for mark in tmp_path.glob("mlruns/work/*/metrics.committed")):
        assert first.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(6)  # the tracker hears of a run after 5 s
    for _ in range(2):
        for process in (first.pid, *descendants(first.pid)):
            os.kill(process, signal.SIGTERM)
        time.sleep(0.1)
    output = wait(first, 90)
    assert first.returncode == 143, output
    assert "goes on from there" in output
    assert "Traceback" not in output
    states = statuses(tmp_path)
    assert states.pop("resnet15/simclr-pretraining/s0") == "KILLED"
    assert set(states.values()) <= {"KILLED", "FINISHED"}
    assert list(tmp_path.glob("mlruns/work/*/checkpoint.safetensors"))
    second = command(*run, cwd=tmp_path)
    output = wait(second, 400)
    assert second.returncode == 0, output
    assert set(statuses(tmp_path).values()) == {"FINISHED"}


def descendants(process: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]


def statuses(folder: Path) -> dict[str, str]:
    """What MLflow says of every run, by its name."""
    from jetbench.tracking import backend
    from jetbench.tracking.store import Store

    client = backend.load().MlflowClient(Store(folder / "mlruns").uri)
    experiments = [e.experiment_id for e in client.search_experiments() if e.name.startswith("mini.")]
    return {run.info.run_name: run.info.status for run in client.search_runs(experiments, max_results=200)}
