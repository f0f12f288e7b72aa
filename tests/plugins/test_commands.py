"""The whole command with plug-ins: a run that is killed and goes on, a store that is read without the files."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from pathlib import Path

import click
import pytest
from cli.program import command, wait
from click.testing import CliRunner

from jetbench.cli import main
from jetbench.cli.catalog import show
from jetbench.plugins import scope, use
from jetbench.testing.networks import CONTRACT
from jetbench.tracking.ledger import Ledger

EXAMPLES = Path(__file__).with_name("examples")
GIVEN = ("my_model.py", "my_objective.py", "my_dataset.py", "my_metric.py")
SUITE = """
suite: plugged
question: Do plug-ins go on where they were?
common:
  dataset: {name: prongs, jets: 300}
  view: {image: {pixels: 8}}
  varies: [regime]
  metrics: [significance-improvement]
  primary: {arm: queued, baseline: scratch}
  model_options: {small-cnn: {width: 8}}
  arms:
    scratch: {model: small-cnn, regime: scratch}
    queued: {model: small-cnn, regime: queued}
  recipes:
    supervised: {base: supervised-small, passes: 320, epochs: 2}
    queued: {base: simclr-small, passes: 24000, epochs: 60, batch_size: 64}
scales:
  smoke: {test_jets: 100, labels: [60], seeds: 1}
"""


def numbers(store: Path) -> dict[str, dict[str, float]]:
    """What the runs of a store have come to, but for what a clock has measured."""
    ledger = Ledger(store / "work")
    keys = [path.parent.name for path in store.glob("work/*/done.json")]
    return {
        key: {name: value for name, value in (ledger.metrics(key) | ledger.tested(key)).items() if not name.startswith("cost/")}
        for key in keys
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in GIVEN:
        shutil.copy(EXAMPLES / name, tmp_path)
    (tmp_path / "plugged.yaml").write_text(SUITE)
    return tmp_path


RUN = ("run", "--suite", "plugged.yaml", "--scale", "smoke", *(word for name in GIVEN for word in ("--plugin", name)))


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_numbers_and_is_read_without_the_files(folder: Path) -> None:
    whole = command(*RUN, "--store", "whole", cwd=folder)
    output = wait(whole, 300)
    assert whole.returncode == 0, output
    first = command(*RUN, cwd=folder)
    deadline = time.monotonic() + 200
    while not any(int(mark.read_text() or 0) > 2 for mark in folder.glob("mlruns/work/*/metrics.committed")):
        assert first.poll() is None, wait(first, 10)
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGKILL)
    wait(first, 60)
    before = numbers(folder / "mlruns")
    assert len(before) < 3
    for name in GIVEN:  # the same content by another name is the same plug-in
        (folder / name).rename(folder / f"renamed_{name}")
    again = [f"renamed_{word}" if word in GIVEN else word for word in RUN]
    second = command(*again, cwd=folder)
    output = wait(second, 300)
    assert second.returncode == 0, output
    assert numbers(folder / "mlruns") == numbers(folder / "whole")
    assert len(numbers(folder / "whole")) == 3
    _reads_without_files(folder)


def _reads_without_files(folder: Path) -> None:
    """Report, results, status and predictions of a store that has been moved, without `--plugin`."""
    for name in GIVEN:
        (folder / f"renamed_{name}").unlink()
    (folder / "mlruns").rename(folder / "moved")
    for words, expected in (
        (("report", "plugged"), "report.html"),
        (("results", "plugged"), "test/significance-improvement"),
        (("status", "plugged"), "plugged.smoke."),
        (("predict", "queued/n60/s0", "prongs", "--jets", "40", "-o", "scores.h5"), "scores.h5: 40 jets of prongs"),
        (("diff", "scratch", "queued"), "objective"),
    ):
        done = command(*words, "--store", "moved", cwd=folder)
        output = wait(done, 120)
        assert done.returncode == 0, output
        assert "Traceback" not in output
        assert expected in output
    page = next(folder.glob("moved/reports/*/report.html")).read_text()
    assert all(f"renamed_{name} (" in page for name in GIVEN)
    assert "SI: the largest improvement of the significance" in page
    without = command("run", "--suite", "plugged.yaml", "--scale", "smoke", cwd=folder)
    assert "'prongs' is neither a dataset nor a file" in wait(without, 60)


def test_a_shadowing_file_and_a_broken_one_are_one_sentence(folder: Path) -> None:
    text = (folder / "my_model.py").read_text()
    (folder / "shadow.py").write_text(text.replace("small-cnn", "resnet15"))
    (folder / "broken.py").write_text("1 / 0")
    for name, expected in (
        ("shadow.py", "'resnet15' of the plug-in shadow.py has the name of a built-in one (jetbench.models.resnet:ResNet15)"),
        ("broken.py", "the plug-in broken.py cannot be imported, line 1: ZeroDivisionError: division by zero"),
        ("gone.py", "gone.py cannot be read (No such file or directory)"),
    ):
        for words in (("ls", "formats"), ("run", "--suite", "ssl-vs-scratch", "--dry-run")):
            done = command(*words, "--plugin", name, cwd=folder)
            output = wait(done, 60)
            assert done.returncode == 1
            assert expected in output
            assert "Traceback" not in output


def test_show_tells_where_a_plug_in_comes_from(folder: Path) -> None:
    shown = command("show", "small-cnn", "--plugin", "my_model.py", cwd=folder)
    output = wait(shown, 120)
    assert shown.returncode == 0
    assert "model small-cnn, revision 1: two convolutions and the mean of all pixels" in output
    assert "plug-in: my_model.py, sha256 " in output
    assert "options: width=16, head=linear, head_dropout=0.3" in output
    assert "parameters" in output
    assert output.splitlines()[-1] == "contract: kept"


def test_show_prints_what_a_contract_says_as_it_is_tried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the third property is tried, the lines of those before it have been printed."""
    printed: list[str] = []
    monkeypatch.setattr(click, "echo", lambda text="", **given: printed.append(text))
    tried = list(CONTRACT.properties)
    seen: list[int] = []
    for name in tried:
        monkeypatch.setitem(CONTRACT.properties, name, lambda case: seen.append(sum("passed:" in text for text in printed)))
    with scope():
        use(folder / "my_model.py")
        show.callback("small-cnn")  # type: ignore[misc]
    assert seen == list(range(len(tried)))
    assert printed[-1] == "contract: kept"


