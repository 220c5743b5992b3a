"""``iface-wf build``: structures of an interface, without calculating anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, stdout
from iface_wf.cli.request import require_filler, with_request
from iface_wf.errors import InputError

if TYPE_CHECKING:
    from pymatgen.core import Structure


@with_request(
    "engine",
    "level",
    "geometry",
    "overrides",
    "quantities",
    "processes",
    "title",
    "search",
    "partner",
    "partner_units",
    "partner_surface",
    "partner_thickness",
    "max_strain",
    "max_area",
    "shifts",
    "isomers",
    "group",
    "reaction",
    "reference",
)
def build(
    request: dict[str, Any],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the files; new or empty.", show_default=False)
    ] = None,
    all_terminations: Annotated[
        bool, typer.Option("--all-terminations", help="Write the bare slab of every termination of the surface.")
    ] = False,
    write_inputs: Annotated[
        tuple[str, Path] | None,
        typer.Option(
            "--write-inputs", metavar="vasp DIR", help="Instead: complete input folders, to be submitted by hand."
        ),
    ] = None,
    level: Annotated[str, typer.Option("--level", "-l", help="Level of --write-inputs.")] = "moderate",
    json: opt.Json = False,
) -> None:
    """Build structures without calculating.

    Writes CIF, XYZ and POSCAR files and a picture of slab, molecule and interface, and prints a report. Without a
    polymer only the slab is built.
    """
    require_filler(request)
    if write_inputs is not None:
        from iface_wf.cli import collect

        collect.write_inputs(*write_inputs, json, level=level, **({"placements": 1} | request))
        return
    if out is None:
        raise typer.BadParameter("name a new folder for the files.", param_hint="--out")
    built, report = _terminations(**request) if all_terminations else _parts(**request)
    from iface_wf.reports.paths import new_folder

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


def _parts(**request: Any) -> tuple[dict[str, Structure], dict[str, Any]]:
    """Build slab, molecule and placements; return them by name, and the report."""
    from iface_wf.api import structures

    built = structures.build(**request)
    parts = {"wire" if request.get("surface") == "wire" else "slab": built.slab}
    if built.pieces:
        parts |= {f"molecule-{i}": each.structure for i, each in enumerate(built.pieces, 1)}
    elif built.fragment is not None:
        parts["molecule"] = built.fragment
    return parts | {f"interface-{i}": each for i, each in enumerate(built.placements)}, built.report


def _terminations(
    filler: str, surface: str | None = None, seed: int = 0, **others: Any
) -> tuple[dict[str, Structure], dict[str, Any]]:
    """Build the bare slab of every termination of a surface; return them and a line about each.

    A termination that cannot be finished, for example because hydroxyl groups would overlap, is named with the reason.
    """
    from iface_wf.builders.solids.miller import resolve_surface
    from iface_wf.builders.solids.slabs import build_slab, slab_terminations
    from iface_wf.library import Library

    if others:
        raise InputError(f"--all-terminations builds bare slabs of one surface: leave out {', '.join(others)}.")
    record = Library().filler(filler)
    spec = resolve_surface(record, surface)
    slabs: dict[str, Structure] = {}
    report: dict[str, Any] = {}
    for found in slab_terminations(record, spec, seed):
        name = f"termination-{found.label.split(':')[0]}"
        kind = ", ".join(["polar" if found.polar else "not polar", *(["symmetric"] if found.symmetric else [])])
        report[name] = f"{found.label}, {found.broken_strength:.1f} e/nm^2 of bonds broken, {kind}"
        try:
            slabs[name] = build_slab(record, spec.model_copy(update={"termination": found.label}), seed=seed)
        except InputError as error:
            report[name] += f"; not built: {error}"
    return slabs, report


def _write(structure: Structure, stem: Path) -> None:
    from iface_wf.reports.figures import structure_figure
    from iface_wf.reports.files import write_structure

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
