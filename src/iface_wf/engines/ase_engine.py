"""Base of the engines that are calculators of ASE in this process: relaxation, energy, forces and honest flags."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import CalculationFailed, Calculator
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from iface_wf.documents.calculation import CalculationDocument, Correction
from iface_wf.engines.base import Engine
from iface_wf.engines.bodies import bodies_of
from iface_wf.engines.cells import moved
from iface_wf.engines.document import Method, calculation_document
from iface_wf.engines.profile import RELAXATION
from iface_wf.engines.progress import tell_progress
from iface_wf.engines.relaxation import CHECKPOINT, relax
from iface_wf.engines.request import CalculationRequest
from iface_wf.engines.vibrations import DISPLACEMENT, FOLDER, free_sites, hessian, n_displacements
from iface_wf.errors import CalculationError, InputError

#: Forces beyond this, eV/A, are those of a state that does not exist. Relaxed and even badly compressed contacts stay
#: well below it.
IMPLAUSIBLE_FORCE = 50.0


@dataclass
class _Outcome:
    """What came out of a calculation, after however many tries."""

    settings: dict[str, Any]
    converged: bool
    energy: float | None = None
    max_force: float | None = None
    steps: int = 0
    hessian: list[list[float]] | None = None
    flags: list[str] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)


@dataclass
class AseEngine(Engine):
    """Base of the engines that run as an ASE calculator in this process; only they can be cheap.

    Parameters
    ----------
    name, kind, level, densities, overrides, role, force, charge, processes, here
        See `iface_wf.engines.base.Engine`.
    """

    #: What the calculator raises when it cannot calculate something.
    failures: ClassVar[tuple[type[Exception], ...]] = (CalculationFailed, RuntimeError)
    #: Settings that are tried, one set after the other, when it could not.
    remedies: ClassVar[Sequence[dict[str, Any]]] = ()
    #: Forces beyond this, eV/A, belong to a state that does not exist, whose energy is no result; None: no limit.
    implausible_force: ClassVar[float | None] = None
    #: Whether one calculator serves for many structures: it keeps nothing of what it calculated before.
    reusable: ClassVar[bool] = False

    @abstractmethod
    def calculator(self, settings: dict[str, Any]) -> Calculator:
        """Return the ASE calculator of complete settings: energies in eV, forces in eV/A, dispersion included."""

    @abstractmethod
    def method(self, settings: dict[str, Any]) -> Method:
        """Say how energies of complete settings are calculated."""

    def atoms(self, structure: Structure) -> Atoms:
        """Return ASE atoms in the cell in which energies of A, B and AB can be compared; positions stay."""
        atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
        atoms.info = {}
        atoms.pbc = structure.lattice.pbc
        return atoms

    def flag(self, error: Exception) -> str:
        """Return the flag for one of `failures`, or raise what is no property of the structure (CalculationError)."""
        raise CalculationError(f"{self.method(self.defaults()).functional} failed: {first_line(error)}") from error

    def dispersion_energy(self, atoms: Atoms, settings: dict[str, Any]) -> float | None:
        """Return the dispersion part of the energy, eV; None where the code does not tell it apart."""
        return None

    def packages(self, settings: dict[str, Any]) -> tuple[str, ...]:
        """Return distributions that take part with these settings only."""
        return ()

    def quiet(self) -> AbstractContextManager[None]:
        """Hide warnings of the calculator that nobody can act upon."""
        return nullcontext()

    def request(
        self, structure: Structure, ghosts: list[int], like: dict[str, Any] | None = None
    ) -> CalculationRequest:
        """Write out every setting, see `iface_wf.engines.base.Engine.request`."""
        if ghosts or self.densities:
            raise InputError(
                f"The engine {self.engine_name} has neither ghost atoms nor densities: choose the gpaw engine for those."
            )
        settings = self.defaults() | self.of_structure(structure)
        if self.kind != "relax":
            settings = {name: value for name, value in settings.items() if name not in RELAXATION}
        if self.kind == "vibrations":
            settings["displacement"] = DISPLACEMENT
        return CalculationRequest(
            kind=self.kind,
            engine=self.engine_name,
            level=self.level,
            structure=structure.as_dict(),
            settings=settings,
            role=self.role,
        )

    def of_structure(self, structure: Structure) -> dict[str, Any]:
        """Return the settings that follow from the structure; refuse one that cannot be treated (InputError)."""
        charge = self.charge or float(structure.properties.get("charge") or 0.0)
        if abs(charge) > 1e-6:
            raise InputError(f"The engine {self.engine_name} knows no charge, but the cell carries {charge:+g} e.")
        return {}

    def calculate(self, request: CalculationRequest, directory: Path) -> CalculationDocument:
        """Run the calculator in this process, see `iface_wf.engines.base.Engine.calculate`."""
        started, cpu = time.time(), time.process_time()
        structure = request.atoms_structure
        atoms = self.atoms(structure)
        with self.quiet():
            outcome = self._attempts(request, atoms, directory)
        dispersion = None if outcome.energy is None else self.dispersion_energy(atoms, outcome.settings)
        # where the shares are not told apart, or nothing was calculated, the electronic energy is the total
        electronic = outcome.energy if outcome.energy is None or dispersion is None else outcome.energy - dispersion
        return calculation_document(
            request,
            directory,
            self.method(outcome.settings),
            moved(structure, atoms.positions.tolist()),
            outcome.settings,
            packages=self.packages(outcome.settings),
            charge=self.charge,
            energy=outcome.energy,
            electronic_energy=electronic,
            dispersion_energy=dispersion,
            max_force=outcome.max_force,
            hessian=outcome.hessian,
            vibrating=[] if outcome.hessian is None else free_sites(structure),
            converged=outcome.converged,
            ionic_steps=outcome.steps,
            corrections=outcome.corrections,
            flags=outcome.flags,
            wall_time=time.time() - started,
            cpu_time=time.process_time() - cpu,
        )

    def _attempts(self, request: CalculationRequest, atoms: Atoms, directory: Path) -> _Outcome:
        """Calculate with the settings as given, then with one remedy after the other."""
        outcome = _Outcome(settings=dict(request.settings), converged=False)
        start, trouble = atoms.positions.copy(), ""
        for remedy in ({}, *self.remedies):
            if remedy:
                outcome.settings |= remedy
                outcome.corrections.append(
                    Correction(handler=self.engine_name, errors=[trouble], actions=[dict(remedy)])
                )
            atoms.positions = start
            atoms.calc = self.calculator(outcome.settings)
            try:
                reached, steps = request.kind != "relax", 0
                if request.kind == "relax":
                    bodies = bodies_of(request.atoms_structure, atoms)
                    reached, steps = relax(atoms, outcome.settings, directory, directory / CHECKPOINT, bodies)
                if request.kind == "vibrations":
                    outcome.hessian = self._hessian(request, atoms, directory / f"{FOLDER}-{len(outcome.corrections)}")
                energy = float(atoms.get_potential_energy())
                outcome.max_force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
            except self.failures as error:
                outcome.flags, outcome.max_force = [self.flag(error)], None
                trouble = first_line(error)
                continue
            outcome.steps = steps
            if self.implausible_force is not None and outcome.max_force > self.implausible_force:
                outcome.flags = ["implausible_forces"]
                trouble = f"forces of {outcome.max_force:.0f} eV/A: charges that do not exist"
                continue
            outcome.energy, outcome.converged = energy, reached
            outcome.flags = [] if reached else ["geometry_unconverged"]
            return outcome
        return outcome

    def _hessian(self, request: CalculationRequest, atoms: Atoms, folder: Path) -> list[list[float]]:
        """Return second derivatives, eV/A^2; other settings, after a failure, begin anew in a folder of their own."""
        free = free_sites(request.atoms_structure)
        number = n_displacements(len(free))
        found = hessian(
            atoms,
            free,
            request.settings["displacement"],
            folder,
            lambda now: tell_progress(f"displacement {now} of {number}"),
        )
        return found.tolist()  # type: ignore[no-any-return]


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, as much of it as fits a table."""
    return (str(error).splitlines() or ["no reason given"])[0][:200]
