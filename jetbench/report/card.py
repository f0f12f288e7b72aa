"""The card of an exported model: what it does, what it takes, what it was made of, how good it is and where that ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jetbench.evaluation.multiclass import class_keys
from jetbench.inference.export import OPSET, TOLERANCE, Exported
from jetbench.inference.predictor import Predictor
from jetbench.models import models
from jetbench.report.rejections import UNRESOLVED, rejection_limits, rejection_text, run_rejection, seed_rejection
from jetbench.report.results import Results
from jetbench.report.subjects import Subject
from jetbench.report.words import LEVEL_TEXT, count, mean_limits, number
from jetbench.spec import Recipe, RunSpec
from jetbench.statistics.mean_rejection import MeanRejection
from jetbench.statistics.rounding import with_error
from jetbench.suites.plan import CellKey

__all__ = ["model_card"]

ASIDE = ("_se", "_low", "_high", "_total")  # ends of the keys that stand beside a metric
REJECTION, LEFT = "background_rejection_", "background_left_"  # how the keys of R_x and of the jets behind it begin


def model_card(
    found: Subject, predictor: Predictor, chain: Sequence[RunSpec], results: Results | None, exported: Exported, checked: str
) -> str:
    """Write the card in Markdown. `chain` are the specs of the run and of those before it, first to last; `results` are those of
    the run's suite, None where its metrics on test jets are not to be shown; `checked` names the jets of the check."""
    sections: dict[str, Iterator[str]] = {
        "Task": _task(found, predictor),
        "Input": _input(found, predictor, exported),
        "Data": _data(found, chain[-1]),
        "Recipe": _recipe(chain),
        "Metrics": _metrics(found, results),
        "Limits": _limits(found, predictor),
        "File": _file(found, predictor, exported, checked),
    }
    texts = [f"# {found.name}\n\n{found.instance.question}\n"]
    texts += [f"## {title}\n\n" + "\n".join(lines) + "\n" for title, lines in sections.items()]
    return "\n".join(texts)


def _task(found: Subject, predictor: Predictor) -> Iterator[str]:
    entry, classes = models[predictor.model_name], found.instance.meta.class_names
    yield f"`{entry.name}`, {entry.summary} ({entry.source}), for {predictor.spec.task.name}. It gives two arrays:"
    yield ""
    outputs, ordered = predictor.task.outputs(found.instance.meta), ", ".join(classes)
    if predictor.task.column != "label":
        yield f"- `prediction` (n,) float64: {predictor.task.column} in GeV"
        told = "the same, shifted and scaled as in the training"
    elif len(classes) == 2:
        yield f"- `prediction` (n,) float64: the probability of {classes[1]!r} against {classes[0]!r}"
        told = f"the logits of the classes in the order {ordered}" if outputs > 1 else f"the logit of {classes[1]!r}"
    else:
        yield f"- `prediction` (n, {len(classes)}) float64: the probabilities of the classes in the order {ordered}"
        told = "their logits in the same order"
    yield f"- `outputs` (n, {outputs}) float32: {told}"


def _input(found: Subject, predictor: Predictor, exported: Exported) -> Iterator[str]:
    assert predictor.preprocessing is not None
    yield f"Any number n of jets, as {' and '.join(f'`{name}`' for name in exported.inputs)}. What was fitted is in the file."
    yield ""
    yield predictor.preprocessing.fitted.told(found.instance.meta.channels)
    yield ""
    yield f"The jet axis is {_axis_told(found)}. Δeta is the pseudorapidity of a deposit minus that of the axis, Δphi its azimuth"
    yield "minus that of the axis, in [−π, π); both in radians."


def _axis_told(found: Subject) -> str:
    """What deposits are relative to, as readers and simulations of jets have it."""
    if found.instance.meta.grid is not None:
        return "the middle of the image that a jet was stored as"
    return (
        "the direction of the summed four-vector of all deposits of the jet (E-scheme), not of those alone that are kept, unless "
        "the source gives another: JetNet's files do, and cards by their key `axis`"
    )


def _data(found: Subject, spec: RunSpec) -> Iterator[str]:
    instance, origin = found.instance, found.instance.meta.provenance
    yield f"`{spec.dataset.name}`, {instance.jets} jets, digest `{spec.dataset.sha256}`:"
    yield ""
    told = {"source": origin.source, "generator": " ".join((origin.generator, origin.version)), "detector": origin.detector}
    told |= {"cuts": "; ".join(origin.cuts), "remarks": "; ".join(origin.remarks), "licence": origin.licence}
    yield from (f"- {name}: {text}" for name, text in told.items() if text.strip())
    if spec.unlabelled:
        how = "unlabelled jets beside the labels:" if spec.on_budget else "pretrained on"
        yield f"- {how} `{spec.unlabelled.name}`, digest `{spec.unlabelled.sha256}`"


def _recipe(chain: Sequence[RunSpec]) -> Iterator[str]:
    for place, spec in enumerate(chain, 1):
        how = f", weighted by `{spec.sample_weight}`" if spec.sample_weight else ""
        how += ", the head alone" if spec.trains == "head" else ""
        yield f"{place}. `{spec.objective.name}` on {_seen(spec)}{how}: {_recipe_text(spec.recipe)}; seed {spec.seed},"
        yield f"   {spec.precision}"


def _seen(spec: RunSpec) -> str:
    if spec.labels:
        beside = ", and the pool without labels" if spec.data == "budget+pool" else ""
        return f"{spec.labels} labels, a fifth of them to validate on{beside}"
    if spec.scores:
        return f"the pool with the scores of {spec.scores.teacher}"
    return "the pool with its labels" if spec.data == "pool-labelled" else "the pool without labels"


