"""The graph of a plan as text: runs by kind and state, and who starts from which pretraining, arm by arm and budget by budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from jetbench.engine.pace import run_passes
from jetbench.engine.survey import STATES, Survey
from jetbench.suites.graph import PlannedRun
from jetbench.suites.plan import Plan

__all__ = ["counted", "graph_lines", "grouped"]

ALWAYS = ("planned", "done")  # columns that stand there with nothing in them too


def graph_lines(found: Survey) -> Iterator[str]:
    """Yield a line per kind of run, and of a suite per group of pretrainings, and per arm and budget; of a study, each trial of
    which may have its own pretraining, per search."""
    yield from _kinds(found)
    if not isinstance(found.plan, Plan):
        yield ""
        yield from _aligned(["search", "runs of trials"], [[text, counted(_trials(found, one))] for one, text in _names(found)])
        yield ""
        return
    if pretrainings := list(_pretrainings(found)):
        yield ""
        yield from _aligned(["pretraining", "pool jets", "starts from", "runs"], pretrainings)
    yield ""
    yield from _aligned(["arm", "labels", "starts from", "trials", "seeds", "checks"], list(_arms(found, found.plan)))
    yield ""


def counted(states: Iterable[str]) -> str:
    """Say how many there are of each state, "3 done, 1 running"."""
    counts = Counter(states)
    return ", ".join(f"{counts[state]} {state}" for state in reversed(STATES) if counts[state])


def grouped(run: PlannedRun) -> str:
    """Return the name that pretrainings of different seeds share."""
    return run.name.rsplit("/", 1)[0]


def _kinds(found: Survey) -> Iterator[str]:
    """Runs by kind, in the order of first appearance; trials that a search has yet to choose are planned ones."""
    entries = [(run.kind, found.states[key], run_passes(run.spec)) for key, run in found.runs.items()]
    for digest, count in found.unknown.items():
        study = found.plan.studies[digest]
        entries += [("trial", "planned", run_passes(study.template))] * count
        entries += [("pretrain", "planned", run_passes(spec)) for spec in study.before] * count
    shown = [state for state in STATES if state in ALWAYS or any(entry[1] == state for entry in entries)]
    yield f"{'kind':<10}{'runs':>8}" + "".join(f"{state:>10}" for state in shown) + f"{'passes':>16}"
    for kind in dict.fromkeys(entry[0] for entry in entries):
        mine = [entry for entry in entries if entry[0] == kind]
        counts = Counter(state for _, state, _ in mine)
        passes = f"{sum(passes for _, _, passes in mine):,}".replace(",", " ")
        yield f"{kind:<10}{len(mine):>8}" + "".join(f"{counts[state]:>10}" for state in shown) + f"{passes:>16}"


def _pretrainings(found: Survey) -> Iterator[list[str]]:
    groups: dict[str, list[PlannedRun]] = {}
    for run in found.runs.values():
        if run.kind == "pretrain":
            groups.setdefault(grouped(run), []).append(run)
    for name, runs in groups.items():
        size = runs[0].spec.pool_jets
        yield [name, f"{size}" if size else "", _starts(found, runs), counted(found.states[run.key] for run in runs)]


def _names(found: Survey) -> Iterator[tuple[str, str]]:
    """The studies by digest, with their names."""
    yield from ((digest, found.plan.study_name(digest)) for digest in found.asked)


def _arms(found: Survey, plan: Plan) -> Iterator[list[str]]:
    """A row per arm and budget: what its last runs start from, its trials, its seeds, and what is trained beside them."""
    cells: dict[tuple[str, int], list[str]] = {}
    studies: dict[tuple[str, int], list[str]] = {}
    lasts: dict[tuple[str, int], list[PlannedRun]] = {}
    for cell, key in plan.cells.items():
        place = cell.arm, cell.labels
        cells.setdefault(place, []).append(found.cell(cell))
        lasts.setdefault(place, []).append(found.runs[key])
        if (digest := plan.tuned.get(cell)) is not None and digest not in studies.setdefault(place, []):
            studies[place].append(digest)
    for (arm, labels), states in cells.items():
        tried = [state for digest in studies.get((arm, labels), ()) for state in _trials(found, digest)]
        beside = dict.fromkeys(key for place, key in plan.grid.items() if place.arm == arm and found.runs[key].kind == "check")
        own = [*plan.checks.get((arm, labels), ()), *(key for key in beside if found.runs[key].budget == labels)]
        checks = [found.states[key] for key in own]
        yield [arm, str(labels), _starts(found, lasts[arm, labels]), counted(tried), counted(states), counted(checks)]


def _trials(found: Survey, digest: str) -> Iterator[str]:
    yield from (found.states[key] for key in found.asked[digest])
    yield from ["planned"] * found.unknown.get(digest, 0)


def _starts(found: Survey, runs: Iterable[PlannedRun]) -> str:
    starts = [found.runs[run.spec.start] for run in runs if run.spec.start is not None]
    return ", ".join(dict.fromkeys(grouped(start) for start in starts))


def _aligned(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table without the columns that have nothing in any row."""
    table = [titles, *rows]
    columns = [column for column in zip(*table, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    for line in zip(*columns, strict=True):
        yield "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
