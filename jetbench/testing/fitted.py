"""The contract of a model that is fitted at once on a table: shapes, seeds, storage, and predictions jet by jet."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from jetbench.errors import JetbenchError
from jetbench.files import write_atomically
from jetbench.jets import Jets
from jetbench.models import ModelEntry
from jetbench.models.fitted import FittedModel
from jetbench.testing.networks import expect_named
from jetbench.testing.properties import Contract, LeftOut, expect
from jetbench.testing.rows import expect_described, expect_sensible_options, expect_true_defaults
from jetbench.testing.toys import jets_for, pronged_jets
from jetbench.views import views
from jetbench.views.needs import unmet

__all__ = ["CONTRACT"]

JETS, FITTED = 240, 160  # of these so many are fitted
RATE = 0.1


@dataclass(frozen=True)
class Sample:
    """The table of some jets, and what is to be predicted of them."""

    table: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class FittedCase:
    """A model, and toy jets as the table of its view has them."""

    entry: ModelEntry

    @property
    def jets(self) -> Jets:
        return _jets(self.entry.view, 2)

    @property
    def names(self) -> tuple[str, ...]:
        columns: tuple[str, ...] = views[self.entry.view].load().columns
        return columns

    def does(self, task: str) -> bool:
        return not self.entry.tasks or task in self.entry.tasks

    def sample(self, classes: int = 2) -> Sample:
        """Return jets with their labels, or with masses where the model is of regression alone."""
        jets = _jets(self.entry.view, classes)
        target = jets.targets["label"] if self.does("classification") else self.masses(jets)
        return Sample(_table(self.entry.view, classes).copy(), target.copy())

    def masses(self, jets: Jets) -> np.ndarray:
        return jets.targets["gen_mass"].astype(np.float64)

    def fitted(self, sample: Sample, seed: int = 1) -> FittedModel:
        model: FittedModel = self.entry.load()()
        model.fit(sample.table[:FITTED], self.names, sample.target[:FITTED], seed, RATE)
        return model


@cache
def _jets(view: str, classes: int) -> Jets:
    """Toy jets that a view can be made of; those of more than two classes are constituents."""
    return pronged_jets(JETS, classes) if classes > 2 else next(iter(jets_for(views[view].needs, JETS).values()))


@cache
def _table(view: str, classes: int) -> np.ndarray:
    """The table of these jets, which takes seconds to compute for some views."""
    jets = _jets(view, classes)
    table: np.ndarray = views[view].load().rows(jets, views[view].settle(jets.meta, {}))
    return table


def _prepare(entry: ModelEntry, sample: object) -> FittedCase:
    if entry.extra and find_spec(entry.extra) is None:
        raise LeftOut(f"its package is missing; pip install 'jetbench[{entry.extra}]' installs it")
    return FittedCase(entry)


CONTRACT: Contract[FittedCase] = Contract(_prepare, lambda entry: entry.kind == "fitted")
holds = CONTRACT.property


@holds
def the_row_describes_the_code(case: FittedCase) -> None:
    expect_described(case.entry)
    expect_true_defaults(case.entry, ())
    expect_sensible_options(case.entry)
    expect(case.entry.load().FILE, "it names no FILE that it saves")


@holds
def what_the_row_names_is_registered(case: FittedCase) -> None:
    expect_named(case.entry)


@holds
def two_classes_have_the_probability_of_signal(case: FittedCase) -> None:
    if not case.does("classification"):
        raise LeftOut("it does no classification")
    sample = case.sample()
    found = case.fitted(sample).predict(sample.table[FITTED:])
    expect(found.shape == (JETS - FITTED,), f"predictions have the shape {found.shape}, and ({JETS - FITTED},) is expected")
    expect(np.isfinite(found).all() and 0 <= found.min() <= found.max() <= 1, "predictions are no probabilities, 0 to 1")


@holds
def more_classes_have_probabilities_that_add_up(case: FittedCase) -> None:
    if not case.does("classification") or case.entry.signal:
        raise LeftOut("it tells one class from another" if case.entry.signal else "it does no classification")
    if unmet(_jets(case.entry.view, 3).meta, views[case.entry.view].needs):
        raise LeftOut("its view shows none of the toy jets with three classes")
    sample = case.sample(3)
    found = case.fitted(sample).predict(sample.table[FITTED:])
    form = (JETS - FITTED, 3)
    expect(found.shape == form, f"predictions for three classes have the shape {found.shape}, and {form} is expected")
    expect(np.allclose(found.sum(axis=1), 1) and found.min() >= 0, "probabilities of three classes do not add up to one")


@holds
def numbers_are_regressed_in_their_own_unit(case: FittedCase) -> None:
    if not case.does("regression"):
        raise LeftOut("it does no regression")
    table = case.sample().table
    sample = Sample(table, case.masses(case.jets))
    found = case.fitted(sample).predict(table[FITTED:])
    expect((found.shape, found.dtype) == ((JETS - FITTED,), np.float64), f"predictions are {found.dtype}, {found.shape}")
    expect(np.isfinite(found).all(), "predictions are not finite")


@holds
def it_ranks_jets_or_says_that_it_does_not(case: FittedCase) -> None:
    sample = case.sample()
    several = len(np.unique(case.fitted(sample).predict(sample.table[FITTED:]))) > 1
    told = "gives jets different scores" if several else "gives all jets the same score"
    expect(several == case.entry.ranks, f"it {told}, and its row says ranks={case.entry.ranks}")


@holds
def the_same_jets_and_seed_give_the_same_predictions(case: FittedCase) -> None:
    sample = case.sample()
    with _own_generator():
        first = case.fitted(sample).predict(sample.table[FITTED:])
        np.random.seed(5)
        again = case.fitted(sample).predict(sample.table[FITTED:])
    expect(np.array_equal(first, again), "two fits of the same jets under one seed predict otherwise")


@contextmanager
def _own_generator() -> Iterator[None]:
    """Put numpy's global generator back afterwards."""
    before = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(before)


