"""Options that several commands share, and how they complete."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

__all__ = [
    "dataset_argument",
    "dataset_items",
    "instance_argument",
    "instance_items",
    "plugin_hint",
    "plugin_option",
    "scale_option",
    "store_option",
    "study_items",
    "suite_items",
    "tracking_option",
    "workers_option",
]


def suite_items(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete names of shipped suites, and files."""
    from jetbench.suites.suite import suite_names

    names = [CompletionItem(name) for name in suite_names() if name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="file")]


def study_items(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete names of shipped studies, and files."""
    from jetbench.suites.study_file import study_names

    names = [CompletionItem(name) for name in study_names() if name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="file")]


def instance_items(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete names of suites and of the instances that the store has seen."""
    from jetbench.errors import JetbenchError
    from jetbench.suites.instances import remembered
    from jetbench.suites.suite import suite_names
    from jetbench.tracking.store import store_root

    try:
        seen = remembered(store_root(ctx.params.get("store")))
    except (JetbenchError, OSError):
        seen = {}
    suites = dict.fromkeys([*(instance.title for instance in seen.values()), *suite_names()])
    return [CompletionItem(name) for name in (*suites, *seen) if name.startswith(incomplete)]


def dataset_items(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from jetbench.data.catalog import datasets

    names = [CompletionItem(entry.name) for entry in datasets if entry.name.startswith(incomplete)]
    return names or [CompletionItem(incomplete, type="file")]


def _use(ctx: click.Context, parameter: click.Parameter, files: tuple[str, ...]) -> None:
    from jetbench.plugins import use

    for file in files:
        use(file)


def plugin_option() -> click.Option:
    """Return an option for plug-ins, whose names are there before any other parameter is read."""
    told = "A Python file that adds models, objectives, datasets or others; can be given again for another."
    file = click.Path(dir_okay=False)
    return click.Option(
        ["--plugin"], multiple=True, type=file, metavar="FILE", help=told, callback=_use, is_eager=True, expose_value=False
    )


PATH = click.Path(dir_okay=False, path_type=Path)
STORE = "jetbench.store"  # where a context keeps the option, for what is said of an error


def _note(ctx: click.Context, parameter: click.Parameter, store: str | None) -> str | None:
    ctx.meta[STORE] = store
    return store


def plugin_hint(ctx: click.Context, name: str) -> str:
    """Say which file that the store of a command keeps of a plug-in has a name that is unknown without it; empty for none."""
    from jetbench.plugins import kept_with
    from jetbench.tracking.store import store_root

    root = store_root(ctx.meta.get(STORE))
    found = kept_with(root, name) if name else []
    if not found:
        return ""
    others = f" (and {len(found) - 1} other forms of it)" if len(found) > 1 else ""
    return f"; {root} keeps the plug-in {found[0].name}{others}, which has it: add --plugin {shlex.quote(str(found[0]))}"


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

store_option: Decorator = click.option(
    "--store",
    type=click.Path(file_okay=False),
    callback=_note,
    help="Folder of results. [default: JETBENCH_STORE, or ./mlruns]",
)
tracking_option: Decorator = click.option(
    "--tracking-uri",
    metavar="URI",
    help='MLflow server, or "local" for the folder\'s own database. [default: JETBENCH_TRACKING_URI, or MLFLOW_TRACKING_URI]',
)
scale_option: Decorator = click.option("--scale", help="smoke, quick, full, or another scale of the suite. [default: its own]")
# a suite's name, which means its latest instance, or the name of an instance or its beginning
instance_argument: Decorator = click.argument("suite", shell_complete=instance_items)
dataset_argument: Decorator = click.argument("dataset", shell_complete=dataset_items)


def workers_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that name workers elsewhere, as its parameter `elsewhere`: what `Execution.run` is given."""

    @click.option("--scheduler", metavar="ADDRESS", help="Train on the workers of a Dask scheduler, as tcp://host:8786.")
    @click.option("--scheduler-file", type=PATH, help="The same, by the file that `dask scheduler --scheduler-file` writes.")
    @click.option("--cluster", type=PATH, help="Train in jobs of a batch system: a file that says which, and what they ask for.")
    @wraps(command)
    def named(*given: Any, scheduler: str | None, scheduler_file: Path | None, cluster: Path | None, **options: Any) -> Any:
        ways = {"--scheduler": scheduler, "--scheduler-file": scheduler_file, "--cluster": cluster}
        named = [name for name, value in ways.items() if value is not None]
        if len(named) > 1:
            raise click.UsageError(f"{' and '.join(named)} do not go together; give one of them")
        elsewhere = {"scheduler": scheduler or scheduler_file, "cluster": cluster}
        return command(*given, elsewhere={name: value for name, value in elsewhere.items() if value is not None}, **options)

    return named
