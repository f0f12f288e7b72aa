"""How long a training must be: what its end says of its length, and what the test jets say.

    jetbench data make top-vs-qcd --jets 12000 --cache jets.h5
    python -m benchmarks.physics.lengths jets.h5 --labels 2000 --passes 7500 30000 100000

ResNet-15 16-32-64 from scratch on 24×24 images, supervised recipe, 3000 test jets, bf16, one seed and one thread: 100 000 passes
take about two minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from threading import Event

import torch

from jetbench.jets import Meta, open_jets
from jetbench.recipes import recipes
from jetbench.runs.job import JetFiles, Job
from jetbench.runs.run import run
from jetbench.spec import Component, DatasetRef, RunSpec
from jetbench.tracking.ledger import Ledger
from jetbench.views import views

TEST_JETS = 3000
SHOWN = ("trained/auc", "test/auc", "trained/loss_change", "trained/loss_change_error", "trained/encoder_change")


def training(dataset: str, meta: Meta, labels: int, passes: int, seed: int = 0) -> RunSpec:
    """Plan a training from scratch on a label budget of the jets with this digest."""
    return RunSpec(
        dataset=DatasetRef(name="jets", sha256=dataset),
        test_jets=TEST_JETS,
        labels=labels,
        seed=seed,
        model=Component(name="resnet15"),
        view=Component(name="image", options=views["image"].settle(meta, {"pixels": 24})),
        objective=Component(name="supervised"),
        recipe=recipes["supervised-small"].recipe.replace(passes=passes),
        precision="bf16",
    )


def signs(jets: Path, labels: int, passes: int, seed: int = 0) -> dict[str, float]:
    """Train once, and return the metrics of the run."""
    opened = open_jets(jets)
    spec = training(opened.digest, opened.meta, labels, passes, seed)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(spec.digest(), "lengths", spec, Path(folder), JetFiles(jets, opened.digest), None, None)
        Ledger(job.work).folder(job.key).mkdir(parents=True)
        run(job, Event())
        return Ledger(job.work).metrics(job.key)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("jets", type=Path)
    parser.add_argument("--labels", type=int, default=2000)
    parser.add_argument("--passes", type=int, nargs="+", default=[7500, 100_000])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'passes':>8}" + "".join(f"{name.partition('/')[2] if name != 'test/auc' else 'test auc':>20}" for name in SHOWN))
    for passes in given.passes:
        found = signs(given.jets, given.labels, passes, given.seed)
        print(f"{passes:>8}" + "".join(f"{found.get(name, float('nan')):>20.4f}" for name in SHOWN), flush=True)


if __name__ == "__main__":
    main()