@holds
def equal_weights_of_jets_change_nothing(case: FittedCase) -> None:
    if not case.entry.sample_weight:
        raise LeftOut("its row does not say that it takes weights of jets")
    sample, model = case.sample(), case.entry.load()()
    given = (sample.table[:FITTED], case.names, sample.target[:FITTED], 1, RATE)
    try:
        model.fit(*given, sample_weight=np.ones(FITTED))
    except TypeError as error:
        raise AssertionError(f"its row says sample_weight=True, and its fit takes none: {error}") from error
    found, plain = (one.predict(sample.table[FITTED:]) for one in (model, case.fitted(sample)))
    expect(np.allclose(found, plain, rtol=1e-3, atol=1e-6), "with equal weights of jets its predictions are others")


@holds
def what_it_is_given_is_left_as_it_is(case: FittedCase) -> None:
    sample = case.sample()
    before = Sample(sample.table.copy(), sample.target.copy())
    case.fitted(sample).predict(sample.table[FITTED:])
    same = np.array_equal(sample.table, before.table) and np.array_equal(sample.target, before.target)
    expect(same, "it writes into the table or the targets that it is given")


@holds
def a_prediction_is_what_it_is_alone(case: FittedCase) -> None:
    sample = case.sample()
    model, seen = case.fitted(sample), sample.table[FITTED:]
    together = model.predict(seen)
    alone = np.concatenate([model.predict(row[None]) for row in seen[:20]])
    expect(np.allclose(alone, together[:20], rtol=1e-12, atol=0), "the prediction of a jet depends on the jets beside it")
    expect(np.array_equal(model.predict(seen), together), "the same jets have other predictions the second time")


@holds
def predictions_are_the_same_after_storage(case: FittedCase) -> None:
    sample = case.sample()
    model, kind = case.fitted(sample), case.entry.load()
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        there = [path.name for path in Path(folder).iterdir()]
        expect(there == [kind.FILE], f"it saves {there}, and names {kind.FILE!r}")
        expect(not Path(folder, kind.FILE).read_bytes().startswith(b"\x80"), "it saves a pickle, which executes what it holds")
        found = kind.load(Path(folder)).predict(sample.table[FITTED:])
    expect(np.array_equal(found, model.predict(sample.table[FITTED:])), "predictions after saving and loading differ")


@holds
def a_file_that_is_cut_off_is_refused(case: FittedCase) -> None:
    kind = case.entry.load()
    with tempfile.TemporaryDirectory() as folder:
        case.fitted(case.sample()).save(Path(folder))
        path = Path(folder, kind.FILE)
        write_atomically(path, path.read_bytes()[:-2])
        try:
            kind.load(Path(folder))
        except JetbenchError as error:
            expect(str(path) in str(error), f"the error does not name the file: {error}")
            return
    raise AssertionError("a file whose end is missing is loaded")
