"""Trees with an event in each row: links make of their candidates the same jets that flat trees hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
from formats import files

from jetbench.errors import DataFileError
from jetbench.formats import formats
from jetbench.formats.cards import parse_card
from jetbench.formats.conversion import Converted, Request, convert
from jetbench.formats.reading import look
from jetbench.jets import Jets, concatenate, open_jets

EVENTS, N = 40, 60
RNG = np.random.default_rng(5)
JETS = files.particles(N, seed=3)
EVENT = np.sort(RNG.choice(np.setdiff1d(np.arange(EVENTS), [0, 17, 18, 39]), N))  # of each jet; some events have none
PER_EVENT = np.bincount(EVENT, minlength=EVENTS)
LABEL = np.arange(N) % 2
PT = np.bincount(np.repeat(np.arange(N), JETS.counts), JETS.pt)  # what a tree says of its jets need not be what comes out
HEAD = """kind: constituents
source: private
format: root
tree: Events
layout: lists
radius: 0.8
label: [FatJet_isQCD, "FatJet_isT | FatJet_isW"]
class_names: [qcd, top]
weights: genWeight
targets: {number: FatJet_number, met: MET_pt}
"""
FLAT = HEAD + "momentum: {pt: part_pt, eta: part_eta, phi: part_phi}\npdg: part_pdgId\nchannels: [{name: sip, place: part_sip}]\n"
PFNANO = (
    FLAT.replace("part_", "PFCands_").replace("PFCands_sip", "FatJetPFCands_sip")
    + "events: {jets: nFatJet, jet: FatJetPFCands_jetIdx, candidate: FatJetPFCands_pFCandsIdx, of_links: [FatJetPFCands_sip]}\n"
)
Content = dict[str, Any]
JET, CANDIDATE = "FatJetPFCands_jetIdx", "FatJetPFCands_pFCandsIdx"


def candidates() -> dict[str, np.ndarray]:
    pdg = np.resize([211, -211, 22, 130], len(JETS.pt))
    sip = np.linspace(-1, 1, len(JETS.pt))
    return {"pt": JETS.pt, "eta": JETS.eta, "phi": JETS.phi, "pdgId": pdg, "sip": sip}


def of_jets() -> dict[str, np.ndarray]:
    kind = np.where(LABEL == 0, 0, 1 + np.arange(N) % 3 // 2)
    return {**{f"is{name}": kind == i for i, name in enumerate(("QCD", "T", "W"))}, "number": 1.0 * np.arange(N), "pt": PT}


def flat() -> Content:
    """One jet a row, with the numbers of its event beside it."""
    lists = {f"part_{name}": ak.unflatten(column, JETS.counts) for name, column in candidates().items()}
    event = {name: column[EVENT] for name, column in of_events().items()}
    return {**lists, **{f"FatJet_{name}": column for name, column in of_jets().items()}, **event}


def of_events() -> dict[str, np.ndarray]:
    return {"genWeight": np.linspace(0, 1, EVENTS), "MET_pt": np.linspace(5, 500, EVENTS)}


def pfnano() -> Content:
    """One event a row: its candidates shuffled, some of them in no jet; links in an order of their own, some to nothing."""
    jet, rng = np.repeat(np.arange(N), JETS.counts), np.random.default_rng(7)
    event = EVENT[jet]
    lost = np.sort(rng.integers(0, EVENTS, 50))  # the events of candidates in no jet
    everywhere = np.concatenate([event, lost])
    order = np.lexsort((rng.random(len(everywhere)), everywhere))
    place = np.empty(len(order), int)
    place[order] = np.arange(len(order))  # where each candidate has gone, among all
    per_event = np.bincount(everywhere, minlength=EVENTS)
    index = (place - (np.cumsum(per_event) - per_event)[everywhere])[: len(jet)]
    first = np.searchsorted(EVENT, np.arange(EVENTS))
    # the jets of an event take turns in its links, each with its constituents in order
    turn = np.concatenate([np.arange(count) for count in JETS.counts])
    links = np.lexsort((jet, turn, event))
    link_event, link_jet, link_index = event[links], (jet - first[event])[links], index[links]
    link_sip = candidates()["sip"][links]
    for no_jet, no_candidate in ((-1, 3), (0, -1)):  # links to nothing, in an event with a jet and candidates
        at = int(len(link_event) // 2)
        link_event, link_sip = np.insert(link_event, at, link_event[at]), np.insert(link_sip, at, np.nan)
        link_jet, link_index = np.insert(link_jet, at, no_jet), np.insert(link_index, at, no_candidate)
    split = {"FatJet": PER_EVENT, "PFCands": per_event, "FatJetPFCands": np.bincount(link_event, minlength=EVENTS)}
    columns = {f"FatJet_{name}": column for name, column in of_jets().items()}
    for name, column in candidates().items():
        if name != "sip":
            columns[f"PFCands_{name}"] = np.concatenate([column, rng.permutation(column)[: len(lost)]])[order]
    columns |= {"FatJetPFCands_jetIdx": link_jet, "FatJetPFCands_pFCandsIdx": link_index, "FatJetPFCands_sip": link_sip}
    lists = {name: ak.unflatten(column, split[name.partition("_")[0]]) for name, column in columns.items()}
    return {**lists, **of_events(), "nFatJet": PER_EVENT}


def write_tree(path: Path, content: Content) -> None:
    """As nanoAOD has it: the lists of a group share the branch that counts them."""
    groups: dict[str, dict[str, Any]] = {}
    for name, column in content.items():
        if isinstance(column, ak.Array) and "_" in name and "part_" not in name:
            groups.setdefault(name.partition("_")[0], {})[name.partition("_")[2]] = column
    rest = {name: x for name, x in content.items() if name.partition("_")[0] not in groups and name != "nFatJet"}
    if not groups:
        rest = content
    columns = rest | {name: ak.zip(fields) for name, fields in groups.items()}
    types = {name: x.dtype if isinstance(x, np.ndarray) else x.type.content for name, x in columns.items()}
    with uproot.recreate(path) as file:
        file.mktree("Events", types)
        file["Events"].extend(columns)


def write_ntuple(path: Path, content: Content) -> None:
    with uproot.recreate(path) as file:
        file["Events"] = content


def run(path: Path, card: str, **asked: Any) -> tuple[Jets, Converted]:
    path.with_suffix(".yaml").write_text(card)
    done = convert(path, path.with_suffix(".h5"), Request(card=path.with_suffix(".yaml"), **asked))
    jets = open_jets(path.with_suffix(".h5"))
    return jets.take(np.argsort(jets.targets["number"][:])), done


def same(jets: Jets, expected: Jets) -> None:
    for (name, mine), (other, theirs) in zip(jets.columns(), expected.columns(), strict=True):
        assert name == other
        if name != "event":
            np.testing.assert_array_equal(mine, theirs, err_msg=name)
    assert jets.meta.channels == expected.meta.channels


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Jets:
    path = tmp_path_factory.mktemp("flat") / "flat.root"
    write_tree(path, flat())
    return run(path, FLAT)[0]


@pytest.mark.parametrize("write", [write_tree, write_ntuple], ids=["TTree", "RNTuple"])
def test_linked_candidates_are_the_jets_of_a_flat_tree_bit_for_bit(
    write: Callable[..., None], tmp_path: Path, expected: Jets
) -> None:
    write(tmp_path / "a.root", pfnano())
    jets, done = run(tmp_path / "a.root", PFNANO)
    assert done.jets == N
    assert not done.remarks
    same(jets, expected)
    assert jets.event[:].tolist() == ((jets.event[0] - EVENT[0]) + EVENT).tolist(), "jets of an event share its number"


def write_parquet(path: Path, content: Content) -> None:
    ak.to_parquet(ak.zip(content, depth_limit=1), path, row_group_size=7)


def write_nullable(path: Path, content: Content) -> None:
    """As pyarrow and pandas write it, where every cell might be empty."""
    pq.write_table(pa.table({name: column.tolist() for name, column in content.items()}), path, row_group_size=11)


def nested(content: Content) -> Content:
    """A list of constituents for each jet of an event, of a flat tree."""
    return {
        name: column[EVENT.searchsorted(np.arange(EVENTS)) % N] if name in of_events() else ak.unflatten(column, PER_EVENT)
        for name, column in content.items()
    } | of_events()


@pytest.mark.parametrize(
    ("write", "kind"),
    [(write_ntuple, "root"), (write_parquet, "parquet"), (write_nullable, "parquet")],
    ids=["RNTuple", "parquet", "parquet of pyarrow"],
)
def test_lists_of_constituents_for_each_jet_of_an_event(
    write: Callable[..., None], kind: str, tmp_path: Path, expected: Jets
) -> None:
    write(tmp_path / f"a.{kind}", nested(flat()))
    card = FLAT.replace("format: root\ntree: Events", "format: parquet") if kind == "parquet" else FLAT
    same(run(tmp_path / f"a.{kind}", card + "events: {jets: FatJet_pt}\n")[0], expected)


def test_links_in_parquet(tmp_path: Path, expected: Jets) -> None:
    content = pfnano()
    write_nullable(tmp_path / "a.parquet", content)
    card = PFNANO.replace("format: root\ntree: Events", "format: parquet")
    same(run(tmp_path / "a.parquet", card)[0], expected)
    for name, told in ((JET, "is of the type"), ("PFCands_pt", "has an empty cell in"), ("FatJet_pt", "has an empty cell in")):
        empty = content[name].tolist()
        empty[FULL] = [None, *empty[FULL][1:]] if name == JET else None
        write_nullable(tmp_path / "b.parquet", content | {name: ak.Array(empty)})
        with pytest.raises(DataFileError, match=rf"b\.parquet: .*{told}"):
            run(tmp_path / "b.parquet", card.replace("FatJet_number", "FatJet_pt"))


@pytest.mark.parametrize(("write", "kind"), [(write_ntuple, "root"), (write_nullable, "parquet")], ids=["RNTuple", "parquet"])
def test_lists_of_candidates_for_each_jet(write: Callable[..., None], kind: str, tmp_path: Path, expected: Jets) -> None:
    """Indices without the jets': where there is a list of them for each jet, as of `pFCandsIdxG` in coffea."""
    content = pfnano()
    jet, index = content[JET], content[CANDIDATE]
    real = ak.flatten(jet >= 0)
    order = np.flatnonzero(real)
    of_jet = np.repeat(np.arange(EVENTS), ak.num(jet))[order] * 1000 + ak.flatten(jet)[order]
    order = order[np.argsort(of_jet, kind="stable")]
    each = np.unique(np.sort(of_jet), return_counts=True)[1]
    content["list"] = ak.unflatten(ak.unflatten(ak.flatten(index)[order], each), PER_EVENT)
    assert ak.any(content["list"] == -1, axis=None), "one link is to nothing"
    write(tmp_path / f"a.{kind}", content)
    card = PFNANO.replace("channels: [{name: sip, place: FatJetPFCands_sip}]\n", "").partition("events:")[0]
    card = card.replace("format: root\ntree: Events", "format: parquet") if kind == "parquet" else card
    jets, _ = run(tmp_path / f"a.{kind}", card + "events: {jets: FatJet_pt, candidate: list}\n")
    np.testing.assert_array_equal(jets.offsets, expected.offsets)
    np.testing.assert_array_equal(jets.eta, expected.eta)
    np.testing.assert_array_equal(jets.values, expected.values[:, [0, 1, *range(3, 9)]])


