"""The arms that a suite has on purpose with a fault: made of its primary comparisons, one fault at a time, and labelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jetbench.errors import SuiteError
from jetbench.faults import FaultEntry, faults
from jetbench.faults.fault import Fault
from jetbench.models import models
from jetbench.spec import RunSpec
from jetbench.suites.fairness import compare_chains
from jetbench.suites.parameters import Chain
from jetbench.suites.settings import Settings

__all__ = ["FaultyArm", "faulty_arms", "refuse_beyond_fault", "spoiled"]


@dataclass(frozen=True)
class FaultyArm:
    """An honest arm of the suite with a fault, at one label budget. Its name says so wherever it stands alone."""

    fault: str
    arm: str
    labels: int

    @property
    def name(self) -> str:
        return f"faulty-{self.fault}-{self.arm}"


def faulty_arms(settings: Settings) -> list[FaultyArm]:
    """List what the faults of a suite make of the arms of its primary comparisons. A part of a comparison that a fault does not
    touch has none here: it shares the honest run. Raises `SuiteError` where a fault meets an arm that is no network, and where an
    arm of the suite has such a name."""
    found = dict.fromkeys(_faulty_arms(settings))
    for one in found:
        if models[settings.arms[one.arm].model].kind != "network":
            raise SuiteError(f"faults are those of trainings, and the arm {one.arm!r} is fitted in one go; take a network")
        if one.name in settings.arms:
            raise SuiteError(f"the arm {one.name!r} has the name of {one.arm!r} with the fault {one.fault!r}; name it otherwise")
    return list(found)


def _faulty_arms(settings: Settings) -> Iterator[FaultyArm]:
    for name in settings.faults:
        for one in settings.primary:
            labels = settings.primary_labels(one)
            if faults[name].touches("baseline"):
                yield FaultyArm(name, one.baseline, labels)
            if faults[name].touches("arm"):
                yield FaultyArm(name, one.arm, labels)


def spoiled(fault: str, chain: Chain) -> Chain:
    """Return the runs of an arm, first to last, with a fault: from the first that it acts in, they and all after them bear its
    name; those before are the honest ones. Raises `SuiteError` where it acts in none, or would change nothing."""
    entry, found = faults[fault], list[RunSpec]()
    code: Fault = entry.load()()
    for spec in chain:
        acts = spec.on_budget == (entry.stage == "supervised")
        if acts or (found and found[-1].fault):
            start = found[-1].digest() if found else None
            spec = (code.planned(spec) if acts else spec).replace(fault=fault, start=start)
        found.append(spec)
    if not found[-1].fault:
        raise SuiteError(f"the fault {fault!r} is one of a {entry.stage} stage, and an arm that is to have it has none")
    if fault == "leaked-test" and any(spec.unlabelled for spec in chain):
        raise SuiteError(f"the fault {fault!r} is for a pool of the dataset's own jets: leave out `unlabelled`, or the fault")
    return tuple(found)


def refuse_beyond_fault(fault: FaultEntry, mine: Sequence[RunSpec], honest: Sequence[RunSpec]) -> None:
    """Raise `SuiteError` where an arm with a fault differs from the honest one in more than the fault says."""
    allowed = {"fault", *fault.differs}
    for path, left, right in compare_chains(mine, honest):
        if path.replace("pretraining.", "") not in allowed:
            raise SuiteError(f"the fault {fault.name!r} changes {path} ({right!r} to {left!r}), which it does not say")
