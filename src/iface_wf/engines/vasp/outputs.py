"""From a finished VASP folder to a CalculationDocument, the same as every other engine leaves.

Energies come from OUTCAR and must agree with vasprun.xml; settings are those that the last run read, after custodian.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from monty.io import zopen
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.vasp import Vasprun

from iface_wf.builders.order import poscar_order
from iface_wf.documents.calculation import Correction
from iface_wf.engines.dispersion import D3, D4
from iface_wf.engines.vasp.agreement import require_agreement
from iface_wf.engines.vasp.grids import required_file
from iface_wf.engines.vasp.outcar import Outcar, read_outcar
from iface_wf.engines.vasp.tags import final_settings, input_marks
from iface_wf.engines.vasp.vasprun import AtomType, read_vasprun
from iface_wf.errors import CalculationError, MismatchError

ENERGY_TYPE = "extrapolated to zero smearing (e_0_energy)"
#: A single point must be of the structure that was asked for within this (A).
POSITION_TOLERANCE = 1e-3
#: Values of IALGO, and names of ALGO, that only use the density that is there.
ONE_SHOT = {2: "None", 3: "Eigenval", 4: "Subrot", 90: "Exact"}


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
    types
        Blocks of the POSCAR.
    settings
        Energy-relevant settings of the last run, flat, as `iface_wf.engines.vasp.inputs` writes them.
    marks
        Flags: inputs beside the run that are not those that it used.
    """

    directory: Path
    vasprun: Vasprun
    outcar: Outcar
    initial: Structure
    final: Structure
    types: list[AtomType]
    settings: dict[str, Any]
    marks: list[str]

    @property
    def grid(self) -> tuple[int, int, int]:
        """The fine grid, that of the densities."""
        nx, ny, nz = self.settings["grid"]
        return nx, ny, nz

    @property
    def valences(self) -> list[float]:
        """Valence electrons of each atom in its POTCAR, in the order of the POSCAR."""
        return [kind.valence for kind in self.types for _ in range(kind.atoms)]

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
    vasprun, types = read_vasprun(path)
    outcar = read_outcar(outcar_path)
    require_agreement(vasprun, outcar, types, path, outcar_path)
    return VaspRun(
        directory=directory,
        vasprun=vasprun,
        outcar=outcar,
        initial=vasprun.ionic_steps[0]["structure"],
        final=vasprun.ionic_steps[-1]["structure"],
        types=types,
        settings=final_settings(vasprun, outcar, types, directory),
        marks=input_marks(vasprun, outcar, directory),
    )


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
    order = run_order(run, wanted)
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


def run_order(run: VaspRun, wanted: Structure) -> list[int]:
    """Return the sites of the structure that was asked for in the order of the POSCAR: their own, or the one that we write.

    Raises
    ------
    MismatchError
        When the run is of other atoms.
    """
    found = [site.specie.symbol for site in run.final]
    symbols = [site.specie.symbol for site in wanted]
    for order in (list(range(len(symbols))), poscar_order(wanted)):
        if [symbols[i] for i in order] == found:
            return order
    raise MismatchError(
        f"The run in {run.directory} is of {run.final.formula}, asked for was {wanted.formula} in this order: "
        f"{' '.join(dict.fromkeys(symbols[i] for i in poscar_order(wanted)))}."
    )


def valences_of(run: VaspRun, wanted: Structure) -> list[float]:
    """Return the valence electrons of each site of the structure that was asked for, from the POTCARs used."""
    found = [0.0] * len(wanted)
    for row, site in enumerate(run_order(run, wanted)):
        found[site] = run.valences[row]
    return found


def max_force(run: VaspRun, wanted: Structure, step: int = -1) -> float | None:
    """Return the largest force on an atom that is free in the structure asked for, in one step, by default the last, eV/A."""
    forces = np.asarray(run.vasprun.ionic_steps[step].get("forces", []), dtype=float).reshape(-1, 3)
    if not len(forces):
        return None
    flags = wanted.site_properties.get("selective_dynamics")
    free = np.ones_like(forces) if flags is None else np.array(flags, dtype=float)[run_order(run, wanted)]
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


def replaces_dispersion(run: VaspRun, asked: Mapping[str, Any]) -> bool:
    """Say whether D4 was asked for of a VASP that calculated D3(BJ), whose energy then gives way to that of dftd4."""
    return asked.get("dispersion") == D4 and run.settings["dispersion"] == D3


def periodic_atoms(structure: Structure) -> Atoms:
    """Return ASE atoms that are periodic in every direction, as they are in VASP."""
    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    atoms.pbc = True
    return atoms


def energy_type(run: VaspRun) -> str:
    """Say which energy it is, and how the periodic images of an ion were treated."""
    ion = run.settings.get("IDIPOL") == 4
    return ENERGY_TYPE + (", monopole, dipole and quadrupole of images corrected (IDIPOL 4)" if ion else "")


def convergence(run: VaspRun) -> list[str]:
    """Return scf_unconverged or geometry_unconverged where OUTCAR does not say that EDIFF and EDIFFG were reached."""
    held = int(run.vasprun.parameters.get("ICHARG", 0) or 0)
    if held >= 10:
        return [f"scf_unconverged (ICHARG {held}: the density was held)"]
    algorithm = int(run.vasprun.parameters.get("IALGO", 38) or 38)
    if algorithm in ONE_SHOT:
        return [f"scf_unconverged (ALGO {ONE_SHOT[algorithm]}: the density was held)"]
    if not scf_reached(run):
        return ["scf_unconverged"]
    if run.is_relaxation and not run.outcar.ions_converged:
        return ["geometry_unconverged"]
    return []


def scf_reached(run: VaspRun) -> bool:
    """Say whether the last step's SCF reached EDIFF.

    VASP 5 says so after NELM steps too, whatever it reached: then the change of the energy in the last of them decides.
    """
    if not run.outcar.scf_converged:
        return False
    steps = run.vasprun.ionic_steps[-1]["electronic_steps"]
    steps = steps[: run.outcar.electronic_steps or len(steps)]  # linear response lists its own behind
    if len(steps) < run.vasprun.parameters["NELM"]:
        return True
    if len(steps) < 2:
        return not run.outcar.version.startswith("5.")
    change = abs(steps[-1]["e_fr_energy"] - steps[-2]["e_fr_energy"])
    return bool(change <= run.settings["EDIFF"] + 1e-9)  # both are printed with eight decimals


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
        except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError) as error:
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
