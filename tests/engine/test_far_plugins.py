"""Plug-ins of files and of an installed package on the worker of an external Dask scheduler: what it has of them comes from the
driver and from its own path."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.program import command, wait
from distributed import get_task_stream
from engine.far_workers import Cluster, cluster, what_it_came_to
from plugins.test_commands import EXAMPLES, GIVEN, RUN, SUITE
from plugins.test_installed import install

SHORT = ("recipes.queued.passes=2560", "recipes.queued.epochs=4", "recipes.queued.augmentation=[flip, tilt]")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A suite, four files of plug-ins, and an installed package that adds the augmentation `tilt`."""
    for name in GIVEN:
        shutil.copy(EXAMPLES / name, tmp_path)
    (tmp_path / "plugged.yaml").write_text(SUITE)
    augmentation = (EXAMPLES / "my_augmentation.py").read_text()
    install(tmp_path / "site", "my-tilt", {"augmentations/tilt": "my_tilt.rows"}, {"my_tilt/rows.py": augmentation})
    return tmp_path


def path_with(site: Path) -> str:
    return os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH", "")])])


@pytest.fixture
def workers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A worker that knows none of the files, and has the package at another place than the driver, who has it too."""
    shutil.copytree(folder / "site", folder / "far-site")
    with cluster(folder / "dask") as made:
        made.add("w1", PYTHONPATH=path_with(folder / "far-site"))
        monkeypatch.setenv("PYTHONPATH", path_with(folder / "site"))
        yield made


def ran(folder: Path, store: str, *more: str) -> tuple[int, str]:
    """Run the suite into a store, with jets of its own; returns the exit status and what was printed."""
    settings = [word for one in SHORT for word in ("--set", one)]
    process = command(*RUN, *settings, *more, "--store", store, cwd=folder, cache=folder / f"cache-{store}")
    output = wait(process, 600)
    return process.returncode, output


@pytest.mark.slow
def test_plug_ins_come_to_the_same_bits_on_the_worker_of_a_scheduler(workers: Cluster, folder: Path) -> None:
    far = ("--scheduler", workers.address)
    with get_task_stream(workers.client) as stream:
        status, output = ran(folder, "far", *far)
    assert status == 0, output
    (address,) = workers.client.scheduler_info()["workers"]
    assert {task["worker"] for task in stream.data} == {address}
    made = [task for task in stream.data if task["key"].startswith("data-")]
    assert len(made) == 2  # the jets of each class
    assert len(stream.data) - len(made) == 3

    status, output = ran(folder, "near")
    assert status == 0, output
    expected = what_it_came_to(folder / "near")
    assert len({name.partition("/")[0] for name in expected}) == 3
    assert what_it_came_to(folder / "far") == expected

    with (folder / "far-site" / "my_tilt" / "rows.py").open("a") as file:
        file.write("# changed\n")
    status, output = ran(folder, "far", *far, "--set", "seeds=2")
    assert status == 1
    assert "the plug-in my-tilt 1.2 (" in output
    assert ") is my-tilt 1.2 (" in output
    assert "install it as it was" in output
    assert len({name.partition("/")[0] for name in what_it_came_to(folder / "far")}) == 4  # the one from scratch has none of it
