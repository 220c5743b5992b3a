"""The engines that are cheap enough to rank placements and to relax for the others, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from ase.calculators.calculator import CalculationFailed, Calculator
from pymatgen.core import Structure

from iface_wf.engines.cells import moved
from iface_wf.engines.levels import level_settings
from iface_wf.engines.mlip import engine as mlip
from iface_wf.engines.mlip.models import model_name, model_settings, quiet
from iface_wf.engines.relaxation import relax
from iface_wf.engines.xtb import engine as xtb
from iface_wf.errors import unknown_name

CheapName = Literal["xtb", "mlip"]
CheapEngine = xtb.XtbEngine | mlip.MlipEngine
#: What a cheap engine raises when it cannot calculate something.
FAILURES = mlip.FAILURES


def cheap_engine(name: str, overrides: dict[str, Any] | None = None) -> CheapEngine:
    """Return a cheap engine.

    Raises
    ------
    InputError
        For an unknown name.
    """
    if name == "xtb":
        return xtb.XtbEngine(overrides=overrides)
    if name == "mlip":
        return mlip.MlipEngine(overrides=overrides)
    raise unknown_name("cheap engine", name, get_args(CheapName))


class Ranker:
    """A cheap engine that compares geometries by their energies after a few steps of relaxation, at level `fast`.

    Parameters
    ----------
    name, overrides
        As for `cheap_engine`.
    """

    def __init__(self, name: CheapName, overrides: dict[str, Any] | None = None) -> None:
        self._ml: Calculator | None = None
        if cheap_engine(name, overrides).name == "mlip":
            self.settings = model_settings("fast", overrides or {})
            dispersion = "" if self.settings["dispersion"] == "none" else f"-{self.settings['dispersion']}"
            self.method = f"{model_name(self.settings)}{dispersion}"
            self._ml = mlip.calculator(self.settings)  # once, because some models take seconds to load
        else:
            self.settings = level_settings("xtb", "fast") | (overrides or {})
            self.method = self.settings["method"]

    def score(self, structure: Structure, steps: int) -> tuple[float, Structure]:
        """Return the energy (eV) after so many steps, and the geometry then; raises one of `FAILURES`."""
        atoms = xtb.in_wide_cell(structure) if self._ml is None else mlip.in_open_cell(structure)
        atoms.calc = xtb.calculator(self.settings) if self._ml is None else self._ml
        with quiet():
            relax(atoms, {"fmax": self.settings["fmax"], "max_steps": steps}, Path.cwd())
            energy = float(atoms.get_potential_energy())
            force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
        if force > xtb.IMPLAUSIBLE_FORCE:  # an energy that is thousands of eV too low would win every ranking
            raise CalculationFailed(f"{self.method}: forces of {force:.0f} eV/A, no state that exists")
        return energy, moved(structure, atoms.positions.tolist())
