"""A plug-in of each kind in under 30 lines, blank ones not counted, at work where a built-in component of its kind would be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jetbench.data.batch import JetTensors
from jetbench.data.catalog import find_dataset
from jetbench.errors import PluginError, SuiteError
from jetbench.evaluation.metrics import metrics
from jetbench.formats.conversion import convert
from jetbench.formats.reading import detect
from jetbench.jets import Jets, open_jets
from jetbench.models import models
from jetbench.models.network import Network, build_network, network_for
from jetbench.objectives import objectives
from jetbench.objectives.base import Look, build_objective
from jetbench.plugins import TABLES, scope, use
from jetbench.plugins.given import active
from jetbench.seeds import torch_rng
from jetbench.spec import Component
from jetbench.suites.plan import CellKey, Plan
from jetbench.tasks import build_task, tasks
from jetbench.testing import contract
from jetbench.views import augment, augmentations, views
from jetbench.views.view import fit_view

EXAMPLES = sorted(Path(__file__).with_name("examples").glob("*.py"))


@pytest.fixture
def plugged() -> Iterator[None]:
    """Every example counts."""
    with scope():
        for path in EXAMPLES:
            use(path)
        yield


def batch_of(jets: Jets) -> Any:
    return next(iter(JetTensors(jets).sweep(np.arange(len(jets)), len(jets))))[1]


def small_network(jets: Jets) -> tuple[Network, Look]:
    view = fit_view(views["image"].component((("extent", 0.8), ("pixels", 8))), batch_of(jets))
    return network_for(models["small-cnn"].component((("width", 8),)), view, 2, seed=0), Look(view)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_fewer_than_thirty_lines_that_are_not_blank(path: Path) -> None:
    assert len([line for line in path.read_text().splitlines() if line.strip()]) < 30


@pytest.mark.usefixtures("plugged")
def test_there_is_an_example_of_every_kind() -> None:
    assert {entry.table for given in active() for entry in given.entries} == set(TABLES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_keeps_its_contract(path: Path) -> None:
    with scope():
        use(path)
        (given,) = active()
        for entry in given.entries:
            contract(entry.table.removesuffix("s"), entry.name)


@pytest.mark.usefixtures("plugged")
def test_a_regime_that_an_objective_brings_keeps_its_contract() -> None:
    contract("regime", "following-lpft")


REGRESSION = """
from jetbench.objectives import ObjectiveEntry
from jetbench.objectives.supervised import Supervised

class Huber(Supervised):
    def __init__(self, network, task, look):
        super().__init__(network, task, look)

    def loss(self, outputs, target):
        return (1 + (outputs - target).square()).sqrt().mean()

