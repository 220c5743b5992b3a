"""``iface-wf store``: look after what is stored."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, say, stdout

if TYPE_CHECKING:
    from jobflow import JobStore

app = typer.Typer(help="Look after the store of all results.", no_args_is_help=True, rich_markup_mode=None)
#: Seconds between two lines of progress.
PAUSE = 5.0


@app.callback()
def _group() -> None:
    """Keep the name of the command, though there is only one."""


@app.command("migrate")
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    store: opt.Store = None,
    json: opt.Json = False,
) -> None:
    """Bring what an older version stored up to date.

    Documents get the form of today, and results the keys under which they are found today. It may be interrupted and
    started again at any time; nothing is lost.
    """
    from iface_wf.documents.kinds import kinds
    from iface_wf.flows.kinds import FlowKind
    from iface_wf.flows.request import KEY_VERSION
    from iface_wf.library import Library
    from iface_wf.store.migrate import migrate as bring_up_to_date
    from iface_wf.store.settings import open_store

    job_store, library = open_store(store), Library()
    keys = {kind.name: kind.rekeyer(job_store, library) for kind in kinds() if isinstance(kind, FlowKind)}
    done = bring_up_to_date(job_store, keys, KEY_VERSION, dry_run, _progress())
    if json:
        kept = [each._asdict() for each in done.kept]
        print_json(
            {"dry_run": dry_run, "upgraded": done.upgraded, "rekeyed": done.rekeyed, "jobs": done.jobs, "kept": kept}
        )
        return
    changed = Counter(done.upgraded) + Counter(done.rekeyed)
    if changed:
        table = plain_table("documents", "brought to today's form", "given today's key", right=("documents",))
        for kind in sorted(changed):
            table.add_row(kind, str(done.upgraded[kind]), str(done.rekeyed[kind]))
        stdout().print(table)
    for each in done.kept:
        stdout().print(f"{each.kind} {each.key[:10]} ({each.name}) keeps its key: {each.reason}")
    if dry_run:
        say("Nothing has been changed: this was a dry run.")
    elif not changed:
        say("Everything is up to date." if not done.kept else "Everything else is up to date.")


def mention_older(store: JobStore) -> None:
    """Say that results of an older version are not found under today's keys, if there are any."""
    from iface_wf.documents.kinds import kind_names
    from iface_wf.store.versions import count_older

    if count := count_older(store, kind_names()):
        say(
            f"{count} results of an older version are found by nobody who calculates until you run: iface-wf store migrate"
        )


def _progress() -> Callable[[int, int], None]:
    """Return what tells now and then how many results have been looked at."""
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > PAUSE:
            last = time.monotonic()
            say(f"{done} of {total} results")

    return tell