def _recipe_text(recipe: Recipe) -> str:
    """The name of a recipe, its batch size in jets, and what is not left at its default."""
    defaults = {name: field.get_default() for name, field in Recipe.model_fields.items()}
    told = {name: getattr(recipe, name) for name in defaults if name not in ("name", "augmentation")}
    parts = [f"{name} {value}" for name, value in told.items() if value != defaults[name] or name == "batch_size"]
    steps = "+".join(step.name for step in recipe.augmentation)
    return ", ".join([f"recipe `{recipe.name}`", *parts, *([f"augmentation {steps}"] if steps else [])])


def _metrics(found: Subject, results: Results | None) -> Iterator[str]:
    if results is None:
        yield "Not shown: the run is a trial that has not won, or of no suite, and no choice may depend on its test jets."
        return
    (key,) = found.keys.values()
    cell = next(cell for cell, last in results.last.items() if last == key)
    seeds, test_jets = results.seeds(cell.arm, cell.labels), results.plan.instance.settings.test_jets
    yield f"On {test_jets} test jets of the same data that no training has seen. Behind ± is the error of the test sample;"
    yield f"brackets hold {LEVEL_TEXT} intervals. Those of means over the seeds of the arm are the report's, from seeds and test"
    yield f"sample together; it has them of {results.metric.name} and of rejections."
    yield ""
    yield f"| metric | this run | mean of {count(len(seeds), 'seed')} |"
    yield "|---|---|---|"
    tested = {key.removeprefix("test/"): value for key, value in results.cells[cell].items() if key.startswith("test/")}
    for key in tested:
        if not key.endswith(ASIDE) and not key.startswith((REJECTION, LEFT)):
            yield f"| {key} | {_with_limits(key, tested)} | {_mean(results, cell, key)} |"
    rejections = {key.removesuffix("_low"): None for key in tested if key.startswith(REJECTION) and key.endswith("_low")}
    for key in rejections:  # where no background is left there is a lower end alone
        yield f"| {key} | {_rejected(run_rejection(tested, key))} | {_rejected(_mean_rejection(results, cell, key))} |"
    if rejections:
        yield ""
        yield f"{UNRESOLVED}."


def _with_limits(key: str, tested: Mapping[str, float]) -> str:
    if f"{key}_se" in tested:
        return with_error(tested[key], tested[f"{key}_se"])
    low, high = (tested.get(f"{key}{end}") for end in ("_low", "_high"))
    return f"{tested[key]:.4g}" + (f" [{low:.4g}, {high:.4g}]" if low is not None and high is not None else "")


def _rejected(found: MeanRejection | None) -> str:
    """As in the report's table: ">76" where it is not resolved."""
    if found is None:
        return ""
    limits = rejection_limits(found)
    return f"{rejection_text(found)} {f'[{limits}]' if found.resolved else f'({limits})'}"


def _mean_rejection(results: Results, cell: CellKey, key: str) -> MeanRejection | None:
    percent, _, name = key.removeprefix(REJECTION).partition("_")
    signal = class_keys(results.plan.instance.meta.class_names).index(name) if name else 1
    return seed_rejection(results, cell.arm, cell.labels, int(percent), signal)


def _mean(results: Results, cell: CellKey, key: str) -> str:
    """As the report has it: what arms are compared by with its interval, of anything else the mean alone."""
    if key == results.metric.key and (headline := results.mean(cell.arm, cell.labels)):
        return f"{number(results.metric, headline.mean)} {mean_limits(results.metric, headline)}".rstrip()
    found = results.average(cell.arm, cell.labels, f"test/{key}")
    return "" if found is None else f"{found:.4g}"


def _limits(found: Subject, predictor: Predictor) -> Iterator[str]:
    origin, labels = found.instance.meta.provenance, predictor.spec.labels
    yield f"- It knows jets of one kind: {origin.source}. On jets of another generator, detector or selection it is worse by an"
    yield "  amount that only such jets with labels tell; `jetbench predict` prints it."
    if predictor.task.column == "label":
        yield "- Its probabilities are those of a sample with the shares of classes that it was trained on, and not calibrated."
    if labels:
        yield f"- It has seen {labels} labels; another seed of the same arm gives another model."
    yield "- The metrics are those of a benchmark and stand for no measurement: no systematic uncertainty is in them."


def _file(found: Subject, predictor: Predictor, exported: Exported, checked: str) -> Iterator[str]:
    kind = f"ONNX, opset {OPSET}" if exported.format == "onnx" else "an exported program of PyTorch (`torch.export.load`)"
    yield f"- {kind}; the number of jets is free"
    yield f"- checked on {exported.jets} jets of {checked}: the largest difference to the network is {exported.difference:.1e}"
    yield f"  (tolerance {TOLERANCE:g}), as a share of the larger of a number and one"
    if predictor.spec.precision != "fp32":
        yield f"- the run computes in {predictor.spec.precision} and the file in fp32: their predictions of these jets differ by"
        yield f"  {exported.gap:.2g} at most"
    for plugin in predictor.spec.plugins:
        yield f"- code of the plug-in {plugin.name}, sha256 `{plugin.sha256[:12]}`"
    yield f"- run `{next(iter(found.keys.values()))}` of the instance `{found.instance.name}`"
    yield f"- made with {', '.join(f'{name} {release}' for name, release in exported.packages.items())}"