def test_links_that_are_the_candidates(tmp_path: Path, expected: Jets) -> None:
    """Of an older PFNano: `FatJetPFCands_pt` beside `FatJetPFCands_jetIdx`; here the numbers of jets are an expression."""
    content = flat()
    per_event = np.bincount(EVENT, JETS.counts, EVENTS).astype(int)
    jet = np.repeat(np.arange(N) - EVENT.searchsorted(EVENT), JETS.counts)
    first = {name: ak.unflatten(column, PER_EVENT) for name, column in content.items() if name.startswith("FatJet")}
    second = {name: ak.unflatten(ak.flatten(x), per_event) for name, x in content.items() if name.startswith("part")}
    backwards = {name: x[:, ::-1] for name, x in (second | {"part_jet1": ak.unflatten(jet + 1, per_event)}).items()}
    write_tree(tmp_path / "a.root", {**first, **backwards, **of_events(), "nFatJet": PER_EVENT})
    jets, _ = run(tmp_path / "a.root", FLAT + "events: {jets: nFatJet + 0, jet: part_jet1 - 1}\n")
    for name in ("offsets", "jet_pt", "jet_eta", "jet_phi"):
        np.testing.assert_allclose(getattr(jets, name), getattr(expected, name), rtol=1e-5, atol=1e-6)
    for i in range(N):
        mine, theirs = (one.values[one.offsets[i] : one.offsets[i + 1]] for one in (jets, expected))
        np.testing.assert_array_equal(mine, theirs[::-1])


