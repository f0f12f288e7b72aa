"""What commands share that take the name of a run or an arm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jetbench.cli.options import Decorator, instance_items

if TYPE_CHECKING:
    from jetbench.report.subjects import Subject

__all__ = ["suite_option", "tell_remarks"]

suite_option: Decorator = click.option(
    "--suite", shell_complete=instance_items, help="The suite or instance that has it. [default: the latest that has]"
)


def tell_remarks(subject: Subject) -> None:
    """Say what a name was taken for where it could mean more."""
    for remark in subject.remarks:
        click.echo(f"note: {remark}", err=True)
