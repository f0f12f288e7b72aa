"""Jobs on worker processes: what they say, how they fail, and that no end of the caller leaves one behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import worker_jobs

from jetbench.errors import WorkerError
from jetbench.processes import run_jobs

SCRIPT = """
import sys
from pathlib import Path
import worker_jobs
from jetbench.processes import run_jobs

print("ready", flush=True)
list(run_jobs(worker_jobs.{job}, [Path(sys.argv[1])] * 2, workers=2))
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def start_script(folder: Path, job: str = "wait_for_ever") -> subprocess.Popen[str]:
    """A plain script, without a guard around its main part, that leads a process group as it does in a terminal."""
    folder.mkdir(exist_ok=True)
    script = folder.with_suffix(".py")
    script.write_text(SCRIPT.format(job=job))
    # a shell that runs the tests in the background has its children ignore Ctrl-C
    hear = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )


def workers(folder: Path) -> list[int]:
    return [int(file.name) for file in folder.iterdir()]


def test_workers_say_what_they_are_told_to() -> None:
    reports = list(run_jobs(worker_jobs.square, [1, 2, 3, 4, 5], workers=2))
    assert sorted(report.value for report in reports if report.done) == [1, 4, 9, 16, 25]
    for job in range(1, 6):
        mine = [(report.done, report.value) for report in reports if report.job == job]
        assert mine == [(False, job), (False, job), (True, job * job)]


def test_two_jobs_are_done_at_a_time_with_one_thread_each() -> None:
    made = [report.value for report in run_jobs(worker_jobs.process, range(4), workers=2)]
    assert len({pid for pid, _ in made}) == 2
    assert {threads for _, threads in made} == {"1"}


def test_no_jobs_start_no_process() -> None:
    assert list(run_jobs(worker_jobs.die, [], workers=2)) == []


def test_a_failed_job_is_an_error_with_its_cause_and_traceback() -> None:
    with pytest.raises(WorkerError, match="ValueError: no phase space") as caught:
        list(run_jobs(worker_jobs.fail, ["a"], workers=1))
    assert caught.value.job == "a"
    assert 'raise ValueError("no phase space")' in caught.value.__notes__[0]


def test_an_error_that_a_user_can_mend_needs_no_traceback() -> None:
    with pytest.raises(WorkerError, match=r"^x.h5: truncated; make it again$") as caught:
        list(run_jobs(worker_jobs.refuse, ["a"], workers=1))
    assert not hasattr(caught.value, "__notes__")


def test_a_dead_worker_is_an_error() -> None:
    with pytest.raises(WorkerError, match="killed or out of memory") as caught:
        list(run_jobs(worker_jobs.die, ["a"], workers=1))
    assert caught.value.job == "a"


def test_leaving_kills_the_workers(tmp_path: Path) -> None:
    reports = run_jobs(worker_jobs.wait_for_ever, [tmp_path, tmp_path], workers=2)
    assert next(reports).value > 0
    wait_until(lambda: len(workers(tmp_path)) == 2)
    reports.close()
    assert not any(alive(pid) for pid in workers(tmp_path))


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_any_end_of_the_caller_ends_the_workers(end: signal.Signals, tmp_path: Path) -> None:
    script = start_script(tmp_path / "folder")
    wait_until(lambda: len(workers(tmp_path / "folder")) == 2)
    script.send_signal(end)
    script.communicate(timeout=20)
    wait_until(lambda: not any(alive(pid) for pid in workers(tmp_path / "folder")), seconds=20)


def test_a_terminals_interrupt_reaches_the_caller_alone(tmp_path: Path) -> None:
    script = start_script(tmp_path / "folder")
    wait_until(lambda: len(workers(tmp_path / "folder")) == 2)
    os.killpg(script.pid, signal.SIGINT)
    _, errors = script.communicate(timeout=20)
    assert errors.count("Traceback") == errors.count("KeyboardInterrupt") == 1
    assert not any(alive(pid) for pid in workers(tmp_path / "folder"))


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_an_interrupt_while_workers_start_reaches_the_caller_alone(moment: float, tmp_path: Path) -> None:
    script = start_script(tmp_path / "folder")
    assert script.stdout is not None
    assert script.stdout.readline() == "ready\n"
    time.sleep(moment)
    os.killpg(script.pid, signal.SIGINT)
    _, errors = script.communicate(timeout=20)
    assert "KeyboardInterrupt" in errors
    assert '"<string>"' not in errors  # where tracebacks of the fork server and of its children begin
    assert not any(alive(pid) for pid in workers(tmp_path / "folder"))


def test_banners_stay_off_standard_output(tmp_path: Path) -> None:
    output, errors = start_script(tmp_path / "folder", "print_banner").communicate(timeout=20)
    assert (output, errors) == ("ready\n", "")
