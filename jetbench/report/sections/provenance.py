"""What the numbers rest on, as far as the finished runs say: data, runs, software, machines."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from jetbench import __version__
from jetbench.faults import FAULTY
from jetbench.report.content import SectionContent
from jetbench.report.machines import Machine, machines
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.words import count
from jetbench.suites.instance import called

__all__ = ["render"]

BODY = """
<dl>
{% for name, text in listed.items() %}
<dt>{{ name }}</dt><dd>{{ text }}</dd>
{% endfor %}
</dl>
"""


def render(results: Results) -> SectionContent:
    listed = {**_data(results), "runs": _runs(results), **_environment(machines(results))}
    return SectionContent("provenance", body=fragment(BODY, listed={name: text for name, text in listed.items() if text}))


def _data(results: Results) -> dict[str, str]:
    instance, split = results.plan.instance, _split(results)
    jets = sum(split[part]["jets"] for part in ("pool", "test") if part in split) or instance.settings.dataset.jets
    pool = instance.unlabelled
    return {
        "instance": f"{instance.name}, scale {instance.scale}",
        "dataset": f"{instance.dataset.name}, {_jets(jets)}, digest {instance.dataset.sha256[:16]}",
        "pool": f"{pool.name}, digest {pool.sha256[:16]}" if pool else "",
        "test set": f"{_jets(instance.settings.test_jets)}, digest {split.get('test', {}).get('sha256', 'unknown')[:16]}",
        "plug-ins": ", ".join(plugin.text for plugin in instance.plugins),
        **{
            called(one.name): f"{one.dataset.name}, {_jets(instance.also[one.name].jets)}, digest {one.dataset.sha256[:16]}"
            for one in instance.variations
            if one.dataset is not None
        },
    }


def _split(results: Results) -> dict[str, Any]:
    """Jets of the pool and of the test set, as the first finished run wrote them down: they are the same for all."""
    noted = (results.split(results.last[cell]) for cell in results.cells)
    return next((split for split in noted if split), {})


def _jets(number: int | None) -> str:
    return f"{count(number)} jets" if number else "jets as in the file"


def _runs(results: Results) -> str:
    """How many cells are finished and when, and why machines and costs count more runs than that."""
    faulty = count(sum(cell.arm in results.plan.faulty for cell in results.plan.cells))
    spoilt = f" ({faulty} of them of arms that are {FAULTY})" if results.plan.faulty else ""
    cells = f"{count(len(results.cells))} of {count(len(results.plan.cells))} cells finished{spoilt}"
    behind = {key for cell in results.cells for key in results.chain(cell)}
    others = sum(results.ledger.done(key) for key in results.runs.keys() - behind)
    rest = f"; {count(others)} more are finished (trials that were not chosen, checks), {count(len(behind) + others)} in all"
    earlier = len(behind - {results.last[cell] for cell in results.cells})
    more = f": the last of each cell, and {count(earlier)} that these start from, as pretrainings" if earlier else ""
    stand = f"behind these stand {count(len(behind), 'run')}{more}"
    told = f"a cell is one arm at one label budget with one seed; {stand}"
    finished = f"{cells}: {told}{rest if others else ''}"
    times = [results.ended(results.last[cell])["finished"] for cell in results.cells]
    if not times:
        return finished
    first, last = (time.strftime("%Y-%m-%d %H:%M", time.gmtime(moment)) for moment in (min(times), max(times)))
    return f"{finished}, {first} UTC" if first == last else f"{finished}, from {first} to {last} UTC"


def _environment(found: Mapping[Machine, list[str]]) -> dict[str, str]:
    """Software, machine and precision where all runs share them; else every distinct machine with the number of its runs."""
    if not found:
        return {"software": f"jetbench {__version__}"}
    if len(found) == 1:
        (one,) = found
        return {"software": one.versions, "machine": one.hardware, "precision": one.precision}
    return {
        f"machine {place}": f"{count(len(keys), 'run')}: {'; '.join(filter(None, (m.hardware, m.precision, m.versions)))}"
        for place, (m, keys) in enumerate(found.items(), 1)
    }
