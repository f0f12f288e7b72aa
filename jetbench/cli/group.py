"""The group of all commands, and what an error looks like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from jetbench import __version__
from jetbench.cli.calibrate import calibrate
from jetbench.cli.catalog import ls, show
from jetbench.cli.compare import compare
from jetbench.cli.data import data
from jetbench.cli.diff import diff
from jetbench.cli.doctor import doctor
from jetbench.cli.inspect import inspect
from jetbench.cli.model import model
from jetbench.cli.options import plugin_hint, plugin_option
from jetbench.cli.predict import predict
from jetbench.cli.review import report, results, ui
from jetbench.cli.run import run
from jetbench.cli.status import status
from jetbench.cli.store import store
from jetbench.cli.study import study
from jetbench.errors import JetbenchError, UnknownNameError
from jetbench.plugins import scope

__all__ = ["main"]


class Main(click.Group):
    """Shows what a user can mend as a message, and everything else as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with scope():  # what one command is given is not there for another of the same process
                return super().invoke(ctx)
        except JetbenchError as error:
            if ctx.params.get("debug"):
                raise
            hint = plugin_hint(ctx, error.name) if isinstance(error, UnknownNameError) else ""
            raise click.ClickException(f"{error}{hint}") from error
        except click.NoSuchOption as error:
            raise _as_argument(error) from error


def _as_argument(error: click.NoSuchOption) -> click.UsageError:
    """The error for an option that there is not; where the command takes an argument of that name, it gives the right form."""
    ctx, name = error.ctx, error.option_name.lstrip("-")
    if ctx is None or not any(isinstance(one, click.Argument) and one.name == name for one in ctx.command.params):
        return error
    form = f"{ctx.command_path} {name.upper()}"
    return click.UsageError(f"No such option {error.option_name!r}: the {name} stands without it, as in {form!r}", ctx)


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jetbench")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Benchmark models and training regimes on jets: fair, repeatable, tracked.

    \b
    jetbench run --suite ssl-vs-scratch      train, compare, report
    jetbench ui                              look at every run in MLflow
    jetbench ls                              what there is to combine

    Shell completion: eval "$(_JETBENCH_COMPLETE=bash_source jetbench)"; zsh and fish likewise.
    """


PLUGGED = (run, report, results, status, diff, inspect, compare, study, ls, show, data, model, predict, store)
for command in (*PLUGGED, calibrate, ui, doctor):
    main.add_command(command)


def _leaves(command: click.Command) -> Iterator[click.Command]:
    """The command itself, or those of a group."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            yield from _leaves(one)
    else:
        yield command


for command in PLUGGED:
    for leaf in _leaves(command):
        leaf.params.append(plugin_option())
