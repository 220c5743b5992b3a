"""``iface-wf store list``, ``tag``, ``note``, ``reject`` and ``delete``: what people say of results, and do to them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import number, plain_table, print_json, say, stdout
from iface_wf.errors import InputError


def list_results(
    filler: opt.FilterFiller = None,
    polymer: opt.FilterPolymer = None,
    salt: opt.FilterSalt = None,
    engine: opt.FilterEngine = None,
    level: opt.FilterLevel = None,
    where: opt.Where = None,
    kind: opt.KindName = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only results with this tag.")] = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Only results that were rejected by hand.")] = False,
    store: opt.Store = None,
    json: opt.Json = False,
) -> None:
    """List what is stored, with times, tags and notes."""
    from iface_wf.api import stored
    from iface_wf.documents.kinds import get_kind
    from iface_wf.store.annotate import marks_of, rejection
    from iface_wf.store.results import method_of
    from iface_wf.store.settings import open_store

    opened = open_store(store, create=False)
    table = stored.results(
        opened, kind=kind, where=where, filler=filler, polymer=polymer, salt=salt, engine=engine, level=level
    )
    said = marks_of(opened, table.attrs["kind"])
    headline = get_kind(table.attrs["kind"]).headline
    rows: list[dict[str, Any]] = []
    for row in table.sort_values("completed_at", kind="stable").to_dict("records"):
        tags, note = said.get(str(row["uuid"]), ([], ""))
        why = rejection(row["flags"])
        if (tag is None or tag in tags) and (why is not None or not rejected):
            names = {name: row[name] for name in ("key", "completed_at", "filler", "surface", "polymer", "salt")}
            marks = {"tags": tags, "note": note, "rejected": why}
            rows.append({**names, "method": method_of(row), headline: row[headline], **marks})
    if json:
        print_json({"units": {headline: table.attrs["units"][headline]}, "rows": rows})
        return
    shown = plain_table("ID", "finished", "what", "method", headline, "tags", "note", right=("ID", headline))
    for each in rows:
        what = " ".join(
            str(each[name]) for name in ("filler", "surface", "polymer", "salt") if isinstance(each[name], str)
        )
        told = [*([f"REJECTED: {each['rejected']}"] if each["rejected"] is not None else []), each["note"]]
        shown.add_row(each["key"][:8], each["completed_at"][:16], what, each["method"], number(each[headline]),
                      ", ".join(each["tags"]), "; ".join(filter(None, told)))  # fmt: skip
    if rows:
        stdout().print(shown)
    say(f"{len(rows)} results" if rows else "No result matches.")


def tag(
    identifier: opt.Identifier,
    tags: Annotated[list[str], typer.Argument(metavar="TAG...", help="Words.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take these tags away.")] = False,
    store: opt.Store = None,
) -> None:
    """Add tags to a result, to list it by them."""
    from iface_wf.store.annotate import tag as mark
    from iface_wf.store.settings import open_store

    with open_store(store, create=False) as opened:
        left = mark(opened, identifier, [] if remove else tags, tags if remove else [])
    say(f"Tags: {', '.join(left) or 'none'}")


def note(
    identifier: opt.Identifier,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The note; an empty one takes it away.")],
    store: opt.Store = None,
) -> None:
    """Keep a note beside a result."""
    from iface_wf.store.annotate import note as mark
    from iface_wf.store.settings import open_store

    with open_store(store, create=False) as opened:
        mark(opened, identifier, text)
    say("Noted." if text.strip() else "The note is gone.")


def title(
    identifier: opt.Identifier,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The title; an empty one takes it away.")],
    store: opt.Store = None,
) -> None:
    """Give a result a title of your own, shown in tables, on pages and in figures."""
    from iface_wf.store.annotate import entitle
    from iface_wf.store.settings import open_store

    with open_store(store, create=False) as opened:
        entitle(opened, identifier, text)
    say("Its title is changed." if text.strip() else "The title is gone.")


def reject(
    identifier: opt.Identifier,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is shown with the result.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
    store: opt.Store = None,
) -> None:
    """Mark a result as not to be believed: it is neither ranked nor compared, and run does not hand it out."""
    from iface_wf.store.annotate import accept
    from iface_wf.store.annotate import reject as mark
    from iface_wf.store.settings import open_store

    with open_store(store, create=False) as opened:
        key = accept(opened, identifier) if undo else mark(opened, identifier, reason)
    say(f"The result {key[:10]} {'counts again' if undo else 'is rejected; --undo takes it back'}.")


def delete(
    identifier: opt.Identifier,
    calculations: Annotated[
        bool, typer.Option("--with-calculations", help="Also those of its calculations that no other result rests on.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, it is only said what would go.")] = False,
    store: opt.Store = None,
) -> None:
    """Delete a result, and say what depends on it."""
    from iface_wf.store.annotate import delete as remove
    from iface_wf.store.annotate import plan_deletion
    from iface_wf.store.settings import open_store

    with open_store(store, create=False) as opened:
        planned = plan_deletion(opened, identifier, calculations)
        going = f" with its calculations {', '.join(planned.calculations)}" if planned.calculations else ""
        say(f"{'Deleting' if yes else 'To be deleted:'} the result {planned.key[:10]}{going}.")
        for role, keys in planned.shared.items():
            say(f"Its calculation {role} stays: {', '.join(key[:10] for key in keys)} rest on it.")
        if not calculations:
            say(
                "Its calculations stay, from which iface-wf run puts it together again; --with-calculations deletes them."
            )
        if not yes:
            raise InputError("Nothing has been deleted: --yes deletes.")
        remove(opened, planned)
