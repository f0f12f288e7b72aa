"""The report: one page that carries its pictures, and the files beside it."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from jetbench import __version__
from jetbench.evaluation.plots import save_png
from jetbench.files import write_atomically
from jetbench.report import words
from jetbench.report.classes import SHOWN, class_rows
from jetbench.report.curves import learning_figure, pretraining_figure, roc_figure
from jetbench.report.export import comparisons_json, to_csv, to_json
from jetbench.report.plots import budget_figure, difference_figure
from jetbench.report.reproduce import command
from jetbench.report.results import Results
from jetbench.report.sentences import answer, remarks, warnings
from jetbench.report.table import efficiencies, rows
from jetbench.report.truths import truths

__all__ = ["page", "write_report"]

PAGE = "report.html"


def write_report(results: Results, folder: Path) -> list[Path]:
    """Write report.html, results.json, results.csv, comparisons.json and the pictures; each appears whole or not at all.

    Returns the files, the page first. Raises `StoreError` where the folder does not let us.
    """
    pictures = []
    for name, figure in _figures(results):
        path = folder / f"{name}.png"
        save_png(figure, path)
        pictures.append(path)
    texts = {
        PAGE: page(results, {path.stem: path.read_bytes() for path in pictures}),
        "results.json": to_json(results),
        "results.csv": to_csv(results),
        "comparisons.json": comparisons_json(results),
    }
    for name, text in texts.items():
        write_atomically(folder / name, text.encode())
    return [*(folder / name for name in texts), *pictures]


def page(results: Results, pictures: dict[str, bytes]) -> str:
    """The page as text; `pictures` are PNG files by the names that `write_report` gives them."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(
        count=words.count,
        signed=words.signed,
        share=words.share_interval,
        limits=words.interval,
        metric=_metric,
        number=lambda value: words.count(round(value)),
        seconds=_seconds,
    )
    template = environment.from_string((files("jetbench.report") / PAGE).read_text(encoding="utf-8"))
    encoded = {name: base64.b64encode(data).decode() for name, data in pictures.items()}
    return template.render(**_content(results), pictures=encoded)


def _figures(results: Results) -> Iterator[tuple[str, Any]]:
    """Name and picture of each that has something to show."""
    settings = results.plan.instance.settings
    drawn = {
        "label_budget": budget_figure(results),
        "differences": difference_figure(results),
        **{f"roc_{labels}": roc_figure(results, labels) for labels in settings.labels},
        "learning_curves": learning_figure(results),
        "pretraining": pretraining_figure(results),
    }
    return ((name, figure) for name, figure in drawn.items() if figure is not None)


def _content(results: Results) -> dict[str, Any]:
    instance = results.plan.instance
    line, exact = command(instance)
    primary = results.comparisons.get(results.primary)
    comparison = next(iter([c for c in (primary, *results.comparisons.values()) if c]), None)
    return {
        "instance": instance,
        "settings": instance.settings,
        "results": results,
        "baseline": results.baseline,
        "answer": answer(results),
        "verdict": str(primary.verdict) if primary else "none",
        "remarks": remarks(results),
        "warnings": warnings(results),
        "truths": truths(results),
        "rows": rows(results),
        "efficiencies": efficiencies(results),
        "auc_name": results.auc_name,
        "classes": results.class_names if results.many_classes else (),
        "class_rows": class_rows(results),
        "class_efficiency": SHOWN,
        "provenance": _provenance(results),
        "costs": list(_costs(results)),
        "winners": list(_winners(results)),
        "missing": list(_missing(results)),
        "command": line,
        "exact": exact,
        "encoders": _encoders(results),
        "level": words.level_percent(comparison) if comparison else "95 %",
        "margin": words.margin_percent() if comparison else None,
        "verdict_lines": words.verdict_lines,
    }


def _provenance(results: Results) -> dict[str, str]:
    """What the numbers rest on, as far as the finished runs say."""
    instance, environment, split = results.plan.instance, results.environment(), results.split()
    jets = sum(split[part]["jets"] for part in ("pool", "test") if part in split) or instance.settings.dataset.jets
    listed = {
        "instance": f"{instance.name}, scale {instance.scale}",
        "dataset": f"{instance.dataset.name}, {_jets(jets)}, digest {instance.dataset.sha256[:16]}",
        "pool": f"{instance.unlabelled.name}, digest {instance.unlabelled.sha256[:16]}" if instance.unlabelled else "",
        "test set": f"{_jets(instance.settings.test_jets)}, digest {split.get('test', {}).get('sha256', 'unknown')[:16]}",
        "runs": f"{words.count(len(results.cells))} of {words.count(len(results.plan.cells))} cells finished{_dates(results)}",
        "software": ", ".join(
            [
                f"jetbench {environment.get('jetbench', __version__)}",
                f"Python {environment.get('python', '?')}",
                *(f"{name} {version}" for name, version in environment.get("packages", {}).items()),
            ]
        ),
        "machine": ", ".join(
            [str(environment[key]) for key in ("processor", "machine") if environment.get(key)]
            + ([words.count(environment["cores"], "core")] if environment.get("cores") else [])
        ),
        "precision": str(environment.get("precision", "")),
    }
    return {name: text for name, text in listed.items() if text}


def _jets(number: int | None) -> str:
    return f"{words.count(number)} jets" if number else "jets as in the file"


def _dates(results: Results) -> str:
    span = results.span()
    if span is None:
        return ""
    first, last = (time.strftime("%Y-%m-%d %H:%M", time.gmtime(moment)) for moment in span)
    return f", {first} UTC" if first == last else f", from {first} to {last} UTC"


def _costs(results: Results) -> Iterator[dict[str, Any]]:
    for row in rows(results):
        if row.seeds:
            parameters = results.values(row.arm, row.labels, "cost/parameters")
            yield {"row": row, "cost": results.cost(row.arm, row.labels), "parameters": parameters[0] if len(parameters) else 0}


def _winners(results: Results) -> Iterator[dict[str, Any]]:
    """The studies of the plan, those without a winner yet included."""
    for (arm, labels), digest in results.plan.tuned.items():
        study = results.plan.studies[digest]
        yield {
            "arm": arm,
            "labels": labels,
            "winner": results.winners.get((arm, labels)),
            "study": study,
            "decided_at": study.template.labels,
        }


def _missing(results: Results) -> Iterator[dict[str, Any]]:
    for cell, reason in results.missing.items():
        failed = results.ledger.failure(results.plan.cells[cell]) is not None
        yield {"cell": cell, "reason": reason, "failed": failed}


def _encoders(results: Results) -> int:
    settings = results.plan.instance.settings
    return settings.pretraining_seeds or settings.seeds


def _metric(row: Any, name: str) -> str:
    """Mean of a metric over the seeds, or a dash."""
    found = row.metrics.get(name)
    return f"{found.mean:.3f}" if found else "–"


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 10 else f"{value:.2g} s"
