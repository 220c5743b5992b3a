"""Machine-learned potentials: bulk orderings, pre-relaxation and ranking where GFN1-xTB takes minutes for one step.

They learned total energies of crystals, mostly inorganic ones, and know neither electrons nor charges. Energies of
interfaces between an oxide and organic molecules are far from what they have seen: they rank, they are no binding energies
to publish. So every document names the model with its weights as its functional.

Atoms interact within a cutoff radius (CHGNet: 6 A) and not at all beyond it. Along open directions nothing is repeated, and
there is more empty space than any cutoff for models that repeat everything: energies do not depend on the vacuum, so those
of A, B and AB may be compared in whatever cells.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ase import Atoms
from ase.calculators.calculator import CalculationFailed, Calculator
from ase.calculators.mixing import SumCalculator
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from iface_wf.engines.ase_engine import AseEngine
from iface_wf.engines.cells import opened
from iface_wf.engines.dispersion import dispersion_calculator, dispersion_energy
from iface_wf.engines.document import Method
from iface_wf.engines.mlip.models import (
    MODELS,
    WEIGHTS,
    load,
    model_name,
    model_settings,
    package_version,
    quiet,
    require_installed,
)
from iface_wf.engines.mlip.profile import PROFILE

#: Empty space along directions that are not periodic, A: more than the largest cutoff in use, 21 A of D3 in PyTorch.
VACUUM = 25.0


def in_open_cell(structure: Structure) -> Atoms:
    """Return ASE atoms with at least `VACUUM` along open directions; positions stay as they are."""
    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    atoms.info = {}
    atoms.pbc = structure.lattice.pbc
    atoms.set_cell(opened(atoms, VACUUM))
    return atoms


def calculator(settings: dict[str, Any]) -> Calculator:
    """Return the ASE calculator of complete settings, dispersion included."""
    model = load(settings)
    dispersion = dispersion_calculator(settings["dispersion"], _functional(settings))
    return model if dispersion is None else SumCalculator([model, dispersion])


def _functional(settings: dict[str, Any]) -> str:
    """Return the functional whose damping the dispersion takes; only models whose weights are known have one added."""
    return WEIGHTS.get(settings["model"], {}).get(settings.get("weights", ""), "")


@dataclass
class MlipEngine(AseEngine):
    """Calculations by machine-learned potentials.

    The model and its weights are chosen by ``overrides``, see `iface_wf.engines.mlip.models.model_settings`.

    Parameters
    ----------
    name, kind, level, densities, overrides, role, force, charge, processes, here
        See `iface_wf.engines.base.Engine`.
    """

    profile = PROFILE
    failures = (CalculationFailed, RuntimeError, ValueError)
    reusable = True

    name: str = "mlip"

    def defaults(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Write out the model with its weights, see `iface_wf.engines.base.Engine.defaults`."""
        return model_settings(self.level, self.overrides)

    def check(self, structure: Structure) -> None:
        """Refuse a model whose package is not installed, see `iface_wf.engines.base.Engine.check`."""
        model = self.defaults()["model"]
        if self.here:
            require_installed(model)

    def calculator(self, settings: dict[str, Any]) -> Calculator:
        """Return the model's calculator, with dispersion where it is added."""
        return calculator(settings)

    def method(self, settings: dict[str, Any]) -> Method:
        """Name the model with its weights."""
        model = settings["model"]
        return Method(
            version=f"{MODELS[model].distribution} {package_version(model)}",
            functional=model_name(settings),
            dispersion=None if settings["dispersion"] == "none" else settings["dispersion"],
            damping=_functional(settings),
            basis="ML potential",
            energy_type="total, ML potential",
        )

    def atoms(self, structure: Structure) -> Atoms:
        """Return atoms in a cell without neighbours across open directions."""
        return in_open_cell(structure)

    def flag(self, error: Exception) -> str:
        """Flag an atom without a neighbour within the model's cutoff, about which the model says nothing."""
        return "isolated_atoms" if "isolated atom" in str(error) else super().flag(error)

    def dispersion_energy(self, atoms: Atoms, settings: dict[str, Any]) -> float | None:
        """Return what was added to the model, eV."""
        return dispersion_energy(atoms, [], settings["dispersion"], _functional(settings))

    def packages(self, settings: dict[str, Any]) -> tuple[str, ...]:
        """Return the package of the model."""
        return (MODELS[settings["model"]].distribution,)

    def quiet(self) -> AbstractContextManager[None]:
        """Hide warnings of the models' packages."""
        return quiet()


#: Jobs that wait in queues name the engine by its name of before.
MlipMaker = MlipEngine
