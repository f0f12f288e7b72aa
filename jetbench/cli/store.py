"""`jetbench store`: shipping a folder of results to MLflow, what it takes on the disk, and freeing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from jetbench.cli.options import instance_items, store_option, tracking_option

if TYPE_CHECKING:
    from jetbench.engine.reclaim import Reclaimer

__all__ = ["store"]


@click.group()
def store() -> None:
    """Look after a folder of results."""


@store.command()
@click.argument("instances", metavar="[SUITE]...", nargs=-1, shell_complete=instance_items)
@store_option
@tracking_option
@click.pass_context
def sync(ctx: click.Context, instances: tuple[str, ...], store: str | None, tracking_uri: str | None) -> None:
    """Fill MLflow from the folders of runs: with what a server that was away lacks, or one that was chosen later.

    SUITE is a suite or study, which means its latest instance, or the name of an instance; without any, all are shipped. What
    MLflow has already is not sent again.
    """
    from jetbench.api import remembered_sessions
    from jetbench.cli.progress import show_shipping
    from jetbench.errors import BusyError

    left = 0
    for session in remembered_sessions(instances, store=store, tracking_uri=tracking_uri):
        try:
            sent, unsent = show_shipping(session)
        except BusyError as error:
            click.echo(f"passed over: {error}", err=True)
            continue
        left += unsent
        told = f"{sent} shipped to" if sent else "nothing to ship, all of it is in"
        click.echo(f"{session.plan.instance.name}: {told} {session.store.uri}")
    ctx.exit(1 if left else 0)


def _what(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from jetbench.engine.reclaim import RULES

    rules = [CompletionItem(rule) for rule in RULES if rule.startswith(incomplete)]
    return [*rules, *(one for one in instance_items(ctx, parameter, incomplete) if "." in one.value)]


@store.command()
@click.argument("what", nargs=-1, shell_complete=_what)
@click.option("--dry-run", is_flag=True, help="Say how much that is and end.")
@store_option
def gc(what: tuple[str, ...], dry_run: bool, store: str | None) -> None:
    """Free space by rules, or whole instances by name; without any, say what each rule would free.

    \b
    checkpoints   of runs that failed or were stopped, which then start anew
    trials        weights of trials that did not win
    pretrainings  weights of finished pretrainings that nothing unfinished starts from
    aside         what `jetbench run --rerun` has set aside
    plugins       files of plug-ins that no instance and no run rests on
    INSTANCE      as in ssl-vs-scratch.quick.1a2b3c4d: its runs that no other has, its reports, its experiment

    What is finished stays finished without its weights, and can be reported. Where a run has to start from reclaimed weights,
    that pretraining is trained again.
    """
    from jetbench.engine.reclaim import RULES, Reclaimer, undisturbed
    from jetbench.suites.instances import remembered
    from jetbench.tracking.store import Store, store_root

    found = Store(store_root(store))
    if dry_run or not what:
        for one in what or (*RULES, *remembered(found.root)):
            _free(Reclaimer(found), one, dry_run=True)
        return
    with undisturbed(found):
        for one in what:
            _free(Reclaimer(found), one, dry_run=False)  # looks anew: what was freed before changes what is left


def _free(reclaimer: Reclaimer, what: str, dry_run: bool) -> None:
    from jetbench.engine.reclaim import RULES

    would = "would free" if dry_run else "freed"
    if what in RULES:
        rule = RULES[what]
        size, count = rule.look(reclaimer)
        if not dry_run:
            rule.free(reclaimer)
        click.echo(f"{what:<12} {would} {_bytes(size)} of {count}: {rule.text}")
        return
    name = _instance(reclaimer, what)
    size, held = reclaimer.instance_size(name), _runs_text(reclaimer, name)
    if not dry_run:
        reclaimer.drop_instance(name)
    click.echo(f"{name} {would} {_bytes(size)}: {held}")


def _instance(reclaimer: Reclaimer, what: str) -> str:
    """Find what is no rule. Raises `UnknownNameError` that names the rules where it is no instance either."""
    from jetbench.engine.reclaim import RULES
    from jetbench.errors import StoreError, UnknownNameError

    try:
        return reclaimer.named(what).name
    except StoreError as error:
        raise UnknownNameError(f"{what!r} is no rule ({', '.join(RULES)}) and no instance: {error}") from error


def _runs_text(reclaimer: Reclaimer, name: str) -> str:
    """Say which runs of an instance go with it."""
    if name in reclaimer.lost:
        return "none of its runs, since it can no longer be planned"
    own, runs = len(reclaimer.own(name)), len(reclaimer.surveys[name].runs)
    shared = "" if own == runs else f"; the other {runs - own} are of another instance too"
    return f"{own} of its {runs} runs{shared}"


def _bytes(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
