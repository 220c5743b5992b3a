"""Options that several commands share, with completion of names that reads file names only."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

from iface_wf.engines import registry
from iface_wf.engines.profile import BUILT_IN, LEVEL_NAMES

SORT_KEYS = (
    "binding_energy",
    "binding_energy_raw",
    "interaction_energy",
    "charge_transfer_polymer",
    "charge_transfer_slab",
    "filler",
    "polymer",
)


def record_names(kind: str) -> list[str]:
    """List the names of the library's records of a kind by their file names, without reading them."""
    package = Path(__file__).resolve().parents[1]
    roots = [package / "data" / "structures", package.parents[1] / "structures"]
    if own := os.environ.get("IFACE_WF_LIBRARY"):
        roots.append(Path(own).expanduser())
    else:
        import platformdirs

        roots.append(platformdirs.user_config_path("iface-wf") / "library")
    return sorted({p.stem for root in roots for p in (root / f"{kind}s").glob("*.y*ml")}, key=str.casefold)


def _complete(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    def matches(incomplete: str) -> list[str]:
        return [n for n in names() if n.casefold().startswith(incomplete.casefold())]

    return matches


_fillers = _complete(lambda: record_names("filler"))
_polymers = _complete(lambda: record_names("polymer"))
_salts = _complete(lambda: record_names("salt"))
molecule_names = _complete(lambda: record_names("molecule"))
_engines = _complete(registry.names)
_cheap_engines = _complete(registry.cheap_names)
_levels = _complete(lambda: LEVEL_NAMES)
_sort_keys = _complete(lambda: SORT_KEYS)
any_record = _complete(lambda: (n for kind in ("filler", "polymer", "molecule", "salt") for n in record_names(kind)))


_KEY = (
    """CASE WHEN json_type(doc, '$."output"') = 'array' OR json_type(doc, '$."output"."key"') = 'array' THEN '[' """
    """ELSE json_extract(doc, '$."output"."key"') END"""
)
_TIME = (
    """CASE WHEN json_type(doc, '$."completed_at"') = 'array' THEN '[' ELSE json_extract(doc, '$."completed_at"') END"""
)

_RESULTS = """SELECT json_extract(doc, '$.output.key'), json_extract(doc, '$.output.filler'), json_extract(doc, '$.output.polymer'),
json_extract(doc, '$.output.salt') FROM (SELECT doc FROM docs_outputs WHERE CHOSEN)
WHERE json_type(doc, '$.output.terms') = 'array'"""


def result_ids(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """List the newest results of a store that is a file, those whose key begins so, each with what it is of.

    It reads the file as it is and says nothing of what is wrong with it: a shell that completes must not wait, nor complain.
    """
    import sqlite3

    given = ctx.params.get("store") or os.environ.get("IFACE_WF_STORE") or ""
    if not re.fullmatch(r"[0-9a-f]{0,64}", incomplete) or given.startswith("mongodb"):
        return []
    path = Path(re.sub(r"^sqlite:///", "", given)).expanduser() if given else _default_store()
    # by the indexes of the store, see `iface_wf.store.embedded`: files of a gigabyte are asked, too
    chosen = f"{_KEY} >= ? AND {_KEY} < ? LIMIT 500" if incomplete else f"1 ORDER BY {_TIME} DESC LIMIT 500"
    question = _RESULTS.replace("CHOSEN", chosen)
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1.0)
        try:
            rows = connection.execute(question, (incomplete, f"{incomplete}g") if incomplete else ()).fetchall()
        finally:
            connection.close()
    except (sqlite3.Error, OSError, ValueError):
        return []
    found = {str(key)[:10]: " + ".join(str(each) for each in names if each) for key, *names in rows if key}
    return list(found.items())[:50]


def _default_store() -> Path:
    import platformdirs

    return platformdirs.user_data_path("iface-wf") / "store.sqlite"


Filler = Annotated[
    str | None,
    typer.Option(
        "--filler",
        "-f",
        help="Name from the library (see `iface-wf library`), or your own CIF, POSCAR, extended XYZ or YAML file.",
        autocompletion=_fillers,
        show_default=False,
    ),
]
Polymer = Annotated[
    str | None,
    typer.Option(
        "--polymer",
        "-p",
        help="Name from the library, or a PSMILES with two * ends, such as '*CCO*'.",
        autocompletion=_polymers,
        show_default=False,
    ),
]
Units = Annotated[int | None, typer.Option("--units", "-n", help="Repeat units; default: the polymer's own.")]
Salt = Annotated[
    str | None,
    typer.Option("--salt", help="Salt beside the polymer, or alone, e.g. LiTFSI.", autocompletion=_salts),
]
Surface = Annotated[
    str | None,
    typer.Option(
        "--surface", help="Miller indices such as 101 or '1 0 -1', or wire; default: the filler's first surface."
    ),
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine",
        "-e",
        help=f"Allowed: {', '.join(BUILT_IN)}, and those of other packages (see `iface-wf doctor`).",
        autocompletion=_engines,
    ),
]
Geometry = Annotated[
    str | None,
    typer.Option(
        "--geometry",
        help="Cheap engine that ranks the placements and, at level fast, relaxes, for example xtb, mlip or mlip:7net-0; default: "
        "xtb, or the engine itself where that is a cheap one.",
        autocompletion=_cheap_engines,
        show_default=False,
    ),
]
Level = Annotated[
    str | None, typer.Option("--level", "-l", help=f"Allowed: {', '.join(LEVEL_NAMES)}.", autocompletion=_levels)
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of conformers and placements.")]
Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        help="A file, or a mongodb:// URI; default: $IFACE_WF_STORE, else a file in your data folder.",
        show_default=False,
    ),
]
Workdir = Annotated[
    Path | None,
    typer.Option("--workdir", help="Folder of the calculations; default: ./iface-wf-runs.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable JSON on stdout and nothing else there.")]
