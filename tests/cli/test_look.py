"""`jetbench inspect` and `jetbench compare`, from the command line to the tracker."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from report.conftest import Fake, fake_instance, fake_store

from jetbench.cli import main
from jetbench.errors import StoreError
from jetbench.suites.instances import remember
from jetbench.tracking import backend
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.store import Store

SMALL = ("dataset.jets=1200", "test_jets=400", "labels=[50]", "seeds=2", "tuning=null")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Finished runs with their scores, and no jets."""
    plan, store = fake_store(tmp_path / "store", fake_instance(*SMALL), Fake())
    remember(store.root, plan.instance)
    store.prepare()
    return store


def call(*arguments: str, store: Store) -> list[str]:
    done = CliRunner().invoke(main, [*arguments, "--store", str(store.root)])
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def test_a_page_is_written_and_goes_to_the_tracker(store: Store) -> None:
    told, place = call("inspect", "scratch/n50/s0", store=store)
    assert "made from stored scores and curves alone" in told
    page = Path(place.removeprefix("page: "))
    assert page.name == "inspect.html"
    (shown,) = list(store.artifacts.rglob("inspect.html"))
    assert shown.read_bytes() == page.read_bytes()
    assert {path.name for path in shown.parent.iterdir()} >= {"inspect_curves.png", "inspect_curves.pdf", "inspect_curves.json"}
    assert any("inspect_curves" in path.name for path in (shown.parent / "images").iterdir())


def test_a_comparison_is_a_run_of_its_own_in_the_tracker(store: Store) -> None:
    *told, place = call("compare", "scratch", "simclr", store=store)
    assert "test AUC of simclr/n50 less that of scratch/n50" in told[1]
    page = Path(place.removeprefix("page: "))
    (shown,) = list(store.artifacts.rglob("compare.html"))
    assert shown.read_bytes() == page.read_bytes()
    (run,) = backend.client(store.uri).search_runs(["1"])
    assert run.data.tags["jetbench.kind"] == "comparison"


def test_a_tracker_that_is_away_keeps_nobody_from_the_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: MlflowTracker, run: object, since: int = 0) -> int:
        raise StoreError("the server is away")

    monkeypatch.setattr(MlflowTracker, "publish", away)
    output = call("inspect", "boosted-trees", store=store)
    assert "not published: the server is away" in "\n".join(output)
    assert Path(output[-1].removeprefix("page: ")).is_file()


@pytest.mark.parametrize("arguments", [("inspect", "boosted-trees"), ("compare", "scratch", "simclr")])
def test_the_page_goes_to_the_server_that_is_named(arguments: tuple[str, ...], store: Store) -> None:
    away = "http://127.0.0.1:9"
    for told in ({"JETBENCH_TRACKING_URI": away}, {}):
        option = () if told else ("--tracking-uri", away)
        done = CliRunner().invoke(main, [*arguments, "--store", str(store.root), *option], env=told)
        assert done.exit_code == 0, done.output
        assert f"not published: MLflow's server {away} is away" in done.output
        assert not list(store.artifacts.rglob("*.html"))
