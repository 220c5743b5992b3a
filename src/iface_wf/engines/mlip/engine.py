"""Machine-learned potentials: bulk orderings, pre-relaxation and ranking where GFN1-xTB takes minutes for one step.

They learned total energies of crystals, mostly inorganic ones, and know neither electrons nor charges. Energies of
interfaces between an oxide and organic molecules are far from what they have seen: they rank, they are no binding energies
to publish. So every document names the model with its weights as its functional.

Atoms interact within a cutoff radius (CHGNet: 6 A) and not at all beyond it. Along open directions nothing is repeated, and
there is more empty space than any cutoff for models that repeat everything: energies do not depend on the vacuum, so those
of A, B and AB may be compared in whatever cells.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from ase import Atoms
from ase.calculators.calculator import CalculationFailed, Calculator
from ase.calculators.mixing import SumCalculator
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from iface_wf.documents.calculation import CalculationDocument, CalculationKind
from iface_wf.engines import base
from iface_wf.engines.cells import moved
from iface_wf.engines.dispersion import dispersion_calculator, dispersion_energy
from iface_wf.engines.mlip.models import (
    CHGNET_WEIGHTS,
    MODELS,
    load,
    model_name,
    model_settings,
    package_version,
    quiet,
    require_installed,
)
from iface_wf.engines.relaxation import CHECKPOINT, relax
from iface_wf.errors import CalculationError, InputError

#: Empty space along directions that are not periodic, A: more than the largest cutoff in use, 21 A of D3 in PyTorch.
VACUUM = 25.0
#: What models raise when they cannot calculate something.
FAILURES = (CalculationFailed, RuntimeError, ValueError)


def in_open_cell(structure: Structure) -> Atoms:
    """Return ASE atoms with at least `VACUUM` along open directions; positions stay as they are."""
    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    atoms.info = {}
    atoms.pbc = structure.lattice.pbc
    cell = atoms.cell.array.copy()
    for axis in np.flatnonzero(~atoms.pbc):
        normal = np.cross(cell[axis - 2], cell[axis - 1])
        normal /= np.linalg.norm(normal)
        needed = float(np.ptp(atoms.positions @ normal)) + VACUUM
        cell[axis] *= max(1.0, needed / abs(float(cell[axis] @ normal)))
    atoms.set_cell(cell)
    return atoms


def calculator(settings: dict[str, Any]) -> Calculator:
    """Return the ASE calculator of complete settings, dispersion included."""
    model = load(settings)
    dispersion = dispersion_calculator(settings["dispersion"], _functional(settings))
    return model if dispersion is None else SumCalculator([model, dispersion])


def _functional(settings: dict[str, Any]) -> str:
    """Return the functional whose damping the dispersion takes; no other model than CHGNet has one added."""
    return CHGNET_WEIGHTS.get(settings.get("weights", ""), "")


@dataclass
class MlipMaker(base.EngineMaker):
    """Maker of calculations by machine-learned potentials; parameters as in `iface_wf.engines.base.EngineMaker`.

    The model and its weights are chosen by ``overrides``, see `iface_wf.engines.mlip.models.model_settings`.
    """

    name: str = "mlip"

    @property
    def engine_name(self) -> str:
        """Name of the engine, as in documents."""
        return "mlip"

    def request(
        self, structure: Structure, ghosts: list[int], like: dict[str, Any] | None = None
    ) -> base.CalculationRequest:
        """Write out every setting."""
        if ghosts or self.densities:
            raise InputError("ML potentials have neither ghost atoms nor densities: choose the gpaw engine for those.")
        charge = float(structure.properties.get("charge") or 0.0)
        if abs(charge) > 1e-6:
            raise InputError(f"ML potentials know no charge, but the structure carries {charge:+g} e.")
        settings = model_settings(self.level, self.overrides)
        if self.kind == "static":
            settings = {k: v for k, v in settings.items() if k not in ("fmax", "max_steps")}
        return base.CalculationRequest(
            kind=self.kind,
            engine="mlip",
            level=self.level,
            structure=structure.as_dict(),
            settings=settings,
            role=self.role,
        )

    def calculate(self, request: base.CalculationRequest, directory: Path) -> CalculationDocument:
        """Run the model in this process.

        An atom without a neighbour within the model's cutoff is a flag: the model says nothing about it.

        Raises
        ------
        CalculationError
            When the model fails for another reason.
        """
        started, cpu = time.time(), time.process_time()
        structure, settings = request.atoms_structure, dict(request.settings)
        name = model_name(settings)
        atoms = in_open_cell(structure)
        atoms.calc = calculator(settings)
        flags: list[str] = []
        converged, steps = request.kind == "static", 0
        energy, max_force, dispersion = None, None, None
        try:
            with quiet():
                if request.kind == "relax":
                    converged, steps = relax(atoms, settings, directory, checkpoint=directory / CHECKPOINT)
                    flags += [] if converged else ["geometry_unconverged"]
                energy = float(atoms.get_potential_energy())
                max_force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
        except FAILURES as error:
            if "isolated atom" not in str(error):
                raise CalculationError(
                    f"{name} failed: {(str(error).splitlines() or ['no reason given'])[0]}"
                ) from error
            converged, flags = False, ["isolated_atoms"]
        else:
            dispersion = dispersion_energy(atoms, [], settings["dispersion"], _functional(settings))
        package = MODELS[settings["model"]].distribution
        return CalculationDocument(
            key=request.key(),
            kind=request.kind,
            role=request.role,
            engine="mlip",
            engine_version=f"{package} {package_version(settings['model'])}",
            level=request.level,
            functional=name,
            dispersion=None if settings["dispersion"] == "none" else settings["dispersion"],
            basis="ML potential",
            settings=settings,
            versions=base.package_versions(package, "torch", "atomate2"),
            structure=moved(structure, atoms.positions.tolist()).as_dict(),
            formula=structure.reduced_formula,
            n_atoms=len(structure),
            energy=energy,
            energy_type="total, ML potential",
            electronic_energy=None if energy is None or dispersion is None else energy - dispersion,
            dispersion_energy=dispersion,
            max_force=max_force,
            converged=converged,
            ionic_steps=steps,
            flags=flags,
            wall_time=time.time() - started,
            cpu_time=time.process_time() - cpu,
            directory=base.location(directory),
            completed_at=base.now(),
        )


@dataclass(frozen=True)
class MlipEngine(base.Engine):
    """Machine-learned potentials as an engine of the flows.

    Parameters
    ----------
    overrides
        Settings that replace those of the level, ``model`` among them.
    here
        False when another machine calculates: the model's package is not looked for on this one.
    """

    overrides: dict[str, Any] | None = None
    here: bool = True
    name: str = "mlip"
    densities: tuple[str, ...] = ()

    def _maker(self, kind: CalculationKind, level: str, **options: Any) -> MlipMaker:
        return MlipMaker(kind=kind, level=level, overrides=dict(self.overrides or {}), **options)

    def elsewhere(self) -> Self:
        """See `iface_wf.engines.base.Engine.elsewhere`."""
        return replace(self, here=False)

    def check(self, structure: Structure, level: str) -> None:
        """Refuse a model whose package is not installed, see `iface_wf.engines.base.Engine.check`."""
        settings = model_settings(level, self.overrides or {})
        if self.here:
            require_installed(settings["model"])
