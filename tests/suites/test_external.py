"""Weights of the published layout, written by a plain script and imported, as an arm of a suite beside one from scratch."""

from __future__ import annotations

import logging
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from models.plain_particlenet import as_published, shipped
from models.plain_particlenet import trained_a_little as particlenet
from models.plain_resnet15 import trained_a_little
from torch import nn

from jetbench.engine.engine import execute
from jetbench.engine.forecast import describe
from jetbench.engine.jobs import make_job
from jetbench.engine.prepare import Prepared, prepare
from jetbench.errors import DataFileError, SuiteError
from jetbench.models.imported import import_model
from jetbench.report.collect import collect
from jetbench.report.sections import contents_of
from jetbench.report.warnings import warnings
from jetbench.runs.data import open_data
from jetbench.runs.learners import build_learner
from jetbench.spec import Component, options
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.roles import Role
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker
from jetbench.training.learner import NetworkLearner

SUITE = """
suite: published
question: Do published weights help on toy jets?
common:
  dataset: {{name: {dataset}}}
  view: {{image: {{pixels: 8}}}}
  varies: [regime]
  primary: {{arm: external, baseline: scratch}}
  arms:
    scratch: {{model: resnet15-bn, regime: scratch}}
    external: {{model: resnet15-bn, regime: external, weights: {weights}}}
  recipes:
    supervised: {{base: supervised-small, passes: 64, epochs: 1}}
scales:
  smoke: {{test_jets: 100, labels: [50], seeds: 2}}
"""
PLAIN = trained_a_little()


def imported(folder: Path, plain: nn.Module = PLAIN) -> Path:
    folder.mkdir()
    torch.save(plain.state_dict(), folder / "weights.pt")
    import_model(folder / "weights.pt", Component(name="resnet15-bn"), folder / "imported")
    return folder / "imported"


