"""Branches of `vector<vector<float>>`, which uproot reads and cannot write: a list of constituents for each jet of an event."""

from __future__ import annotations

import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from formats.test_event_cards import FLAT, N, flat, nested, run, same, write_tree
from uproot.interpretation import identify

from jetbench.formats import formats
from jetbench.formats.cards import parse_card
from jetbench.formats.guess_arrays import look_at
from jetbench.formats.root import RootTable
from jetbench.jets import concatenate

VECTORS = ("part_pt", "part_eta", "part_phi", "part_sip", "part_pdgId")
FILE = "a.root"


def streamed(vectors: list[list[float]], kind: str) -> np.ndarray:
    """What ROOT streams of a vector of vectors: the number of bytes that follow, a version, and each vector behind its length."""
    inner = b"".join(struct.pack(">i", len(one)) + np.asarray(one, kind).tobytes() for one in vectors)
    body = struct.pack(">hi", 9, len(vectors)) + inner
    return np.frombuffer(struct.pack(">I", len(body) | 0x40000000) + body, np.uint8)


def kind_of(name: str) -> str:
    return ">i4" if name == "part_pdgId" else ">f8"


@pytest.fixture
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree whose baskets are those of vectors of vectors. It says that they are bytes, so that uproot is told otherwise, as the
    name of a class in a file of ROOT's own tells it."""
    content: dict[str, Any] = nested(flat())
    for name in VECTORS:
        entries = [streamed(event, kind_of(name)) for event in content[name].to_list()]
        content[name] = ak.unflatten(np.concatenate(entries), [len(entry) for entry in entries])
    with uproot.recreate(tmp_path / FILE) as file:
        types = {name: x.dtype if isinstance(x, np.ndarray) else x.type.content for name, x in content.items()}
        file.mktree("Events", types)
        for first in range(0, 40, 15):  # in several baskets
            file["Events"].extend({name: x[first : first + 15] for name, x in content.items()})
    usual = identify.interpretation_of

    def told(branch: Any, *given: Any, **named: Any) -> Any:
        if branch.name not in VECTORS:
            return usual(branch, *given, **named)
        vector = uproot.containers.AsVector(False, np.dtype(kind_of(branch.name)))
        return uproot.AsObjects(uproot.containers.AsVector(True, vector), branch).simplify()

    monkeypatch.setattr(identify, "interpretation_of", told)
    return tmp_path / FILE


def test_vectors_of_vectors_are_lists_of_lists(events: Path) -> None:
    with closing(RootTable(events, "Events")) as table:
        assert len(table.shape("part_pt")) == 3
        (first, *_) = table.blocks(["part_pt", "part_pdgId"], 0, 40)
        assert ak.array_equal(first["part_pt"], nested(flat())["part_pt"], check_parameters=False)
        assert ak.array_equal(first["part_pdgId"], nested(flat())["part_pdgId"], dtype_exact=False, check_parameters=False)


@pytest.mark.parametrize("bytes_of_block", [1 << 26, 4000])
def test_their_jets_are_those_of_a_flat_tree(
    events: Path, bytes_of_block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path / "flat.root", flat())
    expected, _ = run(tmp_path / "flat.root", FLAT)
    monkeypatch.setattr("jetbench.formats.root.BLOCK_BYTES", bytes_of_block)
    card = parse_card(FLAT + "events: {jets: FatJet_pt}\n", "card")
    with closing(formats["constituents"].load()(events, card)) as reader:
        assert reader.jets == N
        assert (reader.block < N) == (bytes_of_block == 4000)
        same(concatenate([jets for jets, _ in reader.blocks()]), expected.read())


def test_a_draft_takes_them_for_jets_in_events(events: Path) -> None:
    found = {array.key: array for array in look_at(events).arrays}
    assert found["part_pt"].shape == (40, None, None)
    assert found["part_pt"].inner is not None
    assert found["part_pt"].inner.shape == (N, None)
