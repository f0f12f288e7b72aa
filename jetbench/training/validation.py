"""Outputs and validation metrics of a network, without augmentation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from jetbench.data.batch import JetTensors
from jetbench.jets.selection import deposit_bytes
from jetbench.models.network import Network
from jetbench.tasks.task import Task
from jetbench.training.device import Precision, autocast
from jetbench.views.view import FittedView

__all__ = ["network_outputs", "validator"]

BATCH = 256
HELD_BYTES = 1 << 26  # of deposits that a validation keeps in memory from epoch to epoch: 64 MB


def network_outputs(network: Network, view: FittedView, jets: JetTensors, rows: np.ndarray, precision: Precision) -> Tensor:
    """Compute the outputs (n, outputs), fp32 and on the CPU, of the jets at `rows` (n,); the network's mode stays as it is."""
    return network.combined(every_output(network, view, jets, rows, precision))


def every_output(network: Network, view: FittedView, jets: JetTensors, rows: np.ndarray, precision: Precision) -> Tensor:
    """Compute the outputs (n, k, outputs) of each of the k output layers of the head, as `network_outputs` does."""
    training, home = network.training, next(network.parameters()).device
    network.eval()
    places, parts = [], []
    with torch.inference_mode(), autocast(precision):
        for place, batch in jets.sweep(rows, BATCH):
            places.append(place)
            parts.append(network.every(view(batch).to(home)).float().cpu())
    network.train(training)
    values = torch.cat(parts)
    values[torch.from_numpy(np.concatenate(places))] = values.clone()
    return values


def validator(
    network: Network, view: FittedView, task: Task, jets: JetTensors, rows: np.ndarray, precision: Precision
) -> Callable[[], dict[str, float]]:
    """Return a function that gives the task's validation metrics on the jets at `rows` (n,), and those of each output layer of
    a head that has several, as in "auc_head_1"; few jets are read only once. Where jets have weights, the loss is their
    weighted mean, and other metrics are as without."""
    target = jets.targets[task.column][torch.from_numpy(rows)]
    weight = None if jets.weight is None else jets.weight[torch.from_numpy(rows)].double().numpy()
    if deposit_bytes(jets.jets, rows).sum() <= HELD_BYTES:
        jets, rows = jets.hold(rows), np.arange(len(rows))

    def validate() -> dict[str, float]:
        every = every_output(network, view, jets, rows, precision)
        metrics = judged(network.combined(every))
        for i, outputs in enumerate(every.unbind(dim=1) if network.part else ()):
            metrics |= {f"{key}_{network.part}_{i + 1}": value for key, value in judged(outputs).items()}
        return metrics

    def judged(outputs: Tensor) -> dict[str, float]:
        metrics = task.validate(outputs, target)
        if weight is None or not np.isfinite(metrics["loss"]):
            return metrics
        losses = task.losses(target.numpy(), task.predict(outputs))
        return metrics | {"loss": float(np.average(losses, weights=weight))}

    return validate
