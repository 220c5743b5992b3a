"""From a finished VASP folder to a CalculationDocument, the same as every other engine leaves.

Energies come from OUTCAR and must agree with vasprun.xml; settings are those that the last run read, after custodian.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from monty.io import zopen
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Vasprun

from iface_wf.documents.calculation import Correction
from iface_wf.engines.vasp.choices import CELL_TAGS, GRID_TAGS, METHOD_TAGS
from iface_wf.engines.vasp.grids import required_file
from iface_wf.engines.vasp.inputs import plain, poscar_order
from iface_wf.engines.vasp.outcar import Outcar, read_outcar
from iface_wf.errors import CalculationError, MismatchError

ENERGY_TYPE = "extrapolated to zero smearing (e_0_energy)"
#: Files of one run must agree on its free energy within this (eV).
ENERGY_TOLERANCE = 1e-5
#: A single point must be of the structure that was asked for within this (A).
POSITION_TOLERANCE = 1e-3

FUNCTIONAL_NAMES = {"PE": "PBE", "PS": "PBEsol", "RP": "RPBE", "RE": "revPBE", "91": "PW91", "CA": "LDA", "--": "PBE"}
DISPERSION_NAMES = {
    1: "D2", 10: "D2", 11: "D3(0)", 12: "D3(BJ)", 13: "D4", 2: "TS", 20: "TS", 21: "TS+SCS", 4: "dDsC",
    202: "MBD@rSC", 263: "MBD@rSC/FI",
}  # fmt: skip


@dataclass(frozen=True)
class VaspRun:
    """A finished run, read from its files.

    Attributes
    ----------
    directory
        Where the files are.
    vasprun, outcar
        Both files, checked against each other.
    initial, final
        Structures in the order of the POSCAR.
    settings
        Energy-relevant settings of the last run, flat, as `iface_wf.engines.vasp.inputs` writes them.
    """

    directory: Path
    vasprun: Vasprun
    outcar: Outcar
    initial: Structure
    final: Structure
    settings: dict[str, Any]

    @property
    def grid(self) -> tuple[int, int, int]:
        """The fine grid, that of the densities."""
        nx, ny, nz = self.settings["grid"]
        return nx, ny, nz

    @property
    def valences(self) -> dict[str, float]:
        """Valence electrons of each element, from the POTCARs used."""
        return dict(zip(atom_types(self.vasprun), self.outcar.valences, strict=True))

    @property
    def is_relaxation(self) -> bool:
        """Whether the ions were allowed to move."""
        return bool(self.vasprun.parameters.get("NSW", 0) > 0 and self.vasprun.parameters.get("IBRION", -1) >= 0)

    @property
    def n_electrons(self) -> float:
        """Electrons treated, e."""
        return float(self.vasprun.parameters["NELECT"])


def read_run(directory: Path) -> VaspRun:
    """Read the files of a finished run.

    Parameters
    ----------
    directory
        Folder with vasprun.xml and OUTCAR, compressed or not.

    Returns
    -------
    VaspRun
        With all numbers finite.

    Raises
    ------
    CalculationError
        Naming the file that is missing, cut off, damaged or of another run.
    """
    path = required_file(directory, "vasprun.xml")
    outcar_path = required_file(directory, "OUTCAR")
    vasprun = _vasprun(path)
    outcar = read_outcar(outcar_path)
    last = vasprun.ionic_steps[-1]
    for what, values in (
        ("energies", [last["e_fr_energy"]]),
        ("forces", last.get("forces", [])),
        ("positions", vasprun.final_structure.frac_coords),
        ("cell", vasprun.final_structure.lattice.matrix),
    ):
        if not np.isfinite(np.asarray(values, dtype=float)).all():
            raise CalculationError(f"{path} is damaged: the {what} of its last step are no finite numbers.")
    if abs(last["e_fr_energy"] - outcar.free_energy) > ENERGY_TOLERANCE:
        raise CalculationError(
            f"{path} and {outcar_path.name} are not of one run: free energies {last['e_fr_energy']} and "
            f"{outcar.free_energy} eV."
        )
    if len(atom_types(vasprun)) != len(outcar.valences):
        raise CalculationError(f"{path} and {outcar_path.name} are not of one run: unlike numbers of elements.")
    return VaspRun(
        directory=directory,
        vasprun=vasprun,
        outcar=outcar,
        initial=vasprun.ionic_steps[0]["structure"],
        final=vasprun.final_structure,
        settings=final_settings(vasprun),
    )


def atom_types(vasprun: Vasprun) -> list[str]:
    """Return the element of each block of the POSCAR."""
    return [str(symbol) for symbol, _ in groupby(vasprun.atomic_symbols)]


def _vasprun(path: Path) -> Vasprun:
    try:
        vasprun = Vasprun(str(path), parse_dos=False, parse_eigen=False, parse_potcar_file=False)
        steps = vasprun.ionic_steps
        complete = bool(steps and steps[-1]["electronic_steps"]) and "e_fr_energy" in steps[-1]
        sites = {len(vasprun.atomic_symbols), *(len(step["structure"]) for step in steps)}
        forces = [len(step["forces"]) for step in steps if "forces" in step]
        symbols = [site.specie.symbol for site in vasprun.final_structure]
        needed = [vasprun.parameters[name] for name in ("ENMAX", "NELECT", "NELM", "ISPIN", *GRID_TAGS)]
    except Exception as error:  # the parser raises whatever a damaged file makes it stumble over
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise CalculationError(f"{path} cannot be used: it is cut off or damaged ({reason}).") from error
    if not complete or not needed or len({*sites, *forces}) != 1 or symbols != list(vasprun.atomic_symbols):
        raise CalculationError(f"{path} cannot be used: its last step is not complete.")
    return vasprun


def final_settings(vasprun: Vasprun) -> dict[str, Any]:
    """Return the energy-relevant settings that a run used, under the names that we write.

    Parameters
    ----------
    vasprun
        The parsed file: its INCAR is the one read by the last run, its parameters have the defaults filled in.

    Returns
    -------
    dict
        xc, dispersion, kpoints, grid, potcars, potcar_titles, hubbard, and INCAR tags.
    """
    incar, parameters = dict(vasprun.incar), dict(vasprun.parameters)
    tags: dict[str, Any] = {}
    for name in (*METHOD_TAGS, *CELL_TAGS, "EDIFF", "ISPIN"):
        value = parameters.get(name) if name in GRID_TAGS else incar.get(name, parameters.get(name))
        value = _canonical(name, plain(value))
        if value is not None:
            tags[name] = value
    tags["ENCUT"] = float(parameters["ENMAX"])
    elements = atom_types(vasprun)
    titles = dict(zip(elements, [str(t) for t in vasprun.potcar_symbols], strict=False))
    symbols = {element: [*title.split(), element, element][1] for element, title in titles.items()}
    settings: dict[str, Any] = {
        "xc": functional(tags, incar, titles.values()),
        "dispersion": dispersion(tags),
        "kpoints": list(kpoints(vasprun)),
        "grid": [int(tags[name]) for name in GRID_TAGS[3:]],
        "potcars": symbols,
        "potcar_titles": titles,
        "hubbard": hubbard(incar, elements),
    }
    return settings | tags


def _canonical(name: str, value: Any) -> Any:
    """Write one meaning in one way, whatever the version; None for what is not in force."""
    if name == "PREC" and value is not None:
        return {"a": "Accurate", "n": "Normal", "s": "Single", "h": "High", "m": "Medium", "l": "Low"}.get(
            str(value).strip()[:1].lower(), value
        )
    if name in ("GGA", "METAGGA"):
        text = str(value or "").strip().upper()
        return None if text in ("", "NONE", "F", "FALSE", "--" if name == "METAGGA" else "") else text
    if name == "LREAL" and isinstance(value, str):
        return {"a": "Auto", "o": "On", "t": True, "f": False}.get(value.strip(".").lower()[:1], value)
    if name == "DIPOL" and value is not None and min(value) < -99:
        return None  # VASP's mark for: not given
    if name in ("IVDW", "IDIPOL") and not value:
        return None
    if name in ("LDIPOL", "ADDGRID", "LUSE_VDW", "LHFCALC") and not value:
        return None
    if name in ("BPARAM", "AEXX", "HFSCREEN") and not value:
        return None
    return value


def functional(tags: Mapping[str, Any], incar: Mapping[str, Any], titles: Iterable[str]) -> str:
    """Name the functional from the tags, and where they say nothing from the POTCARs.

    Parameters
    ----------
    tags
        Tags in force, one meaning written in one way.
    incar
        As the run read it.
    titles
        Of the POTCARs.
    """
    if "METAGGA" in tags:
        name = {"R2SCAN": "r2SCAN"}.get(tags["METAGGA"], str(tags["METAGGA"]))
    else:
        written = str(tags.get("GGA") or incar.get("GGA") or "--").upper()
        name = FUNCTIONAL_NAMES.get(written, written)
        first = next(iter(titles), "PAW_PBE")
        if written == "--" and not first.startswith("PAW_PBE"):
            name = "PW91" if "GGA" in first else "LDA"
    if tags.get("LHFCALC"):
        name = f"{name} hybrid"
    return name


def dispersion(tags: Mapping[str, Any]) -> str | None:
    """Name the dispersion from the tags, None if there is none."""
    if tags.get("LUSE_VDW"):
        return "rVV10" if "METAGGA" in tags or tags.get("GGA") == "ML" else "vdW-DF"
    number = tags.get("IVDW")
    return None if number is None else DISPERSION_NAMES.get(int(number), f"IVDW={number}")


def kpoints(vasprun: Vasprun) -> tuple[int, int, int]:
    """Return the mesh; for an explicit list or KSPACING the number of points as (n, 1, 1)."""
    mesh = [float(n) for n in vasprun.kpoints.kpts[0]] if vasprun.kpoints is not None and vasprun.kpoints.kpts else []
    if len(mesh) == 3 and all(n.is_integer() and n >= 1 for n in mesh):
        return int(mesh[0]), int(mesh[1]), int(mesh[2])
    return len(vasprun.actual_kpoints), 1, 1


def hubbard(incar: Mapping[str, Any], elements: list[str]) -> dict[str, list[float]]:
    """Return angular momentum, U and J (eV) of the elements with DFT+U."""
    if not incar.get("LDAU"):
        return {}
    rows = [list(incar.get(name, [])) for name in ("LDAUL", "LDAUU", "LDAUJ")]
    return {
        element: [int(level), float(u), float(j)]
        for element, level, u, j in zip(elements, *rows, strict=False)
        if level >= 0 and (u or j)
    }


def in_order(run: VaspRun, wanted: Structure) -> Structure:
    """Put the final positions back into the order and labels of the structure that was asked for.

    Parameters
    ----------
    run
        The run, its atoms in the order of the POSCAR.
    wanted
        The structure of the request.

    Returns
    -------
    Structure
        Same sites and properties, cell and positions of the end; atoms that crossed the edge of the cell are kept
        beside their neighbours.

    Raises
    ------
    MismatchError
        When the run is of other atoms, or a single point of other positions or another cell.
    """
    order = poscar_order(wanted)
    symbols = [wanted[i].specie.symbol for i in order]
    if symbols != [site.specie.symbol for site in run.final]:
        raise MismatchError(
            f"The run in {run.directory} is of {run.final.formula}, asked for was {wanted.formula} in this order: "
            f"{' '.join(dict.fromkeys(symbols))}."
        )
    start = wanted.frac_coords[order]
    moved = run.final.frac_coords - start
    moved -= np.round(moved)
    if not run.is_relaxation:
        shift = float(np.abs(moved @ wanted.lattice.matrix).max())
        cell = float(np.abs(run.final.lattice.matrix - wanted.lattice.matrix).max())
        if max(shift, cell) > POSITION_TOLERANCE:
            raise MismatchError(
                f"The run in {run.directory} is of another structure than asked for: positions differ by up to "
                f"{shift:.2g} A, the cell by {cell:.2g} A."
            )
    structure = wanted.copy()
    structure.lattice = Lattice(run.final.lattice.matrix, pbc=wanted.lattice.pbc)
    for row, i in enumerate(order):
        structure[i].frac_coords = start[row] + moved[row]
    return structure


def max_force(run: VaspRun, wanted: Structure) -> float | None:
    """Return the largest force on an atom that is free in the structure asked for, in the last step, eV/A."""
    forces = np.asarray(run.vasprun.ionic_steps[-1].get("forces", []), dtype=float).reshape(-1, 3)
    if not len(forces):
        return None
    flags = wanted.site_properties.get("selective_dynamics")
    free = np.ones_like(forces) if flags is None else np.array(flags, dtype=float)[poscar_order(wanted)]
    return float(np.linalg.norm(forces * free, axis=1).max())


def dispersion_energy(run: VaspRun) -> float:
    """Return the pairwise dispersion energy, eV, 0 where there is none or it is part of the functional.

    Raises
    ------
    CalculationError
        When the INCAR asks for one and OUTCAR has none.
    """
    if run.outcar.dispersion is not None:
        return run.outcar.dispersion
    if run.settings["dispersion"] is not None and "IVDW" in run.settings:
        raise CalculationError(
            f"The run in {run.directory} asks for {run.settings['dispersion']}, but its OUTCAR has no dispersion energy."
        )
    return 0.0


def energy_type(run: VaspRun) -> str:
    """Say which energy it is, and how the periodic images of an ion were treated."""
    ion = run.settings.get("IDIPOL") == 4
    return ENERGY_TYPE + (", monopole, dipole and quadrupole of images corrected (IDIPOL 4)" if ion else "")


def convergence(run: VaspRun) -> list[str]:
    """Return scf_unconverged or geometry_unconverged where they apply."""
    steps = len(run.vasprun.ionic_steps[-1]["electronic_steps"])
    if not run.outcar.scf_converged or steps >= run.vasprun.parameters["NELM"]:
        return ["scf_unconverged"]
    if run.is_relaxation and not run.outcar.ions_converged:
        return ["geometry_unconverged"]
    return []


def read_corrections(directory: Path) -> list[Correction]:
    """Return what custodian changed, from its log; none when there is no log.

    Raises
    ------
    CalculationError
        When the log is damaged.
    """
    corrections = []
    for ending in ("", ".gz"):
        path = directory / f"custodian.json{ending}"
        if not path.is_file():
            continue
        try:
            with zopen(path, mode="rt", encoding="utf-8") as handle:
                log = json.loads(handle.read())
            for entry in log:
                for found in entry["corrections"]:
                    corrections.append(_correction(found))
        except (ValueError, KeyError, TypeError, OSError, EOFError) as error:
            raise CalculationError(f"{path} cannot be used: {error}.") from error
        break
    return corrections


def _correction(found: Mapping[str, Any]) -> Correction:
    actions: list[dict[str, Any]] = []
    for action in found["actions"] or []:
        changes = action.get("action", {})
        changed = changes.get("_set") if action.get("dict") == "INCAR" else None
        actions.append(dict(changed) if changed else dict(action))
    return Correction(
        handler=str(found["handler"].get("@class", "")), errors=[str(e) for e in found["errors"]], actions=actions
    )
