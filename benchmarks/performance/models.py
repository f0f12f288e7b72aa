"""What each network costs with its defaults: parameters, operations, memory of a training, jets per second and thread.

python benchmarks/performance/models.py [--pixels 32] [--stages 16-32-64] [--published] [--precision bf16] [NAME...]

Each network has a process of its own with one thread; its memory is the peak beyond what the process had before. Speed is by CPU
time, which other load disturbs less than the clock does: steps of AdamW on 64 random images of three channels, or on as many sets
of 20 to 60 constituents out of 80, inference on 256. `--published` gives networks of constituents their published size.
"""

import argparse
import multiprocessing
import os
import resource
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from jetbench.models import models
from jetbench.models.cost import network_cost
from jetbench.models.network import build_network
from jetbench.spec import Component, options
from jetbench.training.device import Precision, autocast
from jetbench.views.inputs import Inputs

STEPS, BATCH, JETS = 4, 64, 256
CONSTITUENTS, FEATURES, FEWEST, MOST = 80, 8, 20, 60


def peak() -> float:
    """Peak memory of this process [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def made_up(shapes: dict[str, tuple[int, ...]], jets: int) -> Inputs:
    """Random images, or sets of random constituents."""
    tensors = {name: torch.rand(jets, *shape) for name, shape in shapes.items()}
    counts = torch.randint(FEWEST, MOST + 1, (jets, 1))
    return Inputs(tensors, torch.arange(CONSTITUENTS) < counts if "constituents" in shapes else None)


def measure(name: str, pixels: int, stages: str, published: bool, precision: Precision) -> None:
    torch.set_num_threads(1)
    given = {"stages": stages} if stages and "stages" in dict(models[name].defaults) else {}
    given |= dict(models[name].published) if published else {}
    image, before = models[name].view == "image", peak()
    shapes = {"image": (3, pixels, pixels)} if image else {"constituents": (CONSTITUENTS, FEATURES)}
    network = build_network(Component(name=name, options=options(given)), shapes, 2, 0)
    cost = network_cost(network, shapes, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    seen, labels = made_up(shapes, BATCH), torch.arange(BATCH) % 2
    started = 0.0
    for step in range(-1, STEPS):
        if step == 0:  # the first step pays for what is made once
            started = time.process_time()
        with autocast(precision):
            every = network.every(seen)
        loss = torch.stack([torch.nn.functional.cross_entropy(one, labels) for one in every.unbind(1)]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    training = STEPS * BATCH / (time.process_time() - started)
    memory = peak() - before
    network.eval()
    seen, started = made_up(shapes, JETS), time.process_time()
    with torch.inference_mode(), autocast(precision):
        network(seen)
    inference = JETS / (time.process_time() - started)
    sizes = f"{cost.parameters:>11,}  {cost.flops / 1e6:>8.1f} MFLOP  {memory:>6.0f} MB"
    print(f"{name:<20}  {sizes}  {training:>7.0f} jets/s in training  {inference:>7.0f} in inference", flush=True)


def main() -> None:
    networks = [entry.name for entry in models if entry.kind == "network"]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pixels", type=int, default=32)
    parser.add_argument("--stages", default="", help="of networks that have the option")
    parser.add_argument("--published", action="store_true")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="bf16")
    parser.add_argument("names", nargs="*", default=networks, metavar="NAME")
    given = parser.parse_args()
    print(f"{given.pixels}×{given.pixels}×3, stages {given.stages or 'by default'}, {given.precision}")
    for name in given.names:
        process = multiprocessing.get_context("spawn").Process(
            target=measure, args=(name, given.pixels, given.stages, given.published, given.precision)
        )
        process.start()
        process.join()


if __name__ == "__main__":
    main()
