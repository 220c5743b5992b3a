"""Interaction energies of molecules on oxides by our engines, against reference calculations of others.

Usage: python benchmarks/truth.py [--geometries DIR] [--references CSV] [--methods LIST] [--systems LIST] [--out DIR]
                                  [--report FILE] [--json] [--dry-run]

Geometries are frozen: NAME_Molecule-Surface.extxyz, NAME_Molecule.extxyz and NAME_Surface.extxyz, the last two as they are in the
first one, the surface perpendicular to c. By default they are those of shared/data/molecules_on_oxides beside this repository. The
CSV has a line for each NAME with the columns system and reference, and, where known, pbe, d3bj and d4: meV, negative = bound;
lines that begin with # are comments. By default it is molecules_on_oxides.csv beside this script.

Methods are ENGINE/LEVEL, for example gpaw/fast,gpaw/precise,xtb/fast,mlip/fast; an ML potential by name is mlip:NAME/fast. What is
calculated is what users get: single points by the engines themselves, in a cell that is open along c, A* and B* with AB's grid
and k-points, with ghost atoms where the basis is atom-centred. Each calculation is kept in --out (default: truth-results) and found
there when the script is started again, also by another process. --report writes docs/accuracy.md's tables of what is there.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import read
from pymatgen.core import Lattice, Structure

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import PARTS, WHOLE, A, B
from iface_wf.engines import registry
from iface_wf.engines.base import Engine
from iface_wf.engines.comparison import require_comparable
from iface_wf.engines.dispersion import PAIRWISE, dispersion_energies
from iface_wf.errors import IfaceError, InputError

HERE = Path(__file__).resolve().parent
GEOMETRIES = HERE.parent.parent / "shared/data/molecules_on_oxides"
WHOLE_FILE, MOLECULE_FILE, SURFACE_FILE = (f"_{part}.extxyz" for part in ("Molecule-Surface", "Molecule", "Surface"))
METHODS = "xtb/fast,mlip/fast,gpaw/fast,gpaw/moderate,gpaw/precise"
NUMBERS = ("reference", "pbe", "d3bj", "d4")
COLUMN_OF = {"D3(BJ)": "d3bj", "D4": "d4"}
#: Atoms of a part must be where they are in the whole, A.
SAME_PLACE = 1e-3
#: Empty space above and below, A; edges are whole multiples of the step that keeps grids alike, A.
VACUUM, STEP = 6.0, 0.8


@dataclass
class System:
    """A molecule on a surface, labelled, in a cell that is open along c; and its dispersion shares in the cell of its file."""

    name: str
    structure: Structure
    shares: dict[str, float]
    references: dict[str, float]


def read_references(path: Path) -> dict[str, dict[str, float]]:
    """Read the CSV, meV by system and column."""
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The references {path} cannot be read: {getattr(error, 'strerror', None) or 'no text'}."
        ) from error
    rows = csv.DictReader(lines)
    if not {"system", "reference"} <= set(rows.fieldnames or ()):
        raise InputError(f"The references {path} need the columns system and reference, and may have pbe, d3bj and d4.")
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        try:
            found[row["system"]] = {name: float(row[name]) for name in NUMBERS if (row.get(name) or "").strip()}
        except ValueError as error:
            raise InputError(f"The references {path}, {row['system']}: a number is expected ({error}).") from error
        if not np.isfinite(list(found[row["system"]].values())).all() or "reference" not in found[row["system"]]:
            raise InputError(f"The references {path}, {row['system']}: every system needs a finite reference, meV.")
    return found


def read_atoms(path: Path) -> Atoms:
    """Read one file of a geometry."""
    try:
        atoms = read(path, format="extxyz")
    except FileNotFoundError:
        raise InputError(f"The geometry {path} does not exist.") from None
    except Exception as error:
        raise InputError(f"The geometry {path} is no extended XYZ file: {str(error)[:100]}.") from error
    if not np.isfinite(atoms.positions).all() or atoms.cell.rank < 3:
        raise InputError(f"The geometry {path} needs finite positions and three cell vectors.")
    return atoms


def read_system(folder: Path, name: str, references: dict[str, float]) -> System:
    """Read the three files of a system, label its sites, and open the cell along c."""
    whole, molecule, surface = (
        read_atoms(folder / f"{name}{end}") for end in (WHOLE_FILE, MOLECULE_FILE, SURFACE_FILE)
    )
    labels: list[str | None] = [None] * len(whole)
    for part, label in ((molecule, "polymer"), (surface, "slab")):
        for atom in part:
            apart = np.linalg.norm(whole.positions - atom.position, axis=1)
            place = int(apart.argmin())
            if apart[place] > SAME_PLACE or whole[place].symbol != atom.symbol or labels[place] is not None:
                raise InputError(
                    f"The {atom.symbol} at {np.round(atom.position, 3).tolist()} of a part of {name} is not in its whole."
                )
            labels[place] = label
    if None in labels:
        raise InputError(
            f"{labels.count(None)} atoms of {folder / (name + WHOLE_FILE)} belong to neither molecule nor surface."
        )
    normal = whole.cell[2] / np.linalg.norm(whole.cell[2])
    if np.abs(whole.cell.array[:2] @ normal).max() > 1e-3:
        raise InputError(f"The surface of {name} must be perpendicular to c.")
    shares = {
        model: energy - sum(dispersion_energies(part, [], "PBE")[model] for part in (molecule, surface))
        for model, energy in dispersion_energies(whole, [], "PBE").items()
    }
    return System(name, _opened(whole, normal, labels), shares, references)


def _opened(whole: Atoms, normal: np.ndarray, labels: list[str | None]) -> Structure:
    """Return labelled sites in the middle of a cell that is open along c, cut where the atoms are farthest apart."""
    edge = float(np.linalg.norm(whole.cell[2]))
    heights = np.mod(whole.positions @ normal, edge)
    order = np.sort(heights)
    gaps = np.diff(np.append(order, order[0] + edge))
    start = order[(int(gaps.argmax()) + 1) % len(order)]
    raised = np.mod(heights - start + 1e-6, edge)
    height = float(np.ceil((np.ptp(raised) + 2 * VACUUM) / STEP) * STEP)
    shift = raised - whole.positions @ normal + (height - np.ptp(raised)) / 2
    lattice = Lattice(np.vstack([whole.cell.array[:2], normal * height]), pbc=(True, True, False))
    places = whole.positions + shift[:, None] * normal
    return Structure(
        lattice, whole.get_chemical_symbols(), places, coords_are_cartesian=True, site_properties={"component": labels}
    )


def engine_of(method: str) -> Engine:
    """Return the engine of ENGINE/LEVEL or ENGINE:MODEL/LEVEL."""
    name, _, level = method.partition("/")
    name, _, model = name.partition(":")
    engine = registry.create(
        name,
        level=level or "fast",
        overrides={"model": model} if model else {},
        **({"processes": 1} if name == "gpaw" else {}),
    )
    engine.defaults()
    return engine


def calculations(engine: Engine, system: System, tell: Any) -> dict[str, CalculationDocument]:
    """Return the single points of a system by role; each is found in the current folder, or calculated there."""
    ask = engine.make.original  # the job's own function: without a store, what is finished is found in its folder
    done: dict[str, CalculationDocument] = {}
    wanted: dict[str, tuple[list[str] | None, list[str] | None]] = {WHOLE: (None, None)}
    wanted |= {part.frozen: (list(part.components), None) for part in PARTS}
    if engine.counterpoise:
        for part, other in ((A, B), (B, A)):
            wanted[part.with_ghosts] = (list(part.components), list(other.components))
    for role, (keep, ghosts) in wanted.items():
        started = time.monotonic()
        like = done[WHOLE].settings if done else None
        options = {} if like is None or engine.engine_name != "gpaw" else {"like": like}
        done[role] = ask(engine, system.structure, keep=keep, as_ghosts=ghosts, **options)
        tell(f"{role}: {time.monotonic() - started:.0f} s")
    return done


def numbers(done: dict[str, CalculationDocument]) -> dict[str, Any]:
    """Return the interaction energy and its parts, meV."""
    require_comparable({**done, A.name: done[A.frozen], B.name: done[B.frozen]})
    untrusted = sorted({flag for document in done.values() for flag in document.flags})
    if any(not document.trustworthy for document in done.values()):
        return {"flags": untrusted}

    def interaction(of: Any, ghosts: bool = False) -> float:
        roles = [part.with_ghosts if ghosts else part.frozen for part in PARTS]
        return 1000 * float(of(done[WHOLE]) - sum(of(done[role]) for role in roles))

    result: dict[str, Any] = {"flags": untrusted, "total": interaction(lambda c: c.energy)}
    models = [m for m in PAIRWISE if all(m in c.dispersion_energies for c in done.values())]
    result |= {f"share {model}": interaction(lambda c, m=model: c.dispersion_energies[m]) for model in models}
    if models:
        corrected = A.with_ghosts in done
        result["bare"] = interaction(lambda c: c.electronic_energy, ghosts=corrected)
        if corrected:
            result["bare raw"] = interaction(lambda c: c.electronic_energy)
    result["seconds"] = sum(c.cpu_time or 0.0 for c in done.values())
    result["method"] = (
        f"{done[WHOLE].functional}, {done[WHOLE].basis}, {done[WHOLE].engine} {done[WHOLE].engine_version}"
    )
    return result


def run(systems: list[System], methods: list[str], dry_run: bool) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the numbers by method and system; what fails is told, and does not stop the rest."""
    results: dict[str, dict[str, dict[str, Any]]] = {}
    for method in methods:
        engine = engine_of(method)
        for index, system in enumerate(systems, 1):

            def tell(text: str, where: str = f"[{index}/{len(systems)}] {method} {system.name}") -> None:
                print(f"{where}: {text}", file=sys.stderr, flush=True)

            if dry_run:
                tell(f"{len(system.structure)} atoms, {5 if engine.counterpoise else 3} single points")
                continue
            try:
                engine.check(system.structure)
                results.setdefault(method, {})[system.name] = numbers(calculations(engine, system, tell))
            except IfaceError as error:
                tell(str(error))
                results.setdefault(method, {})[system.name] = {"flags": [str(error)[:200]]}
    return results


