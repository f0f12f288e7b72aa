"""Chunks, workers, interrupts: the content depends on the recipe alone."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time

import pytest
import worker_jobs

from jetbench.errors import SimulationError
from jetbench.jets import open_jets
from jetbench.simulation import TopVsQcd, production, simulate
from jetbench.simulation.chunk_files import read_chunk
from jetbench.simulation.chunks import MAX_SEED, plan
from jetbench.simulation.production import chunk_folder
from jetbench.simulation.showers.recipe import ElectronVsPhoton
from jetbench.simulation.simulators import simulate_chunk
from jetbench.values import Value

TINY = TopVsQcd(jets=40, seed=9)
SCRIPT = """
import sys
from pathlib import Path
from jetbench.simulation import TopVsQcd, simulate
tell = lambda done, total: print(done, total, flush=True)
simulate(TopVsQcd(jets={jets}, seed=9), Path(sys.argv[1]), workers={workers}, progress=tell)
"""


def start_script(path, jets=40, workers=2):
    command = [sys.executable, "-c", SCRIPT.format(jets=jets, workers=workers), str(path)]
    # a shell that runs the tests in the background has its children ignore Ctrl-C
    hear = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hear)


def workers_of(pid):
    """Processes that the script's fork server has started: its grandchildren."""
    return [worker for server in children_of(pid) for worker in children_of(server)]


