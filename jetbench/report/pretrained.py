"""The encoders behind the finished cells, by the kind of their pretraining."""

from __future__ import annotations

from dataclasses import dataclass

from jetbench.report.results import Results

__all__ = ["Pretrained", "pretrained"]


@dataclass(frozen=True)
class Pretrained:
    """The runs of one kind of pretraining by their keys, each with the arms that start from it."""

    name: str
    runs: dict[str, list[str]]

    def arms(self, keys: list[str]) -> list[str]:
        """List the arms that start from these runs."""
        return list(dict.fromkeys(arm for key in keys for arm in self.runs[key]))


def pretrained(results: Results) -> list[Pretrained]:
    """List the kinds of pretraining behind finished honest cells, probes on a label budget left out; kinds of one name are told
    apart by their first arm."""
    arms: dict[str, dict[str, None]] = {}
    for cell in (cell for cell in results.cells if cell.arm not in results.plan.faulty):
        for key in results.chain(cell)[1:]:
            if not results.runs[key].spec.on_budget:
                arms.setdefault(key, {})[cell.arm] = None
    kinds: dict[tuple[str, str], dict[str, list[str]]] = {}
    for key, those in arms.items():
        run = results.runs[key]
        kinds.setdefault((run.name.rsplit("/", 1)[0], run.arm), {})[key] = list(those)
    names = [name for name, _ in kinds]
    return [Pretrained(n if names.count(n) == 1 else f"{arm}: {n}", runs) for (n, arm), runs in kinds.items()]
