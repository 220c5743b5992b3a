"""``iface-wf build``: structures of an interface, without calculating anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import new_folder, plain_table, print_json, stdout

if TYPE_CHECKING:
    from pymatgen.core import Structure


def build(
    filler: opt.Filler,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files; new or empty.", show_default=False)],
    polymer: opt.Polymer = None,
    units: opt.Units = None,
    salt: opt.Salt = None,
    surface: opt.Surface = None,
    placements: Annotated[int, typer.Option("--placements", min=1, help="How many placements to write.")] = 1,
    all_terminations: Annotated[
        bool, typer.Option("--all-terminations", help="Write the bare slab of every termination of the surface.")
    ] = False,
    seed: opt.Seed = 0,
    json: opt.Json = False,
) -> None:
    """Build structures without calculating.

    Writes CIF, XYZ and POSCAR files and a picture of slab, molecule and interface, and prints a report. Without a
    polymer only the slab is built.
    """
    from iface_wf import api

    if all_terminations or (polymer is None and salt is None):
        built, report = api.build_slabs(filler, surface, all_terminations=all_terminations)
    else:
        built, report = api.build_parts(
            filler=filler, polymer=polymer, units=units, salt=salt, surface=surface, n_placements=placements, seed=seed
        )
    folder = new_folder(out)
    for name, structure in built.items():
        _write(structure, folder / name)
    if json:
        print_json({"folder": folder, "structures": sorted(built), "report": report})
        return
    table = plain_table("structure", "formula", "atoms", "a / Å", "b / Å", "c / Å", "charge / e",
                        right=("atoms", "a / Å", "b / Å", "c / Å", "charge / e"))  # fmt: skip
    for name, structure in built.items():
        lengths = (f"{x:.3f}" for x in structure.lattice.abc)
        charge = f"{float(structure.properties.get('charge', 0.0)):+g}"
        table.add_row(name, structure.composition.formula.replace(" ", ""), str(len(structure)), *lengths, charge)
    stdout().print(table)
    for line in _lines(report):
        stdout().print(line)
    stdout().print(f"Files in {folder}")


def _write(structure: Structure, stem: Path) -> None:
    from iface_wf.report.figures import structure_figure
    from iface_wf.report.files import write_structure

    for fmt, suffix in (("cif", ".cif"), ("xyz", ".xyz"), ("poscar", ".vasp")):
        write_structure(structure, stem.parent / f"{stem.name}{suffix}", fmt)
    structure_figure(structure, stem.name).savefig(stem.parent / f"{stem.name}.png")


def _lines(report: dict[str, Any]) -> list[str]:
    return [f"{name.replace('_', ' '):<14} {_text(value)}" for name, value in report.items() if value is not None]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, dict):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(v) for v in value)
    return str(value)
