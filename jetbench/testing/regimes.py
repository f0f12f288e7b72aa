"""The contract of a regime: stages that follow from one another, see what they say, and become runs of a plan."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from safetensors.numpy import save_file

from jetbench.data.catalog import Dataset, find_dataset
from jetbench.errors import SuiteError
from jetbench.evaluation.artifacts import write_scores
from jetbench.models import models
from jetbench.objectives import TASK_LOSS, objectives
from jetbench.spec import RunSpec
from jetbench.strict import parse
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.settings import SuiteFile
from jetbench.suites.stages import RegimeEntry, Stage
from jetbench.suites.suite import instantiate
from jetbench.testing.properties import Contract, expect
from jetbench.testing.rows import expect_described
from jetbench.tracking.folder import RunFolder

__all__ = ["CONTRACT"]

OWN, LABELS, TEST_JETS = "own", 100, 1000


@dataclass(frozen=True)
class RegimeCase:
    """A regime, and a small suite with an arm of it."""

    entry: RegimeEntry

    @property
    def stages(self) -> tuple[Stage, ...]:
        return self.entry.stages

    def plan(self) -> Plan:
        """Plan a suite of simulated jets, of which none is made. Weights and scores of elsewhere are stand-ins of the right form:
        a plan looks at no more."""
        with tempfile.TemporaryDirectory() as folder:
            common = self._common()
            common["arms"][OWN] |= self._given(Path(folder), common["dataset"])
            text = {"suite": "contract", "question": "Is it planned?", "common": common, "scales": {"quick": {}}}
            return make_plan(instantiate(parse(SuiteFile, text, "contract", SuiteError)))

    def _given(self, folder: Path, dataset: dict[str, Any]) -> dict[str, str]:
        """What an arm of it names that is of elsewhere."""
        found = {}
        if self.entry.external:
            save_file({"weight": np.zeros(1, np.float32)}, RunFolder(folder).weights)
            found["weights"] = str(folder)
        if self.entry.taught:
            path = RunFolder(folder).scores
            write_teacher(path, find_dataset(dataset["name"], dataset["jets"]), TEST_JETS)
            found["scores"] = str(path)
        return found

    def _common(self) -> dict[str, Any]:
        network = next(entry.name for entry in models if entry.kind == "network" and entry.view == "constituents")
        fitted = next(entry.name for entry in models if entry.kind == "fitted" and not entry.floor)
        recipes = {TASK_LOSS: {"base": "supervised-small", "passes": 640}, "simclr": {"base": "simclr-small", "passes": 640}}
        for stage in (stage for stage in self.stages if self.entry.kind == "network"):
            recipes.setdefault(stage.recipe, {"base": "supervised-small", "passes": 640})
        limited = {task for stage in self.stages for task in objectives[stage.objective].tasks}
        task = {"task": {"name": min(limited)}} if limited else {}
        arms = {"scratch": (network, "scratch"), "simclr": (network, "simclr")}
        arms[OWN] = (network if self.entry.kind == "network" else fitted, self.entry.name)
        return {
            "dataset": {"name": "top-vs-qcd", "jets": 4000},
            "varies": ["model", "regime", "recipe"],
            "primary": {"arm": "simclr", "baseline": "scratch"},
            "arms": {name: {"model": model, "regime": regime} for name, (model, regime) in arms.items()},
            "recipes": recipes,
            "test_jets": TEST_JETS,
            "labels": [LABELS],
            "seeds": 2,
            **task,
        }


def write_teacher(path: Path, dataset: Dataset, test_jets: int) -> None:
    """Write scores of the jets of a dataset, as `jetbench predict` would have by a run that was tested on so many of them."""
    jets, told = np.arange(dataset.jets), {"dataset_digest": dataset.ref.sha256, "test_jets": test_jets, "told": [LABELS]}
    write_scores(path, jets, jets % 2, np.linspace(0.1, 0.9, len(jets)))
    names = {"trained_on": json.dumps({"teacher": told}), "class_names": json.dumps(dataset.meta().class_names)}
    with h5py.File(path, "a") as file:
        file.attrs.update({**names, "name": "teacher", "dataset": dataset.ref.name, "dataset_digest": dataset.ref.sha256})


CONTRACT: Contract[RegimeCase] = Contract(lambda entry, sample: RegimeCase(entry))
holds = CONTRACT.property


@holds
def the_row_is_described_and_has_stages(case: RegimeCase) -> None:
    expect_described(case.entry)
    expect(case.stages, "it has no stage")
    names = [stage.name for stage in case.stages]
    expect(all(names) and len(set(names)) == len(names), f"each stage has a name of its own, and these have {names}")
    told = f"a fitted model is fitted at once, and this has {len(names)} stages"
    expect(case.entry.kind == "network" or len(names) == 1, told)
    expect(
        not case.entry.truth or case.entry.control, "what must come out whatever the jets is told of a control, and it is none"
    )


@holds
def objectives_are_registered_and_see_what_they_need(case: RegimeCase) -> None:
    for stage in case.stages:
        objective = objectives[stage.objective]
        told = f"the stage {stage.name!r} has the objective {objective.name!r},"
        if objective.taught:
            expect(stage.labels == "scores", f"{told} which follows scores, and the labels {stage.labels!r}")
        else:
            expect(stage.labels != "scores", f"{told} which follows no teacher, and a teacher's scores")
            seen = stage.labels in ("true", "shuffled")
            need = "uses labels" if objective.labelled else "uses none"
            expect(seen == objective.labelled, f"{told} which {need}, and the labels {stage.labels!r}")
        beside = stage.data == "budget+pool"
        expect(
            beside == bool(objective.beside), f"{told} and the data {stage.data!r}: an objective on the pool belongs beside it"
        )
        expect((stage.data == "pool") <= (stage.labels == "none"), f"{told} and labels of jets of the unlabelled pool")


@holds
def each_stage_starts_from_the_one_before(case: RegimeCase) -> None:
    first, *later = case.stages
    expect(
        first.external == (first.takes != "nothing"),
        f"the first stage {first.name!r} takes over a {first.takes} of none before it",
    )
    for before, stage in pairwise(case.stages):
        expect(
            stage.takes != "nothing", f"the stage {stage.name!r} takes nothing of {before.name!r}, so that this was for nothing"
        )
        heads = stage.takes != "network" or before.trains_head
        expect(heads, f"the stage {stage.name!r} takes over a head that {before.name!r} does not train")
    expect(not any(stage.external for stage in later), "imported weights are what a regime begins with")


@holds
def it_ends_with_a_model_of_the_label_budget(case: RegimeCase) -> None:
    last = case.stages[-1]
    expect(last.on_budget, f"its last stage {last.name!r} is trained on {last.data!r}, so that its label budget decides nothing")
    expect(last.trains_head, f"its last stage {last.name!r} trains no head, so that nothing can be tested")


@holds
def only_a_control_sees_labels_of_the_pool(case: RegimeCase) -> None:
    told = any(stage.data == "pool-labelled" or stage.labels == "shuffled" for stage in case.stages)
    expect(not told or case.entry.control, "it sees labels beyond its budget, or wrong ones, and is no control")


@holds
def it_becomes_the_runs_of_a_plan(case: RegimeCase) -> None:
    plan = case.plan()
    expect(OWN in plan.arms, f"an arm of it is skipped: {dict(plan.skipped).get(f'arm {OWN}')}")
    for seed in (0, 1):
        chain = [run.spec for run in plan.chain(CellKey(OWN, LABELS, seed))][::-1]
        expect(len(chain) == len(case.stages), f"its {len(case.stages)} stages become {len(chain)} runs")
        for (spec, before), stage in zip(_with_start(chain), case.stages, strict=True):
            start = before.digest() if before else None
            expect(spec.start == start, f"the run of {stage.name!r} does not start from the run before it")
            made = spec.objective.name, spec.data, spec.targets, spec.trains
            expect(
                made == (stage.objective, stage.data, stage.labels, stage.trains),
                f"the stage {stage.name!r} becomes a run of {made}",
            )
        expect(chain[-1].labels == LABELS, f"its last run has {chain[-1].labels} labels, and the budget is {LABELS}")


def _with_start(chain: list[RunSpec]) -> Iterator[tuple[RunSpec, RunSpec | None]]:
    """Each run with the one before it."""
    return zip(chain, [None, *chain[:-1]], strict=True)
