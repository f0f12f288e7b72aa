from __future__ import annotations

from pathlib import Path

import jetbench
from jetbench.api import load, open_session


def test_what_is_imported_late_is_listed() -> None:
    assert {"load", "build_model", "__version__"} <= {*dir(jetbench)}
    assert jetbench.load is load


def test_suite_and_datasets_may_be_paths(suite_path: Path, toy_file: Path, tmp_path: Path) -> None:
    by_path = open_session(suite_path, dataset=toy_file, store=tmp_path / "store")
    by_name = open_session(str(suite_path), dataset=str(toy_file), store=str(tmp_path / "store"))
    assert by_path.plan.instance == by_name.plan.instance
    assert by_path.store == by_name.store
