"""GFN-xTB by tblite: the cheap engine for pre-relaxation and for ranking placements.

Methods: GFN1-xTB (Grimme, Bannwarth, Shushkov, 10.1021/acs.jctc.7b00118), GFN2-xTB (10.1021/acs.jctc.8b01176).
GFN1 is the default: GFN2 often fails to converge on slabs with Li. tblite knows no partial periodicity: a slab is
repeated along c too, apart by its vacuum. With tblite 0.7 that vacuum counts by millielectronvolts (an MgO slab of 64
atoms: -4763.44 ... -4763.35 eV at c = 16 ... 64 A). With 0.8.0 it counts by electronvolts and without limit (-4746.3 ...
-4763.7 eV), since its Ewald summation was changed, and interaction energies go wrong by tenths: see
``tests/engines/xtb/test_periodic.py`` before raising the version.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import Any, ClassVar

from ase.calculators.calculator import Calculator
from pymatgen.core import Structure
from tblite.ase import TBLite

from iface_wf.engines.ase_engine import IMPLAUSIBLE_FORCE, AseEngine
from iface_wf.engines.document import Method
from iface_wf.engines.xtb.profile import DISPERSIONS, PROFILE

#: What is tried, one after the other and each with those before it, when the charges do not converge. Large oxides with
#: many Li need a better guess and slow mixing (LLZTO, 187 atoms: 161 iterations); warm electrons change the energy, so they
#: are the last resort, and comparisons mark them.
REMEDIES: tuple[dict[str, Any], ...] = (
    {"guess": "eeq", "mixer_damping": 0.1, "max_iterations": 500},
    {"guess": "eeqbc"},
    {"electronic_temperature": 5000.0},
)


def calculator(settings: dict[str, Any]) -> TBLite:
    """Return tblite's ASE calculator for some settings."""
    known = ("method", "accuracy", "charge", "guess", "mixer_damping", "max_iterations", "electronic_temperature")
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

    def of_structure(self, structure: Structure) -> dict[str, Any]:
        """Return the charge, which tblite knows how to treat."""
        return {"charge": self.charge}

    def calculator(self, settings: dict[str, Any]) -> Calculator:
        """Return tblite's calculator."""
        return calculator(settings)

    def method(self, settings: dict[str, Any]) -> Method:
        """Name the parametrisation; tblite gives the total only, dispersion within."""
        return Method(
            version=metadata.version("tblite"),
            functional=settings["method"],
            dispersion=DISPERSIONS[settings["method"]],
            basis="minimal, built in",
            energy_type=f"total, electronic temperature {settings['electronic_temperature']:g} K",
        )

    def flag(self, error: Exception) -> str:
        """Flag charges that do not converge, which is what goes wrong in tblite."""
        return "scf_unconverged"


#: Jobs that wait in queues name the engine by its name of before.
XtbMaker = XtbEngine
