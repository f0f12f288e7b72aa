"""How each kind of component is made and asked for its numbers: the only file of these tests that knows constructors."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import torch
from torch import nn

from jetbench.data.batch import Batch, JetTensors
from jetbench.data.batches import Batches
from jetbench.data.catalog import datasets
from jetbench.data.composition import compose
from jetbench.data.splits import split_jets
from jetbench.jets import Jets
from jetbench.models import models
from jetbench.models.network import Network, build_network
from jetbench.objectives import TASK_LOSS, objectives
from jetbench.objectives.base import Look, Objective
from jetbench.objectives.base import build_objective as build
from jetbench.registry import Entry
from jetbench.seeds import numpy_rng, torch_rng
from jetbench.simulation.chunks import Chunk
from jetbench.simulation.simulators import simulate_chunk
from jetbench.spec import Component, Recipe, RunSpec, Scalar, options
from jetbench.tasks import build_task, tasks
from jetbench.testing.training import taught
from jetbench.tracking.journal import Journal, read
from jetbench.training import loop
from jetbench.views import augment, augmentations, views
from jetbench.views.inputs import Inputs
from jetbench.views.observables import OBSERVABLES
from jetbench.views.table import Table
from jetbench.views.view import FittedView, fit_view

PROTOCOL = RunSpec.model_fields["protocol"].default
NETWORKS = [entry for entry in models if entry.kind == "network"]
FITTED = [entry for entry in models if entry.kind == "fitted"]
EVERYTHING = ("deep-sets", "resnet15-bn")  # those that every objective trains: of sets, and of images with batch statistics
TRAININGS = [(m, o) for m in NETWORKS for o in objectives if m.name in EVERYTHING or o.name == TASK_LOSS]
PIXELS = {"image": {"pixels": 12}, "pixels-mass": {"pixels": 12}}  # options of views, where the defaults are slow
NARROW = {"stages": "16-32-64"}  # options of models, where a training with the defaults is slow
TASK = build_task(Component(name="classification"))
SIMULATED = [(entry.name, label) for entry in datasets for label in range(len(entry.load().class_names))]
STEPS = (Component(name="rotation"), Component(name="flip"), Component(name="drop"))
RECIPE = Recipe(name="golden", learning_rate=1e-3, batch_size=16, epochs=3, warmup=0.3, augmentation=STEPS)


def keys() -> set[str]:
    """The key of every number that belongs into the golden file."""
    tables = {"augmentation": augmentations, "view": views, "model": models, "objective": objectives, "task": tasks}
    found = {key(kind, entry) for kind, table in tables.items() for entry in table}
    found |= {training_key(model, objective) for model, objective in TRAININGS}
    found |= {simulation_key(name, label) for name, label in SIMULATED}
    return found | {f"protocol {part}@{PROTOCOL}" for part in ("splits", "batches", "pools")} | {"toy-jets@1"}


def key(kind: str, entry: Entry) -> str:
    return f"{kind} {entry.name}@{entry.revision}"


def training_key(model: Entry, objective: Entry) -> str:
    return f"training {model.name}@{model.revision} {objective.name}@{objective.revision}"


def simulation_key(name: str, label: int) -> str:
    recipe = datasets[name].load()
    return f"dataset {name}@{recipe.model_fields['revision'].default} {recipe.class_names[label]}"


def batch_of(jets: Jets, size: int) -> Batch:
    return JetTensors(jets).batch(torch.arange(size))


def augmented(name: str, jets: Jets, **strengths: float) -> dict[str, np.ndarray]:
    """Columns of 100 jets after one augmentation."""
    step = Component(name=name, options=options(strengths))
    batch = augment(batch_of(jets, 100), (step,), torch_rng("golden", name))
    return {column: getattr(batch, column).numpy() for column in ("jet", "eta", "phi", "values")}


def shown(view: str, jets: Jets, **given: Scalar) -> dict[str, np.ndarray]:
    """What a view, fitted on 100 jets, shows of the first 50, by name of the tensor."""
    code = views[view].load()
    if issubclass(code, Table):
        table = code.rows(jets[:50], views[view].settle(jets.meta, PIXELS.get(view, {}) | given))
        return dict(zip(code.columns, table.T, strict=True)) or {"table": table}  # the masses would hide the others
    seen = fitted_view(view, jets, **given)(batch_of(jets, 50))
    masks = {} if seen.mask is None else {"mask": seen.mask.float().numpy()}
    return {name: tensor.numpy() for name, tensor in seen.tensors.items()} | masks


def fitted_view(view: str, jets: Jets, **given: Scalar) -> FittedView:
    """Fitted on 100 jets."""
    settled = views[view].settle(jets.meta, PIXELS.get(view, {}) | given)
    return fit_view(Component(name=view, options=settled), batch_of(jets, 100))


def outputs(model: str, jets: Jets) -> np.ndarray:
    """Outputs (50, classes) of a fresh network."""
    view = fitted_view(models[model].view, jets)
    network = build_network(Component(name=model), view.shapes, TASK.outputs(jets.meta), seed=3).eval()
    with torch.no_grad():
        return network(view(batch_of(jets, 50))).numpy()


def fitted_scores(model: str, classes: int) -> np.ndarray:
    """Scores of 100 jets by a model fitted on 300 others. The observables are made up, to two decimals, so that no other
    component has a part in it; the classes overlap and are not equally frequent."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, classes + 1, 400) % classes
    table = np.round(rng.normal(0.5 * labels[:, None], 1.0, (400, len(OBSERVABLES))), 2).astype(np.float32)
    learner, entry = models[model].load()(), models[model]
    columns = {"observables": table, "pixels-mass": table, "label": labels[:, None].astype(np.float32)}
    seen, names = columns.get(entry.view, table[:, :0]), ("label",) if entry.view == "label" else OBSERVABLES
    target = table[:, 1].astype(np.float64) if entry.tasks == ("regression",) else labels
    learner.fit(seen[:300], names, target[:300], 3, 0.1)
    return learner.predict(seen[300:])


