"""`compare`: one page on two or more subjects, on the same test jets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from jetbench.insight.attributions import need_captum
from jetbench.insight.evidence import gather
from jetbench.insight.inspect import Inspected
from jetbench.insight.inspection import Inspection
from jetbench.insight.sections import correlation, curves_together, disagreements, specs, summary, verdicts
from jetbench.insight.side_by_side import SideBySide, common_seed
from jetbench.insight.write import write_page
from jetbench.report.subjects import Subject
from jetbench.report.words import joined
from jetbench.tracking.store import Store

__all__ = ["compare_subjects", "comparison_folder", "comparison_name"]

PAGE = "compare"
QUESTION = "How do {} differ on the same jets?"


def compare_subjects(subjects: Sequence[Subject], store: Store, folder: Path | None = None) -> Inspected:
    """Write the page of subjects into a folder, by default their `comparison_folder`; the first is the baseline of the others.

    Raises `StoreError` for subjects that cannot be set side by side, and `MissingPackageError` without the package of
    attributions.
    """
    given = SideBySide(common_seed([Inspection(subject, gather(subject, store.root)) for subject in subjects]))
    given.check()
    if any(not one.no_maps for one in given.inspections):
        need_captum()
    contents = [
        verdicts.render(given),
        specs.render(given),
        curves_together.render(given),
        correlation.render(given),
        disagreements.render(given),
    ]
    instance = subjects[0].plan.instance
    alone = [reason for reason in summary.reasons(given.baseline) if given.baseline.no_jets]
    told = {"Jets": alone[0]} if alone else {}
    question, faults = QUESTION.format(joined([one.name for one in subjects])), [name for one in subjects for name in one.faults]
    own = comparison_folder(subjects, store)
    files = write_page(
        folder or own, PAGE, instance, question, told, contents, list(dict.fromkeys(faults)), tidy=folder in (None, own)
    )
    spoilt = [sentence for one in subjects for sentence in one.faults_told]
    return Inspected(tuple(files), (*alone, *verdicts.sentences(given)), (*spoilt, *given.warnings()))


def comparison_folder(subjects: Sequence[Subject], store: Store) -> Path:
    """Return where the page of subjects lies beside the report of the first one's instance."""
    name = re.sub(r"[^\w.-]+", "-", comparison_name(subjects))
    return store.root / "reports" / subjects[0].plan.instance.name / "compare" / name


def comparison_name(subjects: Sequence[Subject]) -> str:
    """Name the comparison for people and trackers: "simclr/n100 against scratch/n100"."""
    first, *others = (subject.name for subject in subjects)
    return f"{joined(others)} against {first}"
