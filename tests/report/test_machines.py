"""Runs of many machines: every one is listed, and a comparison that mixes them is warned of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from report.pages import page_of

from jetbench.report.machines import machines, mixtures
from jetbench.report.results import Results
from jetbench.report.warnings import warnings
from jetbench.suites.graph import PlannedRun

Planted = Callable[..., Results]

OLD = {"processor": "Old 1", "machine": "x86_64", "cores": 2}
NEW = {"processor": "New 2", "machine": "x86_64", "cores": 64, "precision": "bf16", "packages": {"torch": "3"}}


def by_arm(*arms: str) -> Callable[[PlannedRun], Mapping[str, Any]]:
    return lambda run: NEW if run.arm in arms else OLD


def test_one_machine_is_told_once(planted: Planted) -> None:
    results = planted("seeds=2", environment=by_arm())
    assert len(machines(results)) == 1
    assert mixtures(results) == []
    text = page_of(results)
    assert "<dt>machine</dt><dd>Old 1, x86_64, 2 cores</dd>" in text
    assert "<dt>software</dt><dd>jetbench 0, code c0de, Python 3, torch 2</dd>" in text
    assert "<dt>precision</dt><dd>fp32</dd>" in text


def test_every_machine_is_listed_with_its_runs(planted: Planted) -> None:
    results = planted("seeds=2", environment=by_arm("boosted-trees"))
    found = machines(results)
    assert sum(map(len, found.values())) == len(results.environments)
    trees = {key for cell, key in results.plan.cells.items() if cell.arm == "boosted-trees"}
    assert set(found[next(m for m in found if m.processor == "New 2")]) == trees
    text = page_of(results)
    assert "4 runs: New 2, x86_64, 64 cores; bf16; jetbench 0, code c0de, Python 3, torch 3" in text
    assert "runs: Old 1, x86_64, 2 cores; fp32; jetbench 0, code c0de, Python 3, torch 2" in text
    assert "<dt>precision</dt>" not in text


def test_a_comparison_that_mixes_them_is_named(planted: Planted) -> None:
    results = planted("seeds=2", environment=by_arm("boosted-trees"))
    (text,) = mixtures(results)
    assert text.startswith(
        "The comparison with scratch of boosted-trees at 50 and 200 labels mixes runs that differ by more than their arms"
    )
    assert text.endswith("processor New 2 or Old 1; precision bf16 or fp32; torch 2 or 3.")
    assert text in warnings(results)


def test_a_baseline_from_elsewhere_mixes_every_comparison(planted: Planted) -> None:
    (text,) = mixtures(planted("seeds=2", environment=by_arm("scratch")))
    assert text.startswith("Every comparison mixes")


def test_a_pretraining_from_elsewhere_counts(planted: Planted) -> None:
    """The encoder's machine is behind the arm's number too."""
    pretrained = planted("seeds=2", environment=lambda run: NEW if run.kind == "pretrain" else OLD)
    (text,) = mixtures(pretrained)
    assert "simclr at 50 and 200 labels and supervised-pretrained at 50 labels" in text


def test_what_is_averaged_is_mixed_and_what_stands_apart_is_not(planted: Planted) -> None:
    """Seed by seed the other machine, for all arms alike: still a mixture, since seeds are averaged."""
    results = planted("seeds=2", environment=lambda run: NEW if run.spec.seed == 1 else OLD)
    assert mixtures(results)[0].startswith("Every comparison mixes")
    apart = planted("seeds=2", environment=lambda run: NEW if run.spec.labels == 200 else OLD)
    touched = "\n".join(mixtures(apart))
    assert "boosted-trees" not in touched
    assert "simclr at 200 labels" in touched  # its encoder is the one of 50 labels


def test_two_checkouts_of_one_version_are_mixed(planted: Planted) -> None:
    results = planted("seeds=2", environment=lambda run: {"code": "0dd" if run.arm == "scratch" else "e7e4"})
    (text,) = mixtures(results)
    assert "than their arms: code 0dd or e7e4. Protocol 2 and the revisions of all components, which are part of every" in text
    assert text.endswith("what trains is declared to be the same, and the code differs elsewhere.")


def test_cells_and_runs_are_told_apart(planted: Planted) -> None:
    """Two seeds: each network has three trials of which one is the cell's own run, and pretrainings stand behind some."""
    results = planted("seeds=2")
    behind = len(machines(results)[next(iter(machines(results)))])
    finished = sum(results.ledger.done(key) for key in results.runs)
    assert len(results.cells) < behind < finished
    text = page_of(results)
    number = len(results.cells)
    assert f"{number} of {number} cells finished: a cell is one arm at one label budget with one seed; " in text
    started_from = {key for cell in results.cells for key in results.chain(cell)[1:]}
    assert behind == number + len(started_from)
    told = f"{behind} runs: the last of each cell, and {len(started_from)} that these start from, as pretrainings"
    assert f"behind these stand {told}; {finished - behind} more are finished" in text
    assert f"{finished} in all" in text
