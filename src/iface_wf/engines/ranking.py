"""Geometries compared by a cheap engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import CalculationFailed, Calculator
from pymatgen.core import Structure

from iface_wf.engines.ase_engine import IMPLAUSIBLE_FORCE, AseEngine
from iface_wf.engines.base import Engine
from iface_wf.engines.cells import moved
from iface_wf.engines.registry import create, require_cheap
from iface_wf.engines.relaxation import relax
from iface_wf.errors import InputError


class Ranker:
    """A cheap engine that compares geometries by their energies after a few steps of relaxation.

    Parameters
    ----------
    engine
        The engine, or its name for one of level `fast`.
    overrides
        Settings that replace those of the level, with a name.

    Raises
    ------
    InputError
        For an unknown engine, and for one that is not cheap.
    """

    def __init__(self, engine: Engine | str, overrides: dict[str, Any] | None = None) -> None:
        if isinstance(engine, str):
            engine = create(require_cheap(engine), level="fast", overrides=dict(overrides or {}))
        require_cheap(engine.engine_name)
        if not isinstance(engine, AseEngine):
            raise InputError(f"The engine {engine.engine_name!r} calls itself cheap, but is no calculator of ASE.")
        self.engine, self.settings = engine, engine.defaults()
        # once where that is possible, because some models take seconds to load
        self._calculator: Calculator | None = engine.calculator(self.settings) if engine.reusable else None

    @property
    def method(self) -> str:
        """What ranks, for example ``CHGNet 0.3.0-D3(BJ)``."""
        told = self.engine.method(self.settings)
        return f"{told.functional}-{told.dispersion}" if told.dispersion else told.functional

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What is raised when a geometry cannot be calculated."""
        return (CalculationFailed, *self.engine.failures)

    def energy(self, structure: Structure) -> float:
        """Calculate the energy of a geometry as it is, eV; errors as of `score`."""
        atoms = self.engine.atoms(structure)
        atoms.calc = self._calculator or self.engine.calculator(self.settings)
        with self.engine.quiet():
            energy = float(atoms.get_potential_energy())
            self._require_plausible(atoms)
        return energy

    def _require_plausible(self, atoms: Atoms) -> None:
        """Refuse an energy that is thousands of eV too low: it would win every ranking."""
        force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
        if force > IMPLAUSIBLE_FORCE:
            raise CalculationFailed(f"{self.method}: forces of {force:.0f} eV/A, no state that exists")

    def score(self, structure: Structure, steps: int) -> tuple[float, Structure]:
        """Calculate a geometry.

        Parameters
        ----------
        structure
            Labelled sites.
        steps
            Most steps of relaxation.

        Returns
        -------
        tuple
            The energy (eV) after so many steps, and the geometry then.

        Raises
        ------
        Exception
            One of `failures`.
        """
        atoms = self.engine.atoms(structure)
        atoms.calc = self._calculator or self.engine.calculator(self.settings)
        with self.engine.quiet():
            relax(atoms, {"fmax": self.settings["fmax"], "max_steps": steps}, Path.cwd())
            energy = float(atoms.get_potential_energy())
            self._require_plausible(atoms)
        return energy, moved(structure, atoms.positions.tolist())
