"""Foreign files are read in a child process, and whatever happens there is one clear error here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from formats.toy_reader import reads

from jetbench.errors import DataFileError, PluginError, UnknownNameError, WorkerError
from jetbench.formats import FormatEntry, formats
from jetbench.formats.conversion import convert
from jetbench.formats.files import find_sources
from jetbench.formats.reading import Source, Stretch, detect, read

TOY = FormatEntry("toy", "formats.toy_reader:Toy", "for tests")


@pytest.fixture(autouse=True)
def toy_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(formats._entries, "toy", TOY)


def write(folder: Path, name: str, jets: int = 40) -> Path:
    path = folder / f"{name}.txt"
    path.write_text("\n".join(["toy", *(f"{i % 2} {i}" for i in range(jets))]))
    return path


def source(path: Path) -> Source:
    (found,) = find_sources(path, None, None, lambda what, done, total: None)
    return found


@pytest.mark.parametrize(("name", "ended"), [("crashes", "signal SIGSEGV"), ("killed", "signal SIGKILL"), ("exits", "status 3")])
def test_a_child_that_dies_is_one_error_with_file_and_signal(name: str, ended: str, tmp_path: Path) -> None:
    path = write(tmp_path, name)
    with pytest.raises(DataFileError, match=f"^{path}: the process that reads it ended with {ended}"):
        convert(path, tmp_path / "out.h5")
    assert len(list((tmp_path / ".out.h5.blocks").glob("*.h5"))) <= 1, "the block before is kept, if it was taken in time"


def test_a_library_that_crashes_over_a_look_is_one_error_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(formats._entries, "toy", FormatEntry("toy", "formats.toy_reader:Crashing", "for tests"))
    path = write(tmp_path, "a")
    for look in (detect, source):
        with pytest.raises(DataFileError, match=f"^{path}: the process that reads it ended with signal SIGSEGV"):
            look(path)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("damaged", DataFileError, "row 8 is damaged; write it again"),
        ("unknown", UnknownNameError, "no such name"),
        ("bug", KeyError, "'size'"),
        ("strange", WorkerError, "OwnError: a"),
    ],
)
def test_an_error_of_the_child_has_its_class_and_message(name: str, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error) as caught:
        convert(write(tmp_path, name), tmp_path / "out.h5")
    assert (type(caught.value), str(caught.value)) == (error, message)
    bug = not isinstance(caught.value, DataFileError | UnknownNameError)
    assert ("toy_reader.py" in "".join(getattr(caught.value, "__notes__", []))) == bug, "a bug comes with its traceback"


def test_a_caller_that_stops_early_ends_the_child(tmp_path: Path) -> None:
    path = write(tmp_path, "waits")
    with closing(read([Stretch(source(path), 0, 40)])) as blocks:
        _, part = next(blocks)
        assert len(part.jets) == 7
        start = time.monotonic()
    assert time.monotonic() - start < 60, "it would wait for ten minutes"


def test_the_child_reads_one_block_ahead_and_no_more(tmp_path: Path) -> None:
    """Blocks that are larger than what a pipe holds wait in the child."""
    path = write(tmp_path, "large", 70)
    found = source(path)
    reads(tmp_path)
    with closing(read([Stretch(found, 0, 70)])) as blocks:
        for taken in range(1, 4):
            next(blocks)
            time.sleep(0.5)
            assert len((tmp_path / "reads.log").read_text().split()) <= taken + 1
    assert reads(tmp_path)


def test_blocks_come_in_order_from_any_of_them_on(tmp_path: Path) -> None:
    one, other = (source(write(tmp_path, name, jets)) for name, jets in (("a", 20), ("b", 40)))
    parts = list(read([Stretch(one, 7, 20), Stretch(other, 14, 28)]))
    assert [(stretch.source, part.jets.event[0], len(part.jets)) for stretch, part in parts] == [
        *((one, 7, 7), (one, 14, 6)),
        *((other, 14, 7), (other, 21, 7)),
    ]


def test_a_reader_that_loses_jets_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(formats._entries, "toy", FormatEntry("toy", "formats.toy_reader:Short", "for tests"))
    with pytest.raises(DataFileError, match=r"a\.txt: its reader gives 6 jets from 0 on where 7 belong"):
        convert(write(tmp_path, "a"), tmp_path / "out.h5")


def test_a_reader_that_does_not_count_rows_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(formats._entries, "toy", FormatEntry("toy", "formats.toy_reader:Miscounting", "for tests"))
    with pytest.raises(DataFileError, match=r"a\.txt: its reader does not number the jets by their rows, 7 to 13"):
        convert(write(tmp_path, "a"), tmp_path / "out.h5")


def test_a_reader_that_a_plug_in_cannot_load_is_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jetbench.spec import PluginRef

    entry = FormatEntry("toy", "formats.nowhere:Toy", "for tests", plugin=PluginRef(sha256="0" * 64, file="mine.py"))
    monkeypatch.setitem(formats._entries, "toy", entry)
    with pytest.raises(PluginError, match=r"mine\.py"):
        detect(write(tmp_path, "a"))


SCRIPT = """
import sys
from jetbench.formats import FormatEntry, formats
from jetbench.formats.conversion import convert

