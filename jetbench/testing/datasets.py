"""The contract of a simulated dataset: a recipe that tells of its jets before they are made, and chunks from its seed alone."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass
from functools import cache

import numpy as np

from jetbench.errors import SimulationError
from jetbench.jets import Jets
from jetbench.simulation.chunks import Chunk, plan
from jetbench.simulation.recipe import SimulationRecipe
from jetbench.simulation.simulators import Simulator
from jetbench.testing.properties import Contract, expect
from jetbench.testing.rows import expect_described, loaded_with

__all__ = ["CONTRACT"]

EACH = 3  # jets of a class that are simulated
HEAVY = {"pythia8mc", "fastjet", "awkward", "scipy", "torch", "h5py", "jetbench.jets"}  # what no plan waits for


@dataclass(frozen=True)
class DatasetCase:
    """A simulator, of which a few jets are made."""

    entry: Simulator

    def recipe(self, seed: int = 11, each: int = EACH) -> SimulationRecipe:
        kind = self.entry.load()
        recipe: SimulationRecipe = kind(jets=each * len(kind.class_names), seed=seed)
        return recipe

    def made(self, chunk: Chunk) -> Jets:
        return _made(self.entry, chunk)


@cache
def _made(entry: Simulator, chunk: Chunk) -> Jets:
    """The jets of a chunk, which take seconds, made once."""
    return entry.code().simulate_chunk(chunk, lambda jets: None)


CONTRACT: Contract[DatasetCase] = Contract(lambda entry, sample: DatasetCase(entry))
holds = CONTRACT.property


@holds
def the_row_describes_the_recipe(case: DatasetCase) -> None:
    entry, kind = case.entry, case.entry.load()
    expect_described(entry)
    expect(entry.source, "it does not say after what it is simulated")
    own = kind.model_fields["name"].default
    expect(own == entry.name, f"its recipe is called {own!r}")
    expect(
        set(kind.seed_fields) <= set(kind.model_fields), f"its seed has the fields {kind.seed_fields}, which are not all there"
    )
    needed = [name for name, field in kind.model_fields.items() if field.is_required() and name not in ("jets", "seed")]
    expect(not needed, f"a suite gives jets and seed, and its recipe needs {', '.join(needed)} too")
    rate = case.recipe().rate
    expect(0 < rate < math.inf, f"a core makes {rate} jets per second, as it says")
    expect(entry.targets, "it does not say which columns of truth its jets have")


@holds
def a_plan_waits_for_no_generator(case: DatasetCase) -> None:
    heavy = (HEAVY | {case.entry.module}) & loaded_with(case.entry.target)
    expect(not heavy, f"loading its recipe imports {', '.join(sorted(heavy))}; leave that to its module")


@holds
def classes_share_the_jets_and_alternate(case: DatasetCase) -> None:
    classes = len(case.entry.load().class_names)
    chunks = plan(case.recipe(each=600))
    expect([chunk.label for chunk in chunks] == 2 * list(range(classes)), "chunks do not alternate among the classes")
    expect({chunk.jets for chunk in chunks} == {300}, "chunks are not of equal size")
    if classes > 1:
        _expect_refused(case, jets=classes + 1, says="multiple of")


@holds
def what_makes_no_sense_is_refused(case: DatasetCase) -> None:
    _expect_refused(case, jets=case.recipe().jets, says="no option", wnt_this=1)
    _expect_refused(case, jets=-1, says="jets")


def _expect_refused(case: DatasetCase, jets: int, says: str, **options: int) -> None:
    try:
        case.entry.load()(jets=jets, seed=0, **options)
    except SimulationError as error:
        expect(says in str(error), f"the error does not say {says!r}: {error}")
    else:
        raise AssertionError(f"it takes {jets} jets with the options {options}")


@holds
def its_key_is_of_all_that_decides_the_jets(case: DatasetCase) -> None:
    recipe = case.recipe()
    expect(case.recipe().seed_key == recipe.seed_key, "the same recipe has another key the second time")
    others = [case.recipe(seed=12), case.recipe(each=2 * EACH), recipe.replace(revision=recipe.revision + 1)]
    keys = {one.seed_key for one in (recipe, *others)}
    expect(
        len(keys) == 1 + len(others), "another seed, number of jets or revision has the same key, and would have the same jets"
    )


@holds
def jets_are_as_the_recipe_says_before_they_are_made(case: DatasetCase) -> None:
    recipe = case.recipe()
    meta = case.entry.code().make_meta(recipe)
    expect(meta.class_names == recipe.class_names, f"classes are {meta.class_names}, and the recipe has {recipe.class_names}")
    expect(meta.provenance.source == recipe.name, f"their source is called {meta.provenance.source!r}")
    expect(meta.provenance.seed == recipe.seed, f"their seed is told as {meta.provenance.seed}")
    expect(meta.provenance.remarks == recipe.remarks, "their remarks are not those of the recipe, which tell it from others")
    expect(case.made(plan(recipe)[0]).meta == meta, "jets that are made have other metadata than is told before")


@holds
def a_chunk_holds_the_jets_of_its_class(case: DatasetCase) -> None:
    for chunk in plan(case.recipe()):
        jets = case.made(chunk)
        jets.validate()
        expect(len(jets) == chunk.jets, f"a chunk of {chunk.jets} jets has {len(jets)}")
        expect(set(jets.targets) == set(case.entry.targets), f"its jets have {sorted(jets.targets)}, not {case.entry.targets}")
        if "label" in jets.targets:
            expect(set(jets.targets["label"]) == {chunk.label}, f"jets of the class {chunk.label} have other labels")
        expect((np.diff(jets.offsets) > 0).all(), "a jet has no deposit")
        known = chunk.event_ids(np.arange(10_000))
        expect(np.isin(jets.event, known).all(), "ids of events are not those of the chunk, which `event_ids` gives")


@holds
def the_seed_alone_decides_the_jets(case: DatasetCase) -> None:
    """Whatever was simulated before: chunks are made in any order, by any worker."""
    first, *others = plan(case.recipe())
    for other in others[:1]:
        case.entry.code().simulate_chunk(other, lambda jets: None)
    again = case.entry.code().simulate_chunk(first, lambda jets: None)
    expect(again.content_digest() == case.made(first).content_digest(), "the same chunk has other jets the second time")
    anew = case.entry.code().simulate_chunk(plan(case.recipe(seed=12))[0], lambda jets: None)
    same = anew.values.shape == again.values.shape and np.array_equal(anew.values, again.values)
    expect(not same, "another seed has the same jets")


@holds
def progress_is_told(case: DatasetCase) -> None:
    chunk, seen = plan(case.recipe())[-1], list[int]()
    case.entry.code().simulate_chunk(chunk, seen.append)
    expect(seen == sorted(seen) and seen[-1:] == [chunk.jets], f"of {chunk.jets} jets it tells {seen}")


@holds
def chunks_travel_to_a_worker(case: DatasetCase) -> None:
    for chunk in plan(case.recipe()):
        expect(pickle.loads(pickle.dumps(chunk)) == chunk, "a chunk that was sent to a worker is another one there")
