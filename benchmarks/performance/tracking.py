"""What tracking costs: the share of a training's time that shipping takes, and the time to put a finished run into MLflow.

    python -m benchmarks.performance.tracking [--epochs 240] [--runs 100]

The share is measured side by side: the same epochs of busy work in a child, alternately with a parent that ships them to MLflow
and with one that ships nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from jetbench.tracking.journal import Journal
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.shipper import Shipper
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import RunCard, Tracker

METRICS = ("train/loss", "train/accuracy", "val/loss", "val/auc", "val/accuracy", "cost/labelled_passes")


def train(path: Path, epochs: int) -> None:
    """A training's stand-in: a fixed amount of work an epoch, a line in the journal, a commit every tenth epoch."""
    with Journal(path) as journal:
        for epoch in range(epochs):
            sum(i * i for i in range(2_000_000))
            journal.append(epoch, dict.fromkeys(METRICS, 1.0 / (1 + epoch)))
            if epoch % 10 == 9:
                journal.commit()
        journal.commit()


def run_card(store: Store, name: str) -> RunCard:
    key = hashlib.sha256(name.encode()).hexdigest()
    params = tuple((f"model.p{i}", str(i)) for i in range(30))
    return RunCard(key=key, name=name, kind="final", folder=store.work / key, params=params)


def watched(tracker: Tracker, card: RunCard, epochs: int) -> tuple[float, float, float]:
    """Seconds of a training with its closing, seconds spent in the tracker alone, and seconds of closing."""
    child = multiprocessing.get_context("spawn").Process(target=train, args=(card.journal, epochs), daemon=True)
    shipper, shipping, start = Shipper(tracker, card), 0.0, time.monotonic()
    child.start()
    while child.is_alive():
        shipping += shipper.cost if shipper.pump() else 0.0
        child.join(1.0)
    closing = time.monotonic()
    shipper.close("FINISHED")
    end = time.monotonic()
    return end - start, shipping + end - closing, end - closing


@contextmanager
def fresh(experiment: str) -> Iterator[tuple[Store, MlflowTracker]]:
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        store.prepare()
        tracker = MlflowTracker(store, experiment)
        tracker.connect()
        yield store, tracker


def share_of_shipping(epochs: int, repeats: int) -> None:
    with fresh("share") as (store, tracker):
        ratios, shares = [], []
        for repeat in range(repeats):
            without, _, _ = watched(Tracker(), run_card(store, f"without-{repeat}"), epochs)
            seconds, shipping, closing = watched(tracker, run_card(store, f"with-{repeat}"), epochs)
            ratios.append(seconds / without)
            shares.append(shipping / seconds)
            print(f"{epochs} epochs: {without:.1f} s alone, {seconds:.1f} s shipped: {shipping:.3f} s, at end {closing:.3f} s")
        print(f"ratio with/without {statistics.median(ratios):.4f}; share of time shipping {100 * max(shares):.2f} % at most")


def time_of_runs(number: int) -> None:
    with fresh("runs") as (store, tracker):
        cards = [run_card(store, f"cnn/scratch/n100/s{seed}") for seed in range(number)]
        for card in cards:
            with Journal(card.journal) as journal:
                for epoch in range(50):
                    journal.append(epoch, dict.fromkeys(METRICS, 0.5))
                journal.commit()
        for label in ("create, ship 50 epochs, finish", "again, nothing new"):
            times = []
            for card in cards:
                start = time.monotonic()
                Shipper(tracker, card).close("FINISHED")
                times.append(1000 * (time.monotonic() - start))
            print(f"{label}: {statistics.median(times):.0f} ms a run, {max(times):.0f} ms at worst, {number} runs")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=240)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    time_of_runs(options.runs)
    share_of_shipping(options.epochs, options.repeats)


if __name__ == "__main__":
    main()
