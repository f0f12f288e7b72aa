"""The journal file that optuna-dashboard reads."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jetbench.report.study.dashboard import write_journal
from jetbench.suites.trials import Searching


def test_the_journal_holds_every_search_and_replaces_an_older_one(searching: Callable[..., Searching], tmp_path: Path) -> None:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    path = tmp_path / "optuna.journal"
    found, several = searching(), searching(several=True, arm="widths")
    write_journal([found], path)
    write_journal([found, several], path)
    storage = JournalStorage(JournalFileBackend(str(path)))
    assert optuna.get_all_study_names(storage) == ["scratch/n300", "widths/n300"]
    study = optuna.load_study(study_name="scratch/n300", storage=storage)
    assert len(study.trials) == 24
    assert study.best_trial.number == found.winner
    assert study.best_params == found.trials[found.winner or 0].values
    assert list(tmp_path.iterdir()) == [path]


def asked(url: str, seconds: float) -> Any:
    """What a server that is about to start answers."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.mark.slow
def test_the_dashboard_shows_the_study(searching: Callable[..., Searching], tmp_path: Path) -> None:
    pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed: pip install 'jetbench[dashboard]'")
    path = tmp_path / "optuna.journal"
    write_journal([searching()], path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "from optuna_dashboard._cli import main; main()"
    server = subprocess.Popen([sys.executable, "-c", code, str(path), "--port", str(port)], cwd=tmp_path)
    try:
        (summary,) = asked(f"http://127.0.0.1:{port}/api/studies", 60)["study_summaries"]
        assert summary["study_name"] == "scratch/n300"
        detail = asked(f"http://127.0.0.1:{port}/api/studies/{summary['study_id']}", 10)
        assert len(detail["trials"]) == 24
    finally:
        server.terminate()
        server.wait(20)