def children_of(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def tiny_digest(tmp_path_factory):
    path = tmp_path_factory.mktemp("one") / "tiny.h5"
    return simulate(TINY, path, workers=1)


def test_two_workers_make_what_one_makes(tiny_digest, tmp_path):
    path = tmp_path / "tiny.h5"
    seen = []
    assert simulate(TINY, path, workers=2, progress=lambda done, total: seen.append((done, total))) == tiny_digest
    assert open_jets(path).content_digest() == tiny_digest
    assert seen[0] == (0, 40)
    assert seen[-1] == (40, 40)
    assert sorted(seen) == seen
    assert os.listdir(tmp_path) == ["tiny.h5"]


def test_a_chunk_does_not_depend_on_the_chunks_before(tiny_chunk):
    first = simulate_chunk(tiny_chunk).content_digest()
    simulate_chunk(plan(tiny_chunk.recipe)[1])
    assert simulate_chunk(tiny_chunk).content_digest() == first


def test_kill_leaves_chunks_that_the_next_run_uses(tiny_digest, tmp_path, caplog):
    path = tmp_path / "tiny.h5"
    process = start_script(path, workers=1)
    wait_until(lambda: list(chunk_folder(path).glob("*.h5")))
    workers = workers_of(process.pid)
    process.kill()
    process.communicate()
    wait_until(lambda: not any(alive(pid) for pid in workers))
    kept = sum(chunk.jets for chunk in plan(TINY) if chunk.file(chunk_folder(path)).exists())
    assert not path.exists()
    seen = []
    assert simulate(TINY, path, workers=2, progress=lambda done, total: seen.append(done)) == tiny_digest
    assert seen[0] == kept > 0


def test_damaged_chunk_is_to_be_made_again(tmp_path, caplog):
    chunk = plan(TINY)[0]
    chunk.file(tmp_path).write_bytes(b"not HDF5")
    with caplog.at_level(logging.WARNING):
        assert read_chunk(chunk, tmp_path) is None
    assert "made again" in caplog.text
    assert not chunk.file(tmp_path).exists()


def test_interrupt_leaves_no_orphans(tmp_path):
    process = start_script(tmp_path / "big.h5", jets=4000)
    assert process.stdout is not None
    process.stdout.readline()
    wait_until(lambda: len(workers_of(process.pid)) == 2)
    workers = workers_of(process.pid)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in errors
    assert not any(alive(pid) for pid in workers)


def test_what_is_there_is_not_made_again(small_file, small_recipe, monkeypatch):
    path, digest = small_file
    monkeypatch.setattr(production, "run_jobs", None)
    began = time.monotonic()
    assert simulate(small_recipe, path, workers=2) == digest
    assert time.monotonic() - began < 1


def test_what_is_there_is_known_by_its_seed_key_alone(small_file, small_recipe, monkeypatch):
    path, digest = small_file
    monkeypatch.setattr(Value, "canonical", lambda value: "another form")
    assert simulate(small_recipe, str(path)) == digest


def test_another_recipe_never_overwrites(small_file):
    with pytest.raises(SimulationError, match="another recipe"):
        simulate(TINY, small_file[0])


def test_second_process_waits_and_finds_it_done(tiny_digest, tmp_path):
    path = tmp_path / "tiny.h5"
    both = [start_script(path), start_script(path)]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert open_jets(path).digest == tiny_digest
    assert any("waiting" in errors for _, errors in outputs)
    assert any(out.split("\n")[0] == "40 40" for out, _ in outputs)
    assert all(line.removesuffix(" 40").isdigit() for out, _ in outputs for line in out.splitlines())  # no banners


def test_dead_worker_is_one_error(tmp_path, monkeypatch):
    monkeypatch.setattr(production, "make_chunk", worker_jobs.die)
    with pytest.raises(SimulationError, match=r"chunk \d \(20 \w+ jets\) .*worker process ended.*run it again"):
        simulate(TINY, tmp_path / "dead.h5", workers=2)


def test_failing_chunk_is_one_error_with_its_cause(tmp_path, monkeypatch):
    monkeypatch.setattr(production, "make_chunk", worker_jobs.fail)
    with pytest.raises(SimulationError, match="ValueError: no phase space; the finished chunks are kept") as caught:
        simulate(TINY, tmp_path / "failing.h5", workers=2)
    assert 'raise ValueError("no phase space")' in caught.value.__notes__[0]
    assert caught.value.__cause__ is None


def test_a_clear_error_of_a_chunk_needs_no_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(production, "make_chunk", worker_jobs.refuse)
    with pytest.raises(SimulationError, match=r"chunk \d .*: x.h5: truncated; make it again; the finished chunks") as caught:
        simulate(TINY, tmp_path / "refused.h5", workers=2)
    assert not hasattr(caught.value, "__notes__")


def test_progress_counts_within_a_chunk(tmp_path):
    seen = []
    simulate(ElectronVsPhoton(jets=200, seed=0), tmp_path / "images.h5", progress=lambda done, total: seen.append(done))
    assert seen == [0, 50, 100, 100, 150, 200, 200, 200]


def test_plan_fills_two_cores_and_seeds_never_repeat():
    for jets in (2, 6, 600, 40_000):
        chunks = plan(TopVsQcd(jets=jets, seed=0))
        assert sum(chunk.jets for chunk in chunks) == jets
        assert len(chunks) >= 2
        assert len({chunk.seed for chunk in chunks}) == len(chunks)
        assert all(1 <= chunk.seed <= MAX_SEED for chunk in chunks)


@pytest.mark.parametrize("bad", [{"jets": 3}, {"jets": 0}, {"jets": 2, "pt_min": 700.0}, {"jets": 2, "eta_max": 4.0}])
def test_recipe_without_sense_says_what_to_do(bad):
    with pytest.raises(SimulationError):
        TopVsQcd(seed=0, **bad)


def test_import_is_light():
    code = "import sys, jetbench.simulation; sys.exit(any(m in sys.modules for m in ('pythia8mc', 'fastjet', 'awkward')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_two_machines_that_do_not_see_each_others_locks_come_to_the_same_file(tmp_path, tiny_digest, monkeypatch):
    """The second ends while the first has begun, and removes its chunks."""
    monkeypatch.setattr(production, "file_lock", lambda *path, **options: contextlib.nullcontext(True))
    path, inner = tmp_path / "tiny.h5", []

    def meanwhile(done, total):
        if not inner:
            inner.append(None)
            inner[0] = simulate(TINY, path)

    assert simulate(TINY, path, progress=meanwhile) == tiny_digest == inner[0]
    assert [file.name for file in tmp_path.iterdir()] == ["tiny.h5"]
