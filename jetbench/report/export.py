"""The results as files for other programs: tidy rows, and the comparisons with everything that decided them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Any

import numpy as np

from jetbench.report.also_test import also_comparison, also_label
from jetbench.report.fault_words import fault_numbers, move_numbers
from jetbench.report.gains import gain_differences
from jetbench.report.losses import STURDY, loss_table
from jetbench.report.matching import ending, match
from jetbench.report.pool_size import pool_curves
from jetbench.report.pretrained import noted_by
from jetbench.report.published_beside import published_numbers
from jetbench.report.results import Results
from jetbench.report.sentences import answer, remarks
from jetbench.report.stability import Stability, stabilities, tolerance_text
from jetbench.report.truths import truths
from jetbench.report.warnings import warnings
from jetbench.spec import Variation

__all__ = ["COLUMNS", "comparisons_json", "to_csv", "to_json"]

COLUMNS = ("suite", "scale", "instance", "arm", "role", "fault", "labels", "seed", "key", "metric", "value")


def to_json(results: Results) -> str:
    """Write a list of objects, one per cell and metric; what the pretraining behind a cell has noted stands under
    `pretraining/`."""
    return _json(_rows(results))


def to_csv(results: Results) -> str:
    """Write the rows of `to_json` under one header line; numbers in full precision."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_rows(results))
    return text.getvalue()


def _rows(results: Results) -> list[dict[str, str | int | float | None]]:
    noted = {cell: noted_by(results, results.chain(cell)[-1]) for cell in results.cells}
    return results.tidy({cell: {f"pretraining/{name}": value for name, value in some.items()} for cell, some in noted.items()})


def comparisons_json(results: Results) -> str:
    """Write the answer, and each comparison with baseline or floor, with its errors, intervals, p values and verdict."""
    instance, baselines = results.plan.instance, results.baselines
    return _json(
        {
            "instance": instance.name,
            "question": instance.question,
            "answer": answer(results),
            "remarks": remarks(results),
            "warnings": warnings(results),
            "skipped": [{"what": what, "reason": reason} for what, reason in results.plan.skipped],
            "metric": results.metric.model_dump(mode="json"),
            "primary": [{"arm": arm, "baseline": baselines[arm], "labels": labels} for arm, labels in results.primaries],
            "comparisons": [
                {"arm": name, "labels": budget, "baseline": baselines[name], "result": comparison.model_dump(mode="json")}
                for (name, budget), comparison in results.comparisons.items()
            ],
            "matching_labels": [
                {"arm": arm, "baseline": baselines[arm], "labels": labels, "result": found.model_dump(mode="json")}
                for arm, labels in results.primaries
                if (found := match(results, arm, labels))
            ],
            "ending_labels": [
                {"arm": arm, "baseline": baselines[arm], "result": found.model_dump(mode="json")}
                for arm in dict.fromkeys(arm for arm, _ in results.primaries)
                if (found := ending(results, arm))
            ],
            "gains": [
                {
                    "of": [{"arm": arm, "baseline": baselines[arm], "labels": labels} for arm, labels in places],
                    "result": comparison.model_dump(mode="json"),
                }
                for places, comparison in gain_differences(results).items()
            ],
            "pool_sizes": [
                {**asdict(curve), "law": curve.law.model_dump(mode="json") if curve.law else None}
                for curve in pool_curves(results)
            ],
            "published": published_numbers(results),
            "also_test": [_also_test(results, one) for one in results.plan.instance.variations],
            "stability": [_stable(results, found) for found in stabilities(results)],
            "floors": [
                {"arm": name, "floor": floor, "labels": budget, "result": comparison.model_dump(mode="json")}
                for (name, floor, budget), comparison in results.clearings.items()
            ],
            "faults": fault_numbers(results),
            "fault_moves": move_numbers(results),
            "planted_truths": [asdict(truth) for truth in truths(results)],
            "missing": [
                {"arm": cell.arm, "labels": cell.labels, "seed": cell.seed, "reason": reason}
                for cell, reason in results.missing.items()
            ],
        }
    )


def _stable(results: Results, found: Stability) -> dict[str, Any]:
    """A grid with what follows from it; a training that diverged has no value."""
    points = [
        {"learning_rate": rate, "length": length, "values": _numbers(found.values[i, j]), "near_the_best": bool(found.near[i, j])}
        for i, rate in enumerate(found.rates)
        for j, length in enumerate(found.lengths)
    ]
    return {
        "arm": found.arm,
        "labels": found.labels,
        "metric": results.metric.key,
        "tolerance": tolerance_text(results),
        "seeds": list(found.seeds),
        "share": found.share,
        "share_by_seed": found.by_seed.model_dump(mode="json"),
        "baseline": found.baseline or None,
        "minus_baseline": found.against.model_dump(mode="json") if found.against else None,
        "grid": points,
    }


def _numbers(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _also_test(results: Results, one: Variation) -> dict[str, Any]:
    """The primary comparisons on another test set, what every arm loses there, and that minus what its baseline loses."""
    primary = [(place, also_comparison(results, *place, one.name)) for place in results.primaries]
    table, baselines = loss_table(results), results.baselines
    return {
        **one.model_dump(mode="json"),
        "jets": also_label(results, one),
        "primary": [
            {"arm": arm, "labels": labels, "result": found.model_dump(mode="json") if found else None}
            for (arm, labels), found in primary
        ],
        "losses": [
            {"arm": arm, "labels": labels, "loss": loss.model_dump(mode="json")}
            for (arm, labels, name), loss in table.losses.items()
            if name == one.name
        ],
        "differences_of_losses": [
            {
                "arm": arm,
                "labels": labels,
                "baseline": baselines[arm],
                "verdict": STURDY[found.verdict],
                "result": found.model_dump(mode="json"),
            }
            for (arm, labels, name), found in table.differences.items()
            if name == one.name
        ],
    }


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
