"""What a collection of jets holds, in numbers, from one pass over it in bounded memory.

Counts, ranges, targets and duplicates are of every jet; spectra, mean images and AUCs are of a `Sample`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from jetbench.datainfo.sample import Sample, Sampler, left_out, sample_rows
from jetbench.datainfo.separation import Separation, separations
from jetbench.datainfo.totals import Totals
from jetbench.jets import Channel, Grid, Jets, Provenance
from jetbench.jets.plausibility import Plausibility
from jetbench.jets.selection import blocks
from jetbench.values import Value

__all__ = ["ChannelSummary", "MultiplicitySummary", "Spectrum", "Summary", "TargetSummary", "summarise"]

QUANTILES = (0.16, 0.5, 0.84)  # the median and the ends of the central 68 %


class ChannelSummary(Channel):
    """A channel with its range over all deposits, the mean of its values that are not zero, and their share."""

    minimum: float | None
    maximum: float | None
    mean: float | None
    occupancy: float | None


class TargetSummary(Value):
    mean: float | None
    standard_deviation: float | None
    minimum: float | None
    maximum: float | None


class MultiplicitySummary(Value):
    """Deposits per jet."""

    mean: float | None
    minimum: int | None
    maximum: int | None


class Spectrum(Value):
    """A quantity's 16 %, 50 % and 84 % quantiles per class; `column` names the sample's column that it is of. The unit is empty
    where the source does not tell it and None for a pure number."""

    column: str
    unit: str | None
    quantiles: dict[str, tuple[float, float, float]]


class Summary(BaseModel, frozen=True, extra="forbid"):
    """`classes` counts jets by class name and is empty where they have no labels. `duplicates` counts jets that are copies of
    an earlier one, `contradictions` labels that differ from another copy's. `sample` is the number of jets that `spectra` and
    `aucs` are of, `left_out` says why an observable is missing, `implausible` what jets cannot be, `warnings` and
    `remarks` come from `with_warnings`. What cannot be known (the mean of no jet) is None."""

    file: str
    jets: int
    classes: dict[str, int]
    channels: tuple[ChannelSummary, ...]
    targets: dict[str, TargetSummary]
    grid: Grid | None
    extent: float | None
    isotropic: bool
    deposits: int
    deposits_outside: int
    multiplicity: MultiplicitySummary
    empty_jets: int
    duplicates: int
    contradictions: int
    sample: int
    spectra: dict[str, Spectrum]
    aucs: tuple[Separation, ...]
    row_auc: float | None
    left_out: dict[str, str]
    implausible: tuple[str, ...]
    provenance: Provenance
    digest: str
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def summarise(jets: Jets, file: str | Path, progress: Callable[[int, int], None] | None = None) -> tuple[Summary, Sample]:
    """Summarise jets, which may be lazy and larger than memory; also return the sample that plots are drawn from. `progress`
    hears how many jets of all have been read, where they do not fit into one block.

    Raises `DataFileError` where a column holds NaN or infinite values or does not fit the others.
    """
    totals, plausibility, sample = _pass_over(jets, progress)
    counts = np.diff(jets.offsets)
    duplicates, contradictions = totals.copies(counts)
    rows = separations(sample.labels, sample.groups, {"row": sample.rows})
    summary = Summary(
        file=str(file),
        jets=len(jets),
        classes=_class_counts(jets, totals),
        channels=_channels(totals),
        targets=_targets(totals),
        grid=jets.meta.grid,
        extent=jets.meta.extent,
        isotropic=jets.meta.isotropic,
        deposits=int(counts.sum()),
        deposits_outside=totals.outside,
        multiplicity=_multiplicity(counts),
        empty_jets=int((counts == 0).sum()),
        duplicates=duplicates,
        contradictions=contradictions,
        sample=len(sample.rows),
        spectra=_spectra(sample),
        aucs=separations(sample.labels, sample.groups, sample.columns),
        row_auc=rows[0].auc if rows else None,
        left_out=left_out(jets.meta),
        implausible=plausibility.remarks(),
        provenance=jets.meta.provenance,
        digest=jets.digest,
    )
    return summary, sample


def _pass_over(jets: Jets, progress: Callable[[int, int], None] | None) -> tuple[Totals, Plausibility, Sample]:
    rows = sample_rows(len(jets))
    totals, plausibility = Totals(jets.meta), Plausibility(jets.meta)
    sampler = Sampler(jets)
    for start, block in blocks(jets):
        block.validate()
        totals.add(block)
        plausibility.add(block)
        first, last = np.searchsorted(rows, (start, start + len(block)))
        sampler.add(block, rows[first:last], start)
        if progress and len(block) < len(jets):
            progress(start + len(block), len(jets))
    return totals, plausibility, sampler.finish()


def _class_counts(jets: Jets, totals: Totals) -> dict[str, int]:
    if not totals.labels:
        return {}
    names = jets.meta.class_names
    return dict(zip(names, np.bincount(np.concatenate(totals.labels), minlength=len(names)).tolist(), strict=True))


def _channels(totals: Totals) -> tuple[ChannelSummary, ...]:
    return tuple(
        ChannelSummary(
            **channel.model_dump(),
            minimum=values.minimum,
            maximum=values.maximum,
            mean=hits.mean,
            occupancy=hits.count / values.count if values.count else None,
        )
        for channel, values, hits in zip(totals.meta.channels, totals.values, totals.hits, strict=True)
    )


def _targets(totals: Totals) -> dict[str, TargetSummary]:
    return {
        name: TargetSummary(mean=it.mean, standard_deviation=it.standard_deviation, minimum=it.minimum, maximum=it.maximum)
        for name, it in totals.targets.items()
    }


def _multiplicity(counts: np.ndarray) -> MultiplicitySummary:
    if not len(counts):
        return MultiplicitySummary(mean=None, minimum=None, maximum=None)
    return MultiplicitySummary(mean=float(counts.mean()), minimum=int(counts.min()), maximum=int(counts.max()))


def _spectra(sample: Sample) -> dict[str, Spectrum]:
    spectra = {}
    for quantity, (column, unit) in sample.quantities.items():
        values = sample.columns[column]
        quantiles = {
            name: tuple(np.quantile(values[sample.labels == k], QUANTILES).tolist())
            for k, name in enumerate(sample.groups)
            if (sample.labels == k).any()
        }
        spectra[quantity] = Spectrum(column=column, unit=unit, quantiles=quantiles)
    return spectra
