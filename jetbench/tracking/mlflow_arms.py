"""The comparison in an experiment of MLflow: a run for each arm and label budget, the description, and the views that open.

A run whose card has changed is replaced as a whole, with its pictures, since MLflow cannot take back a metric.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from jetbench.tracking.arm_card import ArmCard, Overview
from jetbench.tracking.experiments import DESCRIPTION
from jetbench.tracking.holdings import KEY
from jetbench.tracking.places import CONTENT
from jetbench.tracking.shared_views import ARMS, RUNS, packed, view_link, view_tag

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["ARM", "KIND", "log_pictures", "publish_arms", "publish_description"]

KIND = "jetbench.kind"
ARM = "arm/"  # how the keys of these runs begin
LONGEST_DESCRIPTION = 20_000  # characters, of a tag of an experiment


def publish_arms(client: MlflowClient, experiment_id: str, cards: tuple[ArmCard, ...], tags: Mapping[str, str]) -> int:
    """Make the runs of kind "arm" those of the cards; what is as it should be is left alone. Returns how many were sent."""
    held: dict[str, Run] = {}
    for run in _all(client, experiment_id, f"tags.`{KIND}` = 'arm'"):
        twin = held.setdefault(run.data.tags.get(KEY, ""), run)
        if twin is not run:
            _discard(client, run)
    changed = [card for card in cards if not _holds(held.get(card.key), card)]
    ids = _run_ids(client, experiment_id) if changed else {}
    for card in changed:
        if card.key in held:
            _discard(client, held[card.key])
        _create(client, experiment_id, card, tags, [ids[key] for key in card.runs if key in ids])
    for key in held.keys() - {card.key for card in cards}:
        _discard(client, held[key])
    return len(changed)


def _holds(run: Run | None, card: ArmCard) -> bool:
    return run is not None and (run.info.status, run.data.tags.get(CONTENT)) == ("FINISHED", card.digest())


def _all(client: MlflowClient, experiment_id: str, query: str = "") -> list[Run]:
    found: list[Run] = []
    token: str | None = ""
    while token is not None:
        page = client.search_runs([experiment_id], query, max_results=1000, page_token=token or None)
        found += page
        token = page.token or None
    return found


def _run_ids(client: MlflowClient, experiment_id: str) -> dict[str, str]:
    """MLflow's ids of all runs, by their keys."""
    return {run.data.tags.get(KEY, ""): run.info.run_id for run in _all(client, experiment_id)}


def _discard(client: MlflowClient, run: Run) -> None:
    """Move a run to MLflow's bin, and remove its pictures, which nobody would find there."""
    from mlflow import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    client.delete_run(run.info.run_id)
    with suppress(MlflowException, OSError):  # of a server that keeps them: the run is in the bin all the same
        get_artifact_repository(run.info.artifact_uri, client.tracking_uri).delete_artifacts()


def _create(client: MlflowClient, experiment_id: str, card: ArmCard, tags: Mapping[str, str], run_ids: list[str]) -> None:
    from mlflow.entities import Metric, Param, RunTag

    now = round(time.time() * 1000)
    told = {KEY: card.key, KIND: "arm", **tags, **dict(card.tags), "jetbench.runs": " ".join(run_ids)}
    told[DESCRIPTION] = "\n\n".join(filter(None, (card.note, _way(experiment_id, run_ids))))
    run_id = client.create_run(experiment_id, now, {name: value for name, value in told.items() if value}, card.name).info.run_id
    client.log_batch(
        run_id,
        [Metric(name, value, now, 0) for name, value in card.metrics.items()],
        [Param(name, value) for name, value in card.params],
    )
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{picture.key}.png") for picture in card.pictures]
        for picture, path in zip(card.pictures, paths, strict=True):
            picture.save(path)
            client.log_artifact(run_id, str(path))
        if card.side_by_side:
            log_pictures(client, run_id, paths)
    for name, table in card.tables.items():
        client.log_table(run_id, {heading: list(column) for heading, column in table.items()}, name)
    client.log_batch(run_id, tags=[RunTag(CONTENT, card.digest())])  # last: what a killed process leaves counts for nothing
    client.set_terminated(run_id, "FINISHED")


def _way(experiment_id: str, run_ids: list[str]) -> str:
    """The way from an arm to the runs of its seeds."""
    if not run_ids:
        return ""
    listed = ", ".join(f"'{run_id}'" for run_id in run_ids)
    query = quote(f"attributes.run_id IN ({listed})")
    seeds = "its run" if len(run_ids) == 1 else f"its {len(run_ids)} runs"
    return f"[{seeds}](#/experiments/{experiment_id}/runs?workflowType=machine_learning&searchFilter={query})"


def log_pictures(client: MlflowClient, run_id: str, paths: list[Path]) -> None:
    """Log each picture under its stem as well: MLflow compares pictures of the same key across runs."""
    from PIL import Image

    there = [file.path for file in client.list_artifacts(run_id, "images")] if paths else []
    for path in paths:
        stamp = int(path.stat().st_mtime * 1000)
        if any(f"/{path.stem}+step+0+timestamp+{stamp}+" in name and "compressed" in name for name in there):
            continue
        with Image.open(path) as image:
            client.log_image(run_id, image.convert("RGB"), key=path.stem, step=0, timestamp=stamp, synchronous=True)


def publish_description(client: MlflowClient, experiment_id: str, told: Overview, way: str) -> None:
    """Make description, views and first metric of the experiment those of the overview; `way` leads to the page of the report,
    as run and file."""
    # without the type the pages open in their mode for language models
    link = f"#/experiments/{experiment_id}/runs/{way}?workflowType=machine_learning"
    ways = f"[The whole report]({link}) · [the runs of its seeds]({view_link(experiment_id, RUNS)})"
    answer, _, rest = told.description.partition("\n\n")
    # after the answer: what is too long loses lines at its end
    description = "\n\n".join(filter(None, (answer, ways, rest)))
    wanted = {
        DESCRIPTION: _fitting(description),
        view_tag(ARMS): packed(told.view),
        view_tag(RUNS): packed(told.runs),
        "mlflow.experiment.primaryMetric.name": told.headline,
    }
    tags = client.get_experiment(experiment_id).tags
    for name, value in wanted.items():
        if tags.get(name) != value:
            client.set_experiment_tag(experiment_id, name, value)


def _fitting(text: str) -> str:
    """As many whole lines of the text, from the first on, as the tag takes."""
    return text if len(text) <= LONGEST_DESCRIPTION else text[:LONGEST_DESCRIPTION].rpartition("\n")[0]
