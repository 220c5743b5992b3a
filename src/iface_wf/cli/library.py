"""``iface-wf library``: which fillers, polymers, molecules and salts are known."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, say, stdout

app = typer.Typer(help="Show which fillers, polymers, molecules and salts are known.", rich_markup_mode=None)
KINDS: tuple[Literal["filler", "polymer", "molecule", "salt"], ...] = ("filler", "polymer", "molecule", "salt")


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_records()


@app.command("list")
def list_records(
    kind: Annotated[
        Literal["filler", "polymer", "molecule", "salt"] | None, typer.Argument(help="Only this kind.")
    ] = None,
    json: opt.Json = False,
) -> None:
    """List all records."""
    from iface_wf.library import Library

    library = Library()
    kinds = KINDS if kind is None else (kind,)
    records = {k: library.records(k) for k in kinds}
    if json:
        print_json({k: [r.model_dump(mode="json") for r in found] for k, found in records.items()})
        return
    for k in kinds:
        for problem in library.problems(k).values():
            say(problem)
    table = plain_table("kind", "name", "also called", "what it is")
    for k, found in records.items():
        for record in found:
            table.add_row(k, record.name, ", ".join(record.aliases), record.title)
    stdout().print(table)


@app.command("show")
def show_record(
    name: Annotated[str, typer.Argument(help="Name or alias.", autocompletion=opt.any_record)],
    json: opt.Json = False,
) -> None:
    """Show one record with its sources, notes and warnings."""
    from iface_wf.errors import InputError, unknown_name
    from iface_wf.library import Library

    library = Library()
    found: dict[str, Any] = {}
    for kind in KINDS:
        try:
            found[kind] = getattr(library, kind)(name)
        except InputError:
            continue  # the next kind may know it; if none does, that is said below
    if not found:
        for kind in KINDS:
            if name.strip().casefold() in library.problems(kind):
                getattr(library, kind)(name)
        raise unknown_name(
            "filler, polymer, molecule or salt", name, [n for kind in KINDS for n in library.names(kind)]
        )
    if json:
        print_json({kind: record.model_dump(mode="json") for kind, record in found.items()})
        return
    for label, record in found.items():
        stdout().print(f"{record.name} ({label})", style="bold")
        for field, value in record.model_dump(mode="json", exclude_defaults=True, exclude={"name"}).items():
            stdout().print(f"  {field.replace('_', ' '):<20} {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_text(v)}" for k, v in value.items())
    if isinstance(value, list):
        return "; ".join(_text(v) for v in value)
    return str(value)