def errors(values: dict[str, float], references: dict[str, float]) -> dict[str, float] | None:
    """Return mean absolute and mean error over the systems that have both, and how many there are."""
    differences = [values[name] - references[name] for name in values if name in references]
    if not differences:
        return None
    return {
        "n": len(differences),
        "mae": float(np.abs(differences).mean()),
        "me": float(np.mean(differences)),
        "max": float(np.abs(differences).max()),
    }


def totals(of_system: dict[str, Any]) -> dict[str, float]:
    """Return the interaction energy with each dispersion model; where it is part of the method, the one that there is, meV."""
    if "total" not in of_system:
        return {}
    models = [model for model in PAIRWISE if f"share {model}" in of_system]
    if not models:
        return {"as it is": of_system["total"]}
    return {model: of_system["bare"] + of_system[f"share {model}"] for model in models}


def summarise(systems: list[System], results: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return the errors of every method, and of the dispersion shares in the cells of the files, meV."""
    reference = {s.name: s.references["reference"] for s in systems}
    bare = {s.name: s.references["pbe"] for s in systems if "pbe" in s.references}
    summary: dict[str, Any] = {"dispersion": {}, "methods": {}}
    for model, column in COLUMN_OF.items():
        of_table = {s.name: s.references[column] for s in systems if column in s.references}
        summary["dispersion"][model] = errors({s.name: 1000 * s.shares[model] for s in systems}, of_table)
        if bare:
            ideal = {s.name: bare[s.name] + 1000 * s.shares[model] for s in systems if s.name in bare}
            summary["methods"].setdefault("references' own PBE", {})[model] = errors(ideal, reference)
    for method, of_method in results.items():
        entry: dict[str, Any] = {}
        for kind in ("bare", "bare raw"):
            entry[kind] = errors({name: r[kind] for name, r in of_method.items() if kind in r}, bare)
        with_model: dict[str, dict[str, float]] = {}
        for name, of_system in of_method.items():
            for model, value in totals(of_system).items():
                with_model.setdefault(model, {})[name] = value
        entry |= {model: errors(values, reference) for model, values in with_model.items()}
        summary["methods"][method] = {kind: value for kind, value in entry.items() if value is not None}
    return summary


def tables(systems: list[System], results: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return the tables in Markdown, meV."""
    summary = summarise(systems, results)

    def row(*cells: Any) -> str:
        return "| " + " | ".join(f"{c:.0f}" if isinstance(c, float) else str(c) for c in cells) + " |"

    lines = [row("method", "n", "bare PBE - VASP, mean of sizes (largest)", "without counterpoise", "D3(BJ): MAE (ME)", "D4: MAE (ME)", "as it is: MAE (ME)"), row(*["---"] * 7)]  # fmt: skip
    for method, entry in summary["methods"].items():
        spread = [f"{e['mae']:.0f} ({e['max']:.0f})" if (e := entry.get(kind)) else "" for kind in ("bare", "bare raw")]
        if method.startswith("mlip"):
            spread = ["", ""]  # a model's energies are not meant to be those of VASP's settings
        mean = [
            f"{e['mae']:.0f} ({e['me']:+.0f})" if (e := entry.get(kind)) else "" for kind in (*PAIRWISE, "as it is")
        ]
        count = max((e["n"] for e in entry.values() if e), default=0)
        lines.append(row(method, count, *spread, *mean))
    lines += [
        "",
        row("system", "reference", "PBE (VASP)", *(f"{m} share here (table)" for m in PAIRWISE)),
        row(*["---"] * 5),
    ]
    for s in systems:
        shares = [f"{1000 * s.shares[m]:.1f} ({s.references.get(COLUMN_OF[m], '')})" for m in PAIRWISE]
        lines.append(row(s.name, s.references["reference"], s.references.get("pbe", ""), *shares))
    for method, of_method in results.items():
        lines += [
            "",
            f"`{method}` ({next((r['method'] for r in of_method.values() if 'method' in r), 'no result')}):",
            "",
        ]
        lines += [row("system", "bare", "bare, without counterpoise", *PAIRWISE, "as it is", "reference", "CPU s", "flags"), row(*["---"] * 8)]  # fmt: skip
        for s in systems:
            r = of_method.get(s.name, {})
            t = totals(r)
            cells = [r.get("bare", ""), r.get("bare raw", ""), *(t.get(m, "") for m in (*PAIRWISE, "as it is"))]
            lines.append(
                row(s.name, *cells, s.references["reference"], r.get("seconds", ""), "; ".join(r.get("flags", [])))
            )
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 2 for wrong input, in one sentence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometries", type=Path, default=GEOMETRIES)
    parser.add_argument("--references", type=Path, default=HERE / "molecules_on_oxides.csv")
    parser.add_argument("--methods", "--levels", default=METHODS, help=f"ENGINE/LEVEL,... (default {METHODS})")
    parser.add_argument("--systems", default="", help="names or parts of them, by commas; by default all of the CSV")
    parser.add_argument("--out", type=Path, default=Path("truth-results"))
    parser.add_argument("--report", type=Path, help="file for the tables")
    parser.add_argument("--json", action="store_true", help="print all numbers")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be calculated")
    given = parser.parse_args(arguments)
    try:
        references = read_references(given.references)
        parts = [part for part in given.systems.split(",") if part]
        names = [name for name in references if not parts or any(part in name for part in parts)]
        if not names:
            raise InputError(
                f"No system of {given.references} is called {given.systems}: it has {', '.join(references)}."
            )
        methods = [method for method in given.methods.split(",") if method]
        for method in methods:
            engine_of(method)
        systems = [read_system(given.geometries, name, references[name]) for name in names]
        report = given.report.resolve() if given.report else None
        given.out.mkdir(parents=True, exist_ok=True)
        os.chdir(given.out)
    except (IfaceError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    results = run(systems, methods, given.dry_run)
    text = tables(systems, results)
    if report:
        report.write_text(text, encoding="utf-8")
    print(json.dumps({"results": results, "summary": summarise(systems, results)}, indent=1) if given.json else text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
