"""The network of a run as a file for other programs, with its card beside it."""

from __future__ import annotations

from pathlib import Path

from jetbench.errors import RunError, StoreError
from jetbench.files import refuse_output, write_atomically
from jetbench.inference.export import Exported, Format, export
from jetbench.inference.predictor import Predictor
from jetbench.inference.sources import find_source
from jetbench.jets import Jets
from jetbench.report.card import model_card
from jetbench.report.collect import collect
from jetbench.report.loading import load_subject
from jetbench.report.subjects import Subject
from jetbench.suites.plan import Plan
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.specs import read_spec
from jetbench.tracking.store import Store

__all__ = ["card_path", "export_run"]

CHECKED = 256  # jets


def card_path(path: Path) -> Path:
    """Return where the card of an exported file stands: files of two formats of one run have one each."""
    return path.with_name(f"{path.name}.md")


def export_run(found: Subject, store: Store, format: Format, path: Path, data: str | Path | None = None) -> Exported:
    """Write the network with its preprocessing to `path`, checked on jets of its suite or of `data`, and the card beside it.

    Raises `RunError` for several runs and as `inference.export.export` does, `StoreError` where one of the files is there
    already, their folder is not, or they cannot be written, and where the suite's jets are gone. Nothing is written then.
    """
    if len(found.keys) > 1:
        raise RunError(f"{found.name!r} has {len(found.keys)} networks; name one of them: {', '.join(found.keys)}")
    card = card_path(path)
    for file in (path, card):
        refuse_output(file)
    (predictor,) = load_subject(found, store).members.values()
    name, jets = _some_jets(found, data)
    exported = export(predictor, jets, format)
    text = _card(found, store, predictor, exported, name)
    write_atomically(path, exported.content)
    write_atomically(card, text.encode())
    return exported


def _card(found: Subject, store: Store, predictor: Predictor, exported: Exported, checked: str) -> str:
    ledger, plan = Ledger(store.work), found.plan
    chain = [read_spec(ledger.folder(run.key)) for run in found.runs[0].chain]
    results = collect(plan, store) if found.reported and isinstance(plan, Plan) else None
    return model_card(found, predictor, chain, results, exported, checked)


def _some_jets(found: Subject, data: str | Path | None) -> tuple[str, Jets]:
    """The name of what an export is checked on, by default the jets of the suite, and some of these in memory."""
    dataset = found.instance.find_dataset()
    if data is None and not dataset.ready:
        raise StoreError(
            f"the jets of {found.instance.name} are not in the cache; give a file of such jets to check on: --check FILE"
        )
    source = find_source(dataset.path if data is None else data)
    return source.name, next(source.parts())[:CHECKED].read()