JETBENCH = [ObjectiveEntry("pseudo-huber", f"{__name__}:Huber", "close to |x| far out", tasks=("regression",))]
"""


def test_an_objective_of_numbers_alone_keeps_its_contract_and_so_does_its_regime(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(REGRESSION)
    with scope():
        use(tmp_path / "mine.py")
        contract("objective", "pseudo-huber")
        contract("regime", "pseudo-huber")


@pytest.mark.usefixtures("plugged")
def test_a_model_is_built(toy_jets: Jets) -> None:
    network, look = small_network(toy_jets)
    outputs = network(look(batch_of(toy_jets[:6]), torch_rng("t")))
    assert outputs.shape == (6, 2)
    assert build_network(models["small-cnn"].component(), {"image": (3, 8, 8)}, 2, seed=0).encoder.features == 16


@pytest.mark.usefixtures("plugged")
def test_an_objective_keeps_a_state_that_moves_after_each_step(toy_jets: Jets) -> None:
    network, look = small_network(toy_jets)
    task = build_task(Component(name="classification"))
    objective = build_objective(objectives["queued"].component((("queue", 16),)), network, task, look, 0)
    before = objective.state_dict()["queue"].clone()
    found = objective(network, objective.views(batch_of(toy_jets[:4]), torch_rng("t")))
    found["loss"].backward()
    assert any(parameter.grad is not None for parameter in network.encoder.parameters())
    objective.after_step(network, 0.5)
    after = objective.state_dict()["queue"]
    assert torch.equal(after[:-4], before[4:])
    assert not torch.equal(after[-4:], before[-4:])


@pytest.mark.usefixtures("plugged")
def test_a_view_shows_what_it_is_to_show(toy_jets: Jets) -> None:
    batch, entry = batch_of(toy_jets), views["mirrored-image"]
    view = fit_view(entry.component(entry.settle(toy_jets.meta, {"pixels": 8})), batch)
    mirrored = batch.replace(eta=-batch.eta)
    assert torch.equal(view(batch)["image"], view(mirrored)["image"])
    plain = fit_view(views["image"].component((("extent", 0.8), ("pixels", 8))), batch)
    assert not torch.equal(plain(batch)["image"], plain(mirrored)["image"])
    assert models["resnet15-mirrored"].view_of(toy_jets.meta) is entry


@pytest.mark.usefixtures("plugged")
def test_an_augmentation_is_a_step_among_others(toy_jets: Jets) -> None:
    batch = batch_of(toy_jets)
    step = augmentations["tilt"].component((("sigma", 0.2),))
    one, again = (augment(batch, (Component(name="flip"), step), torch_rng("t")) for _ in range(2))
    assert torch.equal(one.values, again.values)
    assert not torch.equal(one.values, batch.values)
    assert (one.values >= 0).all()


@pytest.mark.usefixtures("plugged")
def test_a_task_has_its_own_loss(toy_jets: Jets) -> None:
    task = build_task(tasks["least-squares"].component((("target", "mass"),)))
    truth = np.array([90.0, 110.0])
    task = task.fitted(truth, toy_jets.meta)
    outputs = task.encode(torch.tensor(truth), toy_jets.meta) + torch.tensor([[3.0], [0.0]])
    assert task.validate(outputs, torch.tensor(truth)) == pytest.approx({"loss": 4.5, "rmse": np.sqrt(450)})
    assert float(task.loss(outputs, task.encode(torch.tensor(truth), toy_jets.meta))) == pytest.approx(4.5)


@pytest.mark.usefixtures("plugged")
def test_a_dataset_is_simulated_by_workers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path))
    dataset = find_dataset("prongs", 60, seed=1, options={"distance": 0.6})
    dataset.make(workers=2)
    jets = open_jets(dataset.path).read()
    assert jets.meta.class_names == ("one", "two")
    assert np.bincount(jets.targets["label"]).tolist() == [30, 30]
    spread = [np.abs(jets.eta.reshape(60, 40)[jets.targets["label"] == label]).mean() for label in (0, 1)]
    assert spread[1] > 2 * spread[0]


@pytest.mark.usefixtures("plugged")
def test_a_format_is_recognised_and_converted_and_the_file_says_by_whom(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    constituents = np.stack([rng.exponential(10, (20, 30)), *rng.normal(0, 0.2, (2, 20, 30))], axis=2)
    constituents[:, 12:] = 0
    np.savez(tmp_path / "lab.npz", jets=constituents, is_top=np.arange(20) % 2)
    assert detect(tmp_path / "lab.npz").name == "lab-npz"
    contract("format", "lab-npz", sample=tmp_path / "lab.npz")
    convert(tmp_path / "lab.npz", tmp_path / "jets.h5")
    jets = open_jets(tmp_path / "jets.h5").read()
    assert np.diff(jets.offsets).tolist() == [12] * 20
    assert jets.targets["label"].sum() == 10
    (remark,) = [one for one in jets.meta.provenance.remarks if "plug-in" in one]
    assert remark.startswith("read by the plug-in my_format.py (")


SETTINGS = (
    *("recipes.masked={base: simclr-small, passes: 64}", "recipes.queued={base: simclr-small, passes: 64}"),
    "arms.simclr={model: small-cnn, regime: masked-simclr}",
    *("arms.scratch={model: small-cnn, regime: scratch}", "model_options=null", "tuning=null"),
    *("metrics=[significance-improvement]", "recipes.supervised.augmentation=[flip, tilt]"),
)


@pytest.mark.usefixtures("plugged")
def test_a_regime_is_a_chain_of_runs_each_with_its_plug_ins(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(*SETTINGS)
    chain = [run.spec for run in plan.chain(CellKey("simclr", 50, 0))][::-1]
    assert [spec.objective.name for spec in chain] == ["masked", "simclr", "supervised"]
    assert [{one.name for one in spec.plugins} for spec in chain] == [
        {"my_model.py"},
        {"my_model.py"},
        {"my_model.py", "my_augmentation.py"},
    ]
    named = {one.name for one in plan.instance.plugins}
    assert named == {"my_model.py", "my_augmentation.py", "my_regime.py", "my_metric.py"}
    assert all(not plan.runs[key].spec.plugins for cell, key in plan.cells.items() if cell.arm == "boosted-trees")


def test_changed_code_makes_new_runs_of_what_it_is_and_of_nothing_else(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    def keys(more: str) -> tuple[str, dict[str, str]]:
        with scope():
            (tmp_path / "my_model.py").write_text((EXAMPLES[0].with_name("my_model.py")).read_text() + more)
            use(tmp_path / "my_model.py")
            plan = plan_of("arms.scratch={model: small-cnn, regime: scratch}", "tuning=null")
            return plan.instance.name, {run.name: key for key, run in plan.runs.items()}

    (name, before), (same, again), (other, after) = keys(""), keys(""), keys("# changed\n")
    assert (name, before) == (same, again)
    assert name != other
    assert before.keys() == after.keys()
    assert {run for run in before if before[run] != after[run]} == {run for run in before if run.startswith("small-cnn/")}


def test_a_plug_in_that_a_suite_does_not_name_changes_nothing(plan_of: Callable[..., Plan]) -> None:
    plain = plan_of()
    with scope():
        for path in EXAMPLES:
            use(path)
        plan = plan_of()
    assert plan.instance.name == plain.instance.name
    assert plan.runs.keys() == plain.runs.keys()
    assert plan.instance.plugins == ()


@pytest.mark.usefixtures("plugged")
def test_a_metric_judges_scores(plan_of: Callable[..., Plan]) -> None:
    truth = np.repeat([0, 1], 100)
    scores = np.concatenate([np.linspace(0, 0.9, 100), np.full(100, 0.95)])
    assert metrics["significance-improvement"].judge(truth, scores) == pytest.approx(1 / np.sqrt(0.1))
    with pytest.raises(PluginError, match=r"'significance-improvement' of my_metric.py \(\w+\) fails: ValueError"):
        metrics["significance-improvement"].judge(truth[:4], scores[:4])
    with pytest.raises(SuiteError, match="judges classification, and the task is regression"):
        plan_of(*SETTINGS[:-2], "metrics=[significance-improvement]", "task={name: regression, options: {target: mass}}")


def test_a_metric_out_of_its_range_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from jetbench.evaluation.metrics import MetricEntry\n"
        "def half(truth, scores): return 1.5 if len(truth) else float('nan')\n"
        "JETBENCH = [MetricEntry('half', f'{__name__}:half', 'a half', low=0.0, high=1.0)]"
    )
    with scope():
        use(tmp_path / "mine.py")
        for truth, value in (([1], "1.5"), ([], "nan")):
            with pytest.raises(PluginError, match=rf"'half' of mine.py \(\w+\) gives {value}, which is no number from 0 to 1"):
                metrics["half"].judge(truth, truth)
