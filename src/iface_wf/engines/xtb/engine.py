"""GFN-xTB by tblite: the cheap engine for pre-relaxation and for ranking placements.

Methods: GFN1-xTB (Grimme, Bannwarth, Shushkov, 10.1021/acs.jctc.7b00118), GFN2-xTB (10.1021/acs.jctc.8b01176).
GFN1 is the default: GFN2 often fails to converge on slabs with Li. tblite knows no partial periodicity: a slab is
repeated along c too, apart by its vacuum. Its energies of slabs then hang on that vacuum, by eV and without limit (a
hydroxylated quartz slab of 48 atoms: -4384.1, -4387.4, -4391.1 and -4396.3 eV at c = 16, 22, 33 and 60 A), because its
charges do. They cancel between cells of one height, so every slab and wire is calculated in one wide cell.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib import metadata
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from tblite.ase import TBLite

from iface_wf.engines.ase_engine import IMPLAUSIBLE_FORCE, AseEngine
from iface_wf.engines.document import Method
from iface_wf.engines.xtb.profile import PROFILE, WIDE_EDGE

#: What is tried, in this order, when the charges do not converge.
REMEDIES: tuple[dict[str, Any], ...] = (
    {"mixer_damping": 0.1, "max_iterations": 500},
    {"electronic_temperature": 5000.0},
)
#: Least empty space in the wide cell, A.
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


def calculator(settings: dict[str, Any]) -> TBLite:
    """Return tblite's ASE calculator for some settings."""
    known = ("method", "accuracy", "charge", "mixer_damping", "max_iterations", "electronic_temperature")
    return TBLite(**{k: settings[k] for k in known if k in settings}, verbosity=0)


@dataclass
class XtbEngine(AseEngine):
    """GFN-xTB calculations.

    Parameters
    ----------
    name, kind, level, densities, overrides, role, force, charge, processes, here
        See `iface_wf.engines.base.Engine`.
    """

    profile = PROFILE
    remedies = REMEDIES
    # those of charges that tblite found converged but that do not exist: such energies are thousands of eV too low
    implausible_force: ClassVar[float | None] = IMPLAUSIBLE_FORCE

    name: str = "xtb"

    def defaults(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """See `iface_wf.engines.base.Engine.defaults`."""
        return super().defaults(elements) | {"wide_edge": WIDE_EDGE}

    def of_structure(self, structure: Structure) -> dict[str, Any]:
        """Return charge and wide edge."""
        return {"charge": self.charge, "wide_edge": wide_edge(structure)}

    def calculator(self, settings: dict[str, Any]) -> Calculator:
        """Return tblite's calculator."""
        return calculator(settings)

    def method(self, settings: dict[str, Any]) -> Method:
        """Name the parametrisation; tblite gives the total only, dispersion within."""
        return Method(
            version=metadata.version("tblite"),
            functional=settings["method"],
            dispersion="D3(BJ)" if settings["method"] == "GFN1-xTB" else "D4",
            basis="minimal, built in",
            energy_type="total, electronic temperature 300 K unless corrected",
        )

    def atoms(self, structure: Structure) -> Atoms:
        """Return atoms in the wide cell."""
        return in_wide_cell(structure)

    def flag(self, error: Exception) -> str:
        """Flag charges that do not converge, which is what goes wrong in tblite."""
        return "scf_unconverged"


#: Jobs that wait in queues name the engine by its name of before.
XtbMaker = XtbEngine
