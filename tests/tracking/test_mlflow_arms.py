"""The comparison in MLflow: a run per arm, replaced where it changes, with the description and the view of the experiment."""

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from jetbench.tracking.arm_card import ArmCard, Overview, Picture
from jetbench.tracking.journal import Journal
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.shared_views import RUNS, packed, view_tag


@pytest.fixture
def tracker(store):
    return MlflowTracker(store, "suite", (("mlflow.note.content", "**the question**"),))


@pytest.fixture
def client(store):
    import mlflow

    return mlflow.MlflowClient(store.uri)


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("<p>all</p>")
    return path


def arms(client, deleted=False):
    from mlflow.entities import ViewType

    view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
    return client.search_runs(["1"], "tags.`jetbench.kind` = 'arm'", view, order_by=["tags.`jetbench.order`"])


def draw(path):
    from PIL import Image

    Image.new("RGB", (64, 48)).save(path)


def arm_card(arm="simclr", order="1", **fields):
    told = {
        "key": f"arm/{arm}/n50", "name": f"{arm}/n50", "tags": (("jetbench.order", order), ("jetbench.verdict", "better")),
        "params": (("arm", arm), ("labels", "50")), "metrics": {"gain/auc": 0.01, "test/auc": 0.9}, "runs": (),
        "note": "**ahead**", "pictures": (Picture("roc", "1", draw),), "tables": {"wrongest_jets.json": {"row": [3, 1]}},
    }  # fmt: skip
    return ArmCard(**{**told, **fields})


def overview(*cards):
    filters = ({"searchFilter": f"tags.`jetbench.kind` = '{kind}'"} for kind in ("arm", "final"))
    return Overview(cards, "simclr is better", *filters, "gain/auc")


def held_view(tags, name):
    """A shared view as MLflow's page reads it."""
    return json.loads(zlib.decompress(base64.b64decode(tags[f"mlflow.sharedViewState.{name}"].removeprefix("deflate;"))))


def publish(store, page, digest, made):
    """Publish as a new command does; returns how often the overview was asked for."""
    asked = []
    tracker = MlflowTracker(store, "suite", (("mlflow.note.content", "**the question**"),))
    tracker.log_report([page])
    tracker.log_overview(digest, lambda: asked.append(1) or made, page.name)
    return len(asked)


def test_an_arm_is_a_run_with_all_that_its_card_has(tracker, store, client, card, page):
    seed = card(name="simclr/n50/s0")
    with Journal(seed.journal) as journal:
        journal.append(0, {"train/loss": 0.1})
        journal.commit()
    tracker.publish(seed)
    assert publish(store, page, "d", overview(arm_card(runs=(seed.key, "f" * 64)))) == 1
    (run,) = arms(client)
    (trained,) = client.search_runs(["1"], f"tags.`jetbench.key` = '{seed.key}'")
    assert (run.info.run_name, run.info.status) == ("simclr/n50", "FINISHED")
    assert run.data.metrics == {"gain/auc": 0.01, "test/auc": 0.9}
    assert run.data.params == {"arm": "simclr", "labels": "50"}
    assert run.data.tags["jetbench.verdict"] == "better"
    assert run.data.tags["jetbench.suite"] == "suite"
    assert run.data.tags["jetbench.runs"] == trained.info.run_id
    note = run.data.tags["mlflow.note.content"]
    assert note.startswith("**ahead**\n\n[its run](#/experiments/1/runs?")
    query = unquote(note.split("searchFilter=")[1].rstrip(")"))
    assert query == f"attributes.run_id IN ('{trained.info.run_id}')"
    assert [found.info.run_id for found in client.search_runs(["1"], query)] == [trained.info.run_id]
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    assert (folder / "roc.png").is_file()
    assert [path.name.split("+")[0] for path in (folder / "images").glob("*.png")] == ["roc"]
    assert json.loads((folder / "wrongest_jets.json").read_text()) == {"columns": ["row"], "data": [[3], [1]]}


def test_pictures_of_an_arm_that_is_not_compared_stay_on_its_page(store, client, page):
    publish(store, page, "d", overview(arm_card(), arm_card("mass", "2", side_by_side=False)))
    for run, compared in zip(arms(client), (True, False), strict=True):
        folder = Path(run.info.artifact_uri.removeprefix("file://"))
        assert (folder / "roc.png").is_file()
        assert (folder / "images").is_dir() is compared
        assert ("mlflow.loggedImages" in run.data.tags) is compared  # by which MLflow's charts find pictures


