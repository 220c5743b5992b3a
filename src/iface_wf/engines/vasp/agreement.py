"""What OUTCAR and vasprun.xml both say must agree: so files of two runs, and a damaged digit, are seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from pymatgen.io.vasp import Vasprun

from iface_wf.engines.vasp.choices import GRID_TAGS
from iface_wf.engines.vasp.outcar import Outcar
from iface_wf.engines.vasp.vasprun import AtomType
from iface_wf.errors import CalculationError

#: Files of one run must agree on its energies within this (eV).
ENERGY_TOLERANCE = 1e-5
#: The last electronic step and Edisp are printed apart from their sum, which is rounded once more (eV).
DISPERSION_TOLERANCE = 5e-5
#: NELECT and ENCUT are printed with four decimals and with one.
ELECTRON_TOLERANCE, CUTOFF_TOLERANCE = 1e-3, 0.06
#: Forces are printed with six decimals (eV/A).
FORCE_TOLERANCE = 2e-5


def require_agreement(vasprun: Vasprun, outcar: Outcar, types: Sequence[AtomType], path: Path, other: Path) -> None:
    """Refuse logs that contradict each other.

    Parameters
    ----------
    vasprun, outcar, types
        What was read.
    path, other
        The files, for the message.

    Raises
    ------
    CalculationError
        Naming both files and the first thing in which they differ.
    """
    for what, one, two in _differences(vasprun, outcar, types):
        raise CalculationError(f"{path} and {other.name} are not of one run, or damaged: {what} {one} and {two}.")


def _differences(vasprun: Vasprun, outcar: Outcar, types: Sequence[AtomType]) -> Iterator[tuple[str, object, object]]:
    last, parameters = vasprun.ionic_steps[-1], vasprun.parameters
    free = last["e_fr_energy"]
    if abs(free - outcar.free_energy) > ENERGY_TOLERANCE:
        yield "free energies (eV)", free, outcar.free_energy
    if len(types) != len(outcar.valences):
        yield "numbers of atom types", len(types), len(outcar.valences)
    for kind, valence in zip(types, outcar.valences, strict=False):
        if abs(kind.valence - valence) > 0.01:
            yield f"valence electrons of {kind.element}", kind.valence, valence
    titles = tuple(" ".join(kind.title.split()) for kind in types)
    if outcar.titles and titles != outcar.titles:
        yield "POTCARs", titles, outcar.titles
    for what, one, two, tolerance in (
        ("NELECT", parameters["NELECT"], outcar.n_electrons, ELECTRON_TOLERANCE),
        ("ENCUT (eV)", parameters["ENMAX"], outcar.cutoff, CUTOFF_TOLERANCE),
    ):
        if two is not None and abs(one - two) > tolerance:
            yield what, one, two
    asked = next((value for name, value in vasprun.incar.items() if name.upper() == "ENCUT"), None)
    if asked is not None and abs(float(asked) - parameters["ENMAX"]) > CUTOFF_TOLERANCE:
        yield "ENCUT (eV), asked for and used in the first of them,", asked, parameters["ENMAX"]
    for printed, names in ((outcar.coarse_grid, GRID_TAGS[:3]), (outcar.grid, GRID_TAGS[3:])):
        grid = tuple(int(parameters[name]) for name in names)
        if printed is not None and grid != printed:
            yield "grids", grid, printed
    divisions = vasprun.kpoints.kpts[0] if vasprun.kpoints is not None and vasprun.kpoints.kpts else ()
    mesh = tuple(int(n) for n in divisions)
    if outcar.mesh is not None and len(vasprun.kpoints.kpts) == 1 and mesh != outcar.mesh:
        yield "meshes of k-points", mesh, outcar.mesh
    yield from _energies(vasprun, outcar)
    yield from _forces(vasprun, outcar)


def _energies(vasprun: Vasprun, outcar: Outcar) -> Iterator[tuple[str, object, object]]:
    """Compare what is added to the energy of the last electronic step, which both files hold: the entropy, and Edisp."""
    step = vasprun.ionic_steps[-1]["electronic_steps"][-1]
    if {"e_fr_energy", "e_0_energy"} <= set(step):
        one, two = step["e_0_energy"] - step["e_fr_energy"], outcar.energy - outcar.free_energy
        if abs(one - two) > ENERGY_TOLERANCE:
            yield "energies at zero smearing above the free energies (eV)", round(one, 8), round(two, 8)
    if outcar.dispersion is not None and outcar.electronic_energy is not None:
        one = outcar.free_energy - outcar.electronic_energy
        if abs(one - outcar.dispersion) > DISPERSION_TOLERANCE:
            yield "dispersion energies (eV), from totals and printed,", round(one, 5), outcar.dispersion


def _forces(vasprun: Vasprun, outcar: Outcar) -> Iterator[tuple[str, object, object]]:
    ours = vasprun.ionic_steps[-1].get("forces")
    if ours is None or outcar.forces is None:
        return
    one = np.asarray(ours, dtype=float).reshape(-1, 3)
    if one.shape != outcar.forces.shape:
        yield "numbers of forces", len(one), len(outcar.forces)
    elif (shift := np.abs(one - outcar.forces).max()) > FORCE_TOLERANCE:
        yield "forces, which differ by up to (eV/A)", f"{shift:.2g}", "no more than 1e-6 are expected"