class Waves(nn.Module):
    """An encoder without history: features are a rectified linear map of the inputs, with waves for weights."""

    features = 6

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.local_features = inputs // 12
        self.weight = nn.Parameter(torch.cos(torch.arange(inputs * self.features).float()).view(inputs, -1) / inputs**0.5)

    def forward(self, inputs: Inputs) -> torch.Tensor:
        return (inputs["image"].flatten(1) @ self.weight).relu()

    def local(self, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """The pixels of each row."""
        rows = inputs["image"].transpose(1, 2).flatten(2)
        return rows, torch.ones(rows.shape[:2], dtype=torch.bool)


def build_objective(name: str, network: Network, view: FittedView, steps: tuple[Component, ...]) -> Objective:
    return build(Component(name=name), network, TASK, Look(view, steps), seed=3)


def objective_step(name: str, jets: Jets) -> tuple[float, np.ndarray]:
    """The loss of a fixed batch of 32 jets and its gradient for the encoder's weights."""
    head = nn.Linear(Waves.features, len(jets.meta.class_names))
    with torch.no_grad():
        head.weight.copy_(torch.sin(torch.arange(head.weight.numel()).float()).view_as(head.weight))
        head.bias.zero_()
    network = Network(Waves(len(jets.meta.channels) * 12 * 12), head)
    objective = build_objective(name, network, fitted_view("image", jets), STEPS)
    seen = objective.shown(taught(jets).batch(torch.arange(32)), batch_of(jets, 64), torch_rng("golden", name))
    loss = objective(network, seen)["loss"]
    loss.backward()
    return float(loss.detach()), network.encoder.weight.grad.numpy()


def training_losses(model: str, objective: str, jets: Jets, folder: Path) -> list[float]:
    """The losses of three steps of the real loop in fp32."""
    view = fitted_view(models[model].view, jets)
    given = {name: value for name, value in NARROW.items() if name in dict(models[model].defaults)}
    network = build_network(Component(name=model, options=options(given)), view.shapes, TASK.outputs(jets.meta), seed=3)
    goal = build_objective(objective, network, view, STEPS)
    recipe = RECIPE.replace(passes=3 * RECIPE.batch_size * goal.views_per_jet)
    batches = Batches(taught(jets), np.arange(200), RECIPE.batch_size, seed=3)
    with Journal(folder / "metrics.jsonl") as journal:
        pool = Batches(JetTensors(jets), np.arange(200, 300), RECIPE.batch_size, seed=3) if goal.beside else None
        settings = {"seed": 3, "precision": "fp32", "pool": pool}
        loop.fit(recipe, network, goal, batches, journal, folder, threading.Event(), **settings)
    return [record.metrics["train/loss"] for record in read(folder / "metrics.jsonl")[0]]


def split_rows(jets: int, per_event: int, budget: int | None, seed: int) -> dict[str, np.ndarray]:
    """Row numbers by part; the classes are as 1 to 2."""
    labels = (np.arange(jets) % 3 == 0).astype(np.int32)
    split = split_jets(labels, np.arange(jets) // per_event, jets // 5, budget, seed, "golden")
    return {part: getattr(split, part) for part in ("train", "validation", "pool", "test")}


def batch_rows(jets: Jets, buffer_bytes: int) -> np.ndarray:
    """Rows of 20 batches of 48 jets, which is more than one shuffle of 300."""
    batches = Batches(JetTensors(jets), np.arange(20, 320), 48, seed=3, buffer_bytes=buffer_bytes)
    return np.concatenate([batches.indices(step).numpy() for step in range(20)])


def pool_rows(labels: np.ndarray, shares: dict[str, float]) -> np.ndarray:
    return compose(np.arange(len(labels)), labels, tuple(shares), tuple(shares.items()), numpy_rng("pool", 3))


def evaluation(name: str, jets: Jets, folder: Path) -> dict[str, float]:
    """The validation and test metrics of outputs that are waves around the truth, of a task that has seen half of the jets."""
    blank, meta = build_task(Component(name=name)), jets.meta
    task = blank.fitted(blank.target(jets)[: len(jets) // 2], meta)
    encoded = task.encode(torch.from_numpy(task.target(jets)), meta)
    waves = torch.cos(torch.arange(encoded.numel()).double()).float().view_as(encoded)
    predictions, truth = task.predict(waves + 0.8 * encoded), task.target(jets)
    chosen = {f"val/{metric}": value for metric, value in task.choose(truth, predictions, meta).items()}
    return chosen | task.evaluate(truth, predictions, np.arange(len(jets)), jets, folder)[0]


def simulated(name: str, label: int, jets: int) -> Jets:
    """The first jets of one class."""
    kind = datasets[name].load()
    recipe = kind(jets=jets * len(kind.class_names), seed=3)
    return simulate_chunk(Chunk(recipe=recipe, index=label, label=label, jets=jets))