def test_the_experiment_has_the_answer_the_way_to_the_report_and_the_view(tracker, store, client, page):
    assert tracker.place() == ("1", None)
    assert client.get_experiment("1").tags["mlflow.note.content"] == "**the question**"
    publish(store, page, "d", overview(arm_card()))
    tags = client.get_experiment("1").tags
    (report,) = client.search_runs(["1"], "tags.`jetbench.kind` = 'report'")
    way = f"#/experiments/1/runs/{report.info.run_id}/artifacts/report.html?workflowType=machine_learning"
    runs = "#/experiments/1/runs?workflowType=machine_learning&compareRunsMode=CHART&viewStateShareKey=runs"
    assert tags["mlflow.note.content"] == f"simclr is better\n\n[The whole report]({way}) · [the runs of its seeds]({runs})"
    assert tags["mlflow.experiment.primaryMetric.name"] == "gain/auc"
    for name, kind in (("arms", "arm"), ("runs", "final")):
        assert held_view(tags, name) == {"searchFilter": f"tags.`jetbench.kind` = '{kind}'"}
    later = MlflowTracker(store, "suite", (("mlflow.note.content", "**the question**"),))
    assert later.place() == ("1", "arms")
    later.connect()
    assert client.get_experiment("1").tags == tags


def test_before_there_is_a_comparison_the_experiment_opens_with_its_trainings(store, client, page):
    """As it does where its database alone is looked at; what a report has written stays."""
    begun = ((view_tag(RUNS), packed({"searchFilter": "trainings"})),)
    tracker = MlflowTracker(store, "suite", begun)
    assert tracker.place() == MlflowTracker(store, "suite").place() == ("1", "runs")
    assert held_view(client.get_experiment("1").tags, "runs") == {"searchFilter": "trainings"}
    publish(store, page, "d", overview(arm_card()))
    later = MlflowTracker(store, "suite", begun)
    later.connect()
    assert later.place() == ("1", "arms")
    assert held_view(client.get_experiment("1").tags, "runs") == {"searchFilter": "tags.`jetbench.kind` = 'final'"}


def test_the_way_to_the_report_outlives_a_table_that_is_too_long(store, client, page):
    table = "\n".join(f"| {number} | **simclr** | 0.9 |" for number in range(2000))
    publish(store, page, "d", replace(overview(arm_card()), description=f"simclr is better\n\n{table}\n\nthe end"))
    answer, way, shown = client.get_experiment("1").tags["mlflow.note.content"].split("\n\n")
    assert (answer, way[:18]) == ("simclr is better", "[The whole report]")
    lines = shown.split("\n")
    assert lines == table.split("\n")[: len(lines)]
    assert 19_900 < len("\n\n".join((answer, way, shown))) <= 20_000


def test_what_is_there_is_not_made_again(tracker, store, client, page):
    first = overview(arm_card(), arm_card("scratch", "2"))
    assert publish(store, page, "d", first) == 1
    before = [(run.info.run_id, run.info.end_time) for run in arms(client)]
    assert publish(store, page, "d", first) == 0
    assert publish(store, page, "e", first) == 1
    assert [(run.info.run_id, run.info.end_time) for run in arms(client)] == before
    client.delete_run(before[0][0])
    assert publish(store, page, "e", first) == 1
    assert len(arms(client)) == 2


def test_what_has_changed_is_replaced_and_what_is_gone_goes(tracker, store, client, page):
    publish(store, page, "d", overview(arm_card(), arm_card("scratch", "2"), arm_card("trees", "3")))
    old = {run.info.run_name: run for run in arms(client)}
    worse = replace(arm_card(), metrics={"test/auc": 0.8})
    redrawn = replace(arm_card("scratch", "2"), pictures=(Picture("roc", "2", draw),))
    publish(store, page, "e", overview(worse, redrawn))
    new = {run.info.run_name: run for run in arms(client)}
    assert list(new) == ["simclr/n50", "scratch/n50"]
    assert new["simclr/n50"].data.metrics == {"test/auc": 0.8}
    assert {run.info.run_id for run in old.values()}.isdisjoint(run.info.run_id for run in new.values())
    assert len(arms(client, deleted=True)) == 3
    assert not any(Path(run.info.artifact_uri.removeprefix("file://")).exists() for run in old.values())


def test_what_a_killed_process_has_left_is_made_anew(tracker, store, client, page):
    publish(store, page, "d", overview(arm_card()))
    (run,) = arms(client)
    client.create_run("1", tags={"jetbench.key": "arm/simclr/n50", "jetbench.kind": "arm"})
    client.set_tag(run.info.run_id, "jetbench.content", "half")
    publish(store, page, "e", overview(arm_card()))
    (again,) = arms(client)
    assert again.data.tags["jetbench.content"] == arm_card().digest()
