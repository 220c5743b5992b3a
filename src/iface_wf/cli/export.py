"""``iface-wf export``: densities and structures for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import new_file, say
from iface_wf.errors import InputError

_DEFAULTS = {"density_difference": "cube", "density": "cube", "structure": "cif"}


def export(
    identifier: opt.Identifier,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; it must not exist.", show_default=False)],
    what: Annotated[
        Literal["density_difference", "density", "structure"],
        typer.Option("--what", help="Charge-density difference, density of the interface, or its structure."),
    ] = "structure",
    fmt: Annotated[
        Literal["cube", "chgcar", "cif", "xyz", "poscar"] | None,
        typer.Option("--format", help="cube, chgcar for densities; cif, xyz, poscar for structures."),
    ] = None,
    store: opt.Store = None,
) -> None:
    """Write a density or structure to a file."""
    new_file(out)
    from pymatgen.core import Structure

    from iface_wf.analysis.density import unpack
    from iface_wf.report.files import DENSITY_FORMATS, STRUCTURE_FORMATS, write_density, write_structure
    from iface_wf.store.results import find_density, find_result
    from iface_wf.store.settings import open_store

    chosen = fmt or _DEFAULTS[what]
    allowed = STRUCTURE_FORMATS if what == "structure" else DENSITY_FORMATS
    if chosen not in allowed:
        raise InputError(f"--what {what} can be written as {' or '.join(allowed)}, not as {chosen}.")
    job_store = open_store(store)
    document = find_result(job_store, identifier, load=what == "density_difference").document
    structure = Structure.from_dict(document.structure)
    if what == "structure":
        write_structure(structure, out, chosen)
    elif what == "density_difference":
        if document.density_difference is None:
            raise InputError(
                f"Result {document.key[:10]} has no charge-density difference: its engine gives no density."
            )
        write_density(unpack(document.density_difference.density), structure, out, chosen)
    else:
        record, atoms = find_density(job_store, document)
        write_density(unpack(record), atoms, out, chosen)
    say(f"Wrote {out}")
