"""A small Slurm of one machine and two slots: what its commands of an array do, and no more. `sbatch` waits for the array's end.

A job that asks for it goes back to the end of the queue, and so does one whose node dies: once, where FAIL names a file, as soon
as that is there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

SLOTS, ARRAY = 2, "7"


def sbatch(array: str, script: str) -> None:
    option, _, indices = array.partition("=")
    first, last = map(int, indices.split("-"))
    assert option == "--array"
    waiting, running = deque(range(first, last + 1)), dict[int, subprocess.Popen[bytes]]()
    fragile = os.environ.get("FAIL", "")
    while waiting or running:
        while waiting and len(running) < SLOTS:
            running[index] = start(script, index := waiting.popleft())
        time.sleep(0.1)
        if fragile and Path(fragile).exists():
            for job in running.values():
                os.killpg(job.pid, signal.SIGKILL)
            fragile = ""
        for index, job in [(index, job) for index, job in running.items() if job.poll() is not None]:
            del running[index]
            print(f"job {index}: {job.returncode}", flush=True)
            if job.returncode == -signal.SIGKILL or asked(index).exists():
                asked(index).unlink(missing_ok=True)
                waiting.append(index)


def start(script: str, index: int) -> subprocess.Popen[bytes]:
    told = {"SLURM_ARRAY_JOB_ID": ARRAY, "SLURM_ARRAY_TASK_ID": str(index), "SLURM_CPUS_PER_TASK": "1"}
    with Path(f"logs/{ARRAY}_{index}.txt").open("ab") as log:
        return subprocess.Popen(
            ["bash", script], env=os.environ | told, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )


def asked(index: int) -> Path:
    return Path(f"requeue.{ARRAY}_{index}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sbatch", array, script]:
            sbatch(array, script)
        case ["scontrol", "requeue", job]:
            Path(f"requeue.{job}").touch()
        case ["srun", "--cpus-per-task=1", *words]:
            os.execvp(words[0], words)
        case words:
            sys.exit(f"no such command: {words}")