formats._entries["toy"] = FormatEntry("toy", "formats.toy_reader:Toy", "for tests")
print("ready", flush=True)
print(convert(sys.argv[1], sys.argv[2]).jets, flush=True)
"""


def start(*words: str) -> subprocess.Popen[str]:
    def hear() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    tests, given = str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")
    return subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([tests, given])},
    )


@pytest.mark.parametrize("how", ["-c", "script", "-"])
def test_a_caller_without_a_guard_around_its_main_part(how: str, tmp_path: Path) -> None:
    """As a line, a plain script, or what an interpreter is told."""
    files = str(write(tmp_path, "a")), str(tmp_path / "out.h5")
    (tmp_path / "script.py").write_text(SCRIPT)
    words = {"-c": ["-c", SCRIPT], "script": [str(tmp_path / "script.py")], "-": ["-c", f"exec({SCRIPT!r})"]}[how]
    output, errors = start(*words, *files).communicate(timeout=120)
    assert (output, errors) == ("ready\n40\n", "")


POOL = """
import multiprocessing
import os
import sys
from pathlib import Path
from jetbench.formats import FormatEntry, formats
from jetbench.formats.conversion import convert

formats._entries["toy"] = FormatEntry("toy", "formats.toy_reader:Toy", "for tests")
os.chdir(sys.argv[1])
print(convert("a.txt", "0.h5").jets, flush=True)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print([done.jets for done in pool.starmap(convert, [("a.txt", "1.h5"), ("a.txt", "2.h5")])])
"""


def test_a_pool_of_processes_converts_too_and_names_are_those_of_the_folder_that_is_current(tmp_path: Path) -> None:
    """Workers of a pool are daemonic, and forks of a process that has a fork server already."""
    write(tmp_path, "a")
    output, errors = start("-c", POOL, str(tmp_path)).communicate(timeout=120)
    assert (output, errors) == ("40\n[40, 40]\n", "")


def test_an_interrupt_reaches_the_caller_alone_and_the_conversion_goes_on_later(tmp_path: Path) -> None:
    """Ctrl-C goes to all processes of a terminal."""
    path, output = write(tmp_path, "waits"), tmp_path / "out.h5"
    script = start("-c", SCRIPT, str(path), str(output))
    waiting: Callable[[], list[Path]] = lambda: list((tmp_path / ".out.h5.blocks").glob("*-0-7-*.h5"))  # noqa: E731
    deadline = time.monotonic() + 60
    while not waiting():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    os.killpg(script.pid, signal.SIGINT)
    _, errors = script.communicate(timeout=60)
    assert errors.count("Traceback") == errors.count("KeyboardInterrupt") == 1
    assert waiting()
    assert not output.exists()
