"""What tests have workers do: functions that a worker can import."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jetbench.errors import DataFileError

Tell = Callable[[Any], None]


def square(number: int, tell: Tell) -> int:
    """Tell the number twice, and return its square."""
    tell(number)
    tell(number)
    return number * number


def process(job: object, tell: Tell) -> tuple[int, str | None]:
    """Return who works, and with how many threads numpy may work."""
    time.sleep(0.2)
    return os.getpid(), os.environ.get("OMP_NUM_THREADS")


def fail(job: object, tell: Tell, **ignored: Any) -> None:
    raise ValueError("no phase space")


def refuse(job: object, tell: Tell, **ignored: Any) -> None:
    raise DataFileError("x.h5: truncated; make it again")


def die(job: object, tell: Tell, **ignored: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def print_banner(job: object, tell: Tell) -> None:
    """Print as a C++ library does."""
    libc = ctypes.CDLL(None)
    libc.puts(b"banner")
    libc.fflush(None)
    print("banner", flush=True)


def wait_for_ever(folder: Path, tell: Tell) -> None:
    """Leave a file named after this process and tell its name, and never return."""
    (folder / str(os.getpid())).touch()
    tell(os.getpid())
    while True:
        time.sleep(60)
