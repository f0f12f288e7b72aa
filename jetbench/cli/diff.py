"""`jetbench diff`: what sets two arms of a suite apart, or two runs of a store."""

from __future__ import annotations

import click

from jetbench.cli.options import scale_option, store_option, suite_items

__all__ = ["diff"]


@click.command()
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@click.option("--suite", shell_complete=suite_items, help="A and B are arms of this suite, or suite file.")
@scale_option
@store_option
def diff(one: str, other: str, suite: str | None, scale: str | None, store: str | None) -> None:
    """List every difference between two arms of a suite, or two runs of the store by name or key, as dotted paths."""
    from jetbench.suites.difference import arm_differences, chain_differences, difference_lines

    if suite is None:
        from jetbench.api import find_runs

        mine, theirs = (find_runs(what, store=store) for what in (one, other))
        click.echo("\n".join(difference_lines((one, other), chain_differences(mine, theirs))))
        return
    from jetbench.api import open_session

    found = arm_differences(open_session(suite, scale=scale, store=store).plan, one, other)
    for budgets, differences in found.items():
        if len(found) > 1:
            click.echo(f"at {', '.join(map(str, budgets))} labels")
        click.echo("\n".join(difference_lines((one, other), differences)))
