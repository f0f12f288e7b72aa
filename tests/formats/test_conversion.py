"""Conversion around a reader that the tests make themselves: blocks, resumption, classes, duplicates, provenance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from formats.toy_reader import Toy, reads

from jetbench.data.splits import split_jets
from jetbench.errors import BusyError, DataFileError, StoreError, UnknownNameError
from jetbench.files import file_lock
from jetbench.formats import FormatEntry, formats
from jetbench.formats.conversion import Converted, Request, convert
from jetbench.jets import Jets, open_jets


@pytest.fixture(autouse=True)
def toy_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(formats._entries, "toy", FormatEntry("toy", "formats.toy_reader:Toy", "for tests"))
    for entry in list(formats):
        if entry.name != "toy":
            monkeypatch.delitem(formats._entries, entry.name)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str, rows: list[tuple[int, int]]) -> Path:
        path = tmp_path / name
        path.write_text("\n".join(["toy", *(f"{label} {seed}" for label, seed in rows)]))
        return path

    return make


def run(patterns: list[Path], output: Path, **request: object) -> Converted:
    return convert([str(p) for p in patterns], output, Request.model_validate(request), lambda what, done, total: None)


def same(a: Jets, b: Jets) -> bool:
    return all(np.array_equal(x[:], y[:]) for (_, x), (_, y) in zip(a.columns(), b.columns(), strict=True))


def by_origin(jets: Jets) -> Jets:
    """Jets of one file in the order of its rows."""
    return jets.read().take(np.argsort(jets.event[:], kind="stable"))


def test_files_of_one_class_each_become_one_dataset(write: Callable[..., Path], tmp_path: Path) -> None:
    files = [write(f"{label}.txt", [(label, 100 * label + i) for i in range(30)]) for label in (0, 1)]
    done = run([tmp_path / "?.txt"], tmp_path / "out.h5", class_names=("photon", "electron"))
    jets = open_jets(tmp_path / "out.h5")
    assert (done.jets, done.duplicates, done.remarks, done.digest) == (60, 0, (), jets.content_digest())
    assert jets.meta.class_names == ("photon", "electron")
    sources = jets.meta.provenance.files
    assert [(s.name, s.jets, len(s.sha256)) for s in sources] == [("0.txt", 30, 64), ("1.txt", 30, 64)]
    assert (jets.meta.provenance.licence, jets.meta.provenance.cuts) == ("CC-BY-4.0", ("pt > 1",))
    assert jets.meta.provenance.repairs == (("odd seeds", 30),)
    label, event = jets.targets["label"][:], jets.event[:]
    assert len(np.unique(event >> 32)) == 2
    assert np.array_equal(jets.targets["mass"][:], 100 * label + event % (1 << 32))
    assert 0 < np.flatnonzero(np.diff(label)).size > 1, "no stretch of one class from end to end"
    slow = Toy(files[1]).read(0, 30)[0]
    assert np.array_equal(by_origin(jets.take(np.flatnonzero(label == 1))).values, slow.values)
    assert not list(tmp_path.glob(".out*"))


def test_an_interrupted_conversion_goes_on(write: Callable[..., Path], tmp_path: Path) -> None:
    source = write("named.txt", [(i % 2, i) for i in range(40)])
    whole = run([source], tmp_path / "whole.h5").digest

    def stop(what: str, done: int, total: int) -> None:
        if what == "reading jets" and done >= 21:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert([str(source)], tmp_path / "out.h5", Request(), stop)
    assert not (tmp_path / "out.h5").exists()
    (tmp_path / ".out.h5.blocks" / ".out.h5.1.part").write_text("what a killed process was writing")
    damaged = sorted((tmp_path / ".out.h5.blocks").glob("*-7-14-*"))[0]
    damaged.write_bytes(damaged.read_bytes()[:-40])
    assert reads(tmp_path) == []
    assert run([source], tmp_path / "out.h5").digest == whole
    assert reads(tmp_path) == [7, 21, 28, 35]
    assert open_jets(tmp_path / "out.h5").meta.provenance.repairs == (("odd seeds", 20),)
    assert not list(tmp_path.glob(".*"))


def test_copies_share_an_event_and_so_a_side_of_the_split(write: Callable[..., Path], tmp_path: Path) -> None:
    rows = [(i % 2, i) for i in range(60)]
    done = run([write("a.txt", rows), write("b.txt", [*rows[:20], *((i % 2, 1000 + i) for i in range(40))])], tmp_path / "out.h5")
    jets = open_jets(tmp_path / "out.h5").read()
    assert done.duplicates == 20
    assert len(np.unique(jets.event)) == 100
    for seed in range(5):
        split = split_jets(jets.targets["label"], jets.event, 40, None, seed, str(seed))
        assert not set(jets.targets["mass"][split.test]) & set(jets.targets["mass"][split.pool])


def test_files_converted_apart_share_no_events(write: Callable[..., Path], tmp_path: Path) -> None:
    for k in range(2):
        run([write(f"{k}.txt", [(i % 2, 50 * k + i) for i in range(20)])], tmp_path / f"jets-{k}.h5")
    assert len(np.unique(open_jets(tmp_path / "jets-*.h5").event[:])) == 40


def test_whoever_joins_columns_of_his_own_finds_file_and_row(write: Callable[..., Path], tmp_path: Path) -> None:
    seeds = {"a.txt": list(range(500, 540)), "b.txt": [*range(700, 730), 505]}  # the last is a copy of row 5 of a.txt
    files = [write(name, [(i % 2, seed) for i, seed in enumerate(rows)]) for name, rows in seeds.items()]
    run(files, tmp_path / "whole.h5", class_names=("q", "g"))
    for i in (1, 2, 3):
        run(files, tmp_path / f"part-{i}.h5", class_names=("q", "g"), part=(i, 3))
    for path, copies in ((tmp_path / "whole.h5", 1), (tmp_path / "part-*.h5", 0)):
        jets = open_jets(path)
        numbers = {int(file.sha256[:8], 16) >> 1: file.name for file in jets.meta.provenance.files}
        event = jets.event[:]
        assert (np.diff(event) < 0).any(), "blocks do not stand in the order of the files"
        found = [seeds[numbers[number]][row] for number, row in zip(event >> 32, event % 2**32, strict=True)]
        assert found == jets.targets["mass"][:].tolist()
        assert len(found) - len(set(event)) == copies


def test_labels_get_names_or_a_remark(write: Callable[..., Path], tmp_path: Path) -> None:
    plain = write("plain.txt", [(i % 2, i) for i in range(20)])
    done = run([plain], tmp_path / "a.h5")
    assert open_jets(tmp_path / "a.h5").meta.class_names == ("class-0", "class-1")
    assert "--class-names" in done.remarks[0]
    done = run([write("named.txt", [(2 * (i % 2), i) for i in range(20)])], tmp_path / "b.h5")
    jets = open_jets(tmp_path / "b.h5")
    assert jets.meta.class_names == ("a", "c")
    assert set(jets.targets["label"][:]) == {0, 1}
    assert done.remarks == ("no jets of the classes b; they are left out",)
    run([plain], tmp_path / "c.h5", unlabelled=True)
    jets = open_jets(tmp_path / "c.h5")
    assert set(jets.targets) == {"mass"}
    assert jets.meta.class_names == ()


@pytest.mark.parametrize(
    ("rows", "name", "request_", "message"),
    [
        ([(3 * (i % 2), i) for i in range(9)], "named.txt", {}, "label 3, which is none of the 3 classes"),
        ([(-1 * (i % 2), i) for i in range(9)], "x.txt", {}, "labels run from -1 to 0"),
        ([(i, i) for i in range(300)], "x.txt", {}, "labels run from 0 to 299"),
        ([(i % 2, i) for i in range(9)], "named.txt", {"class_names": ("q", "g")}, "leave --class-names out"),
        ([(i % 2, i) for i in range(9)], "x.txt", {"class_names": ("q", "q")}, "not all different"),
        ([(i % 3, i) for i in range(9)], "x.txt", {"class_names": ("q", "g")}, "label 2, which is none of the 2 classes"),
        ([(-9, i) for i in range(9)], "x.txt", {"class_names": ("q", "g")}, "no labels"),
        ([(i % 2, i) for i in range(9)], "x.txt", {"channels": ("foton",)}, "did you mean 'photon'"),
        ([(i % 2, i) for i in range(9)], "x.txt", {"channels": ("charged", "time")}, "weighted by 'photon'; keep that one too"),
        ([], "x.txt", {}, "holds no jets"),
    ],
)
def test_what_does_not_make_sense_is_one_clear_error(
    write: Callable[..., Path], tmp_path: Path, rows: list[tuple[int, int]], name: str, request_: dict[str, object], message: str
) -> None:
    with pytest.raises(DataFileError, match=message):
        run([write(name, rows)], tmp_path / "out.h5", **request_)
    assert not (tmp_path / "out.h5").exists()


def test_files_of_one_class_that_are_converted_apart_are_opened_together(write: Callable[..., Path], tmp_path: Path) -> None:
    for label, name in enumerate("abc"):
        done = run([write(f"named-{name}.txt", [(label, 10 * label + i) for i in range(9)])], tmp_path / f"{name}.h5")
        assert any(text.startswith(f"all jets are of one class, '{name}': open the file together") for text in done.remarks)
    joined = open_jets(tmp_path / "[abc].h5")
    assert joined.meta.class_names == ("a", "b", "c")
    assert joined.targets["label"][:].tolist() == [label for label in range(3) for _ in range(9)]
    assert len(set(joined.event[:])) == 27


def test_parts_in_jobs_of_their_own_are_the_whole(write: Callable[..., Path], tmp_path: Path) -> None:
    sources = [write(f"named-{name}.txt", [(label, 100 * label + i) for i in range(16)]) for label, name in enumerate("abc")]
    run(sources, tmp_path / "whole.h5")
    for i in (1, 2, 3, 4):
        run(sources, tmp_path / f"part-{i}.h5", part=(i, 4))
    joined, whole = open_jets(tmp_path / "part-*.h5"), open_jets(tmp_path / "whole.h5")
    assert joined.meta.class_names == whole.meta.class_names
    rows, others = np.argsort(joined.event[:]), np.argsort(whole.event[:])
    assert same(joined.take(rows), whole.take(others))
    assert "part 2 of 4 of its files" in open_jets(tmp_path / "part-2.h5").meta.provenance.remarks
    for part, told in (((5, 4), "no part 5 of 4; they count from 1"), ((1, 40), "read in 9 blocks, which make no 40 parts")):
        with pytest.raises(DataFileError, match=told):
            run(sources, tmp_path / "x.h5", part=part)
    with pytest.raises(DataFileError, match="read in one block, too small to be parted; convert them whole"):
        run([write("small.txt", [(i % 2, i) for i in range(5)])], tmp_path / "x.h5", part=(1, 2))
    with pytest.raises(DataFileError, match="does not know the labels of the others: name the classes"):
        run([write("plain.txt", [(i % 2, i) for i in range(20)])], tmp_path / "x.h5", part=(1, 2))


def test_some_files_with_labels_and_some_without(write: Callable[..., Path], tmp_path: Path) -> None:
    files = [write("a.txt", [(i % 2, i) for i in range(9)]), write("b.txt", [(-9, 50 + i) for i in range(9)])]
    with pytest.raises(DataFileError, match="some of these files have labels"):
        run(files, tmp_path / "out.h5")


def test_the_same_file_counts_once(write: Callable[..., Path], tmp_path: Path) -> None:
    one = write("a.txt", [(i % 2, i) for i in range(9)])
    twin = tmp_path / "twin.txt"
    twin.write_bytes(one.read_bytes())
    with pytest.raises(DataFileError, match="given twice"):
        run([one, one], tmp_path / "out.h5")
    with pytest.raises(DataFileError, match="are the same file"):
        run([one, twin], tmp_path / "out.h5")
    with pytest.raises(DataFileError, match="one of the files to convert"):
        run([one], one)


def test_files_and_formats_that_are_not_there(write: Callable[..., Path], tmp_path: Path) -> None:
    one = write("a.txt", [(i % 2, i) for i in range(9)])
    (tmp_path / "foreign").write_text("something else")
    (tmp_path / "empty").touch()
    run([one], tmp_path / "jets.h5")
    for path, request, message in (
        (tmp_path / "missing*", {}, "no such file"),
        (tmp_path, {}, "a folder; name the files in it"),
        (tmp_path / "jets.h5", {}, "a file of jets already"),
        (tmp_path / "foreign", {}, "of no known format"),
        (tmp_path / "empty", {"format": "toy"}, "is empty"),
    ):
        with pytest.raises(DataFileError, match=message):
            run([path], tmp_path / "out.h5", **request)
    with pytest.raises(UnknownNameError, match="did you mean 'toy'"):
        run([one], tmp_path / "out.h5", format="toi")


def test_a_file_of_jets_is_copied_without_its_labels(write: Callable[..., Path], tmp_path: Path) -> None:
    run([write("a.txt", [(i % 2, i) for i in range(9)])], tmp_path / "jets.h5")
    labelled = open_jets(tmp_path / "jets.h5").read()
    done = run([tmp_path / "jets.h5"], tmp_path / "pool.h5", unlabelled=True)
    pool = open_jets(tmp_path / "pool.h5").read()
    assert (done.jets, done.digest, done.duplicates) == (9, pool.digest, 0)
    assert "label" in labelled.targets
    assert set(pool.targets) == set(labelled.targets) - {"label"}
    assert pool.meta.class_names == ()
    assert pool.meta.provenance.remarks[-1] == "labels left out"
    assert pool.meta.provenance.files == labelled.meta.provenance.files
    for name in ("offsets", "eta", "phi", "values", "event"):
        np.testing.assert_array_equal(getattr(pool, name), getattr(labelled, name))
    for given, request, message in (
        (["pool.h5"], {}, "without labels already"),
        (["jets.h5", "pool.h5"], {}, "one by one"),
        (["jets.h5"], {"channels": ("charged",)}, "--unlabelled alone copies it"),
    ):
        with pytest.raises(DataFileError, match=message):
            run([tmp_path / name for name in given], tmp_path / "other.h5", unlabelled=True, **request)
    with pytest.raises(StoreError, match="is there already"):
        run([tmp_path / "jets.h5"], tmp_path / "pool.h5", unlabelled=True)
    assert not list(tmp_path.glob(".*"))


def test_files_that_differ_make_no_one_dataset(write: Callable[..., Path], tmp_path: Path) -> None:
    rows = [(i % 2, i) for i in range(9)]
    with pytest.raises(DataFileError, match="differ in classes"):
        run([write("a.txt", rows), write("named.txt", [(0, 99)])], tmp_path / "out.h5")


def test_files_of_other_targets_are_named(write: Callable[..., Path], tmp_path: Path) -> None:
    rows = [(i % 2, i) for i in range(9)]
    with pytest.raises(DataFileError, match=r"a\.txt and .*wide\.txt differ in width, which only one of them has"):
        run([write("a.txt", rows), write("wide.txt", [(i % 2, 50 + i) for i in range(9)])], tmp_path / "out.h5")


def test_remarks_name_their_file(write: Callable[..., Path], tmp_path: Path) -> None:
    files = [write(name, [(i % 2, 50 * k + i) for i in range(9)]) for k, name in enumerate(("odd-a.txt", "odd-b.txt"))]
    done = run(files, tmp_path / "out.h5", class_names=("q", "g"))
    assert done.remarks == ("odd-a.txt: 9 jets are odd", "odd-b.txt: 9 jets are odd")


def test_an_output_is_replaced_only_by_its_own_files(write: Callable[..., Path], tmp_path: Path) -> None:
    one, other = (write(name, [(i % 2, 50 * k + i) for i in range(9)]) for k, name in enumerate(("a.txt", "b.txt")))
    out = tmp_path / "out.h5"
    run([one], out)
    before = out.read_bytes()
    with pytest.raises(DataFileError, match="was made of other files; remove it"):
        run([other], out)
    with pytest.raises(DataFileError, match="label 1, which is none of the 1 classes"):
        run([one], out, class_names=("q",))
    assert out.read_bytes() == before, "a conversion that failed has left it alone"
    run([one], out, class_names=("q", "g"))
    assert open_jets(out).meta.class_names == ("q", "g")
    text = write("notes.txt", [(0, 0)])
    with pytest.raises(DataFileError, match="no file of jets; remove it"):
        run([one], text)
    with pytest.raises(DataFileError, match="one of the files to convert"):
        run([tmp_path / "*"], out)


def test_paths_may_be_text_and_one_file_needs_no_list(write: Callable[..., Path], tmp_path: Path) -> None:
    one = write("a.txt", [(i % 2, i) for i in range(9)])
    digests = {
        convert(patterns, output).digest
        for patterns, output in (([one], tmp_path / "a.h5"), (one, str(tmp_path / "b.h5")), (str(one), tmp_path / "c.h5"))
    }
    assert len(digests) == 1
    assert open_jets(str(tmp_path / "b.h5")).digest in digests
    assert Request(card=tmp_path / "card.yaml") == Request(card=str(tmp_path / "card.yaml"))


def test_where_nothing_can_be_written(write: Callable[..., Path], tmp_path: Path) -> None:
    one = write("a.txt", [(i % 2, i) for i in range(9)])
    with pytest.raises(DataFileError, match="cannot be written"):
        run([one], one / "out.h5")


def test_a_conversion_that_has_read_nothing_leaves_nothing(write: Callable[..., Path], tmp_path: Path) -> None:
    one = write("a.txt", [(i % 2, i) for i in range(9)])
    with pytest.raises(DataFileError, match="no channel"):
        run([one], tmp_path / "out.h5", channels=("foton",))
    assert list(tmp_path.iterdir()) == [one]


def test_two_conversions_to_one_output(write: Callable[..., Path], tmp_path: Path) -> None:
    one = write("a.txt", [(i % 2, i) for i in range(9)])
    with file_lock(tmp_path / ".out.h5.blocks" / "lock"), pytest.raises(BusyError, match="another process"):
        run([one], tmp_path / "out.h5")


def test_kept_channels(write: Callable[..., Path], tmp_path: Path) -> None:
    one = write("a.txt", [(i % 2, i) for i in range(9)])
    run([one], tmp_path / "out.h5", channels=("photon", "charged"))
    jets = open_jets(tmp_path / "out.h5")
    assert [c.name for c in jets.meta.channels] == ["charged", "photon"]
    assert np.array_equal(by_origin(jets).values, Toy(one).read(0, 9)[0].values[:, :2])


def test_a_pixel_without_the_kept_channels_is_no_deposit(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(formats._entries, "toy", FormatEntry("toy", "formats.toy_reader:Image", "for tests"))
    done = run([write("a.txt", [(0, i) for i in range(4)])], tmp_path / "out.h5", channels=("a",))
    jets = by_origin(open_jets(tmp_path / "out.h5"))
    assert np.diff(jets.offsets).tolist() == [2, 1, 0, 0]
    assert jets.values[:, 0].tolist() == [3, 4, 5]
    assert jets.meta.provenance.repairs == (("jets without a deposit in the channels that were kept", 2),)
    assert (done.duplicates, len(np.unique(jets.event))) == (0, 4)
