"""How long a training must be: what its end says of its length, and what twice the length gains.

    jetbench data make top-vs-qcd --jets 12000 --cache jets.h5
    python -m benchmarks.physics.lengths jets.h5 --labels 2000 --passes 7500 100000

ResNet-15 16-32-64 on 24×24 images, or with `--model deep-sets` deep sets on the constituents, from scratch, supervised recipe,
3000 test jets, bf16, one thread. A line per length: AUC of the training jets without augmentation and of the test jets, the
change of the training loss over the last tenth of the steps, that of the encoder, the gain by twice the length, and what calls
the alarm of the report. The gain's error is DeLong's paired one and that of two seeds, by `--spread`, the standard deviation of
the test AUC between seeds. 100 000 passes and twice as many take five minutes, of deep sets one.
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
from jetbench.models import models
from jetbench.recipes import recipes
from jetbench.report.alarm import Estimate, Signs, alarms
from jetbench.report.pairing import Scores
from jetbench.runs.job import JetFiles, Job
from jetbench.runs.run import run
from jetbench.spec import Component, DatasetRef, RunSpec
from jetbench.tasks.classification import Classification
from jetbench.tracking.ledger import Ledger
from jetbench.values import Value
from jetbench.views import views

VIEWS = {"image": {"pixels": 24}}  # options by view
TASK = Classification()


class Start(Value):
    """What trainings of several lengths have in common."""

    model: str = "resnet15"
    labels: int = 2000
    test_jets: int = 3000
    seed: int = 0


def training(dataset: str, meta: Meta, start: Start, passes: int) -> RunSpec:
    """Plan a training from scratch on a label budget of the jets with this digest."""
    view = views[models[start.model].view]
    return RunSpec(
        dataset=DatasetRef(name="jets", sha256=dataset),
        test_jets=start.test_jets,
        labels=start.labels,
        seed=start.seed,
        model=Component(name=start.model),
        view=Component(name=view.name, options=view.settle(meta, VIEWS.get(view.name, {}))),
        objective=Component(name="supervised"),
        recipe=recipes["supervised-small"].recipe.replace(passes=passes),
        precision="bf16",
    )


def trained(jets: Path, start: Start, passes: int) -> tuple[dict[str, float], Scores]:
    """Train once; return the metrics of the run and its scores of the test jets."""
    opened = open_jets(jets)
    spec = training(opened.digest, opened.meta, start, passes)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(spec.digest(), "lengths", spec, Path(folder), JetFiles(jets, opened.digest), None, None)
        ledger = Ledger(job.work)
        ledger.folder(job.key).mkdir(parents=True)
        run(job, Event())
        return ledger.metrics(job.key) | ledger.tested(job.key), read_scores(ledger.run(job.key).scores)


def measure(jets: Path, start: Start, passes: int, spread: float, times: int = 2) -> Signs:
    """Train at a length and so many times as long; return the signs of the first."""
    found, (_, truth, usual) = trained(jets, start, passes)
    _, (_, _, longer) = trained(jets, start, times * passes)
    pair = TASK.paired(truth, longer[None], usual[None], [1.0])
    change = found.get("trained/loss_change")
    return Signs(
        trained=Estimate(found["trained/auc"], found["trained/auc_se"]),
        tested=Estimate(found["test/auc"], found["test/auc_se"]),
        loss_change=None if change is None else Estimate(change, found["trained/loss_change_error"]),
        encoder_change=found["trained/encoder_change"],
        gain=Estimate(float(pair.values[0] - pair.baselines[0]), math.hypot(pair.variance_of_mean**0.5, math.sqrt(2) * spread)),
        times=times,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("jets", type=Path)
    parser.add_argument("--model", choices=["resnet15", "deep-sets"], default="resnet15")
    parser.add_argument("--labels", type=int, default=2000)
    parser.add_argument("--passes", type=int, nargs="+", default=[7500, 100_000])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--spread", type=float, default=0.002)
    given = parser.parse_args()
    start = Start(model=given.model, labels=given.labels, seed=given.seed)
    torch.set_num_threads(1)
    print(f"{'passes':>8}{'training':>10}{'test':>8}{'change of loss':>18}{'of encoder':>12}{'gain by twice':>20}  alarm")
    for passes in given.passes:
        found = measure(given.jets, start, passes, given.spread)
        loss = f"{found.loss_change.value:+.3f} ± {found.loss_change.error:.3f}" if found.loss_change else "–"
        gain = f"{found.gain.value:+.4f} ± {found.gain.error:.4f}" if found.gain else "–"
        means = "".join(f"{mean.value:>{width}.4f}" for mean, width in ((found.trained, 10), (found.tested, 8)) if mean)
        line = f"{passes:>8}{means}{loss:>18}{found.encoder_change:>12.3f}{gain:>20}"
        print(f"{line}  {'; '.join(one.seen for one in alarms(TASK, TASK.headline, found)) or 'none'}", flush=True)


if __name__ == "__main__":
    main()
