"""`jetbench doctor`: is everything fit for a suite, and what is to be done?"""

from __future__ import annotations

import click

from jetbench.cli.options import store_option

__all__ = ["doctor"]

SIGNS = {"ok": "ok", "note": "note", "mend": "MEND"}


@click.command()
@store_option
def doctor(store: str | None) -> None:
    """Look at packages, cores, memory, precision, GPUs, store, disk, scheduler and server, and say what to do.

    The exit status is 1 where something must be mended before a suite runs.
    """
    from jetbench.doctor import examine
    from jetbench.tracking.store import Store, store_root

    to_mend = 0
    for finding in examine(Store(store_root(store))):
        click.echo(f"{SIGNS[finding.state]:<5} {finding.what}: {finding.told}{f'; {finding.remedy}' if finding.remedy else ''}")
        to_mend += finding.state == "mend"
    click.echo(f"{to_mend} to be mended" if to_mend else "everything is fit for a suite")
    if to_mend:
        raise click.exceptions.Exit(1)
