"""How an arm gets its model: a regime is a tuple of stages, and a stage is one training, as a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Literal

from jetbench.objectives import TASK_LOSS, ObjectiveEntry, objectives
from jetbench.plugins import Offer, OpenRegistry
from jetbench.registry import Entry
from jetbench.values import Spec

__all__ = ["RegimeEntry", "Stage", "Truth", "regimes"]

Truth = Literal["ahead", "not-ahead", "same", "chance"]


class Stage(Spec):
    """One training of an arm. Stages follow each other: each starts from the one before.

    `data` and `labels` say what it is trained on: the unlabelled pool, the pool with its labels, the label budget of the cell,
    or that budget and the unlabelled pool together.
    `takes` is what it takes over of the stage before it, or of imported weights: the encoder alone, or the head with it.
    `recipe` is a key of the suite's `recipes`. A `stretched` stage is trained for as many passes as all stages of the primary arm
    of its encoder together, is never ended by its patience, and ends with the weights of its best epoch. An `external` stage
    starts from imported weights, which the arm names. With the labels "scores" it sees those of a teacher, which the arm names
    too, and no label of the pool.
    """

    name: str
    objective: str = TASK_LOSS
    data: Literal["pool", "pool-labelled", "budget", "budget+pool"] = "budget"
    labels: Literal["none", "true", "shuffled", "scores"] = "true"
    trains: Literal["all", "head"] = "all"
    takes: Literal["nothing", "encoder", "network"] = "nothing"
    recipe: str = TASK_LOSS
    stretched: bool = False
    external: bool = False

    @property
    def trains_head(self) -> bool:
        """Whether the head of the network is trained, so that the stage has a task."""
        return objectives[self.objective].trains_head

    @property
    def on_budget(self) -> bool:
        """Whether it is trained on the label budget, with the pool or without."""
        return self.data in ("budget", "budget+pool")

    @property
    def fine_tunes(self) -> bool:
        """Whether it goes on training an encoder that was trained before."""
        return self.takes != "nothing" and self.trains == "all"


@dataclass(frozen=True)
class RegimeEntry(Entry):
    """`kind` is the kind of model that it trains. A control tells whether a comparison can be trusted and is no rival. `truth` is
    what must come out whatever the jets: the arm is ahead of the baseline, is not ahead of it, or ranks jets by chance."""

    table: ClassVar[str] = "regimes"

    stages: tuple[Stage, ...] = field(kw_only=True)
    kind: Literal["network", "fitted"] = "network"
    control: bool = False
    truth: Truth | None = None

    @property
    def external(self) -> bool:
        """Whether it starts from weights of elsewhere."""
        return any(stage.external for stage in self.stages)

    @property
    def taught(self) -> bool:
        """Whether it follows the stored scores of a finished run."""
        return any(stage.labels == "scores" for stage in self.stages)


def _entry(
    name: str,
    summary: str,
    *stages: Stage,
    kind: Literal["network", "fitted"] = "network",
    control: bool = False,
    truth: Truth | None = None,
) -> RegimeEntry:
    return RegimeEntry(name, "", summary, stages=stages, kind=kind, control=control, truth=truth)


TRAINING = Stage(name="training")
FINE_TUNING = Stage(name="fine-tuning", takes="encoder")
PROBE = Stage(name="probe", trains="head", takes="encoder")


def _of_objective(objective: ObjectiveEntry) -> Iterator[RegimeEntry]:
    """Each objective has a regime of its name: one that trains the head a single training, which sees the pool as well where it
    has an objective for that, one that does not a pretraining on the pool. The latter has two others: "-frozen", where the
    encoder stays as it is, tells what was learnt before, and "-lpft" fine-tunes from there on (linear probing, then fine-tuning:
    Kumar et al., arXiv:2202.10054). With the labels of the pool they are controls, and so is what a teacher taught on it, encoder
    and head, which is fine-tuned on the budget: only there is a run validated and tested."""
    name, told = objective.name, objective.labelled
    if objective.taught:
        before = "control: training on the pool with the stored scores of a finished run, whose labels count, then fine-tuning"
        distillation = Stage(name="distillation", objective=name, data="pool-labelled", labels="scores", recipe=name)
        yield _entry(name, f"{before}; {objective.summary}", distillation, FINE_TUNING.replace(takes="network"), control=True)
        return
    if objective.trains_head:
        data = "budget+pool" if objective.beside else "budget"
        yield _entry(name, objective.summary, TRAINING.replace(objective=name, data=data))
        return
    pretraining = Stage(name="pretraining", objective=name, data="pool", labels="none", recipe=name)
    if told:
        pretraining = pretraining.replace(data="pool-labelled", labels="true")
    before = f"{'control: ' if told else ''}pretraining on the {'pool with its labels' if told else 'unlabelled pool'}, then"
    yield _entry(name, f"{before} fine-tuning; {objective.summary}", pretraining, FINE_TUNING, control=told)
    probe = f"{before} the head alone on the frozen encoder: what was learnt {'before' if told else 'without labels'}"
    yield _entry(f"{name}-frozen", probe, pretraining, PROBE, control=told)
    both = f"{before} the head alone, then fine-tuning from that head on"
    yield _entry(f"{name}-lpft", both, pretraining, PROBE, FINE_TUNING.replace(takes="network"), control=told)


def _of_added(objective: Offer, name: str) -> RegimeEntry | None:
    """The regime of a name that the objective of a plug-in brings; None where it brings none of that name."""
    entry = objective.load()
    return next((replace(one, plugin=entry.plugin) for one in _of_objective(entry) if one.name == name), None)


class Regimes(OpenRegistry[RegimeEntry]):
    """Those that the objectives of plug-ins bring stand there too."""

    def offers(self) -> Iterator[Offer]:
        yield from super().offers()
        for one in objectives.offers():
            for name in (one.name, f"{one.name}-frozen", f"{one.name}-lpft"):
                yield Offer(name, one.whose, partial(_of_added, one, name))


regimes: OpenRegistry[RegimeEntry] = Regimes(
    "regime",
    [
        _entry("scratch", "supervised training on the label budget alone", TRAINING),
        *(regime for objective in objectives.own if objective.name != TASK_LOSS for regime in _of_objective(objective)),
        _entry(
            "random-frozen",
            "control: only the head is trained, on a frozen random encoder (lower bound)",
            TRAINING.replace(trains="head"),
            control=True,
            truth="not-ahead",
        ),
        _entry(
            "scratch-long",
            "control: as many passes as pretraining and fine-tuning of its encoder's primary arm; the best epoch is kept",
            TRAINING.replace(stretched=True),
            control=True,
        ),
        _entry(
            "supervised-pretrained",
            "positive control: pretraining with all labels of the pool, then fine-tuning (no ceiling: trees may be ahead)",
            Stage(name="pretraining", data="pool-labelled", recipe="supervised-pretraining"),
            FINE_TUNING,
            control=True,
            truth="ahead",
        ),
        _entry(
            "shuffled-labels",
            "control: scratch on permuted training labels (ranks by chance unless something leaks)",
            TRAINING.replace(labels="shuffled"),
            control=True,
            truth="chance",
        ),
        _entry(
            "external",
            "fine-tuning of imported weights; what these have seen is unknown, so that label budgets are not compared",
            FINE_TUNING.replace(external=True),
        ),
        _entry("fit", "one fit on the table of observables", TRAINING.replace(name="fit", recipe="fit"), kind="fitted"),
    ],
)
