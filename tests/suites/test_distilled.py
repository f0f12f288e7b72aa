"""Scores that an arm has stored by `jetbench predict`, as the teacher of another arm, from the first training to the report."""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from jetbench.cli import main
from jetbench.engine.engine import execute
from jetbench.engine.forecast import describe
from jetbench.engine.jobs import make_job
from jetbench.engine.prepare import Prepared, prepare
from jetbench.errors import DataFileError, LeakError, SuiteError
from jetbench.jets import Jets, open_jets, save_jets
from jetbench.report.collect import collect
from jetbench.report.sections import contents_of
from jetbench.report.warnings import warnings
from jetbench.runs.data import open_data
from jetbench.runs.job import Job
from jetbench.runs.learners import build_learner
from jetbench.runs.run import run
from jetbench.suites.instances import remember
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.roles import Role
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker
from jetbench.training.stops import Stopped

SUITE = """
suite: student
question: Does a student of an arm need fewer labels on toy jets?
common:
  dataset: {{name: {dataset}}}
  varies: [regime]
  primary: {{arm: simclr, baseline: scratch}}
  arms:
    scratch: {{model: deep-sets, regime: scratch}}
    simclr: {{model: deep-sets, regime: simclr}}
  recipes:
    supervised: {{base: supervised-small, passes: 320, epochs: 2, learning_rate: 0.003}}
    simclr: {{base: simclr-small, passes: 128, epochs: 1, batch_size: 32}}
    distilled: {{base: supervised-small, passes: 640, epochs: 2, learning_rate: 0.003}}
scales:
  smoke: {{test_jets: 100, labels: [50], seeds: 2}}
"""
TEACHER = "scratch/n50 (2 runs, each of 50 labels)"


@dataclass(frozen=True)
class Ground:
    """A suite file beside the store of a plan that was run, and the scores of all its jets by the arm `scratch`."""

    suite: Path
    jets: Path
    scores: Path
    store: Store

    def plan(self, *overrides: str, scores: Path | None = None) -> Plan:
        """With the arm `distilled`, unless overrides have another."""
        arm = {"model": "deep-sets", "regime": "distilled", "scores": str(scores or self.scores)}
        return planned(self.suite, f"arms.distilled={json.dumps(arm)}", *overrides)

    def changed(self, path: Path, rows: np.ndarray | slice, **attributes: Any) -> Path:
        """A copy of the scores that says of the jets at these rows the opposite."""
        shutil.copy(self.scores, path)
        with h5py.File(path, "r+") as file:
            score = file["score"][:]
            score[rows] = 1 - score[rows]
            file["score"][:] = score
            file.attrs.update(attributes)
        return path


def planned(suite: Path, *overrides: str) -> Plan:
    return make_plan(instantiate(find_suite(str(suite)), overrides=overrides))


def made(plan: Plan) -> Prepared:
    return prepare(plan, 1, lambda *told: None)


