"""GFN-xTB by tblite: the cheap engine for pre-relaxation and for ranking placements.

Methods: GFN1-xTB (Grimme, Bannwarth, Shushkov, 10.1021/acs.jctc.7b00118), GFN2-xTB (10.1021/acs.jctc.8b01176).
GFN1 is the default: GFN2 often fails to converge on slabs with Li. tblite knows no partial periodicity: a slab is
repeated along c too, apart by its vacuum. Its energies of slabs then hang on that vacuum, by eV and without limit (a
hydroxylated quartz slab of 48 atoms: -4384.1, -4387.4, -4391.1 and -4396.3 eV at c = 16, 22, 33 and 60 A), because its
charges do. They cancel between cells of one height, so every slab and wire is calculated in one wide cell.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import CalculationFailed
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from tblite.ase import TBLite

from iface_wf.documents.calculation import CalculationDocument, CalculationKind, Correction
from iface_wf.engines import base
from iface_wf.engines.cells import moved
from iface_wf.engines.levels import level_settings
from iface_wf.engines.relaxation import CHECKPOINT, relax
from iface_wf.errors import InputError

#: What is tried, in this order, when the charges do not converge.
REMEDIES: tuple[dict[str, Any], ...] = (
    {},
    {"mixer_damping": 0.1, "max_iterations": 500},
    {"electronic_temperature": 5000.0},
)


#: Forces beyond this, eV/A, are those of charges that tblite found converged but that do not exist: the energies of such
#: states are hundreds or thousands of eV too low. Relaxed and even badly compressed contacts stay well below it.
IMPLAUSIBLE_FORCE = 50.0
UNCONVERGED = "charges did not converge"

#: Edge along directions that are not periodic, A, for everything that is periodic in another direction.
WIDE_EDGE = 60.0
#: Least empty space in it, A.
WIDE_VACUUM = 12.0


def wide_edge(structure: Structure) -> float:
    """Return the edge of the wide cell of a slab or wire, A: one value unless it is too tall for that."""
    open_axes = [axis for axis, periodic in enumerate(structure.lattice.pbc) if not periodic]
    if len(open_axes) in (0, 3):
        return WIDE_EDGE
    extent = max(float(np.ptp(structure.cart_coords[:, axis])) for axis in open_axes)
    return WIDE_EDGE * float(np.ceil((extent + WIDE_VACUUM) / WIDE_EDGE))


def in_wide_cell(structure: Structure) -> Atoms:
    """Return ASE atoms with the cell in which tblite's energies of slabs and wires can be compared.

    Positions stay as they are. Molecules and crystals keep their cells.
    """
    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    atoms.pbc = structure.lattice.pbc
    if any(atoms.pbc) and not all(atoms.pbc):
        cell = atoms.cell.array.copy()
        for axis in np.flatnonzero(~atoms.pbc):
            cell[axis] *= wide_edge(structure) / np.linalg.norm(cell[axis])
        atoms.set_cell(cell)
    return atoms


@dataclass
class XtbMaker(base.EngineMaker):
    """Maker of GFN-xTB calculations; parameters as in `iface_wf.engines.base.EngineMaker`.

    Parameters
    ----------
    charge
        Total charge of the cell, e.
    """

    name: str = "xtb"
    charge: float = 0.0

    @property
    def engine_name(self) -> str:
        """Name of the engine, as in documents."""
        return "xtb"

    def request(
        self, structure: Structure, ghosts: list[int], like: dict[str, Any] | None = None
    ) -> base.CalculationRequest:
        """Write out every setting."""
        if ghosts or self.densities:
            raise InputError("xTB has neither ghost atoms nor densities: choose the gpaw engine for those.")
        settings = (
            {"charge": self.charge, "wide_edge": wide_edge(structure)}
            | level_settings("xtb", self.level)
            | self.overrides
        )
        if self.kind == "static":
            settings = {k: v for k, v in settings.items() if k not in ("fmax", "max_steps")}
        return base.CalculationRequest(
            kind=self.kind,
            engine="xtb",
            level=self.level,
            structure=structure.as_dict(),
            settings=settings,
            role=self.role,
        )

    def calculate(self, request: base.CalculationRequest, directory: Path) -> CalculationDocument:
        """Run xTB in this process."""
        started, cpu = time.time(), time.process_time()
        structure = request.atoms_structure
        atoms = in_wide_cell(structure)
        start = atoms.positions.copy()
        settings = dict(request.settings)
        corrections: list[Correction] = []
        scf_converged, geometry_converged, steps = False, request.kind == "static", 0
        energy, max_force, trouble = None, None, ""
        for remedy in REMEDIES:
            if remedy:
                settings |= remedy
                corrections.append(Correction(handler="xtb", errors=[trouble], actions=[remedy]))
            atoms.positions = start
            atoms.calc = calculator(settings)
            try:
                if request.kind == "relax":
                    geometry_converged, steps = relax(atoms, settings, directory, checkpoint=directory / CHECKPOINT)
                energy = float(atoms.get_potential_energy())
                max_force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
            except (CalculationFailed, RuntimeError):
                energy, max_force, trouble = None, None, UNCONVERGED
                continue
            if max_force > IMPLAUSIBLE_FORCE:
                trouble = f"forces of {max_force:.0f} eV/A: charges that do not exist"
                energy = None
                continue
            scf_converged = True
            break
        flags = [] if scf_converged else ["scf_unconverged" if trouble == UNCONVERGED else "implausible_forces"]
        if scf_converged and not geometry_converged:
            flags.append("geometry_unconverged")
        return CalculationDocument(
            key=request.key(),
            kind=request.kind,
            role=request.role,
            engine="xtb",
            engine_version=metadata.version("tblite"),
            level=request.level,
            functional=settings["method"],
            dispersion="D3(BJ)" if settings["method"] == "GFN1-xTB" else "D4",
            basis="minimal, built in",
            settings=settings,
            versions=base.package_versions("tblite"),
            structure=moved(structure, atoms.positions.tolist()).as_dict(),
            formula=structure.reduced_formula,
            n_atoms=len(structure),
            charge=self.charge,
            energy=energy,
            energy_type="total, electronic temperature 300 K unless corrected",
            electronic_energy=energy,
            dispersion_energy=None,  # tblite gives the total only
            max_force=max_force,
            converged=scf_converged and geometry_converged,
            ionic_steps=steps,
            corrections=corrections,
            flags=flags,
            wall_time=time.time() - started,
            cpu_time=time.process_time() - cpu,
            directory=base.location(directory),
            completed_at=base.now(),
        )


def calculator(settings: dict[str, Any]) -> TBLite:
    """Return tblite's ASE calculator for some settings."""
    known = ("method", "accuracy", "charge", "mixer_damping", "max_iterations", "electronic_temperature")
    return TBLite(**{k: settings[k] for k in known if k in settings}, verbosity=0)


@dataclass(frozen=True)
class XtbEngine(base.Engine):
    """GFN-xTB as an engine of the flows.

    Parameters
    ----------
    overrides
        Settings that replace those of the level.
    """

    overrides: dict[str, Any] | None = None
    name: str = "xtb"
    densities: tuple[str, ...] = ()

    def _maker(self, kind: CalculationKind, level: str, **options: Any) -> XtbMaker:
        return XtbMaker(kind=kind, level=level, overrides=dict(self.overrides or {}), **options)
