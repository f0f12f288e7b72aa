import json
import math

import pytest

from jetbench.errors import StoreError
from jetbench.tracking.journal import Journal, committed, read


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "metrics.jsonl"


def steps(path, *bounds):
    return [record.step for record in read(path, *bounds)[0]]


def test_lines_come_back_as_they_were_written(path):
    with Journal(path) as journal:
        journal.append(0, {"train/loss": 0.1 + 0.2, "val/auc": 0.5})
        journal.append(1, {"train/loss": 1e-300})
    records, offset = read(path)
    assert [record.metrics for record in records] == [{"train/loss": 0.1 + 0.2, "val/auc": 0.5}, {"train/loss": 1e-300}]
    assert records[0].time <= records[1].time
    assert offset == path.stat().st_size
    assert read(path, offset) == ([], offset)


def test_a_line_is_with_the_operating_system_at_once(path):
    journal = Journal(path)
    journal.append(3, {"val/auc": 0.5})
    assert steps(path) == [3]
    journal.close()


def test_values_that_are_not_finite_stand_apart(path):
    with Journal(path) as journal:
        journal.append(0, {"a": math.inf, "b": -math.inf, "c": math.nan, "d": 1})
    (record,), _ = read(path)
    assert record.metrics == {"d": 1.0}
    assert record.nonfinite == {"a": "inf", "b": "-inf", "c": "nan"}
    json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.mark.parametrize("name", ["val/rej@0.5", "", "/auc", "a//b", "../a", "a=b", "x" * 251])
def test_a_name_that_trackers_refuse_is_refused_here(path, name):
    with Journal(path) as journal, pytest.raises(ValueError, match="metric name"):
        journal.append(0, {name: 1.0})
    assert read(path) == ([], 0)


def test_a_torn_last_line_is_left_for_later_and_dropped_by_the_next_writer(path):
    with Journal(path) as journal:
        journal.append(0, {"a": 1.0})
        whole = journal.position()
    with path.open("ab") as file:
        file.write(b'{"time": 1.0, "st')
    assert steps(path) == [0]
    assert read(path)[1] == whole
    with Journal(path) as journal:
        assert journal.position() == whole
        journal.append(1, {"a": 2.0})
    assert steps(path) == [0, 1]


NO_NUMBER = b'{"time": 1, "step": 2, "metrics": {"a": "x"}}\n'


@pytest.mark.parametrize("line", [b"\x00\x00\x00\n", b"[]\n", b'{"time": 1, "step": 2}\n', NO_NUMBER])
def test_a_damaged_line_is_an_error_that_names_file_and_offset(path, line):
    with Journal(path) as journal:
        journal.append(0, {"a": 1.0})
        offset = journal.position()
    with path.open("ab") as file:
        file.write(line)
    with pytest.raises(StoreError, match=rf"metrics\.jsonl is damaged at byte {offset}:"):
        read(path)


def test_nothing_is_committed_before_a_checkpoint(path):
    with Journal(path) as journal:
        journal.append(0, {"a": 1.0})
        assert committed(path) == 0
        journal.commit()
        covered = journal.position()
        journal.append(1, {"a": 1.0})
    assert committed(path) == covered
    assert steps(path, 0, committed(path)) == [0]


def test_a_resumed_training_goes_back_to_its_checkpoint(path):
    with Journal(path) as journal:
        journal.append(0, {"a": 1.0})
        checkpoint = journal.position()
        journal.append(1, {"a": 2.0})
    # died after the checkpoint was written and before it was committed
    with Journal(path) as journal:
        journal.cut(checkpoint)
        assert committed(path) == checkpoint
        journal.append(1, {"a": 3.0})
    assert [record.metrics["a"] for record in read(path)[0]] == [1.0, 3.0]


def test_a_fresh_start_empties_the_journal(path):
    with Journal(path) as journal:
        journal.append(0, {"a": 1.0})
        journal.commit()
        journal.cut(0)
    assert (committed(path), read(path)) == (0, ([], 0))


@pytest.mark.parametrize("offset", [-1, 5, 10_000])
def test_an_offset_of_another_journal_is_refused(path, offset):
    with Journal(path) as journal:
        journal.append(0, {"a": 1.0})
        with pytest.raises(StoreError, match="another journal"):
            journal.cut(offset)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot write the journal"):
        Journal(tmp_path / "file" / "metrics.jsonl")


def test_a_full_disk_is_an_error_and_leaves_whole_lines(path, monkeypatch):
    with Journal(path) as journal:
        journal.append(0, {"a": 1.0})

        class Full:
            def __init__(self, file):
                self.file = file

            def __getattr__(self, name):
                return getattr(self.file, name)

            def write(self, data):
                return self.file.write(data[:7])

        monkeypatch.setattr(journal, "_file", Full(journal._file))
        with pytest.raises(StoreError, match="disk is full"):
            journal.append(1, {"a": 1.0})
    assert steps(path) == [0]


def test_a_damaged_mark_shows_all_of_a_finished_run_and_nothing_of_another(path):
    with Journal(path) as journal:
        journal.append(0, {"a": 1.0})
        journal.commit()
        whole = journal.position()
    path.with_suffix(".committed").write_text("")
    assert committed(path) == 0
    path.with_name("done.json").touch()
    assert committed(path) == whole


def test_no_checkpoint_goes_on_behind_a_damaged_line(path):
    with Journal(path) as journal:
        journal.append(0, {"a": 1.0})
        whole = journal.position()
    path.write_bytes(path.read_bytes() + b"\0\0\0\n")
    with Journal(path) as journal:
        journal.append(1, {"a": 2.0})
        with pytest.raises(StoreError, match=f"damaged at byte {whole}"):
            journal.cut(journal.position())
        journal.cut(whole)
