"""Drafts of cards for files of events: their jets come out where links or nested lists tell them, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from formats.test_event_cards import (
    EVENT,
    EVENTS,
    FLAT,
    JETS,
    PER_EVENT,
    Content,
    N,
    flat,
    nested,
    of_events,
    pfnano,
    run,
    write_ntuple,
    write_nullable,
    write_parquet,
    write_tree,
)

from jetbench.cli import main
from jetbench.errors import DataFileError
from jetbench.formats.cards import parse_card
from jetbench.formats.guess import guess
from jetbench.formats.reading import survey
from jetbench.jets import Jets

Write = Callable[[Path, Content], None]
LINKED = 'events: {jets: "FatJet_isQCD", jet: "FatJetPFCands_jetIdx", candidate: "FatJetPFCands_pFCandsIdx"}'


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Jets:
    path = tmp_path_factory.mktemp("flat") / "flat.root"
    write_tree(path, flat())
    return run(path, FLAT)[0]


def drafted(path: Path) -> tuple[str, Jets]:
    """The draft, and the jets that come out by it as it stands, in the order of the file."""
    found = guess(path)
    assert found.card, found.text
    jets, _ = run(path, found.text + '\ntargets: {number: "FatJet_number"}\n')
    return found.text, jets


def same_jets(jets: Jets, expected: Jets) -> None:
    np.testing.assert_array_equal(jets.offsets, expected.offsets)
    for name in ("jet_pt", "jet_eta", "jet_phi"):
        np.testing.assert_allclose(getattr(jets, name), getattr(expected, name), rtol=1e-5, atol=1e-6)


def linked_candidates() -> Content:
    """Candidates that are links themselves, as of an older PFNano."""
    per_event = np.bincount(EVENT, JETS.counts, EVENTS).astype(int)
    jet = ak.unflatten(np.repeat(np.arange(N) - EVENT.searchsorted(EVENT), JETS.counts), per_event)
    content = flat()
    of_jets = {name: ak.unflatten(column, PER_EVENT) for name, column in content.items() if name.startswith("FatJet")}
    names = {name: name.replace("part_", "FatJetPFCands_") for name in content if name.startswith("part")}
    lists = {new: ak.unflatten(ak.flatten(content[name]), per_event) for name, new in names.items()}
    return {**of_jets, **lists, "FatJetPFCands_jetIdx": jet, **of_events()}


def listed_candidates() -> Content:
    """A list of the indices of its candidates for each jet."""
    per_event = np.bincount(EVENT, JETS.counts, EVENTS).astype(int)
    index = np.concatenate([np.arange(count) for count in per_event])
    content = flat()
    of_jets = {name: ak.unflatten(column, PER_EVENT) for name, column in content.items() if name.startswith("FatJet")}
    lists = {name: ak.unflatten(ak.flatten(content[name]), per_event) for name in content if name.startswith("part")}
    return {**of_jets, **lists, "FatJet_pFCandsIdxG": ak.unflatten(ak.unflatten(index, JETS.counts), PER_EVENT), **of_events()}


@pytest.mark.parametrize(
    ("write", "content", "line"),
    [
        (write_tree, pfnano, LINKED),
        (write_ntuple, pfnano, LINKED),
        (write_nullable, pfnano, LINKED),
        (write_ntuple, lambda: nested(flat()), 'events: {jets: "FatJet_isQCD"}'),
        (write_parquet, lambda: nested(flat()), 'events: {jets: "FatJet_isQCD"}'),
        (write_nullable, lambda: nested(flat()), 'events: {jets: "FatJet_isQCD"}'),
        (write_tree, linked_candidates, 'events: {jets: "FatJet_isQCD", jet: "FatJetPFCands_jetIdx"}'),
        (write_nullable, listed_candidates, 'events: {jets: "FatJet_isQCD", candidate: "FatJet_pFCandsIdxG"}'),
    ],
)
def test_jets_of_events_come_out_by_the_draft_as_it_stands(
    write: Write, content: Callable[[], Content], line: str, tmp_path: Path, expected: Jets
) -> None:
    path = tmp_path / ("a.root" if write in (write_tree, write_ntuple) else "a.parquet")
    write(path, content())
    text, jets = drafted(path)
    nested_alone = "jet: " not in line and "candidate: " not in line
    told = "CHECK: rows are events of jets, and no jets of subjets" if nested_alone else "rows are events"
    assert f"\n{line}  # {told}\n" in text
    assert "CHECK: or  events" not in text, "charges, for example, are no indices"
    assert 'label: ["FatJet_isQCD", "FatJet_isT", "FatJet_isW"]' in text
    assert 'checks: {pt: "FatJet_pt"}' in text, "a list of the jets' values is told as that"
    assert 'checks: {pt: "MET_pt"}' not in text, "a number of the event is no value of its jets"
    assert 'weights: "genWeight"' in text
    same_jets(jets, expected)


def test_indices_of_any_name_in_lists_of_the_jets_are_links(tmp_path: Path, expected: Jets) -> None:
    """As references of Delphes become indices, with bare names of the momenta."""
    names = {"part_pt": "pt", "part_eta": "eta", "part_phi": "phi", "FatJet_pFCandsIdxG": "constituents"}
    content = {names.get(name, name): column for name, column in listed_candidates().items()}
    write_parquet(tmp_path / "a.parquet", content)
    text, jets = drafted(tmp_path / "a.parquet")
    assert 'events: {jets: "FatJet_isQCD", candidate: "constituents"}' in text
    same_jets(jets, expected)
    content["constituents"] = content["constituents"] + 1000  # to nothing, so that no card is drafted
    write_parquet(tmp_path / "b.parquet", content)
    assert not guess(tmp_path / "b.parquet").card


def test_what_has_a_value_for_each_link_is_no_momentum_and_told_as_a_channel(tmp_path: Path) -> None:
    write_tree(tmp_path / "a.root", pfnano())
    text = guess(tmp_path / "a.root").text
    assert 'of_links: ["FatJetPFCands_sip"]  in `events`' in text
    assert 'momentum: {pt: "PFCands_pt", eta: "PFCands_eta", phi: "PFCands_phi"}' in text


def test_where_links_are_of_several_jets_each_is_told(tmp_path: Path, expected: Jets) -> None:
    """PFNano links the same candidates to FatJet and to Jet, here of which only the first of an event has any."""
    content = pfnano()
    jet = content["FatJetPFCands_jetIdx"]
    content |= {"Jet_pt": content["FatJet_pt"], "JetPFCands_jetIdx": jet[jet == 0]}
    content |= {"JetPFCands_pFCandsIdx": content["FatJetPFCands_pFCandsIdx"][jet == 0]}
    write_ntuple(tmp_path / "a.root", content)
    text, jets = drafted(tmp_path / "a.root")
    assert LINKED in text
    assert '# CHECK: or  events: {jets: "Jet_pt", jet: "JetPFCands_jetIdx", candidate: "JetPFCands_pFCandsIdx"}' in text
    same_jets(jets, expected)


def test_names_of_links_that_point_to_nothing_are_no_links(tmp_path: Path) -> None:
    """Indices beyond the event's candidates: the draft is no card."""
    content = pfnano()
    content["FatJetPFCands_pFCandsIdx"] = content["FatJetPFCands_pFCandsIdx"] + 1000
    write_tree(tmp_path / "a.root", content)
    found = guess(tmp_path / "a.root")
    assert not found.card
    assert "Rows seem to be events and no jets" in found.text


