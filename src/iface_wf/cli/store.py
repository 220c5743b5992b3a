"""``iface-wf store``: look after what is stored."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iface_wf.cli import marks, transfer
from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, progress_of, say, stdout

if TYPE_CHECKING:
    from jobflow import JobStore

    from iface_wf.store.check import Findings
    from iface_wf.store.damage import Damage

app = typer.Typer(help="Look after the store of all results.", no_args_is_help=True, rich_markup_mode=None)
app.command("list")(marks.list_results)
app.command("tag")(marks.tag)
app.command("note")(marks.note)
app.command("title")(marks.title)
app.command("reject")(marks.reject)
app.command("delete")(marks.delete)
app.command("copy")(transfer.copy)
app.command("export")(transfer.export)
app.command("import")(transfer.import_)


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

    job_store, library = open_store(store, create=False), Library()
    keys = {kind.name: kind.rekeyer(job_store, library) for kind in kinds() if isinstance(kind, FlowKind)}
    done = bring_up_to_date(job_store, keys, KEY_VERSION, dry_run, progress_of("results"))
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


@app.command("check")
def check(store: opt.Store = None, json: opt.Json = False) -> None:
    """Read everything and compare it with its checksums.

    Documents that are damaged, or whose density is missing, are named; the exit code is 1 when there are any. Nothing is
    changed.
    """
    from iface_wf.store.check import check as look
    from iface_wf.store.settings import open_store

    with open_store(store, create=False) as job_store:
        found = look(job_store, progress_of("documents"))
    if json:
        print_json(_as_json(found))
    else:
        for sentence in found.sentences():
            stdout().print(sentence, soft_wrap=True)
        say(_counted(found))
        if not found.good:
            say("What is damaged is left out of tables and calculated again; iface-wf store repair sets it aside.")
    if not found.good:
        raise typer.Exit(1)


@app.command("repair")
def repair(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    store: opt.Store = None,
    json: opt.Json = False,
) -> None:
    """Set aside what is damaged; nothing is deleted.

    Damaged documents, and those whose density is missing, go to where nothing looks for them (set_aside), so they are
    calculated again when they are asked for. Of a file whose pages are damaged everything that can be read is copied into a
    new one, and the old one is kept. Documents of earlier versions get a checksum.
    """
    from iface_wf.store.check import check as look
    from iface_wf.store.repair import seal, set_aside
    from iface_wf.store.salvage import salvage
    from iface_wf.store.settings import file_of, open_store, require_store

    require_store(store)
    path = file_of(store)
    saved = salvage(path, dry_run) if path is not None and path.is_file() else None
    told = (
        ""
        if saved is None
        else f"{saved.saved.total()} entries can be read of the damaged file, {saved.lost.total()} cannot and are lost"
    )
    if saved is not None and saved.kept_as is not None:
        told += f"; the damaged file is now {saved.kept_as}"
    if saved is not None and dry_run:  # of what cannot be read nothing more can be said
        print_json({"dry_run": True, "salvaged": saved.saved, "lost": saved.lost}) if json else say(f"{told}.")
        return
    with open_store(store) as job_store:
        found = look(job_store, progress_of("documents"))
        sealed = found.unsealed.total()
        if not dry_run:
            set_aside(job_store, found)
            sealed = seal(job_store, found, progress_of("checksums"))
    if json:
        more = {} if saved is None else {"salvaged": saved.saved, "lost": saved.lost, "kept_as": saved.kept_as}
        print_json({"dry_run": dry_run, "sealed": sealed, **more, **_as_json(found)})
        return
    if told:
        say(f"{told}.")
    for sentence in found.sentences():
        stdout().print(sentence, soft_wrap=True)
    aside = len(found.damaged) + len(found.torn)
    verb = "would be" if dry_run else "have been"
    say(f"{aside} documents {verb} set aside, {sealed} {verb} given a checksum.")


@app.command("backup")
def backup(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; it must not exist.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.")] = False,
    store: opt.Store = None,
) -> None:
    """Copy the file of the store, as it is at one moment, while others write.

    The copy is a store itself. A store on a MongoDB server is copied by mongodump.
    """
    from iface_wf.store.backup import backup as copy
    from iface_wf.store.settings import open_store

    with open_store(store, create=False) as job_store:
        count = copy(job_store, out, force)
    say(f"Wrote {count} documents to {out}")


def _as_json(found: Findings) -> dict[str, Any]:
    def named(damaged: dict[Any, Damage]) -> list[dict[str, str]]:
        return [each._asdict() for each in damaged.values()]

    return {
        "ok": found.good,
        "documents": found.documents,
        "without_checksum": found.unsealed,
        "damaged": named(found.damaged),
        "density_missing": named(found.torn),
        "pages": found.pages,
    }


def _counted(found: Findings) -> str:
    unsealed = found.unsealed.total()
    old = f", {unsealed} of them without checksum (iface-wf store repair gives them one)" if unsealed else ""
    bad = len(found.damaged) + len(found.torn)
    if found.pages:
        read = f"{found.documents.total()} documents looked at{old}"
        return f"{read}; {bad} damaged, unreadable or without density; the file itself is damaged, there may have been more."
    return f"{found.documents.total()} documents read{old}; {bad or 'none'} damaged or without density."


def mention_older(store: JobStore) -> None:
    """Say that results of an older version are not found under today's keys, if there are any."""
    from iface_wf.documents.kinds import kind_names
    from iface_wf.store.versions import count_older

    if count := count_older(store, kind_names()):
        say(
            f"{count} results of an older version are found by nobody who calculates until you run: iface-wf store migrate"
        )
