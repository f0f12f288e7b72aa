from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jetbench.jets import Jets, open_jets, save_jets, selection
from jetbench.jets.likeness import ANGLE, HARDEST, LOG_PT, Likenesses, portraits
from jetbench.jets.ragged import owners
from jetbench.testing.toys import toy_jets


def slow_portrait(jet: Jets) -> list[float]:
    """The portrait of one jet, deposit by deposit."""
    deposits = sorted(zip(jet.pt().tolist(), jet.eta.tolist(), jet.phi.tolist(), strict=True), reverse=True)[:HARDEST]
    (pt, eta, phi), *others = deposits
    columns = ([np.log(a / pt) / LOG_PT for a, _, _ in others], [(b - eta) / ANGLE for _, b, _ in others])
    return [*columns[0], *columns[1], *((c - phi) / ANGLE for _, _, c in others)]


def halved(column: np.ndarray) -> np.ndarray:
    """Numbers as half precision keeps them."""
    return column.astype(np.float16).astype(np.float32)


def without_soft(jets: Jets) -> Jets:
    """Jets of their twelve hardest deposits, about an axis that moves with what is left."""
    parts = []
    for i in range(len(jets)):
        jet = jets[i : i + 1]
        hard = np.argsort(-jet.pt())[:12]
        parts.append((jet.eta[hard] - 0.01, jet.phi[hard] + 0.02, jet.values[hard]))
    eta, phi, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    return replace(jets, offsets=np.arange(len(jets) + 1) * 12, eta=eta, phi=phi, values=values)


def turned_round(jets: Jets) -> Jets:
    """Jets with their deposits in the opposite order."""
    order = np.concatenate([np.arange(b - 1, a - 1, -1) for a, b in zip(jets.offsets, jets.offsets[1:], strict=False)])
    return replace(jets, eta=jets.eta[order], phi=jets.phi[order], values=jets.values[order])


def rounded(jets: Jets) -> Jets:
    """Jets whose absolute coordinates were stored in half precision."""
    jet = owners(jets.offsets)
    eta, phi = (halved(a + b[jet]) - b[jet] for a, b in ((jets.eta, jets.jet_eta), (jets.phi, jets.jet_phi)))
    return replace(jets, eta=eta, phi=phi, values=halved(jets.values))


def test_portraits_are_those_of_a_slow_version() -> None:
    jets = toy_jets(50)
    assert portraits(jets) == pytest.approx(np.array([slow_portrait(jets[i : i + 1]) for i in range(50)]), abs=1e-2)


def test_deposits_without_momentum_change_no_portrait() -> None:
    """As pixels with tracks alone have them."""
    jets = toy_jets(20)
    values = jets.values.copy()
    soft = np.flatnonzero(jets.pt() < np.median(jets.pt()))[::2]
    values[soft] = 0
    empty = replace(jets, values=values)
    kept = jets.pt() > 0
    kept[soft] = False
    counts = np.bincount(owners(jets.offsets)[kept], minlength=20)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    gone = replace(jets, offsets=offsets, eta=jets.eta[kept], phi=jets.phi[kept], values=jets.values[kept])
    assert np.array_equal(portraits(empty), portraits(gone), equal_nan=True)


@pytest.mark.parametrize(
    "change",
    [without_soft, turned_round, rounded, lambda jets: replace(jets, values=jets.values * 1000)],
    ids=["without soft deposits", "another order", "half precision", "another unit"],
)
def test_copies_that_differ_in_bits_are_known_again(change: Callable[[Jets], Jets]) -> None:
    jets = toy_jets(300)
    copies = change(jets)
    found = list(Likenesses(jets, np.arange(100, 200)).pairs(copies))
    assert {a for a, _ in found} <= set(range(100, 200))
    assert all(a == b for a, b in found)
    assert len(found) >= 97  # rounding may exchange two deposits of nearly the same pT


def test_other_jets_are_far_from_alike() -> None:
    from scipy.spatial import KDTree

    found = portraits(toy_jets(6000))
    nearest = KDTree(found).query(found, k=2, p=np.inf)[0][:, 1]
    assert nearest.min() > 5  # tolerances; among 1.8e7 pairs


def test_jets_of_few_deposits_are_like_nothing() -> None:
    jets = toy_jets(20)
    few = replace(jets[:1], offsets=np.array([0, 5]), eta=jets.eta[:5], phi=jets.phi[:5], values=jets.values[:5])
    assert np.isnan(portraits(few)).all()
    assert list(Likenesses(few, np.arange(1)).pairs(jets)) == []
    assert list(Likenesses(jets, np.arange(20)).pairs(few)) == []


def test_rows_are_those_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "BLOCK_JETS", 7)
    jets = toy_jets(30)
    save_jets(tmp_path / "jets.h5", [jets])
    save_jets(tmp_path / "others.h5", [jets.take(np.array([29, 3, 11]))])
    found = list(Likenesses(open_jets(tmp_path / "jets.h5"), np.array([29, 11, 5])).pairs(open_jets(tmp_path / "others.h5")))
    assert found == [(29, 0), (11, 2)]