def far(shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """Particles of whole events."""
    rng = np.random.default_rng(0)
    return {"pt": rng.exponential(20, shape) + 1, "eta": rng.uniform(-2.5, 2.5, shape), "phi": rng.uniform(-3.1, 3.1, shape)}


def jets_alone() -> dict[str, Any]:
    """nanoAOD without candidates."""
    return {f"FatJet_{name}": ak.unflatten(values[:, 0], PER_EVENT) for name, values in far((N, 1)).items()} | of_events()


def particles() -> dict[str, Any]:
    return {f"part_{name}": ak.unflatten(values[:, 0], [25] * 40) for name, values in far((1000, 1)).items()}


def unknown() -> dict[str, Any]:
    """A single particle in each row, which tells nothing, beside other lists."""
    return {f"part_{name}": ak.unflatten(values[:, 0], [1] * 60) for name, values in far((60, 1)).items()} | {
        "x_mass": ak.unflatten(np.ones(60), np.resize([0, 1, 2], 60))
    }


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (jets_alone, "FatJet_pt is by its name a quantity of jets, of which a row has several"),
        (particles, "in most rows constituents lie further from each other than in any jet"),
        (unknown, "the lists of x_mass are of other lengths than those of part_pt"),
    ],
)
@pytest.mark.parametrize("write", [write_tree, write_parquet])
def test_events_that_do_not_tell_their_jets_get_no_card(
    content: Callable[[], dict[str, Any]], why: str, write: Write, tmp_path: Path
) -> None:
    path = tmp_path / ("a.root" if write is write_tree else "a.parquet")
    write(path, content())
    done = CliRunner().invoke(main, ["data", "convert", "--guess", str(path)])
    assert done.exit_code == 1
    assert why in done.stdout
    with pytest.raises(DataFileError, match="a card says in the key 'kind'"):
        parse_card(done.stdout, "draft")
    parse_card("\n".join(line.removeprefix("#: ") for line in done.stdout.splitlines()), "as the comment says")