@pytest.fixture
def suite(tmp_path: Path, toy_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    weights = imported(tmp_path / "published")
    (tmp_path / "published.yaml").write_text(SUITE.format(dataset=toy_file, weights=weights))
    return tmp_path / "published.yaml"


def planned(suite: Path, *overrides: str) -> Plan:
    return make_plan(instantiate(find_suite(str(suite)), overrides=overrides))


def made(plan: Plan) -> Prepared:
    return prepare(plan, 1, lambda *told: None)


def told(plan: Plan) -> list[str]:
    return describe(plan, Store(Path("nowhere")), 1, 1).splitlines()


def test_a_dry_run_says_what_the_weights_are_of_and_what_is_adapted(suite: Path, tmp_path: Path) -> None:
    """Before any jet is there: these are yet to be simulated."""
    lines = told(planned(suite, "dataset={name: top-vs-qcd, jets: 400}"))
    assert f"external starts from the weights in {tmp_path / 'published' / 'imported'}, of resnet15-bn (weights.pt)" in lines
    channels = "encoder.conv1.weight: each of 3 input channels has the mean of the file's 2, times 2/3"
    assert f"external: adapted: {channels}" in lines


def test_an_arm_starts_from_imported_weights(suite: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plan, store = planned(suite), Store(tmp_path)
    store.work.mkdir()
    with caplog.at_level(logging.WARNING):
        told = list(execute(plan, store, MemoryTracker(), lambda: [None] * 2, lambda _: made(plan)))
    assert Counter(event.kind for event in told if event.kind != "tick") == {"done": 4}, [event.text for event in told]
    origin = f"external starts from the weights in {tmp_path / 'published' / 'imported'}, of resnet15-bn (weights.pt)"
    adapted = "external: adapted: encoder.conv1.weight: each of 3 input channels has the mean of the file's 2, times 2/3"
    assert [record.getMessage() for record in caplog.records if "external" in record.getMessage()] == [origin, adapted]
    assert (plan.roles["scratch"], plan.roles["external"]) == (Role.BASELINE, Role.EXTERNAL)
    results = collect(plan, store)
    assert not results.missing
    assert ("external", 50) in results.comparisons
    told_of = [text for text in warnings(results) if text.startswith("external at")]
    assert any("what its weights have seen is unknown" in text for text in told_of)
    assert not any("practically frozen" in text for text in told_of)  # its weights were never random
    arms = next(content for content in contents_of(results) if content.anchor == "arms")
    assert "published/imported" in arms.body


def test_a_run_begins_with_the_tensors_of_the_file(suite: Path, tmp_path: Path) -> None:
    plan = planned(suite)
    run = plan.runs[plan.cells[CellKey("external", 50, 1)]]
    job = make_job(plan, Store(tmp_path), run, run.spec, made(plan), ())
    learner = build_learner(job, open_data(job))
    assert isinstance(learner, NetworkLearner)
    encoder, plain = learner.network.encoder.state_dict(), PLAIN.state_dict()
    for name, tensor in plain.items():
        if name.startswith(("layer", "bn1")):
            assert torch.equal(encoder[name], tensor), name
    mean = plain["conv1.weight"].mean(dim=1, keepdim=True) * 2 / 3
    torch.testing.assert_close(encoder["conv1.weight"], mean.expand(-1, 3, -1, -1))
    head = learner.network.head.state_dict()
    assert torch.equal(head["weight"], torch.cat([torch.zeros(1, 64), plain["linear.weight"]]))


def test_a_run_is_that_of_its_weights_wherever_they_lie(suite: Path, tmp_path: Path) -> None:
    """Equal tensors at another place are the same runs, others are others; those of scratch do not care."""

    def keys(folder: Path, arm: str) -> str:
        return planned(suite, f"arms.external.weights={folder}").cells[CellKey(arm, 50, 0)]

    same, own, others = tmp_path / "published" / "imported", imported(tmp_path / "again"), trained_a_little()
    nn.init.ones_(others.layer1[0].conv1.weight)
    other = imported(tmp_path / "other", others)
    assert keys(same, "external") == keys(own, "external") != keys(other, "external")
    assert keys(same, "scratch") == keys(other, "scratch")
    assert planned(suite).instance.name == planned(suite, f"arms.external.weights={own}").instance.name


CONSTITUENTS = """
suite: five-classes
question: Do the weights of another collaboration's tagger help on toy jets?
common:
  dataset: {{name: {dataset}}}
  view: {{constituents: {{features: jetnet, number: 30}}}}
  model_options: {{particlenet: {{blocks: {blocks}, connected: 256, neighbours: 4, shortcut: concatenate}}}}
  varies: [regime]
  primary: {{arm: external, baseline: scratch}}
  arms:
    scratch: {{model: particlenet, regime: scratch}}
    external: {{model: particlenet, regime: external, weights: {weights}}}
  recipes:
    supervised: {{base: supervised-small, passes: 64, epochs: 1}}
scales:
  smoke: {{test_jets: 100, labels: [50], seeds: 2}}
"""


def test_an_arm_starts_from_the_five_classes_of_jetnet(
    tmp_path: Path, toy_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own file where the package is installed, else a small one of the same layout; two classes need another head."""
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    path, blocks = tmp_path / "weights.pt", "8-16"
    if find_spec("jetnet") is None:
        torch.save(as_published(particlenet()), path)
    else:
        path, blocks = shipped(), "64-128-256"
    given = {"blocks": blocks, "connected": 256, "neighbours": 4, "shortcut": "concatenate"}
    import_model(path, Component(name="particlenet", options=options(given)), tmp_path / "imported")
    text = CONSTITUENTS.format(dataset=toy_file, blocks=blocks, weights=tmp_path / "imported")
    (tmp_path / "five.yaml").write_text(text)
    plan, store = planned(tmp_path / "five.yaml"), Store(tmp_path)
    store.work.mkdir()
    with caplog.at_level(logging.WARNING):
        told = list(execute(plan, store, MemoryTracker(), lambda: [None] * 2, lambda _: made(plan)))
    assert Counter(event.kind for event in told if event.kind != "tick") == {"done": 4}, [event.text for event in told]
    adapted = [record.getMessage() for record in caplog.records if "adapted" in record.getMessage()]
    shapes = ("head.bias (5,), head.weight (5, 256)", "head.weight (2, 256), head.bias (2,)")
    assert adapted == [f"external: adapted: the head begins afresh: the file has {shapes[0]}, the model {shapes[1]}"]
    assert ("external", 50) in collect(plan, store).comparisons


def test_arms_with_other_weights_differ_in_them(suite: Path, tmp_path: Path) -> None:
    others = trained_a_little()
    nn.init.ones_(others.layer1[0].conv1.weight)
    arm = f"arms.other={{model: resnet15-bn, regime: external, weights: {imported(tmp_path / 'other', others)}}}"
    with pytest.raises(
        SuiteError,
        match=r"differ in weights \('.*imported' against '.*other/imported'\), .* not declare under `varies`",
    ):
        planned(suite, arm)
    assert planned(suite, arm, "varies=[regime, weights]").arms == ["scratch", "external", "other"]


def test_what_cannot_be_started_from_is_one_error(suite: Path, tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"nowhere: no imported weights are there .No such.*`jetbench model import FILE"):
        planned(suite, "arms.external.weights=nowhere")
    (tmp_path / "void").mkdir()
    with pytest.raises(DataFileError, match=r"void: no imported weights are there .the folder holds none.; `jetbench model"):
        planned(suite, f"arms.external.weights={tmp_path / 'void'}")
    (tmp_path / "void" / "model.safetensors").touch()
    with pytest.raises(DataFileError, match=r"void/model.safetensors: is empty; remove the folder, and `jetbench model import"):
        planned(suite, f"arms.external.weights={tmp_path / 'void'}")
    with pytest.raises(SuiteError, match=r"under 'external' needs `weights`, the folder that `jetbench model import`"):
        planned(suite, "arms.external.weights=null")
    with pytest.raises(SuiteError, match=r"belong to an arm under 'external', and not under 'scratch'"):
        planned(suite, f"arms.scratch.weights={tmp_path / 'published' / 'imported'}")
    simulated = "dataset={name: top-vs-qcd, jets: 400}"
    misfit = planned(suite, "arms.external.model=resnet15-e2e", "varies=[model, regime]", simulated)
    for act in (made, told):
        with pytest.raises(DataFileError, match=r"are of resnet15-bn, and the arm trains resnet15-e2e; .*the file lacks "):
            act(misfit)
    assert not list(tmp_path.glob("cache/*.h5"))  # nothing was simulated for it
    plan = planned(suite)
    (tmp_path / "published" / "imported" / "bundle.json").write_text('{"model": {}, "preprocessing": {}}')
    with pytest.raises(DataFileError, match=r"was not written by `jetbench model import`"):
        made(plan)
    (tmp_path / "published" / "imported" / "model.safetensors").write_bytes(b"others")
    with pytest.raises(DataFileError, match=r"replaced by other weights since the training was planned"):
        made(plan)
