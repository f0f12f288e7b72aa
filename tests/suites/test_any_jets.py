"""A suite from plan to scores on jets that are images without units."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from jetbench.engine.engine import execute
from jetbench.engine.forecast import describe
from jetbench.engine.prepare import prepare
from jetbench.evaluation.artifacts import read_scores
from jetbench.jets import Channel, Grid, Meta, jets_from_images, save_jets
from jetbench.suites.plan import CellKey
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker
from jetbench.training.bundle import load_preprocessing

GRID = Grid(rows=24, columns=16, eta_extent=0.6, phi_extent=0.4)
CHANNELS = (Channel(name="energy", unit="", role="energy"), Channel(name="time", unit="", combine="mean", weight="energy"))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    labels = np.arange(400, dtype=np.int32) % 2
    pixels = rng.exponential(1.0, (400, 2, GRID.rows, GRID.columns)).astype(np.float32)
    pixels[rng.random(pixels.shape) < 0.8] = 0
    pixels[:, 0, 10:14, 6:10] += 10 * labels[:, None, None]
    path = tmp_path / "images.h5"
    meta = Meta(channels=CHANNELS, class_names=("photon", "electron"), grid=GRID)
    save_jets(path, [jets_from_images(pixels, meta, {"label": labels})])
    return path


def test_a_suite_runs_on_images_without_units(suite_path: Path, images: Path, tmp_path: Path) -> None:
    changes = ("tuning=null", "seeds=1", "labels=[100]", "view.image.rebin=2", "pool={electron: 0.25, photon: 0.75}")
    floors = [f"arms.{name}={{model: {name}, regime: fit}}" for name in ("class-prior", "mass-likelihood")]
    plan = make_plan(instantiate(find_suite(str(suite_path)), dataset=str(images), overrides=(*changes, *floors)))
    assert [what for what, _ in plan.skipped if what.startswith("arm")] == ["arm mass-likelihood"]
    (tmp_path / "work").mkdir()
    assert "skipped arm mass-likelihood: for the view 'observables' a channel of the role 'pt' is needed; these" in describe(
        plan, Store(tmp_path), 2, 2
    )
    prepared = prepare(plan, 2, lambda what, done, total: None)
    assert list(prepared.tables) == ["shower-shapes"]
    events = [
        e for e in execute(plan, Store(tmp_path), MemoryTracker(), lambda: [None] * 2, lambda _: prepared) if e.kind != "tick"
    ]
    assert Counter(e.kind for e in events) == {"done": 5}, [e.text for e in events]
    ledger = Ledger(tmp_path / "work")
    assert ledger.tested(plan.cells[CellKey("scratch", 100, 0)])["test/auc"] > 0.7
    assert ledger.tested(plan.cells[CellKey("boosted-trees", 100, 0)])["test/auc"] > 0.9
    _, labels, scores = read_scores(ledger.folder(plan.cells[CellKey("class-prior", 100, 0)]) / "scores.h5")
    assert len(set(scores.tolist())) == 1
    assert set(labels.tolist()) == {0, 1}
    view = load_preprocessing(ledger.folder(plan.cells[CellKey("simclr", 100, 0)])).view
    assert view.keywords() == {"rows": 12, "columns": 8, "eta_extent": 0.6, "phi_extent": 0.4}
