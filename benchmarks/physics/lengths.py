"""How long a training must be: what its end says of its length, and what twice the length gains.

    jetbench data make top-vs-qcd --jets 12000 --cache jets.h5
    python -m benchmarks.physics.lengths jets.h5 --labels 2000 --passes 7500 100000

ResNet-15 16-32-64 from scratch on 24×24 images, supervised recipe, 3000 test jets, bf16, one thread. A line per length: AUC of
the training jets without augmentation and of the test jets, the change of the training loss over the last tenth of the steps,
that of the encoder, the gain by twice the length, and what calls the alarm of the report. The gain's error is DeLong's paired one
and that of two seeds, by `--spread`, the standard deviation of the test AUC between seeds. 100 000 passes and twice as many
take five minutes.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from threading import Event

import torch

from jetbench.evaluation.artifacts import read_scores
from jetbench.jets import Meta, open_jets
from jetbench.recipes import recipes
from jetbench.report.alarm import Estimate, Signs, alarms
from jetbench.report.pairing import Scores
from jetbench.runs.job import JetFiles, Job
from jetbench.runs.run import run
from jetbench.spec import Component, DatasetRef, RunSpec
from jetbench.tasks.classification import Classification
from jetbench.tracking.ledger import Ledger
from jetbench.views import views

TEST_JETS = 3000
TASK = Classification()


def training(dataset: str, meta: Meta, labels: int, passes: int, seed: int) -> RunSpec:
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


def trained(jets: Path, labels: int, passes: int, seed: int) -> tuple[dict[str, float], Scores]:
    """Train once; return the metrics of the run and its scores of the test jets."""
    opened = open_jets(jets)
    spec = training(opened.digest, opened.meta, labels, passes, seed)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(spec.digest(), "lengths", spec, Path(folder), JetFiles(jets, opened.digest), None, None)
        ledger = Ledger(job.work)
        ledger.folder(job.key).mkdir(parents=True)
        run(job, Event())
        return ledger.metrics(job.key) | ledger.tested(job.key), read_scores(ledger.run(job.key).scores)


def measure(jets: Path, labels: int, passes: int, seed: int, spread: float) -> Signs:
    """Train at a length and at twice that length; return the signs of the first."""
    found, (_, truth, usual) = trained(jets, labels, passes, seed)
    _, (_, _, longer) = trained(jets, labels, 2 * passes, seed)
    pair = TASK.paired(truth, longer[None], usual[None], [1.0])
    change = found.get("trained/loss_change")
    return Signs(
        trained=found["trained/auc"],
        tested=found["test/auc"],
        loss_change=None if change is None else Estimate(change, found["trained/loss_change_error"]),
        encoder_change=found["trained/encoder_change"],
        gain=Estimate(float(pair.values[0] - pair.baselines[0]), math.hypot(pair.variance_of_mean**0.5, math.sqrt(2) * spread)),
        times=2.0,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("jets", type=Path)
    parser.add_argument("--labels", type=int, default=2000)
    parser.add_argument("--passes", type=int, nargs="+", default=[7500, 100_000])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--spread", type=float, default=0.002)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'passes':>8}{'training':>10}{'test':>8}{'change of loss':>18}{'of encoder':>12}{'gain by twice':>20}  alarm")
    for passes in given.passes:
        found = measure(given.jets, given.labels, passes, given.seed, given.spread)
        loss = f"{found.loss_change.value:+.3f} ± {found.loss_change.error:.3f}" if found.loss_change else "–"
        gain = f"{found.gain.value:+.4f} ± {found.gain.error:.4f}" if found.gain else "–"
        line = f"{passes:>8}{found.trained:>10.4f}{found.tested:>8.4f}{loss:>18}{found.encoder_change:>12.3f}{gain:>20}"
        print(f"{line}  {'; '.join(alarms(TASK, TASK.headline, found)) or 'none'}", flush=True)


if __name__ == "__main__":
    main()
