"""The installed command, as a user calls it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path


def command(*arguments: str | Path, cwd: Path, cache: Path | None = None) -> subprocess.Popen[str]:
    """The installed command in a process of its own, with its store below `cwd`, and its cache too by default."""
    program = Path(sys.executable).with_name("jetbench")
    environment = os.environ | {"JETBENCH_CACHE": str(cache or cwd / "cache")}
    return subprocess.Popen(
        [program, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def wait(process: subprocess.Popen[str], seconds: float) -> str:
    output, _ = process.communicate(timeout=seconds)
    return output
