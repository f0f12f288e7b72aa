from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from jetbench.data.batch import JetTensors
from jetbench.data.batches import Batches
from jetbench.errors import DataFileError, DivergenceError, RunError
from jetbench.jets import Jets
from jetbench.models.network import Network, build_network
from jetbench.objectives import objectives
from jetbench.objectives.base import Look, build_objective
from jetbench.recipes import SUPERVISED_AUGMENTATION
from jetbench.spec import Component, Recipe, options
from jetbench.tasks import build_task
from jetbench.testing.training import taught
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.journal import Journal, read
from jetbench.training import loop
from jetbench.training.bundle import Preprocessing, fit_preprocessing, load_encoder, load_preprocessing, save_bundle
from jetbench.training.checkpoint import read_checkpoint, restore, save_checkpoint
from jetbench.training.device import device
from jetbench.training.loop import fit
from jetbench.training.signs import Trained
from jetbench.training.stops import Flag, Pruned, Stopped
from jetbench.training.validation import network_outputs, validator

VIEW = Component(name="image", options=options({"pixels": 12, "extent": 0.8}))
RECIPE = Recipe(
    name="t", learning_rate=3e-3, passes=640, batch_size=32, epochs=4, warmup=0.1, augmentation=SUPERVISED_AUGMENTATION
)
MODEL = Component(name="resnet15", options=options({"stages": "8-16", "dropout": 0.1}))
TASK = build_task(Component(name="classification"))


def build(seed: int, model: Component = MODEL) -> Network:
    return build_network(model, {"image": (3, 12, 12)}, outputs=2, seed=seed)


def fitted(jets: Jets) -> Preprocessing:
    return fit_preprocessing(VIEW, JetTensors(jets), np.arange(200))


