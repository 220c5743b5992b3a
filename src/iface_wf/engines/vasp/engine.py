"""VASP: relaxations and single points as jobflow jobs, on atomate2's maker and input generator, under custodian.

Methods: PAW (Bloechl, 10.1103/PhysRevB.50.17953) in VASP (Kresse, Furthmueller, 10.1103/PhysRevB.54.11169); every
choice of its inputs, with reason and source, is listed in `iface_wf.engines.vasp.choices.CHOICES`. Plane waves know no
basis superposition, so there is no counterpoise correction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atomate2.vasp.jobs.base import BaseVaspMaker
from pymatgen.core import Lattice, Structure

from iface_wf.analysis.bader import bader_charges
from iface_wf.analysis.density import pack
from iface_wf.analysis.grid import Grid
from iface_wf.analysis.hirshfeld import hirshfeld_charges
from iface_wf.analysis.potential import SlabPotential, slab_potential
from iface_wf.documents.calculation import CalculationDocument, Correction
from iface_wf.documents.charges import ChargesDocument
from iface_wf.documents.density import DensityRecord
from iface_wf.engines.base import Engine
from iface_wf.engines.dispersion import D4, dispersion_energy
from iface_wf.engines.document import Method, calculation_document
from iface_wf.engines.free_atoms import SOURCE, free_atoms
from iface_wf.engines.profile import merged
from iface_wf.engines.request import CalculationRequest
from iface_wf.engines.vasp import outputs as outputs
from iface_wf.engines.vasp.grids import all_electron_density, find_file, read_potential, valence_density, value_marks
from iface_wf.engines.vasp.inputs import InterfaceInputGenerator, c_is_perpendicular, cubic_box, system_kind
from iface_wf.engines.vasp.installation import check_executable, find_potcar, installation
from iface_wf.engines.vasp.profile import PROFILE
from iface_wf.engines.vasp.run import execute, finished
from iface_wf.errors import CalculationError, InputError, MismatchError


@dataclass
class VaspEngine(Engine, BaseVaspMaker):
    """VASP calculations; atomate2's powerups on makers and input generators work on it too.

    Parameters
    ----------
    name, kind, level, densities, role, force, charge, processes, here
        See `iface_wf.engines.base.Engine`; a charge is for molecules only.
    overrides
        Options (lower case: xc, dispersion, gadolinium, potcars, hubbard, kpoint_length, fmax, max_steps, real_space,
        bader_spacing) and INCAR tags (upper case).
    input_set_generator
        Its ``user_incar_settings`` count like ``overrides``; the rest is set from the fields of this maker.
    run_vasp_kwargs
        Further arguments of `atomate2.vasp.run.run_vasp`.
    """

    profile = PROFILE

    name: str = "vasp"
    input_set_generator: InterfaceInputGenerator = field(default_factory=InterfaceInputGenerator)

    def defaults(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Write out what hangs on no structure, see `iface_wf.engines.base.Engine.defaults`."""
        return self._generator().defaults(elements)

    @classmethod
    def treatment(cls, entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Translate records, whose ``potcar`` is a table by element; see `iface_wf.engines.base.Engine.treatment`."""
        joined = merged(entries)
        return {"potcars" if name == "potcar" else name: value for name, value in joined.items()}

    def check(self, structure: Structure) -> None:
        """Refuse to start what cannot run here: see `iface_wf.engines.base.Engine.check`."""
        if not self.here:
            return
        settings = installation()
        check_executable(settings.command)
        values = self.request(structure, []).settings
        for symbol in values["potcars"].values():
            find_potcar(symbol, values["potcar_release"], settings)

    def _generator(self, like: dict[str, Any] | None = None) -> InterfaceInputGenerator:
        return InterfaceInputGenerator(
            calculation=self.kind,
            level=self.level,
            charge=self.charge,
            densities=list(self.densities),
            overrides=dict(self.input_set_generator.user_incar_settings) | self.overrides,
            like=dict(like or {}),
        )

    def request(
        self, structure: Structure, ghosts: list[int], like: dict[str, Any] | None = None
    ) -> CalculationRequest:
        """Write out every setting, see `iface_wf.engines.base.Engine.request`."""
        if ghosts:
            raise InputError(
                "VASP's plane waves know no ghost atoms, and need none: leave counterpoise to GPAW's LCAO."
            )
        if unknown := sorted(set(self.densities) - {"valence", "all_electron"}):
            raise InputError(f"VASP has no density {unknown[0]!r}: allowed are valence and all_electron.")
        if self.charge and system_kind(structure) == "molecule":
            structure = cubic_box(structure)
        return CalculationRequest(
            kind=self.kind,
            engine=self.engine_name,
            level=self.level,
            structure=structure.as_dict(),
            settings=self._generator(like).settings(structure),
            densities=self.densities,
            role=self.role,
        )

    def calculate(self, request: CalculationRequest, directory: Path) -> CalculationDocument:
        """Run VASP in a folder under custodian, or continue there, and read its results."""
        corrections = execute(request, directory, installation(), self.run_vasp_kwargs)
        document = read_document(directory, request, corrections)
        finished(directory)
        return document


def read_document(
    directory: Path, request: CalculationRequest, corrections: list[Correction] | None = None
) -> CalculationDocument:
    """Read a finished folder.

    Parameters
    ----------
    directory
        Folder with vasprun.xml, OUTCAR and, for densities, CHGCAR, AECCAR0 and AECCAR2, compressed or not.
    request
        What was asked for; gives order and labels of the sites, and which densities are wanted.
    corrections
        What was changed on the way; by default custodian's log in the folder.

    Returns
    -------
    CalculationDocument
        With the settings that the last run used; flagged where it did not converge, and then without densities.

    Raises
    ------
    CalculationError
        Naming the file that is missing, cut off or damaged.
    MismatchError
        When the folder holds another structure, or a density of another grid.
    """
    run = outputs.read_run(directory)
    structure = outputs.in_order(run, request.atoms_structure)
    flags = [*outputs.convergence(run)]
    unconverged = bool(flags)
    flags += run.marks
    settings = request.settings | run.settings
    dispersion, electronic = outputs.dispersion_energy(run), run.outcar.energy - outputs.dispersion_energy(run)
    free = run.outcar.free_energy
    if replaced := outputs.replaces_dispersion(run, request.settings):
        settings["dispersion"] = D4
        charge = round(sum(run.valences) - run.n_electrons, 6)
        d4 = dispersion_energy(outputs.periodic_atoms(structure), [], D4, settings["xc"], charge)
        free, dispersion = free + d4 - dispersion, d4
    densities: dict[str, DensityRecord] = {}
    divided: list[ChargesDocument] = []
    if not unconverged and request.densities:
        densities, divided, trouble = _densities(run, structure, request.densities)
        flags += trouble
    potential, trouble = (None, []) if unconverged else _potential(run, structure)
    flags += trouble
    if system_kind(structure) == "slab" and not c_is_perpendicular(structure):
        flags.append("dipole_uncorrected: c is not perpendicular to a and b")
    return calculation_document(
        request,
        directory,
        method(run, settings, replaced),
        structure,
        settings,
        charges=divided,
        kpoints=tuple(settings["kpoints"]),
        charge=sum(run.valences) - run.n_electrons,
        magnetic_moment=run.outcar.moment,
        energy=electronic + dispersion,
        electronic_energy=electronic,
        dispersion_energy=dispersion,
        free_energy=free,
        fermi_level=run.outcar.fermi_level,
        max_force=outputs.max_force(run, request.atoms_structure),
        n_electrons=run.n_electrons,
        grid=run.grid,
        converged=not any(flag.startswith(("scf_unconverged", "geometry_unconverged")) for flag in flags),
        scf_steps=len(run.vasprun.ionic_steps[-1]["electronic_steps"]),
        ionic_steps=len(run.vasprun.ionic_steps) if run.is_relaxation else 0,
        **_history(run, request),
        corrections=outputs.read_corrections(directory) if corrections is None else corrections,
        flags=flags,
        densities=densities,
        **_of_slab(potential),
        wall_time=run.outcar.elapsed,
        cpu_time=run.outcar.cpu,
        n_processes=run.outcar.processes,
    )


def method(run: outputs.VaspRun, settings: dict[str, Any], replaced: bool = False) -> Method:
    """Say in words how VASP calculated a run, and whether its D3(BJ) energy was replaced by D4."""
    return Method(
        version=run.outcar.version,
        functional=settings["xc"],
        dispersion=settings["dispersion"],
        basis=f"PW {settings['ENCUT']:g} eV",
        energy_type=outputs.energy_type(run) + (", D4 by dftd4 in place of VASP's D3(BJ)" if replaced else ""),
        damping=settings["xc"],
    )


def _history(run: outputs.VaspRun, request: CalculationRequest) -> dict[str, Any]:
    """Return what a document says of the steps of a relaxation."""
    if not run.is_relaxation:
        return {}
    forces = [outputs.max_force(run, request.atoms_structure, step) for step in range(len(run.vasprun.ionic_steps))]
    return {
        "step_energies": [float(step["e_fr_energy"]) for step in run.vasprun.ionic_steps],
        "step_forces": [force for force in forces if force is not None],
    }


def _of_slab(potential: SlabPotential | None) -> dict[str, Any]:
    """Return what a document says about the potential of a slab."""
    if potential is None:
        return {}
    names = ("potential_z", "vacuum_level", "work_function", "dipole")
    return {name: getattr(potential, name) for name in names}


def _densities(
    run: outputs.VaspRun, structure: Structure, wanted: list[str]
) -> tuple[dict[str, DensityRecord], list[ChargesDocument], list[str]]:
    """Read CHGCAR, and divide it along the basins of AECCAR0 + AECCAR2, and by free atoms; a failed division is a flag."""
    spins = 4 if run.vasprun.parameters.get("LNONCOLLINEAR") else int(run.settings["ISPIN"])
    valence = valence_density(run.directory, structure, run.grid, run.n_electrons, spins)
    marks = value_marks("CHGCAR", valence, structure)
    records = {}
    if "valence" in wanted:
        records["valence"] = pack(valence.values, valence.cell, valence.pbc, "valence")
    if "all_electron" not in wanted:
        return records, [], marks
    valences, periodic = outputs.valences_of(run, structure), structure.copy()
    # VASP's cells are periodic in every direction, also where there is vacuum: an atom may stand on any border
    periodic.lattice = Lattice(structure.lattice.matrix)
    whole = Grid(valence.values, valence.cell)
    found: list[ChargesDocument] = []
    reference: Grid | None = None
    try:
        reference = all_electron_density(run.directory, structure, run.grid)
    except MismatchError as error:
        if not run.is_relaxation:
            raise
        marks.append(f"bader_failed: {error}")  # VASP writes AECCAR0 before it moves the atoms
    if reference is not None:
        marks += value_marks("AECCAR0 + AECCAR2", reference, structure)
        basins = Grid(reference.values, reference.cell)
        try:
            found.append(bader_charges(whole, periodic, kind="valence", valence_electrons=valences, reference=basins))
        except CalculationError as error:
            marks.append(f"bader_failed: {error}")
    atoms = free_atoms({site.specie.symbol for site in structure})
    if atoms is not None:  # no complete core is needed: there an atom has no neighbours to share with
        try:
            found.append(hirshfeld_charges(whole, periodic, atoms, SOURCE, valences))
        except CalculationError as error:
            marks.append(f"hirshfeld_failed: {error}")
    return records, found, marks


def _potential(run: outputs.VaspRun, structure: Structure) -> tuple[SlabPotential | None, list[str]]:
    """Read the potential of a slab where LOCPOT holds the electrostatic one; and its flags."""
    path = find_file(run.directory, "LOCPOT")
    hartree = run.vasprun.parameters.get("LVHAR") or run.vasprun.incar.get("LVHAR")
    if path is None or not hartree or system_kind(structure) != "slab" or run.is_relaxation:
        return None, []
    grid = read_potential(path, structure, run.grid)
    corrected = run.settings.get("LDIPOL") and "DIPOL" in run.settings
    centre = run.settings["DIPOL"][2] if corrected else None
    potential = slab_potential(grid, structure, run.outcar.fermi_level, centre)
    return potential, [*value_marks("LOCPOT", grid, structure), *potential.flags]


#: Jobs that wait in queues name the engine by its name of before.
VaspMaker = VaspEngine