def test_blocks_of_any_size_and_from_any_on_are_the_same_jets(
    tmp_path: Path, expected: Jets, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(tmp_path / "a.root", pfnano())
    card = parse_card(PFNANO, "card")
    reader, complete = formats["constituents"].load(), expected
    for bytes_of_block, size in ((1 << 26, N), (1 << 26, 13), (9000, 7)):  # all events at once, or a few
        monkeypatch.setattr("jetbench.formats.root.BLOCK_BYTES", bytes_of_block)
        with closing(reader(tmp_path / "a.root", card)) as opened:
            assert opened.jets == N
            assert (opened.block == N) == (bytes_of_block > 9000)
            opened.block = size
            blocks = [jets for jets, _ in opened.blocks()]
            later = [jets for jets, _ in opened.blocks(2 * size if size < N else 0)]
        assert [len(jets) for jets in blocks[:-1]] == [size] * (len(blocks) - 1)
        assert np.concatenate([jets.event for jets in blocks]).tolist() == EVENT.tolist()
        complete = blocks[0] if size == N else complete
        assert concatenate(blocks).content_digest() == complete.content_digest()
        assert concatenate([*blocks[: len(blocks) - len(later)], *later]).content_digest() == complete.content_digest()


def test_a_selection_of_jets_in_events(tmp_path: Path, expected: Jets) -> None:
    write_tree(tmp_path / "a.root", pfnano())
    text = "(FatJet_number % 3 > 0) & (FatJet_pt > 100) & (MET_pt > 50)"
    jets, done = run(tmp_path / "a.root", PFNANO + f"selection: {text}\n")
    rows = np.flatnonzero((np.arange(N) % 3 > 0) & (of_events()["MET_pt"][EVENT] > 50))
    assert 0 < len(rows) < N * 2 // 3, "or the test shows nothing"
    same(jets, expected.take(rows))
    assert f"{N - len(rows)} of {N} rows are left out, each of which does not pass the selection {text}" in done.remarks


def test_a_part_may_begin_within_an_event(tmp_path: Path, expected: Jets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parts have jets of it, under one number."""
    write_tree(tmp_path / "a.root", pfnano())
    (tmp_path / "card.yaml").write_text(PFNANO)
    half = N // 2 + int(np.flatnonzero(np.diff(EVENT)[N // 2 - 1 :] == 0)[0])  # jets of the first of two blocks
    monkeypatch.setattr("jetbench.formats.files.look", lambda files: [replace(one, block=half) for one in look(files)])
    for i in (1, 2):
        convert(tmp_path / "a.root", tmp_path / f"out{i}.h5", Request(card=tmp_path / "card.yaml", part=(i, 2)))
    parts = [open_jets(tmp_path / f"out{i}.h5").read() for i in (1, 2)]
    assert set(parts[0].event) & set(parts[1].event)
    for part, rows in zip(parts, (np.arange(half), np.arange(half, N)), strict=True):
        same(part.take(np.argsort(part.targets["number"])), expected.take(rows))


def test_jets_without_candidates_are_left_out_where_asked(tmp_path: Path, expected: Jets) -> None:
    content = pfnano()
    jet = content["FatJetPFCands_jetIdx"]
    lost = int(np.flatnonzero(np.diff(EVENT) == 0)[0]) + 1  # the second of an event
    content["FatJetPFCands_jetIdx"] = ak.where((np.arange(EVENTS) == EVENT[lost]) & (jet == 1), -1, jet)
    write_tree(tmp_path / "a.root", content)
    with pytest.raises(DataFileError, match=rf"jet {lost} has no constituents; .*--drop bad"):
        run(tmp_path / "a.root", PFNANO)
    jets, done = run(tmp_path / "a.root", PFNANO, drop="bad")
    same(jets, expected.take(np.delete(np.arange(N), lost)))
    assert done.remarks == (f"1 of {N} rows is left out, which has no constituents",)


def changed(name: str, event: int, change: Callable[[list[Any]], list[Any]]) -> Callable[[Content], None]:
    def apply(content: Content) -> None:
        rows = content[name].tolist()
        rows[event] = change(rows[event])
        content[name] = ak.Array(rows)

    return apply


FULL = int(EVENT[5])  # an event with a jet
LINKS = f"jet: {JET}, candidate: {CANDIDATE}, of_links: [FatJetPFCands_sip]"


@pytest.mark.parametrize(
    ("change", "card", "told"),
    [
        (
            changed(JET, FULL, lambda x: [99, *x[1:]]),
            {},
            rf"event {FULL} has the index 99 in '{JET}', and \d jets; indices count",
        ),
        (changed(JET, FULL, lambda x: [-2, *x[1:]]), {}, rf"event {FULL} has the index -2 in '{JET}', .* -1 is no link"),
        (
            changed(CANDIDATE, FULL, lambda x: [999, *x[1:]]),
            {},
            rf"event {FULL} has the index 999 in '{CANDIDATE}', and \d+ cand",
        ),
        (
            changed(CANDIDATE, FULL, lambda x: [*x[:-1], x[-2]]),
            {},
            rf"event {FULL} links its jet 2 to the same candidate twice in '{CANDIDATE}'; a constituent is in its jet once",
        ),
        (
            changed(CANDIDATE, FULL, lambda x: x[1:]),
            {},
            rf"event {FULL} has \d+ values in '{CANDIDATE}', and \d+ links; `events`",
        ),
        (changed("PFCands_eta", FULL, lambda x: x[1:]), {}, rf"event {FULL} has \d+ values in 'PFCands_eta', and \d+ candidates"),
        (
            changed("FatJet_pt", FULL, lambda x: [1.0, *x]),
            {"MET_pt": "FatJet_pt"},
            rf"event {FULL} has \d values in 'FatJet_pt', a",
        ),
        (None, {", of_links: [FatJetPFCands_sip]": ""}, r"event \d+ has \d+ values in 'FatJetPFCands_sip', and \d+ candidates"),
        (None, {"FatJet_number": JET}, rf"event \d+ has \d+ values in '{JET}', and \d+ jets; `events` of the card says what is"),
        (None, {"nFatJet": "MET_pt"}, "'MET_pt' is of the type .*float64 where whole numbers belong"),
        (None, {JET: "PFCands_pt"}, "'PFCands_pt' is of the type .*float64 where whole numbers belong"),
        (None, {JET: "nFatJet"}, r"'nFatJet' is of shape \(40,\) where lists of indices belong"),
        (None, {f"jet: {JET}, ": ""}, rf"'{CANDIDATE}' is of shape \(40, 0\) where a list of indices for each jet belongs"),
        (None, {"jets: nFatJet": "jets: nFatJets"}, "no column 'nFatJets'; did you mean 'nFatJet'"),
        (None, {"events: ": "# "}, r"'FatJet_number' does not fit .*rows are jets.*unless the card has `events`"),
        (None, {f"{CANDIDATE}, of": "FatJetPFCands_sip, of"}, "'FatJetPFCands_sip' is of the type .* where whole numbers belong"),
        (None, {"jets: nFatJet": "jets: FatJet_pt:0"}, "no :column belongs behind their names"),
        (None, {f", candidate: {CANDIDATE}": ""}, "of_links belong beside `candidate`"),
        (
            None,
            {"of_links: [FatJetPFCands_sip]": "of_links: [FatJet_pt]"},
            "of_links are places of constituents, and 'FatJet_pt'",
        ),
        (
            None,
            {"of_links: [FatJetPFCands_sip]": "of_links: [PFCands_pt, PFCands_eta, PFCands_phi]"},
            "these are the constituents",
        ),
        (
            None,
            {"format: root\ntree: Events\nlayout: lists": "format: npz\nlayout: padded"},
            "events belong to the layout 'lists'",
        ),
        (
            None,
            {f"jet: {JET}, candidate: {CANDIDATE}, of_links: [FatJetPFCands_sip]": ""},
            "does not fit .*lists, and events: a list",
        ),
    ],
)
def test_what_does_not_fit_is_one_error_that_names_the_event(
    change: Callable[[Content], None] | None, card: dict[str, str], told: str, tmp_path: Path
) -> None:
    content, text = pfnano(), PFNANO
    if change:
        change(content)
    for old, new in card.items():
        assert old in text
        text = text.replace(old, new)
    write_ntuple(tmp_path / "a.root", content)
    with pytest.raises(DataFileError, match=told):
        run(tmp_path / "a.root", text)


def test_events_without_any_jet_are_one_error(tmp_path: Path) -> None:
    content = pfnano()
    empty = {name: x[[0, 17]] for name, x in content.items()}
    empty["FatJetPFCands_jetIdx"] = ak.full_like(empty["FatJetPFCands_jetIdx"], -1)
    write_ntuple(tmp_path / "a.root", empty)
    with pytest.raises(DataFileError, match=r"a\.root holds no jets"):
        run(tmp_path / "a.root", PFNANO)