def finished(plan: Plan, store: Store) -> Counter[str]:
    """Run a plan; returns how its runs ended."""
    remember(store.root, plan.instance)
    told = list(execute(plan, store, MemoryTracker(), lambda: [None] * 2, lambda _: made(plan)))
    return Counter(event.kind for event in told if event.kind != "tick")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, toy_jets: Jets) -> Ground:
    folder = tmp_path_factory.mktemp("distilled")
    save_jets(folder / "jets.h5", [toy_jets])
    (folder / "student.yaml").write_text(SUITE.format(dataset=folder / "jets.h5"))
    store = Store(folder / "store")
    store.prepare()
    assert finished(planned(folder / "student.yaml"), store) == {"done": 6}
    found = Ground(folder / "student.yaml", folder / "jets.h5", folder / "scores.h5", store)
    arguments = ["predict", "scratch/n50", str(found.jets), "-o", str(found.scores), "--store", str(store.root)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    return found


def distillation(plan: Plan, store: Path, seed: int = 0) -> Job:
    """The run that follows the teacher."""
    key = plan.runs[plan.cells[CellKey("distilled", 50, seed)]].spec.start
    return make_job(plan, Store(store), plan.runs[key], plan.runs[key].spec, made(plan), ())


def weights(job: Job, stop: Any = None) -> Mapping[str, torch.Tensor]:
    """Train a run to its end, or until it is to stop."""
    Ledger(job.work).folder(job.key).mkdir(parents=True, exist_ok=True)
    run(job, stop or Event())
    return load_file(Ledger(job.work).run(job.key).weights)


def test_from_a_teacher_to_the_report(ground: Ground, caplog: pytest.LogCaptureFixture) -> None:
    plan = ground.plan()
    line = f"distilled is taught by the scores in {ground.scores}, of {TEACHER}"
    assert line in describe(plan, ground.store, 1, 1).splitlines()
    with caplog.at_level(logging.WARNING):
        assert finished(plan, ground.store) == {"skipped": 6, "done": 4}
    assert line in [record.getMessage() for record in caplog.records]
    assert plan.roles["distilled"] == Role.CONTROL
    results = collect(plan, ground.store)
    assert not results.missing
    assert results.mean("distilled", 50).mean > 0.9  # type: ignore[union-attr]
    (note,) = [text for text in warnings(results) if text.startswith("distilled at 50 labels: taught by")]
    assert f"taught by {TEACHER}: the labels of its teacher count too" in note
    arms = next(content for content in contents_of(results) if content.anchor == "arms")
    assert f"pool with the scores of {TEACHER}" in arms.body
    ledger, (last, before) = Ledger(ground.store.work), plan.chain(CellKey("distilled", 50, 0))
    assert (before.name, before.spec.targets, last.spec.takes) == ("deep-sets/distilled-pretraining/s0", "scores", "network")
    metrics = ledger.metrics(before.key)
    assert (metrics["train/jets"], metrics["cost/labelled_passes"]) == (240, 640)  # four fifths of the pool, and no test jet


def test_a_student_sees_the_scores_of_training_jets_alone_and_no_label(ground: Ground, tmp_path: Path) -> None:
    """What the teacher says of the jets that validate or test changes no weight; what it says of the others does."""
    job = distillation(ground.plan(), tmp_path)
    data = open_data(job)
    learner: Any = build_learner(job, data)
    wrong = distillation(ground.plan(scores=ground.changed(tmp_path / "wrong.h5", slice(None))), tmp_path)
    misled: Any = build_learner(wrong, open_data(wrong))
    assert misled.labelled.targets["label"].tolist() == (1 - learner.labelled.targets["label"]).tolist()
    assert sorted(learner.rows) == sorted(data.split.train)
    found = [weights(job)]
    for name, rows in (("others", np.setdiff1d(np.arange(400), learner.rows)), ("trained", learner.rows)):
        other = distillation(ground.plan(scores=ground.changed(tmp_path / f"{name}.h5", rows)), tmp_path)
        assert other.key != job.key
        found.append(weights(other))
    assert all(torch.equal(found[0][part], found[1][part]) for part in found[0])
    assert not torch.equal(found[0]["head.weight"], found[2]["head.weight"])


class StopAfter(Event):
    """Set after so many looks."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_an_interrupted_student_ends_as_if_it_had_not_been(ground: Ground, tmp_path: Path) -> None:
    plan = ground.plan()
    whole = weights(distillation(plan, tmp_path / "whole"))
    for looks in (3, 15):
        with pytest.raises(Stopped):
            weights(distillation(plan, tmp_path / "broken"), StopAfter(looks))
    resumed = weights(distillation(plan, tmp_path / "broken"))
    assert all(torch.equal(whole[part], resumed[part]) for part in whole)


def test_a_run_is_that_of_its_scores_wherever_they_lie_and_whoever_has_made_them(ground: Ground, tmp_path: Path) -> None:
    def keys(scores: Path, arm: str) -> str:
        return ground.plan(scores=scores).cells[CellKey(arm, 50, 0)]

    renamed = ground.changed(tmp_path / "renamed.h5", slice(0), name="another")
    other = ground.changed(tmp_path / "other.h5", slice(1))
    assert keys(ground.scores, "distilled") == keys(renamed, "distilled") != keys(other, "distilled")
    assert keys(ground.scores, "scratch") == keys(other, "scratch")
    assert ground.plan().instance.name == ground.plan(scores=renamed).instance.name


def test_students_of_two_teachers_differ_in_their_scores(ground: Ground, tmp_path: Path) -> None:
    other = ground.changed(tmp_path / "other.h5", slice(1))
    arm = f"arms.other={{model: deep-sets, regime: distilled, scores: {other}}}"
    with pytest.raises(SuiteError, match=r"differ in pretraining\.scores \('.*scores\.h5' against '.*other\.h5'\), .*`varies`"):
        ground.plan(arm)
    plan = ground.plan(arm, "varies=[regime, scores]")
    names = {run.name for run in plan.runs.values() if run.kind == "pretrain"}
    assert {"deep-sets/distilled-pretraining/other/s0", "deep-sets/distilled-pretraining/distilled/s0"} < names


def test_a_teacher_of_several_classes_or_of_one_output(
    ground: Ground, tmp_path: Path, pronged_jets: Callable[[int, int], Jets]
) -> None:
    """Probabilities of three classes are those of the file; a student with one output is taught by two."""
    save_jets(tmp_path / "three.h5", [pronged_jets(400, 3)])
    (tmp_path / "three.yaml").write_text(SUITE.format(dataset=tmp_path / "three.h5"))
    instance, path = planned(tmp_path / "three.yaml").instance, tmp_path / "scores.h5"
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], 400)
    shutil.copy(ground.scores, path)
    with h5py.File(path, "r+") as file:
        for name in ("label", "score"):
            del file[name]
        file["label"], file["score"] = np.zeros(400, np.int16), probabilities
        told = {"version": 2, "class_names": json.dumps(instance.meta.class_names), "dataset_digest": instance.dataset.sha256}
        file.attrs.update(told)
    three = Ground(tmp_path / "three.yaml", tmp_path / "three.h5", path, ground.store)
    np.testing.assert_array_equal(open_data(distillation(three.plan(), tmp_path)).probabilities, probabilities)
    (teacher,) = {one.teacher for one in three.plan().instance.scores}
    assert teacher == "scratch/n50 (2 runs, each of 50 labels of other jets, these test jets perhaps among them)"
    one = distillation(ground.plan("task={name: classification, options: {loss: bce}}"), tmp_path)
    assert weights(one)["head.weight"].shape[0] == 1


@pytest.mark.parametrize(
    ("told", "teacher"),
    [
        ({"a": ["pool", 100]}, "all labels of its pool and 100 labels"),
        ({"a": ["scores", 100]}, "the scores of another teacher and 100 labels"),
        ({"a": ["weights", 50], "b": ["weights", 50]}, "2 runs, each of imported weights and 50 labels"),
    ],
)
def test_what_a_teacher_was_told_before_is_told(ground: Ground, tmp_path: Path, told: dict[str, Any], teacher: str) -> None:
    digest = open_jets(ground.jets).digest
    trained_on = {run: {"dataset_digest": digest, "test_jets": 100, "told": words} for run, words in told.items()}
    path = ground.changed(tmp_path / "told.h5", slice(0), trained_on=json.dumps(trained_on))
    assert [one.teacher for one in ground.plan(scores=path).instance.scores] == [f"scratch/n50 ({teacher})"]


def test_what_cannot_teach_is_one_error(ground: Ground, tmp_path: Path) -> None:
    written = r"`jetbench predict RUN DATA -o FILE` writes them"
    with pytest.raises(DataFileError, match=rf"nowhere.h5: no scores can be read there \(there is no such file\); {written}"):
        ground.plan(scores=Path("nowhere.h5"))
    own = Ledger(ground.store.work).run(ground.plan().cells[CellKey("scratch", 50, 0)]).scores
    with pytest.raises(DataFileError, match=rf"does not say whose scores it has, and of which jets; {written}"):
        ground.plan(scores=own)
    others = ground.changed(tmp_path / "others.h5", slice(0), dataset_digest="0")
    with pytest.raises(DataFileError, match=rf"of other jets, 400 of 'jets', than the 400 of 'jets' here; {written}"):
        ground.plan(scores=others)
    turned = ground.changed(tmp_path / "turned.h5", slice(0), class_names='["top", "qcd"]')
    with pytest.raises(DataFileError, match=r"holds the classes top, qcd, and these jets have the classes qcd, top; take a run"):
        ground.plan(scores=turned)
    with pytest.raises(LeakError, match=r"scratch/n50/s0 has kept 100 test jets of 'jets' apart and may have .* of the 150 here"):
        ground.plan("test_jets=150")
    assert "distilled" in ground.plan("test_jets=80").arms
    with pytest.raises(SuiteError, match=r"under 'distilled' needs `scores`, the file that `jetbench predict RUN DATA -o FILE`"):
        ground.plan("arms.distilled.scores=null")
    with pytest.raises(SuiteError, match=r"belong to an arm under 'distilled', and not under 'scratch'"):
        ground.plan(f"arms.scratch.scores={ground.scores}")
    replaced = ground.changed(tmp_path / "replaced.h5", slice(0))
    plan = ground.plan(scores=replaced)
    ground.changed(replaced, slice(1))
    for act in (made, lambda plan: describe(plan, ground.store, 1, 1)):
        with pytest.raises(DataFileError, match=r"replaced.h5: replaced by other scores since the training was planned"):
            act(plan)


def test_numbers_teach_no_classes(ground: Ground) -> None:
    plan = ground.plan("task={name: regression, options: {target: gen_mass}}")
    assert dict(plan.skipped)["arm distilled"] == "the objective 'distilled' uses the labels of classification, not of regression"
