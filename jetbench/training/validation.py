"""Scores and validation figures of a network, in fp32, without augmentation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from jetbench.data.batch import Batch, JetTensors
from jetbench.models.network import Network
from jetbench.statistics.delong import auc
from jetbench.training.device import autocast, device

__all__ = ["class_scores", "logits", "validator"]

BATCH = 256


def logits(network: Network, render: Callable[[Batch], Tensor], jets: JetTensors, rows: np.ndarray) -> Tensor:
    """Class logits (n, classes) fp32 of the jets at `rows` (n,), on the CPU; the network's mode is left as it was."""
    training = network.training
    network.eval()
    with torch.inference_mode(), autocast():
        parts = [
            network(render(jets.batch(torch.from_numpy(part))).to(device())).float().cpu()
            for part in np.array_split(rows, max(1, -(-len(rows) // BATCH)))
        ]
    network.train(training)
    return torch.cat(parts)


def class_scores(values: Tensor) -> np.ndarray:
    """Probabilities in float64: of class 1 (n,) from logits (n, 2), of all classes (n, K) from those of more."""
    if values.shape[1] == 2:
        return torch.sigmoid((values[:, 1] - values[:, 0]).double()).numpy()
    return torch.softmax(values.double(), dim=1).numpy()


def validator(
    network: Network, render: Callable[[Batch], Tensor], jets: JetTensors, rows: np.ndarray
) -> Callable[[], dict[str, float]]:
    """A function that gives loss, accuracy and, where every class is there, AUC on the jets at `rows`."""
    labels = jets.targets["label"][torch.from_numpy(rows)].long()

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
