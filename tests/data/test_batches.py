from __future__ import annotations

import numpy as np
import torch

from jetbench.data.batch import JetTensors
from jetbench.data.batches import Batches
from jetbench.jets import Jets


def test_a_batch_holds_the_jets_that_were_asked_for(toy_jets: Jets) -> None:
    rows = torch.tensor([3, 0, 3, 399])
    batch = JetTensors(toy_jets).batch(rows)
    assert batch.size == 4
    for i, row in enumerate(rows.tolist()):
        a, b = toy_jets.offsets[row], toy_jets.offsets[row + 1]
        assert np.array_equal(batch.eta[batch.jet == i].numpy(), toy_jets.eta[a:b])
        assert np.array_equal(batch.values[batch.jet == i].numpy(), toy_jets.values[a:b])
    assert batch.targets["label"].tolist() == toy_jets.targets["label"][rows].tolist()


def test_every_shuffle_holds_every_jet_once(toy_jets: Jets) -> None:
    rows = np.arange(50, 120)
    batches = Batches(JetTensors(toy_jets), rows, 32, seed=1)
    stream = np.concatenate([batches.indices(step).numpy() for step in range(35)])[: 70 * 16]
    for turn in stream.reshape(16, 70):
        assert np.array_equal(np.sort(turn), rows)


def test_batches_depend_on_seed_and_step_alone(toy_jets: Jets) -> None:
    jets, rows = JetTensors(toy_jets), np.arange(50)
    straight = Batches(jets, rows, 16, seed=1)
    order = [straight.indices(step) for step in range(10)]
    again = Batches(jets, rows, 16, seed=1)
    assert torch.equal(again.indices(7), order[7])
    assert torch.equal(again.indices(2), order[2])
    assert not torch.equal(Batches(jets, rows, 16, seed=2).indices(2), order[2])
