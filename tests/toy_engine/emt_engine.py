"""An engine of somebody else: effective-medium theory of ASE, all of it in one module that knows iface-wf's base only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ase
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT, parameters
from pymatgen.core import Structure

from iface_wf.engines.ase_engine import AseEngine
from iface_wf.engines.document import Method
from iface_wf.engines.profile import EngineProfile
from iface_wf.errors import InputError

PROFILE = EngineProfile(
    name="emt",
    engine="emt_engine:EmtEngine",
    levels={
        "fast": {"fmax": 0.05, "max_steps": 100},
        "moderate": {"fmax": 0.02, "max_steps": 200},
        "precise": {"fmax": 0.01, "max_steps": 400},
    },
    common={"asap_cutoff": False},
    technical=frozenset({"max_steps"}),
    cheap=True,
    cost={"relax": 1.0, "static": 0.01},
    resources=({"cores": 1, "hours": 0.1},),
)


@dataclass
class EmtEngine(AseEngine):
    """Effective-medium theory (10.1016/0039-6028(96)00816-3) for some metals; for H, C, N and O its numbers are made up."""

    profile = PROFILE

    name: str = "emt"

    def calculator(self, settings: dict[str, Any]) -> Calculator:
        return EMT(asap_cutoff=settings["asap_cutoff"])

    def method(self, settings: dict[str, Any]) -> Method:
        return Method(version=ase.__version__, functional="EMT", energy_type="total")

    def of_structure(self, structure: Structure) -> dict[str, Any]:
        unknown = sorted({site.specie.symbol for site in structure} - set(parameters))
        if unknown:
            raise InputError(f"EMT has no parameters for {', '.join(unknown)}.")
        return super().of_structure(structure)