Identifier = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="First characters of the key or uuid of a result.",
        autocompletion=result_ids,
        show_default=False,
    ),
]
FilterFiller = Annotated[str | None, typer.Option("--filler", "-f", autocompletion=_fillers, help="Only this filler.")]
FilterPolymer = Annotated[
    str | None, typer.Option("--polymer", "-p", autocompletion=_polymers, help="Only this polymer.")
]
FilterSalt = Annotated[str | None, typer.Option("--salt", autocompletion=_salts, help="Only this salt.")]
FilterEngine = Annotated[str | None, typer.Option("--engine", "-e", autocompletion=_engines, help="Only this engine.")]
FilterLevel = Annotated[str | None, typer.Option("--level", "-l", autocompletion=_levels, help="Only this level.")]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        autocompletion=_sort_keys,
        help="Column to sort by; a leading - reverses. Default: what is asked for first.",
    ),
]
Where = Annotated[
    str | None, typer.Option("--where", help="Conditions, e.g. 'binding_energy < -0.5 and n_atoms <= 200'.")
]
KindName = Annotated[
    str | None, typer.Option("--kind", help="Which kind of result; default: binding energies.", show_default=False)
]
TableFormat = Annotated[
    Literal["table", "csv", "json", "md", "latex", "xlsx", "parquet"] | None,
    typer.Option("--format", help="Default: what the suffix of --out says, else a table for the terminal."),
]
TableOut = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        help="File instead of stdout: .csv, .json, .md, .tex, .xlsx or .parquet; it must not exist.",
        show_default=False,
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns", help="Which, with commas between; `help` lists all with their units.", show_default=False
    ),
]
Wide = Annotated[
    bool, typer.Option("--wide", help="All columns and whole flags, however wide the terminal is; so it is in pipes.")
]
Project = Annotated[
    str | None, typer.Option("--project", help="Name of the queue's project; default: the only one, or iface-wf.")
]
Worker = Annotated[
    str | None, typer.Option("--worker", "-W", help="Where to run; default: the project's first worker.")
]
