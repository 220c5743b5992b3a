"""``iface-wf export``: densities and structures for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import say


def export(
    identifier: opt.Identifier,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="File to write, or folder of --all; it must not exist.", show_default=False),
    ],
    what: Annotated[
        Literal["density_difference", "density", "structure"],
        typer.Option("--what", help="Charge-density difference, density of the interface, or its structure."),
    ] = "structure",
    fmt: Annotated[
        Literal["cube", "chgcar", "cif", "xyz", "poscar"] | None,
        typer.Option(
            "--format",
            help="cube, chgcar for densities; cif, xyz, poscar for structures. Default: what the name of --out says.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Write A, B, AB and the charge-density difference into the folder --out.")
    ] = False,
    store: opt.Store = None,
) -> None:
    """Write a density or structure to a file."""
    from iface_wf.api import files

    say(f"Wrote {files.export(identifier, out, 'all' if everything else what, fmt, store=store)}")
