"""Scores and validation figures of a network, in fp32, without augmentation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets.selection import deposit_bytes
from jetbench.models.network import Network
from jetbench.statistics.delong import auc
from jetbench.training.device import autocast, device

__all__ = ["class_scores", "logits", "validator"]

BATCH = 256
HELD_BYTES = 1 << 26  # of deposits that a validation keeps in memory from epoch to epoch: 64 MB


def logits(network: Network, render: Callable[[Batch], Tensor], jets: JetTensors, rows: np.ndarray) -> Tensor:
    """Class logits (n, classes) fp32 of the jets at `rows` (n,), on the CPU; the network's mode is left as it was."""
    training = network.training
    network.eval()
    places, parts = [], []
    with torch.inference_mode(), autocast():
        for place, batch in jets.sweep(rows, BATCH):
            places.append(place)
            parts.append(network(render(batch).to(device())).float().cpu())
    network.train(training)
    values = torch.cat(parts)
    values[torch.from_numpy(np.concatenate(places))] = values.clone()
    return values


def class_scores(values: Tensor) -> np.ndarray:
    """Probabilities in float64: of class 1 (n,) from logits (n, 2), of all classes (n, K) from those of more."""
    if values.shape[1] == 2:
        return torch.sigmoid((values[:, 1] - values[:, 0]).double()).numpy()
    return torch.softmax(values.double(), dim=1).numpy()


def validator(
    network: Network, render: Callable[[Batch], Tensor], jets: JetTensors, rows: np.ndarray
) -> Callable[[], dict[str, float]]:
    """A function that gives loss, accuracy and, where every class is there, AUC on the jets at `rows`; few jets are read
    only once."""
    labels = jets.targets["label"][torch.from_numpy(rows)].long()
    if deposit_bytes(jets.jets, rows).sum() <= HELD_BYTES:
        jets, rows = jets.hold(rows), np.arange(len(rows))

    def validate() -> dict[str, float]:
        values = logits(network, render, jets, rows)
        figures = {
            "loss": float(F.cross_entropy(values, labels)),
            "accuracy": float((values.argmax(1) == labels).float().mean()),
        }
        if len(labels.unique()) == values.shape[1]:
            figures["auc"] = auc(labels.numpy(), class_scores(values))
        return figures

    return validate
