"""The contract of a table for fitted models: a row of finite numbers of each jet by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from jetbench.jets import Jets
from jetbench.spec import Options
from jetbench.testing.properties import Contract, LeftOut, each, expect
from jetbench.testing.rows import expect_described, expect_sensible_options, is_table
from jetbench.testing.toys import jets_for
from jetbench.testing.views import expect_needs_told, expect_settled, with_more
from jetbench.views import ViewEntry, views
from jetbench.views.table import Table

__all__ = ["CONTRACT"]

JETS = 8


@dataclass(frozen=True)
class TableCase:
    """A table, and toy jets of each sort that has what it needs."""

    entry: ViewEntry

    @cached_property
    def jets(self) -> dict[str, Jets]:
        return jets_for(self.entry.needs, JETS)

    @property
    def code(self) -> type[Table]:
        code: type[Table] = self.entry.load()
        return code

    def options(self, jets: Jets) -> Options:
        return self.entry.settle(jets.meta, {})

    def rows(self, jets: Jets) -> np.ndarray:
        return self.code.rows(jets, self.options(jets))

    def each(self, check: Callable[[Jets], None]) -> None:
        """Try something on each sort of jets."""
        expect(self.jets, f"no sort of toy jets has what it needs, {', '.join(self.entry.needs)}")
        each(self.jets.items(), check)


CONTRACT: Contract[TableCase] = Contract(lambda entry, sample: TableCase(entry), is_table)
holds = CONTRACT.property


@holds
def the_row_describes_the_code(case: TableCase) -> None:
    expect_described(case.entry)
    expect_sensible_options(case.entry)
    expect(len(set(case.code.columns)) == len(case.code.columns), f"columns of one name: {case.code.columns}")
    expect(not case.entry.like or case.entry.like in views, f"it is like {case.entry.like!r}, and there is no such view")


@holds
def options_are_settled_once_and_for_all(case: TableCase) -> None:
    expect_settled(case.entry, case.jets)


@holds
def what_is_needed_of_jets_is_told(case: TableCase) -> None:
    expect_needs_told(case.entry)


@holds
def each_jet_has_a_finite_number_in_each_column(case: TableCase) -> None:
    def check(jets: Jets) -> None:
        found, form = case.rows(jets), (JETS, len(case.code.columns))
        expect(found.shape == form, f"the table has the shape {found.shape}, and {form} is declared")
        expect(found.dtype == np.float32, f"the table is {found.dtype}, not float32")
        expect(np.isfinite(found).all(), "the table is not finite; 0 stands for a number that a jet has not")

    case.each(check)


@holds
def a_row_is_what_it_is_alone(case: TableCase) -> None:
    def check(jets: Jets) -> None:
        together, alone = case.rows(jets), np.concatenate([case.rows(jets[i : i + 1]) for i in range(JETS)])
        expect(np.allclose(alone, together, rtol=1e-4, atol=1e-6), "the row of a jet depends on the jets beside it")
        expect(np.array_equal(case.rows(jets), together), "the same jets have another table the second time")

    case.each(check)


@holds
def the_order_of_deposits_does_not_matter(case: TableCase) -> None:
    def check(jets: Jets) -> None:
        jet = np.repeat(np.arange(JETS), np.diff(jets.offsets))
        order = np.lexsort((-np.arange(len(jet)), jet))
        mixed = replace(jets, eta=jets.eta[order], phi=jets.phi[order], values=jets.values[order])
        same = np.allclose(case.rows(mixed), case.rows(jets), rtol=1e-3, atol=1e-4)
        expect(same, "the table depends on the order of a jet's deposits in the file")

    case.each(check)


@holds
def a_jet_without_deposits_has_a_row(case: TableCase) -> None:
    def check(jets: Jets) -> None:
        kept = int(jets.offsets[1])
        bare = replace(jets, offsets=np.maximum(jets.offsets - kept, 0), eta=jets.eta[kept:], phi=jets.phi[kept:])
        found = case.rows(replace(bare, values=jets.values[kept:]))
        expect(found.shape == (JETS, len(case.code.columns)) and np.isfinite(found).all(), "a jet without deposits has no row")

    case.each(check)


@holds
def it_reads_no_more_than_it_says(case: TableCase) -> None:
    """Labels above all: a model that is shown them is no rival."""

    def check(jets: Jets) -> None:
        reads, table = case.entry.reads, case.rows(jets)
        seen = {"label"} if reads == "classes" else set()
        others = {name: target if name in seen else target[::-1].copy() for name, target in jets.targets.items()}
        same = np.array_equal(case.rows(replace(jets, targets=others)), table)
        expect(same, "it looks at labels or masses of the truth, which its row does not say")
        if reads == "pt":
            expect(np.array_equal(case.rows(with_more(jets)), table), "a channel without pT changes it")
        if reads in ("classes", "nothing"):
            same = np.array_equal(case.rows(replace(jets, values=2 * jets.values, eta=-jets.eta)), table)
            expect(same, f"its row says that it reads {reads}, and it looks at deposits")

    case.each(check)


@holds
def the_jets_are_left_as_they_are(case: TableCase) -> None:
    def check(jets: Jets) -> None:
        before = jets.content_digest()
        case.rows(jets)
        expect(jets.content_digest() == before, "it writes into the jets")

    case.each(check)


@holds
def what_jets_have_not_is_counted(case: TableCase) -> None:
    if case.entry.settles is not None:
        raise LeftOut("its table is counted with options that are settled for the jets")

    def check(jets: Jets) -> None:
        table, undefined = case.code.counted_rows(jets)
        expect(np.array_equal(table, case.rows(jets)), "`counted_rows` has another table than `rows`")
        told = case.code.remarks(undefined, JETS)
        expect(set(undefined) <= set(case.code.columns), f"it counts {sorted(undefined)}, which are no columns")
        expect(len(told) == len(undefined), f"{len(undefined)} columns lack numbers, and {len(told)} remarks tell it")

    case.each(check)
