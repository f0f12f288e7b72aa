"""The machines and packages that the runs of a report come from, and where a comparison mixes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jetbench.report.results import Results
from jetbench.report.rows import baseline_text
from jetbench.report.words import count, joined
from jetbench.suites.plan import CellKey

__all__ = ["Machine", "machines", "mixtures"]


@dataclass(frozen=True)
class Machine:
    """What may change the last bits of a run that is otherwise the same; empty where a run has not written it down."""

    processor: str
    gpu: str
    architecture: str
    cores: int
    precision: str
    software: tuple[tuple[str, str], ...]  # jetbench, the digest of its code, Python and the packages with their versions

    @property
    def hardware(self) -> str:
        parts = [self.gpu, self.processor, self.architecture, count(self.cores, "core") if self.cores else ""]
        return ", ".join(part for part in parts if part)

    @property
    def versions(self) -> str:
        return ", ".join(f"{name} {version}" for name, version in self.software)


def machines(results: Results) -> dict[Machine, list[str]]:
    """List the keys of the runs behind the finished cells by the machine that trained them."""
    found: dict[Machine, list[str]] = {}
    for key, environment in results.environments.items():
        found.setdefault(_machine(environment), []).append(key)
    return found


def _machine(environment: dict[str, Any]) -> Machine:
    software = {
        "jetbench": environment.get("jetbench", "?"),
        "code": environment.get("code", "?"),
        "Python": environment.get("python", "?"),
    }
    return Machine(
        processor=str(environment.get("processor") or ""),
        gpu=" with CUDA ".join(str(environment[name]) for name in ("gpu", "cuda") if name in environment),
        architecture=str(environment.get("machine") or ""),
        cores=int(environment.get("cores") or 0),
        precision=str(environment.get("precision") or ""),
        software=tuple({**software, **environment.get("packages", {})}.items()),
    )


def mixtures(results: Results) -> list[str]:
    """Write a sentence for each way in which comparisons mix processors, precisions, versions of packages or the code itself."""
    of_run = {key: machine for machine, keys in machines(results).items() for key in keys}
    mixed: dict[str, list[tuple[str, int]]] = {}
    for arm, labels in results.comparisons:
        behind = [of_run[key] for key in _compared(results, arm, labels)]
        if differences := _differences(dict.fromkeys(behind)):
            mixed.setdefault(differences, []).append((arm, labels))
    mixes = "mixes runs that differ by more than their arms"
    return [
        f"{_listed(results, touched)} {mixes}: {differences}.{_declared(results, differences)}"
        for differences, touched in mixed.items()
    ]


def _declared(results: Results, differences: str) -> str:
    """Say of code that differs whether what trains is declared to be the same."""
    if "code " not in differences:
        return ""
    specs = [results.runs[key].spec for key in results.environments]
    used = [one for spec in specs for one in (spec.task, spec.model, spec.view, spec.objective, *spec.recipe.augmentation)]
    protocols, revisions = {spec.protocol for spec in specs}, {(one.name, one.revision) for one in used}
    if len(protocols) > 1 or len(revisions) > len({name for name, _ in revisions}):
        return " The protocol or the revision of a component is not the same for all: what trains differs."
    return (
        f" Protocol {protocols.pop()} and the revisions of all components, which are part of every run's digest, are the same "
        "for all: what trains is declared to be the same, and the code differs elsewhere."
    )


def _compared(results: Results, arm: str, labels: int) -> dict[str, None]:
    """The keys of all runs that the comparison of an arm with its baseline rests on."""
    names = (arm, results.baselines[arm])
    cells = [CellKey(name, labels, seed) for seed in results.common_seeds(*names, labels) for name in names]
    return dict.fromkeys(key for cell in cells for key in results.chain(cell))


def _differences(machines: Iterable[Machine]) -> str:
    """ "processor A or B; code 1f0c or 9ab2; torch 2.12 or 2.13", empty where all are alike."""
    aspects = [{"processor": m.processor, "GPU": m.gpu or "none", "precision": m.precision, **dict(m.software)} for m in machines]
    names = dict.fromkeys(name for aspect in aspects for name in aspect)
    values = {name: dict.fromkeys(aspect.get(name) or "unknown" for aspect in aspects) for name in names}
    return "; ".join(f"{name} {' or '.join(sorted(found))}" for name, found in values.items() if len(found) > 1)


def _listed(results: Results, touched: list[tuple[str, int]]) -> str:
    if len(touched) == len(results.comparisons):
        return "Every comparison"
    budgets: dict[tuple[int, ...], list[str]] = {}
    for arm in dict.fromkeys(arm for arm, _ in touched):
        budgets.setdefault(tuple(labels for other, labels in touched if other == arm), []).append(arm)
    parts = [f"{joined(arms)} at {joined([count(n) for n in found])} labels" for found, arms in budgets.items()]
    return f"The comparison with {baseline_text(results)} of {joined(parts)}"
