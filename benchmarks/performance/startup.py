"""How long `jetbench --help` and `jetbench ls` take, as medians and as a multiple of a bare interpreter's start.

python benchmarks/performance/startup.py [repeats]
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("jetbench"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "jetbench --help": [PROGRAM, "--help"],
    "jetbench ls": [PROGRAM, "ls"],
}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):  # side by side, so that other load hits all alike
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    bare = statistics.median(times["python -c pass"])
    for name, all_times in times.items():
        median = statistics.median(all_times)
        print(f"{name:<16} {median:6.3f} s  {median / bare:5.1f} × a bare interpreter (median of {repeats})")
