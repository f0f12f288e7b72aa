from __future__ import annotations

import math
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from objectives.line import on_a_line

from jetbench.data.batch import JetTensors
from jetbench.data.batches import Batches
from jetbench.errors import SuiteError
from jetbench.jets import Jets
from jetbench.models.network import Network
from jetbench.objectives.moco import MoCo, queue_loss
from jetbench.recipes import recipes
from jetbench.seeds import torch_rng
from jetbench.tracking.journal import Journal
from jetbench.training.loop import fit
from jetbench.training.stops import Stopped


def build(**given: object) -> tuple[Network, MoCo]:
    network, moco = on_a_line("moco", **{"queue": 8, "projection": 3, **given})
    assert isinstance(moco, MoCo)
    return network, moco


def unit(*shape: int, name: str) -> torch.Tensor:
    return F.normalize(torch.randn(*shape, generator=torch_rng(name)), dim=1)


def test_the_loss_agrees_with_its_definition() -> None:
    query, key, queue = unit(5, 4, name="q"), unit(5, 4, name="k"), unit(7, 4, name="m")
    slow = 0.0
    for i in range(5):
        positive = math.exp(float(query[i].double() @ key[i].double()) / 0.2)
        others = sum(math.exp(float(query[i].double() @ one.double()) / 0.2) for one in queue)
        slow -= math.log(positive / (positive + others)) / 5
    assert float(queue_loss(query, key, queue, 0.2)) == pytest.approx(slow, rel=1e-5)


def test_the_loss_in_closed_form() -> None:
    """Views that agree, against m keys that are orthogonal to them: log(1 + m·exp(−1/τ))."""
    query, queue = torch.eye(2, 5)[:1].repeat(3, 1), torch.eye(5)[2:]
    assert float(queue_loss(query, query, queue, 0.5)) == pytest.approx(math.log(1 + 3 * math.exp(-2)), rel=1e-6)


def test_the_loss_is_fp32_under_autocast() -> None:
    query, key, queue = unit(32, 16, name="q"), unit(32, 16, name="k"), unit(64, 16, name="m")
    plain = queue_loss(query, key, queue, 0.05)
    with torch.autocast("cpu", torch.bfloat16):
        assert float(queue_loss(query, key, queue, 0.05)) == float(plain)


def step(network: Network, moco: MoCo, jets: Jets, number: int) -> torch.Tensor:
    batch = JetTensors(jets).batch(torch.arange(3 * number, 3 * number + 3))
    loss = moco(network, moco.views(batch, torch_rng("v", number)))["loss"]
    loss.backward()
    keys = moco.keys.clone()
    moco.after_step(network, 0.0)
    return keys


def test_the_queue_holds_the_last_keys_oldest_first(toy_jets: Jets) -> None:
    network, moco = build()
    start = moco.queue.clone()
    keys = torch.cat([step(network, moco, toy_jets, number) for number in range(4)])
    assert torch.equal(moco.queue, keys[-8:])
    assert not torch.equal(start, moco.queue)
    np.testing.assert_allclose(moco.queue.norm(dim=1), 1, rtol=1e-5)


def test_the_momentum_encoder_follows_as_told(toy_jets: Jets) -> None:
    network, moco = build(momentum=0.9)
    before = moco.teacher.map.weight.clone()
    with torch.no_grad():
        network.encoder.map.weight.add_(1.0)
    step(network, moco, toy_jets, 0)
    torch.testing.assert_close(moco.teacher.map.weight, 0.9 * before + 0.1 * network.encoder.map.weight)
    assert moco.teacher.map.weight.grad is None
    assert not any(parameter.requires_grad for parameter in moco.teacher.parameters())


@pytest.mark.parametrize("given", [{"queue": 0}, {"momentum": 1.0}, {"temperature": 0.0}])
def test_options_that_make_no_sense_are_named(given: dict[str, float]) -> None:
    with pytest.raises(SuiteError, match="the queue is at least 1, momentum"):
        build(**given)


class StopAfter:
    def __init__(self, looks: int) -> None:
        self.looks = looks

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def train(jets: Jets, folder: Path, stop: StopAfter | threading.Event) -> dict[str, torch.Tensor]:
    network, moco = build()
    recipe = recipes["simclr-small"].recipe.replace(passes=20 * 2 * 16, batch_size=16, epochs=2)
    with Journal(folder / "metrics.jsonl") as journal:
        batches = Batches(JetTensors(jets), np.arange(300), 16, 1)
        fit(recipe, network, moco, batches, journal, folder, stop, seed=1, precision="fp32")
    return {**network.state_dict(), **moco.state_dict()}


def test_queue_and_momentum_encoder_are_in_the_checkpoint(toy_jets: Jets, tmp_path: Path) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    for folder in (straight, broken):
        folder.mkdir()
    whole = train(toy_jets, straight, threading.Event())
    with pytest.raises(Stopped):
        train(toy_jets, broken, StopAfter(7))
    resumed = train(toy_jets, broken, threading.Event())
    assert {"queue", "teacher.map.weight", "teacher_projection.0.weight"} <= set(whole)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
