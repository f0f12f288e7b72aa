"""`jetbench diff`: what sets two arms or two runs apart."""

from __future__ import annotations

import click

from jetbench.cli.options import instance_items, scale_option, store_option

__all__ = ["diff"]


@click.command()
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@click.option(
    "--suite",
    shell_complete=instance_items,
    help="Whose they are: a suite or instance that the store has run, or else a shipped suite or suite file. "
    "[default: the latest that has them]",
)
@scale_option
@store_option
def diff(one: str, other: str, suite: str | None, scale: str | None, store: str | None) -> None:
    """List every difference between two arms or two runs, as dotted paths.

    Two arms, as in scratch simclr, are compared at all of their label budgets. A run is scratch/n1000/s0, or any by its name or
    the beginning of its key, finished or not.
    """
    from jetbench.api import compare_specs
    from jetbench.suites.difference import difference_lines

    found, remarks, tuned = compare_specs(one, other, suite=suite, scale=scale, store=store)
    for remark in remarks:
        click.echo(f"note: {remark}", err=True)
    for budgets, differences in found.items():
        if len(found) > 1:
            click.echo(f"at {', '.join(map(str, budgets))} labels")
        click.echo("\n".join(difference_lines((one, other), differences)))
    for line in tuned:
        click.echo(line)
