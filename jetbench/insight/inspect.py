"""`inspect`: one page on what a run has learnt, what it looks at and where it fails."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jetbench.insight.activations import find_layer
from jetbench.insight.attributions import need_captum
from jetbench.insight.evidence import gather
from jetbench.insight.inspection import Inspection
from jetbench.insight.prong_shares import prong_shares, sentence
from jetbench.insight.sections import activations, attributions, curves, embedding, prongs, residuals, summary, wrongest
from jetbench.insight.write import write_page
from jetbench.report.subjects import Subject

__all__ = ["PAGE", "Inspected", "inspect_subject"]

PAGE = "inspect"  # what its files in the folder of a run begin with
QUESTION = "What does {} look at, and where does it fail?"


@dataclass(frozen=True)
class Inspected:
    """The files of an inspection, the page first, what to tell people of it, and what to warn them of."""

    files: tuple[Path, ...]
    told: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def inspect_subject(subject: Subject, store: Path, layers: tuple[str, ...] = (), folder: Path | None = None) -> Inspected:
    """Write the page of a subject into a folder: by default that of its first run, so that it is an artifact of that. `layers`
    are those of the encoder whose activations are shown, by default its stages.

    Raises `UnknownNameError` for a layer that there is not, and `MissingPackageError` without the package of attributions.
    """
    inspection = Inspection(subject, gather(subject, store), layers)
    _check(inspection)
    shares = prong_shares(inspection)
    contents = [
        summary.render(inspection),
        curves.render(inspection),
        wrongest.render(inspection),
        residuals.render(inspection),
        attributions.render(inspection),
        prongs.render(inspection, shares) if shares else None,
        activations.render(inspection),
        embedding.render(inspection),
    ]
    found = [content for content in contents if content is not None]
    question = QUESTION.format(subject.name)
    own, instance = inspection.shown.run.folder.path, subject.plan.instance
    files = write_page(folder or own, PAGE, instance, question, {}, found, subject.faults, tidy=folder in (None, own))
    told = [sentence(shares, subject.name)] if shares else []
    told = [*summary.reasons(inspection), *summary.one_class(inspection), *told]
    return Inspected(tuple(files), tuple(told), tuple(subject.faults_told))


def _check(inspection: Inspection) -> None:
    """Refuse what cannot be done before anything is computed."""
    if not inspection.no_maps:
        need_captum()
    if inspection.layers and not inspection.shown.no_model:
        network = inspection.shown.predictor.network
        assert network is not None
        for name in inspection.layers:
            find_layer(network.encoder, name)
