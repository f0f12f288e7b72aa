"""The summary of a collection of jets as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jetbench.datainfo.sample import with_unit
from jetbench.datainfo.separation import LEAK
from jetbench.datainfo.summary import Spectrum, Summary
from jetbench.statistics.intervals import LEVEL

__all__ = ["summary_text"]

MARGIN = 14


def summary_text(summary: Summary) -> str:
    """Write facts, then tables of channels, targets, spectra per class and AUCs, then warnings and remarks."""
    tables = (_channels(summary), _targets(summary), _spectra(summary), _aucs(summary))
    blocks = [[_fact(name, value) for name, value in _facts(summary)], *(_aligned(rows) for rows in tables if len(rows) > 1)]
    if notes := [*_notes("warning", summary.warnings), *_notes("remark", summary.remarks)]:
        blocks.append(notes)
    return "\n\n".join("\n".join(block) for block in blocks)


def _fact(name: str, value: str) -> str:
    return f"{name:<{MARGIN}}{value}"


def _facts(summary: Summary) -> Iterator[tuple[str, str]]:
    yield "file", summary.file
    yield "jets", str(summary.jets)
    yield "classes", ", ".join(f"{name}: {count}" for name, count in summary.classes.items()) or "none, the jets have no labels"
    per_jet = summary.multiplicity
    spread = f", {per_jet.mean:.1f} per jet ({per_jet.minimum} to {per_jet.maximum})" if per_jet.mean is not None else ""
    yield "deposits", f"{summary.deposits}{spread}"
    yield "duplicates", str(summary.duplicates)
    yield "frame", _frame(summary)
    yield from _origin(summary)
    yield "digest", summary.digest
    for name, reason in summary.left_out.items():
        yield "left out", f"{name}: {reason}"


def _frame(summary: Summary) -> str:
    grid, extent = summary.grid, summary.extent
    if grid is not None:
        text = f"{grid.rows}×{grid.columns} pixels over ±{grid.eta_extent:g} × ±{grid.phi_extent:g}"
    else:
        text = "no pixels" + (f", jets fill ±{extent:g}" if extent is not None else "")
    return text + ("" if summary.isotropic else ", phi is special: only mirrors are symmetries")


def _origin(summary: Summary) -> Iterator[tuple[str, str]]:
    origin = summary.provenance
    generator = f"{origin.generator} {origin.version}".strip()
    code = f"code {origin.code}" if origin.code else ""
    yield "provenance", "; ".join(part for part in (origin.source, generator, origin.detector, code) if part)
    for file in origin.files:
        yield "source", f"{file.name}, {file.jets} jets, sha256 {file.sha256[:16]}…"
    remarks = tuple(part for part in origin.remarks if part not in summary.warnings)  # each sentence once
    for name, parts in (("cut", origin.cuts), ("remark", remarks), ("licence", (origin.licence,))):
        yield from ((name, part) for part in parts if part)
    for repair, jets in origin.repairs:
        yield "repaired", f"{repair}: {jets} jets"
    for cause, rows in origin.dropped:
        yield "not converted", f"{rows} rows, each of which {cause}"


def _channels(summary: Summary) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("channel", "kind", "role", "minimum", "maximum", "mean≠0", "occupancy")]
    for c in summary.channels:
        kind = c.combine + (f" by {c.weight}" if c.weight else "")
        share = "–" if c.occupancy is None else f"{100 * c.occupancy:.1f} %"
        rows.append((with_unit(c.name, c.unit), kind, c.role, _number(c.minimum), _number(c.maximum), _number(c.mean), share))
    return rows


def _targets(summary: Summary) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("target", "mean", "deviation", "minimum", "maximum")]
    for name, t in summary.targets.items():
        rows.append((name, *map(_number, (t.mean, t.standard_deviation, t.minimum, t.maximum))))
    return rows


def _spectra(summary: Summary) -> list[Sequence[str]]:
    """Median and central 68 % per class; the heads say which column each is of."""
    heads = [it.column if it.unit is None else with_unit(it.column, it.unit) for it in summary.spectra.values()]
    classes = dict.fromkeys(name for it in summary.spectra.values() for name in it.quantiles)
    rows = [(name, *(_quantiles(it, name) for it in summary.spectra.values())) for name in classes]
    return [("median (68 %)", *heads), *rows]


def _quantiles(spectrum: Spectrum, name: str) -> str:
    low, median, high = spectrum.quantiles[name]
    return f"{median:.4g} ({low:.4g} to {high:.4g})"


def _aucs(summary: Summary) -> list[Sequence[str]]:
    several = len(summary.classes) > 2
    rows: list[Sequence[str]] = [("column alone", "AUC", f"{100 * LEVEL:g} %", "larger for" if not several else "best for", "")]
    for it in summary.aucs:
        interval = f"{_four(it.low)} to {_four(it.high)}"
        names = list(summary.classes)
        side = it.class_name if it.larger or several else names[0]
        if several:
            side += " (larger)" if it.larger else " (smaller)"
        rows.append((it.column, f"{it.auc:.4f}", interval, side, f"above {LEAK}" if it.auc > LEAK else ""))
    return rows


def _notes(kind: str, sentences: Sequence[str]) -> list[str]:
    return [_fact(kind, sentence) for sentence in sentences]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _four(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
