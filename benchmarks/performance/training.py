"""Jets per second and thread: training and inference of ResNet-15 16-32-64, by image size, with its augmentation and without.

python benchmarks/performance/training.py [repeats]

One thread, as in a suite; CPU time of the process, which other load disturbs less than the clock does. Images are 24×24 and
32×32 in turn, so that their ratio holds whatever the machine is doing.
"""

import os
import statistics
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from jetbench.data.batch import JetTensors
from jetbench.data.batches import Batches
from jetbench.jets import Channel, Jets, Meta
from jetbench.models.network import build_network
from jetbench.objectives.base import build_objective
from jetbench.recipes import recipes
from jetbench.seeds import numpy_rng, torch_rng
from jetbench.spec import Component, options
from jetbench.tasks import build_task
from jetbench.training.bundle import fit_preprocessing
from jetbench.training.device import Precision, autocast
from jetbench.training.optim import build_optimizer
from jetbench.views import augment

STEPS = 8
PRECISION: Precision = "bf16"


def random_jets(n: int = 2000) -> JetTensors:
    """Jets with fifty deposits each, which is all that speed depends on."""
    rng, deposits = numpy_rng("speed"), 50 * n
    zeros = np.zeros(n, np.float32)
    values = np.zeros((deposits, 3), np.float32)
    values[np.arange(deposits), rng.integers(0, 3, deposits)] = rng.exponential(12, deposits)
    eta, phi = rng.normal(0, 0.2, (2, deposits)).astype(np.float32)
    channels = tuple(Channel(name=name, unit="GeV", role="pt") for name in ("charged", "photon", "neutral"))
    label = (np.arange(n) % 2).astype(np.int32)
    meta = Meta(channels=channels, class_names=("qcd", "top"))
    return JetTensors(
        Jets(meta, np.arange(0, deposits + 1, 50), eta, phi, values, zeros, zeros, zeros, np.arange(n), {"label": label})
    )


def measure(jets: JetTensors, pixels: int, objective: str, recipe_name: str) -> tuple[float, float, float]:
    """Passes per second of training, of inference, and the share of a training step that the augmentation takes."""
    recipe = recipes[recipe_name].recipe
    component = Component(name="image", options=options({"pixels": pixels, "extent": 0.8}))
    view = fit_preprocessing(component, jets, np.arange(500)).fitted
    task = build_task(Component(name="classification"))
    network = build_network(Component(name="resnet15"), view.shapes, 2, 0)
    look = lambda batch, rng: view(augment(batch, recipe.augmentation, rng))  # noqa: E731
    goal = build_objective(Component(name=objective), network, task, look, 0)
    batches = Batches(jets, np.arange(len(jets)), recipe.batch_size, 0)
    optimizer = build_optimizer(recipe, [*network.parameters(), *goal.parameters()])
    clock = viewing = 0.0
    for step in range(-2, STEPS):
        start = time.process_time()
        inputs = goal.views(batches.batch(step + 2), torch_rng("views", step))
        seen = time.process_time()
        with autocast(PRECISION):
            out = goal(network, inputs)
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        if step >= 0:
            clock, viewing = clock + time.process_time() - start, viewing + seen - start
    passes = STEPS * recipe.batch_size * goal.views_per_jet
    images = view(jets.batch(torch.arange(512)))
    network.eval()
    start = time.process_time()
    with torch.inference_mode(), autocast(PRECISION):
        network(images)
    return passes / clock, 512 / (time.process_time() - start), viewing / clock


if __name__ == "__main__":
    torch.set_num_threads(1)
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    jets, cases = (
        random_jets(),
        [(p, o, r) for o, r in (("supervised", "supervised-small"), ("simclr", "simclr-small")) for p in (24, 32)],
    )
    found = {case: [] for case in cases}
    for _ in range(repeats):
        for case in cases:
            found[case].append(measure(jets, *case))
    print(f"{PRECISION}; medians of {repeats}")
    for (pixels, objective, recipe_name), results in found.items():
        train, infer, share = (statistics.median(column) for column in zip(*results, strict=True))
        name = f"{objective} {pixels}×{pixels}, batch {recipes[recipe_name].recipe.batch_size}"
        print(
            f"{name:<28} {train:6.0f} passes/s, inference {infer:6.0f} jets/s, augmentation takes {100 * share:.0f} % of a step"
        )
