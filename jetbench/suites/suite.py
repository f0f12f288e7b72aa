"""Suites: found by name or path, merged with a scale and overrides into an instance."""

from __future__ import annotations

from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, Literal

from jetbench.data.catalog import Dataset, datasets, find_dataset
from jetbench.errors import SuiteError, UnknownNameError
from jetbench.jets import Meta
from jetbench.registry import nearest
from jetbench.runs.environment import best_precision
from jetbench.spec import DatasetRef
from jetbench.strict import parse, read_yaml
from jetbench.suites.settings import DatasetChoice, Settings, SuiteFile
from jetbench.values import Spec

__all__ = ["Instance", "find_suite", "instantiate", "parse_override", "suite_names", "suite_text"]


class Instance(Spec):
    """A suite with scale, dataset and overrides: what an experiment, a report and a status belong to.

    It keeps what a plan and a report need to know of its data: what all jets share (`meta`, `pool_meta`), the names of their
    targets and their number; `also_meta`, `also_targets` and `also_jets` are those of the second test set. `file` is where the
    suite came from, as it was given, and empty for a shipped one. `precision` is that of the machine that planned it first.
    """

    labels_only: ClassVar[frozenset[str]] = frozenset(
        {
            *("file", "question", "source", "expected", "meta", "pool_meta", "targets", "jets"),
            *("also_meta", "also_targets", "also_jets"),
        }
    )

    suite: str
    file: str = ""
    scale: str
    question: str
    source: str = ""
    expected: str = ""
    settings: Settings
    dataset: DatasetRef
    unlabelled: DatasetRef | None = None
    also_test: DatasetRef | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    meta: Meta
    pool_meta: Meta | None = None
    targets: tuple[str, ...]
    jets: int
    also_meta: Meta | None = None
    also_targets: tuple[str, ...] = ()
    also_jets: int = 0

    @cached_property
    def name(self) -> str:
        """Suite, scale and eight digits of a digest of the settings and of the data."""
        return f"{self.suite}.{self.scale}.{self.digest()[:8]}"

    def find_dataset(self) -> Dataset:
        return _find(self.settings.dataset)

    def find_unlabelled(self) -> Dataset | None:
        return _find(self.settings.unlabelled) if self.settings.unlabelled else None

    def find_also_test(self) -> Dataset | None:
        return _find(self.settings.also_test) if self.settings.also_test else None


def suite_names() -> list[str]:
    names = [path.name for path in files("jetbench.benchmarks").iterdir()]
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def suite_text(name: str) -> str:
    """Return the text of a shipped suite by name, or of any suite file by path."""
    path: Any = files("jetbench.benchmarks") / f"{name}.yaml"
    if not path.is_file():
        path = Path(name).expanduser()
        if not path.is_file():
            raise UnknownNameError(f"no suite and no file {name!r}; {nearest(name, suite_names())}")
    try:
        return str(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise SuiteError(f"{name}: no text, so no suite; a file of jets goes to --dataset") from None


def find_suite(name: str) -> SuiteFile:
    """Read a shipped suite by name, or any suite file by path, strictly."""
    return parse(SuiteFile, read_yaml(suite_text(name), name, SuiteError), name, SuiteError)


def instantiate(
    suite: SuiteFile,
    scale: str | None = None,
    dataset: str | None = None,
    unlabelled: str | None = None,
    overrides: tuple[str, ...] = (),
    also_test: str | None = None,
) -> Instance:
    """Make an instance of the suite at a scale, with another dataset, unlabelled pool or second test set, and `key=value`
    overrides (dots descend)."""
    scale = scale or (next(iter(suite.scales)) if len(suite.scales) == 1 else suite.default_scale)
    if scale not in suite.scales:
        raise UnknownNameError(f"suite {suite.suite!r} has no scale {scale!r}; {nearest(scale, suite.scales)}")
    values = merge(suite.common, suite.scales[scale])
    for key, name in (("dataset", dataset), ("unlabelled", unlabelled), ("also_test", also_test)):
        if name is not None:
            values = {**values, key: _dataset_choice(name, values, key)}
    for override in overrides:
        values = merge(values, parse_override(override))
    settings = parse(Settings, values, f"suite {suite.suite!r} at scale {scale!r}", SuiteError)
    labelled = _find(settings.dataset)
    pool = _find(settings.unlabelled) if settings.unlabelled else None
    also = _find(settings.also_test) if settings.also_test else None
    _refuse_itself(settings, labelled, pool, also)
    return Instance(
        suite=suite.suite,
        scale=scale,
        question=suite.question,
        source=suite.source,
        expected=suite.expected,
        settings=settings,
        dataset=labelled.ref,
        unlabelled=pool.ref if pool else None,
        also_test=also.ref if also else None,
        precision=best_precision() if settings.precision == "auto" else settings.precision,
        meta=labelled.meta(),
        pool_meta=pool.meta() if pool else None,
        targets=labelled.targets(),
        jets=labelled.jets,
        also_meta=also.meta() if also else None,
        also_targets=also.targets() if also else (),
        also_jets=also.jets if also else 0,
    )


def _refuse_itself(settings: Settings, dataset: Dataset, pool: Dataset | None, also: Dataset | None) -> None:
    """What is trained on is no test set, and what is tested no pool."""
    if pool is not None and pool.ref.sha256 == dataset.ref.sha256:
        raise SuiteError(f"the unlabelled jets are the dataset itself, test jets included; {_others('unlabelled', settings)}")
    for name, trained_on in (("dataset", dataset), ("unlabelled pool", pool)):
        if also is not None and trained_on is not None and also.ref.sha256 == trained_on.ref.sha256:
            raise SuiteError(f"the second test set is the {name} itself, which is trained on; {_others('also_test', settings)}")


def _others(key: str, settings: Settings) -> str:
    """How to have other jets than those that the suite has under `key`."""
    named = getattr(settings, key).name in datasets
    return f"--set {key}.seed=1 makes others" if named else "name another file"


def _find(choice: DatasetChoice) -> Dataset:
    return find_dataset(choice.name, choice.jets, choice.seed, choice.options)


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Lay `over` on top of `base`, mapping by mapping; lists and scalars replace, None removes a key."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        elif value is None and key in merged:
            del merged[key]
        else:
            merged[key] = value
    return merged


def _dataset_choice(name: str, values: dict[str, Any], key: str) -> dict[str, Any]:
    """A named dataset keeps the scale's number of jets, a file has its own; files are known by absolute path and content. Seed
    and options that the suite gives under `key` are those of the dataset that it names there."""
    if name in datasets:
        own = values.get(key) or {}
        return {"jets": values["dataset"].get("jets"), **(own if own.get("name") == name else {}), "name": name}
    path = Path(name).expanduser()
    return {"name": str(path.absolute()) if path.exists() else name}


def parse_override(text: str) -> dict[str, Any]:
    """Return the nested mapping that `key=value` means: dots descend, the value is YAML. Raises `SuiteError` for anything
    else."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise SuiteError(f"--set takes key=value, as in seeds=3 or recipes.NAME.passes=1000, not {text!r}")
    nested: Any = read_yaml(value, f"--set {key}", SuiteError)
    for part in reversed(key.split(".")):
        nested = {part: nested}
    return nested