class StopAfter:
    """A stop flag that rises at its n-th look."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def train(jets: Jets, folder: Path, recipe: Recipe = RECIPE, **given: Any) -> Network:
    return fit_network(jets, folder, recipe, **given)[0]


def fit_network(
    jets: Jets,
    folder: Path,
    recipe: Recipe = RECIPE,
    objective: str = "supervised",
    stop: Flag | None = None,
    frozen: bool = False,
    validate: Callable[[Network], dict[str, float]] | None = None,
    limits: dict[int, float] | None = None,
    diagnose: Callable[[], dict[str, float]] | None = None,
    weight: np.ndarray | None = None,
) -> tuple[Network, Trained]:
    tensors, view, network = taught(jets), fitted(jets).fitted, build(seed=1)
    tensors.weight = None if weight is None else torch.from_numpy(weight)
    goal = build_objective(Component(name=objective), network, TASK, Look(view, recipe.augmentation), seed=1)
    judged = validator(network, view, TASK, tensors, np.arange(300, 400), "fp32") if objectives[objective].trains_head else None
    pool = None if goal.beside is None else Batches(tensors, np.arange(300, 400), recipe.batch_size, 1)
    with Journal(folder / "metrics.jsonl") as journal:
        trained = fit(
            recipe,
            network,
            goal,
            Batches(tensors, np.arange(300), recipe.batch_size, 1),
            journal,
            folder,
            stop or threading.Event(),
            seed=1,
            precision="fp32",
            validate=partial(validate, network) if validate else judged,
            diagnose=diagnose,
            pool=pool,
            frozen=frozen,
            limits=limits,
        )
    return network, trained


def metrics(folder: Path) -> list[tuple[int, dict[str, float]]]:
    return [(r.step, dict(r.metrics)) for r in read(folder / "metrics.jsonl")[0]]


def test_training_learns(toy_jets: Jets, tmp_path: Path) -> None:
    train(toy_jets, tmp_path, RECIPE.replace(passes=1280))
    assert [step for step, _ in metrics(tmp_path)] == [0, 1, 2, 3]
    assert metrics(tmp_path)[-1][1]["val/auc"] > 0.9


@pytest.mark.parametrize(
    ("objective", "recipe"),
    [
        *((entry.name, RECIPE) for entry in objectives),
        *(("supervised", RECIPE.replace(name=name, schedule=name, first_restart=1)) for name in ("one-cycle", "warm-restarts")),
    ],
    ids=lambda given: given if isinstance(given, str) else given.schedule,
)
def test_an_interrupted_training_ends_as_if_it_had_not_been(
    toy_jets: Jets, tmp_path: Path, objective: str, recipe: Recipe
) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    for folder in (straight, broken):
        folder.mkdir()
    whole = train(toy_jets, straight, recipe, objective=objective).state_dict()
    for looks in (2, 5):
        with pytest.raises(Stopped):
            train(toy_jets, broken, recipe, objective=objective, stop=StopAfter(looks))
    resumed = train(toy_jets, broken, recipe, objective=objective).state_dict()
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    assert metrics(straight) == metrics(broken)


def test_an_interrupted_training_with_weights_ends_as_if_it_had_not_been(toy_jets: Jets, tmp_path: Path) -> None:
    """And not as one without."""
    weight = np.random.default_rng(0).exponential(size=400).astype(np.float32)
    ends = {}
    for name, given in {"plain": None, "straight": weight, "broken": weight}.items():
        (tmp_path / name).mkdir()
        for looks in (2, 5) if name == "broken" else ():
            with pytest.raises(Stopped):
                train(toy_jets, tmp_path / name, weight=given, stop=StopAfter(looks))
        ends[name] = train(toy_jets, tmp_path / name, weight=given).state_dict()
    assert all(torch.equal(tensor, ends["broken"][key]) for key, tensor in ends["straight"].items())
    assert metrics(tmp_path / "straight") == metrics(tmp_path / "broken")
    assert not all(torch.equal(tensor, ends["plain"][key]) for key, tensor in ends["straight"].items())


def test_a_validation_weighs_its_loss_and_nothing_else(toy_jets: Jets) -> None:
    tensors, network, rows = taught(toy_jets), build(seed=1), np.arange(300, 400)
    view = fitted(toy_jets).fitted
    plain = validator(network, view, TASK, tensors, rows, "fp32")()
    weight = np.random.default_rng(0).exponential(size=400)
    tensors.weight = torch.from_numpy(weight.astype(np.float32))
    found = validator(network, view, TASK, tensors, rows, "fp32")()
    losses = TASK.losses(toy_jets.targets["label"][300:], TASK.predict(network_outputs(network, view, tensors, rows, "fp32")))
    assert found["loss"] == pytest.approx(np.average(losses, weights=weight[300:]), rel=1e-6)
    assert found["loss"] != pytest.approx(plain["loss"], rel=1e-6)
    assert found | {"loss": 0} == plain | {"loss": 0}


def test_an_interrupted_training_has_the_signs_of_a_straight_one(toy_jets: Jets, tmp_path: Path) -> None:
    """It is stopped before its first step, in its midst and within the last tenth of its 60 steps."""
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    for folder in (straight, broken):
        folder.mkdir()
    recipe = RECIPE.replace(passes=32 * 60, epochs=2, warmup=0.0)
    whole = fit_network(toy_jets, straight, recipe)[1].signs
    for looks in (1, 30, 26):
        with pytest.raises(Stopped):
            train(toy_jets, broken, recipe, stop=StopAfter(looks))
    assert fit_network(toy_jets, broken, recipe)[1].signs == whole
    assert set(whole) == {"loss_change", "loss_change_error", "encoder_change"}
    assert whole["encoder_change"] > 0.01


def test_a_gpu_is_told_to_compute_a_step_as_it_has_before(toy_jets: Jets, tmp_path: Path) -> None:
    """Else a training that goes on differs in its last bits, and fp32 is TF32 in convolutions."""
    torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32 = False, True
    fit_network(toy_jets, tmp_path)
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.allow_tf32


def test_features_are_diagnosed_at_the_end_of_each_epoch(toy_jets: Jets, tmp_path: Path) -> None:
    ranks = iter([3.0, 2.5, 2.0, 1.5])
    train(toy_jets, tmp_path, objective="simclr", diagnose=lambda: {"effective_rank": next(ranks)})
    assert [record["features/effective_rank"] for _, record in metrics(tmp_path)] == [3.0, 2.5, 2.0, 1.5]


def test_features_that_diverge_end_a_training_as_a_loss_does(toy_jets: Jets, tmp_path: Path) -> None:
    def diagnose() -> dict[str, float]:
        raise DivergenceError("those of 3 of 512 views are not finite")

    with pytest.raises(DivergenceError, match=r"in the features after step 2 of 10 those of 3 .*; a lower learning") as caught:
        train(toy_jets, tmp_path, objective="simclr", diagnose=diagnose)
    assert caught.value.costs["passes"] == 128


def test_batch_normalisation_of_a_frozen_encoder_stays_as_it_was(toy_jets: Jets, tmp_path: Path) -> None:
    """A probe sees jets by the statistics of the pretraining, in training and in validation, and leaves them as they are."""
    tensors, view = JetTensors(toy_jets), fitted(toy_jets).fitted
    network = build(seed=1, model=Component(name="resnet15-bn"))
    goal = build_objective(Component(name="supervised"), network, TASK, Look(view, RECIPE.augmentation), seed=1)
    before = {name: value.clone() for name, value in network.encoder.state_dict().items()}
    assert any("running_mean" in name for name in before)
    seen: list[bool] = []
    network.encoder.register_forward_hook(lambda module, _, __: seen.append(module.training))
    batches, tell = Batches(tensors, np.arange(300), 32, 1), validator(network, view, TASK, tensors, np.arange(300, 400), "fp32")
    with Journal(tmp_path / "metrics.jsonl") as journal:
        given = {"seed": 1, "precision": "fp32", "validate": tell, "frozen": True}
        fit(RECIPE.replace(passes=128, epochs=2), network, goal, batches, journal, tmp_path, threading.Event(), **given)
    assert seen
    assert not any(seen)
    after = network.cpu().encoder.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_frozen_encoder_stays_as_it_was(toy_jets: Jets, tmp_path: Path) -> None:
    network, trained = fit_network(toy_jets, tmp_path, frozen=True)
    before, after = build(1).state_dict(), network.cpu().state_dict()
    assert trained.signs == {"encoder_change": 0.0}
    assert all(torch.equal(before[k], after[k]) for k in before if k.startswith("encoder."))
    assert not torch.equal(before["head.weight"], after["head.weight"])


def test_a_diverging_training_says_so_and_what_it_has_cost(toy_jets: Jets, tmp_path: Path) -> None:
    """The losses are looked at by the end of the first of four epochs, which is a quarter of the passes. The first step throws
    the weights far away; the second step is the first to see it."""
    batches = Batches(JetTensors(toy_jets), np.arange(300), 32, 1)
    rows = ", ".join(map(str, batches.indices(1)[:10].tolist()))
    with pytest.raises(DivergenceError) as caught:
        train(toy_jets, tmp_path, RECIPE.replace(learning_rate=1e30, warmup=0.0))
    where = f"in step 2 of 20; its batch has the jets in rows {rows} and 22 more"
    assert str(caught.value) == f"the loss is not finite {where}; a lower learning rate may help"
    assert caught.value.costs["passes"] == 160
    assert caught.value.costs["seconds"] > 0


@pytest.mark.parametrize("look", [3, 50])
def test_the_step_of_a_jet_that_is_not_finite_is_named_whenever_one_looks(
    toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    """It is in the eighth batch for the first time; the training is interrupted before."""
    monkeypatch.setattr(loop, "LOOK", look)
    rows = Batches(JetTensors(toy_jets), np.arange(300), 32, 1).indices(7)
    row = int(rows[rows >= 200][0])  # the view is fitted on those before
    values = toy_jets.values.copy()
    values[toy_jets.offsets[row] : toy_jets.offsets[row + 1]] = np.nan
    broken, recipe = replace(toy_jets, values=values), RECIPE.replace(epochs=1)
    with pytest.raises(Stopped):
        train(broken, tmp_path, recipe, stop=StopAfter(4))
    with pytest.raises(DivergenceError, match=rf"in step 8 of 20; its batch has the jets in rows {int(rows[0])}, .* 22 more"):
        train(broken, tmp_path, recipe)


@pytest.mark.parametrize(
    ("rate", "told"),
    [
        (1e39, r"the weights are not finite after step 1 of 1; its batch has the jets in rows .*"),
        (1e30, r"in the validation after step 1 of 1 100 of 100 scores are not finite.*"),
    ],
)
def test_what_the_last_step_of_an_epoch_breaks_is_seen_at_its_end(toy_jets: Jets, tmp_path: Path, rate: float, told: str) -> None:
    recipe = RECIPE.replace(learning_rate=rate, warmup=0.0, passes=32, epochs=1)
    with pytest.raises(DivergenceError, match=f"{told}; a lower learning rate may help") as caught:
        train(toy_jets, tmp_path, recipe)
    assert caught.value.costs["passes"] == 32
    assert caught.value.costs["seconds"] > 0


LOSSES = [0.7, 0.4, 0.6, 0.5, 0.9, 0.3]
ACCURACIES = [0.5, 0.6, 0.9, 0.95, 0.7, 0.8]


@pytest.mark.parametrize(
    ("by", "patience", "limits", "epochs", "best"),
    [
        ("loss", None, {}, 6, 5),
        ("loss", 3, {}, 5, 1),
        ("loss", None, {3: 0.5}, 3, 1),
        ("accuracy", None, {}, 6, 3),
        ("accuracy", 1, {}, 5, 3),
    ],
)
def test_the_weights_of_the_best_epoch_are_kept_and_the_last_ones_beside_them(
    toy_jets: Jets, tmp_path: Path, by: str, patience: int | None, limits: dict[int, float], epochs: int, best: int
) -> None:
    """The recipe says by what the best is told, and patience counts by the same. A training that a study stops, by the loss,
    ends like any other."""
    seen: list[dict[str, torch.Tensor]] = []
    trained: list[Network] = []

    def validate(network: Network) -> dict[str, float]:
        trained[:] = [network]
        seen.append({name: value.clone() for name, value in network.state_dict().items()})
        return {"loss": LOSSES[len(seen) - 1], "accuracy": ACCURACIES[len(seen) - 1]}

    recipe = RECIPE.replace(passes=192, epochs=6, select="best", select_by=by, patience=patience)
    with suppress(Pruned):
        train(toy_jets, tmp_path, recipe, validate=validate, limits=limits)
    kept = trained[0].state_dict()
    assert len(seen) == epochs
    assert all(torch.equal(kept[name], seen[best][name]) for name in kept)
    assert not torch.equal(seen[best]["head.weight"], seen[0]["head.weight"])
    last = load_file(RunFolder(tmp_path).last_weights, device=str(device()))
    assert set(last) == set(kept)
    assert all(torch.equal(last[name], seen[-1][name]) for name in last)


def test_costs_are_measured_up_to_the_best_epoch(toy_jets: Jets, tmp_path: Path) -> None:
    """Passes of a training that was interrupted are those of a straight one; seconds are its own."""
    losses = iter([0.7, 0.4, 0.6, 0.5] * 2)

    def validate(network: Network) -> dict[str, float]:
        time.sleep(0.05)
        return {"loss": next(losses)}

    with pytest.raises(Stopped):
        train(toy_jets, tmp_path, stop=StopAfter(18), validate=validate)
    costs = fit_network(toy_jets, tmp_path, validate=validate)[1].costs
    assert (costs["passes"], costs["passes_to_best"]) == (640, 320)
    assert 0 < costs["seconds_to_best"] < costs["seconds"] - 0.1
    assert costs["training_jets_per_second"] > 640 / (costs["seconds"] - 0.2)


def test_a_metric_that_the_validation_does_not_give_is_one_clear_error(toy_jets: Jets, tmp_path: Path) -> None:
    def validate(network: Network) -> dict[str, float]:
        return {"loss": 0.5}

    with pytest.raises(RunError, match="selects by 'auc', which these validation labels do not give; raise the label budget"):
        train(toy_jets, tmp_path, RECIPE.replace(select_by="auc"), validate=validate)


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    """One bit of the last tensor: safetensors reads it without a word."""
    return data[:-5] + bytes([data[-5] ^ 1]) + data[-4:]


def without_a_header(data: bytes) -> bytes:
    return b"\0" * 64 + data[64:]


@pytest.mark.parametrize("damage", [truncated, flipped, without_a_header])
@pytest.mark.parametrize("lost", [("checkpoint",), ("checkpoint", "previous_checkpoint")])
def test_a_damaged_checkpoint_falls_back_to_the_same_bits(
    toy_jets: Jets, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes], lost: tuple[str, ...]
) -> None:
    """To the one before, with a warning that names it; to the beginning where that is damaged too."""
    straight = train(toy_jets, tmp_path / "straight").state_dict()
    broken = RunFolder(tmp_path / "broken")
    for looks in (7, 6):
        with pytest.raises(Stopped):
            train(toy_jets, broken.path, stop=StopAfter(looks))
    before = read(broken.journal)[0]
    for name in lost:
        path = getattr(broken, name)
        path.write_bytes(damage(path.read_bytes()))
    again = train(toy_jets, broken.path).state_dict()
    assert len(caplog.messages) == len(lost)
    assert all(f"{getattr(broken, name)}: damaged" in caplog.text for name in lost)
    assert all(torch.equal(again[key], tensor) for key, tensor in straight.items())
    assert metrics(broken.path) == metrics(tmp_path / "straight")
    kept = read(broken.journal)[0][: len(before)]
    assert (kept == before) is (len(lost) == 1)  # an epoch is trained again only where nothing covers it


def test_a_checkpoint_of_another_training_changes_nothing(toy_jets: Jets, tmp_path: Path) -> None:
    conv, other = torch.nn.Conv2d(3, 4, 3), torch.nn.Conv2d(3, 5, 3)
    before = other.weight.clone()
    save_checkpoint(RunFolder(tmp_path), {"network": conv}, torch.optim.AdamW(conv.parameters()), {}, {})
    with pytest.raises(DataFileError, match="of another training"):
        read_checkpoint(RunFolder(tmp_path).checkpoint, {"network": other})
    assert torch.equal(other.weight, before)


def test_optimiser_state_takes_the_layout_of_its_parameter(tmp_path: Path) -> None:
    conv = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(conv.parameters(), fused=True)
    conv(torch.rand(2, 3, 5, 5)).sum().backward()
    optimizer.step()
    save_checkpoint(RunFolder(tmp_path), {"network": conv}, optimizer, {}, {"step": 3})
    fresh = torch.optim.AdamW(conv.parameters(), fused=True)
    checkpoint = read_checkpoint(RunFolder(tmp_path).checkpoint, {"network": conv})
    assert checkpoint.scalars == {"step": 3}
    restore(checkpoint, {"network": conv}, fresh)
    state, before = fresh.state[conv.weight]["exp_avg"], optimizer.state[conv.weight]["exp_avg"]
    assert state.stride() == conv.weight.stride()
    assert torch.equal(state, before)


def test_a_bundle_gives_back_encoder_and_preprocessing(toy_jets: Jets, tmp_path: Path) -> None:
    preprocessing, network, other = fitted(toy_jets), build(1), build(2)
    save_bundle(tmp_path, network, MODEL, Component(name="classification"), preprocessing, {"shares": [0.5, 0.5]})
    head = other.head.weight.clone()
    load_encoder(tmp_path, other)
    assert load_preprocessing(tmp_path) == preprocessing
    assert all(torch.equal(a, b) for a, b in zip(network.encoder.parameters(), other.encoder.parameters(), strict=True))
    assert torch.equal(other.head.weight, head)
    card = json.loads((tmp_path / "bundle.json").read_text())
    assert (card["model"]["name"], card["task"]["name"]) == ("resnet15", "classification")
    assert card["labels"] == {"shares": [0.5, 0.5]}
    with pytest.raises(DataFileError, match="weights of this encoder"):
        load_encoder(tmp_path, build(1, Component(name="resnet15")))


@pytest.mark.parametrize("view", [VIEW, Component(name="constituents", options=options({"number": 20}))], ids=lambda v: v.name)
def test_a_view_that_comes_from_a_bundle_shows_the_same(view: Component, toy_jets: Jets, tmp_path: Path) -> None:
    jets = JetTensors(toy_jets)
    preprocessing = fit_preprocessing(view, jets, np.arange(200))
    save_bundle(tmp_path, build(1), MODEL, Component(name="classification"), preprocessing, {})
    stored = load_preprocessing(tmp_path)
    assert type(stored.fitted) is type(preprocessing.fitted)
    assert stored.fitted.shapes == preprocessing.fitted.shapes
    batch = jets.batch(torch.arange(30))
    before, after = preprocessing.fitted(batch), stored.fitted(batch)
    assert all(torch.equal(before[name], after[name]) for name in before.tensors)
    assert before.tensors.keys() == after.tensors.keys()


@pytest.mark.parametrize(
    ("old", "new"), [('"image"', '"imagination"'), ('"x0"', '"x1"'), ('"fitted"', '"fittid"'), ("}", ""), ("{", "[")]
)
def test_a_bundle_that_cannot_be_read_is_one_clear_error(toy_jets: Jets, tmp_path: Path, old: str, new: str) -> None:
    save_bundle(tmp_path, build(1), MODEL, Component(name="classification"), fitted(toy_jets), {})
    text = (tmp_path / "bundle.json").read_text()
    assert old in text
    (tmp_path / "bundle.json").write_text(text.replace(old, new))
    with pytest.raises(DataFileError, match="not a readable bundle"):
        load_preprocessing(tmp_path)


def test_scores_are_probabilities_with_hardly_a_tie(toy_jets: Jets) -> None:
    outputs = network_outputs(build(1), fitted(toy_jets).fitted, JetTensors(toy_jets), np.arange(400), "fp32")
    scores = TASK.predict(outputs)
    assert ((scores > 0) & (scores < 1)).all()
    assert len(np.unique(scores)) > 395


@pytest.mark.parametrize(
    ("head", "parts"), [("ensemble", ("head_1", "head_2", "head_3")), ("deep", ("depth_1", "depth_2", "depth_3"))]
)
def test_every_output_layer_is_validated_and_trained(head: str, parts: tuple[str, ...], toy_jets: Jets) -> None:
    network, view, jets = (
        build(1, Component(name="resnet15-bn", options=options({"head": head}))),
        fitted(toy_jets).fitted,
        JetTensors(toy_jets),
    )
    rows = np.arange(300, 400)
    metrics = validator(network, view, TASK, jets, rows, "fp32")()
    whole = {"loss", "accuracy", "auc"}
    assert set(metrics) == whole | {f"{key}_{part}" for key in whole for part in parts}
    inputs = view(jets.batch(torch.from_numpy(rows)))
    every = network.eval().every(inputs)
    for i, part in enumerate(parts):
        assert metrics[f"loss_{part}"] == pytest.approx(
            TASK.validate(every[:, i].detach(), jets.targets["label"][300:])["loss"], rel=1e-5
        )
    objective = build_objective(Component(name="supervised"), network, TASK, lambda batch, rng: view(batch), seed=1)
    batch = jets.batch(torch.from_numpy(rows))
    found = objective(network, objective.views(batch, torch.Generator()))["loss"]
    assert float(found.detach()) == pytest.approx(np.mean([metrics[f"loss_{part}"] for part in parts]), rel=1e-5)
    found.backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.head.parameters())


def test_outputs_are_in_the_order_of_the_rows(toy_jets: Jets) -> None:
    network, view, jets = build(1), fitted(toy_jets).fitted, JetTensors(toy_jets)
    rows = np.random.default_rng(0).permutation(400)
    straight = network_outputs(network, view, jets, np.arange(400), "fp32")
    torch.testing.assert_close(network_outputs(network, view, jets, rows, "fp32"), straight[torch.from_numpy(rows)])
    assert network.training


def test_scores_of_more_classes_are_the_softmax_in_double_precision() -> None:
    values = torch.tensor([[0.0, 1.0, 2.0], [40.0, 0.0, -40.0]])
    scores = TASK.predict(values)
    assert scores.dtype == np.float64
    assert scores[0] == pytest.approx(np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum(), rel=1e-12)
    assert scores[1, 2] == pytest.approx(np.exp(-80), rel=1e-12)


def test_a_training_that_is_behind_stops_after_its_epoch_and_goes_on_where_nothing_holds_it_back(
    toy_jets: Jets, tmp_path: Path
) -> None:
    whole, pruned = tmp_path / "whole", tmp_path / "pruned"
    network = train(toy_jets, whole)
    losses = [found["val/loss"] for _, found in metrics(whole)]
    train(toy_jets, tmp_path / "ahead", limits={1: losses[0], 3: losses[2] + 1e-6})
    with pytest.raises(Pruned) as stopped:
        train(toy_jets, pruned, limits={1: losses[0], 2: losses[1] - 1e-6})
    assert (stopped.value.epoch, stopped.value.costs["passes"]) == (2, 320.0)
    assert metrics(pruned) == metrics(whole)[:2]
    with pytest.raises(Pruned) as again:  # from its checkpoint, without another step
        train(toy_jets, pruned, limits={2: losses[1] - 1e-6})
    assert again.value.epoch == 2
    assert metrics(pruned) == metrics(whole)[:2]
    resumed = train(toy_jets, pruned)
    assert metrics(pruned) == metrics(whole)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), resumed.parameters(), strict=True))
    with pytest.raises(Pruned) as late:  # one that has ended is judged by the epoch that counts
        train(toy_jets, pruned, limits={2: losses[1] - 1e-6})
    assert late.value.epoch == 2


def test_a_loss_that_is_not_finite_from_the_first_step_on_is_not_put_down_to_the_rate(
    toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervised, forward = objectives["supervised"].load(), objectives["supervised"].load().forward
    monkeypatch.setattr(supervised, "forward", lambda *given: {"loss": forward(*given)["loss"] * float("nan")})
    with pytest.raises(DivergenceError, match=r"in step 1 of 20; its batch .*; no step was taken before it, so that") as caught:
        train(toy_jets, tmp_path, RECIPE)
    assert "lower learning rate" not in str(caught.value)
