"""Where jets come from: named datasets, simulated once and kept in the user's cache, and files."""

from __future__ import annotations

import glob
import os
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_cache_path

from jetbench.errors import DataFileError, SuiteError, UnknownNameError
from jetbench.files import replacing
from jetbench.registry import nearest
from jetbench.simulation.simulators import make_meta, simulators
from jetbench.spec import DatasetRef

if TYPE_CHECKING:
    from jetbench.jets import Meta
    from jetbench.processes import Workers

__all__ = ["Dataset", "cache_folder", "datasets", "find_dataset"]

datasets = simulators  # every named dataset is simulated

FIXED = {"name", "jets", "seed", "revision", "plugin"}  # fields of a recipe that are no options: given apart, or told by hand


def cache_folder() -> Path:
    """Return the folder that `JETBENCH_CACHE` names, or the user's cache folder."""
    named = os.environ.get("JETBENCH_CACHE")
    return Path(named).expanduser().absolute() if named else user_cache_path("jetbench")


@dataclass(frozen=True)
class Dataset:
    """A dataset that exists or can be made.

    `ref` identifies it by what its jets depend on: the seed key of a simulated dataset's recipe, or the content of files. `path`
    is its file, or the folder or glob that stands for its files; `jets` is its size.
    """

    ref: DatasetRef
    path: Path
    jets: int
    recipe: Any = None  # a simulation recipe, None for files that somebody brought

    @property
    def ready(self) -> bool:
        return self.recipe is None or self.path.exists()

    def meta(self) -> Meta:
        """Tell what all its jets share, before it is made too."""
        from jetbench.jets import open_jets

        return open_jets(self.path).meta if self.ready else make_meta(self.recipe)

    def targets(self) -> tuple[str, ...]:
        """Return the names of the targets that its jets have."""
        from jetbench.jets import open_jets

        return tuple(open_jets(self.path).targets) if self.recipe is None else datasets[self.recipe.name].targets

    def make(self, workers: Workers, progress: Callable[[int, int], None] | None = None) -> None:
        """Simulate it where it is not there yet; an interrupted simulation goes on where it was."""
        if not self.ready:
            from jetbench.simulation.production import simulate

            simulate(self.recipe, self.path, workers=workers, progress=progress)

    def write(self, path: Path, workers: Workers, progress: Callable[[int, int], None] | None = None) -> None:
        """Simulate it into a file of another place, or copy it there where it is simulated already.

        Raises `DataFileError` for files that somebody brought, `SimulationError` where other jets stand at `path`.
        """
        from jetbench.simulation.production import simulate

        if self.recipe is None:
            raise DataFileError(f"{self.path}: there already, and nothing makes it; name a simulated dataset, or copy the file")
        if self.ready and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                shutil.copyfile(self.path, temporary)
        simulate(self.recipe, path, workers=workers, progress=progress)


def find_dataset(name: str | Path, jets: int | None = None, seed: int = 0, options: Mapping[str, Any] | None = None) -> Dataset:
    """Find a named dataset of `jets` jets, its recipe varied by `options`, or files of jets: one by its path, several by their
    folder or a glob (`jets-*.h5`). Files are read through once, and again where they have changed.

    Raises `UnknownNameError` where it is neither, `SuiteError` for options that there are not, `SimulationError` for values that
    make no sense, `DataFileError` where a file is missing, not one of jets, or holds others than it was written with.
    """
    if isinstance(name, str) and name in datasets:
        if jets is None:
            raise SuiteError(
                f"say how many jets of {name!r} to simulate: `jets` beside its name, as in --set unlabelled.jets=20000"
            )
        recipe = _recipe(name, jets, seed, options or {})
        ref = DatasetRef(name=name, sha256=recipe.seed_key)
        return Dataset(ref, cache_folder() / f"{name}-{jets}-{ref.sha256[:12]}.h5", jets, recipe)
    path = Path(name).expanduser().absolute()
    named = isinstance(name, str) and not (path.suffix or os.sep in name or glob.has_magic(name))
    if isinstance(name, str) and named and not path.exists():
        valid = nearest(name, (dataset.name for dataset in datasets))
        raise UnknownNameError(f"{name!r} is neither a dataset nor a file; {valid}", name)
    if options:
        raise SuiteError(f"{name}: a file of jets has no options ({', '.join(options)}); those are of simulated datasets")
    return _stored(path)


def _recipe(name: str, jets: int, seed: int, options: Mapping[str, Any]) -> Any:
    entry = datasets[name]
    recipe = entry.load()
    valid = set(recipe.model_fields) - FIXED
    for option in options:
        if option not in valid:
            raise SuiteError(f"dataset {name!r} has no option {option!r}; {nearest(option, valid)}")
    code = {"plugin": entry.plugin.sha256} if entry.plugin else {}
    return recipe(jets=jets, seed=seed, **code, **options)


def _stored(path: Path) -> Dataset:
    """Files that somebody brought, by what they hold and not by what they say: a suite that is finished looks no further."""
    from jetbench.jets import open_jets, verify

    try:
        stored = open_jets(path)
    except DataFileError as error:
        raise _foreign(path) or error from None
    return Dataset(DatasetRef(name=path.stem, sha256=verify(path, cache=cache_folder())), path, len(stored))


def _foreign(path: Path) -> DataFileError | None:
    """Explain how to convert a file, or those of a glob, of another format; None for any other file."""
    from jetbench.formats.files import expand
    from jetbench.formats.reading import detect

    try:
        name = detect(expand(path)[0]).name
    except (DataFileError, OSError):
        return None
    command = f"jetbench data convert {shlex.quote(str(path))} -o jets.h5"
    return DataFileError(f"{path}: of the format {name}; convert it first: {command}")