@pytest.mark.parametrize("shape", ["padded", "one array each", "flat", "flat columns"])
def test_arrays_of_events_get_no_card(shape: str, tmp_path: Path) -> None:
    table = np.stack(list(far((50, 30)).values()), axis=-1)
    arrays: dict[str, Any] = {
        "padded": {"X": table},
        "one array each": far((50, 30)),
        "flat": {"X": table.reshape(-1, 3), "ends": np.arange(0, 1501, 30)},
        "flat columns": {name: column.reshape(-1) for name, column in far((50, 30)).items()} | {"n": np.full(50, 30)},
    }[shape]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, column in arrays.items():
            file[name] = column
    found = guess(tmp_path / "a.h5")
    assert not found.card
    assert "constituents lie further from each other than in any jet" in found.text
    assert "Write each jet as a row of its own" in found.text, "a card of HDF5 has no `events`"
    assert "\n#: momentum: {pt: " in found.text


def test_jets_with_constituents_in_each_row_are_no_images(tmp_path: Path) -> None:
    columns = far((50 * 10, 30))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["X"] = np.stack(list(columns.values()), axis=-1).reshape(50, 10, 30, 3)
    found = guess(tmp_path / "a.h5")
    assert not found.card
    assert "X holds a momentum for each of 10 times 30 constituents" in found.text


def test_jets_with_lists_of_other_things_are_jets(tmp_path: Path) -> None:
    """Secondary vertices beside constituents, or hits of each, and a row is a jet: its constituents are near each other."""
    content = flat() | {"sv_mass": ak.unflatten(np.ones(N // 2), np.arange(N) % 2)}
    write_tree(tmp_path / "a.root", content)
    each = ak.unflatten(np.ones(2 * len(JETS.pt)), np.full(len(JETS.pt), 2))
    write_parquet(tmp_path / "a.parquet", content | {"part_hits": ak.unflatten(each, JETS.counts)})
    hits = guess(tmp_path / "a.parquet")
    assert "part_hits: 60×…×…" in hits.text
    assert hits.card
    found = guess(tmp_path / "a.root")
    assert found.card
    assert "events" not in found.text
    assert len(run(tmp_path / "a.root", found.text + "\ntargets: {number: FatJet_number}\n")[0]) == N


def test_a_tree_of_many_branches_is_looked_at_whole(tmp_path: Path) -> None:
    """nanoAOD has more than a thousand: those of candidates come late."""
    write_tree(tmp_path / "a.root", {**{f"HLT_{i}": np.zeros(EVENTS, bool) for i in range(120)}, **pfnano()})
    found = guess(tmp_path / "a.root")
    assert LINKED in found.text
    assert "more arrays" in found.text
    assert len(survey(tmp_path / "a.root")[0].arrays) > 120
    assert "FatJetPFCands_sip: 40" not in found.text, "the list of arrays stays short"