NO_CODE = {
    "model": "from jetbench.models import HEAD, HEAD_ALLOWED as A, ModelEntry as E\nMORE = {'defaults': HEAD, 'allowed': A}",
    "objective": "from jetbench.objectives import ObjectiveEntry as E\nMORE = {}",
    "view": "from jetbench.views import ViewEntry as E\nMORE = {}",
    "task": "from jetbench.tasks import TaskEntry as E\nMORE = {}",
    "dataset": "from jetbench.simulation.simulators import Simulator as E\nMORE = {'module': __name__, 'targets': ('label',)}",
    "format": "from jetbench.formats import FormatEntry as E\nMORE = {}",
}


@pytest.mark.parametrize("kind", NO_CODE)
def test_what_is_no_component_at_all_is_shown_with_its_broken_contract(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"X = 3\n{NO_CODE[kind]}\nJETBENCH = [E('mine', f'{{__name__}}:X', 'no code', **MORE)]\n")
    done = CliRunner().invoke(main, ["show", "mine", "--plugin", str(path)])
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == 1
    assert done.output.splitlines()[-1] == "contract: broken"
    assert "  failed: " in done.output
    reasons = [line.split(": ", 2)[2] for line in done.output.splitlines() if line.startswith("  failed: ")]
    assert len(reasons) == len(set(reasons))
    again = re.search(r"^  failed for a reason told above: \d+ more$", done.output, re.M)
    assert again or kind == "format"  # of which all but one property needs a sample
