import pytest

from jetbench.errors import StoreError
from jetbench.tracking import shipper
from jetbench.tracking.journal import Journal
from jetbench.tracking.shipper import Shipper
from jetbench.tracking.tracker import MemoryTracker, RunCard, Tracker


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets; publishing takes `cost` seconds."""

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(shipper, "time", clock)
    return clock


class Slow(MemoryTracker):
    def __init__(self, clock, cost, fail=False):
        super().__init__()
        self.clock, self.cost, self.fail = clock, cost, fail

    def publish(self, run, since=0):
        self.clock.now += self.cost
        if self.fail:
            raise StoreError("away")
        return super().publish(run, since)


def card(folder):
    return RunCard(key="a" * 64, name="resnet15/scratch/n100/s0", kind="final", folder=folder)


@pytest.mark.parametrize(("cost", "pause"), [(0.01, 5.0), (0.2, 20.0), (100.0, 600.0)])
def test_shipping_waits_a_hundred_times_its_cost(tmp_path, clock, cost, pause):
    ship = Shipper(Slow(clock, cost), card(tmp_path))
    assert ship.pump()
    clock.now += pause - 0.1
    assert not ship.pump()
    clock.now += 0.2
    assert ship.pump()


def test_a_store_that_is_away_is_tried_again_and_loses_nothing(tmp_path, clock):
    tracker = Slow(clock, 0.01, fail=True)
    ship = Shipper(tracker, card(tmp_path))
    with Journal(tmp_path / "metrics.jsonl") as journal:
        journal.append(0, {"a": 1.0})
        journal.commit()
        with pytest.raises(StoreError):
            ship.pump()
        assert not ship.pump()
        tracker.fail = False
        clock.now += 6
        assert ship.pump()
    assert [record.step for record in tracker.records["a" * 64]] == [0]


def test_only_committed_lines_are_shipped_and_the_end_ships_the_rest(tmp_path, clock):
    tracker = MemoryTracker()
    ship = Shipper(tracker, card(tmp_path))
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"weights")
    with Journal(tmp_path / "metrics.jsonl") as journal:
        for step in range(3):
            journal.append(step, {"a": 1.0})
            clock.now += 10
            ship.pump()
            assert len(tracker.records["a" * 64]) == step
            journal.commit()
    ship.close("FINISHED", [weights])
    assert [record.step for record in tracker.records["a" * 64]] == [0, 1, 2]
    assert tracker.status["a" * 64] == "FINISHED"
    assert tracker.artifacts["a" * 64] == {"model.safetensors": b"weights"}


def test_the_base_tracker_takes_everything_and_does_nothing(tmp_path):
    with Journal(tmp_path / "metrics.jsonl") as journal:
        journal.append(0, {"a": 1.0})
        journal.commit()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    Shipper(Tracker(), card(tmp_path)).close("KILLED")
    Tracker().log_report([])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("pairs", [(("a=b", "1"),), (("a", "1"), ("a", "2"))])
@pytest.mark.parametrize("field", ["tags", "params"])
def test_a_card_refuses_names_that_a_tracker_would_refuse(tmp_path, field, pairs):
    with pytest.raises(ValueError, match=r"use letters|given twice"):
        RunCard(key="a" * 64, name="x", kind="final", folder=tmp_path, **{field: pairs})
