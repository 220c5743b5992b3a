"""GPAW: relaxations and single points as jobflow jobs, run as a subprocess under custodian with MPI.

Methods: PAW (Bloechl, 10.1103/PhysRevB.50.17953) in GPAW (Mortensen et al., 10.1063/5.0182685); PBE
(10.1103/PhysRevLett.77.3865); D3(BJ) (10.1002/jcc.21759); dipole layer (Bengtsson, 10.1103/PhysRevB.59.12301).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure

from iface_wf.analysis.bader import bader_charges
from iface_wf.analysis.density import pack
from iface_wf.analysis.grid import Grid
from iface_wf.analysis.potential import VacuumLevels, vacuum_levels
from iface_wf.documents.bader import BaderDocument
from iface_wf.documents.calculation import CalculationDocument, CalculationKind
from iface_wf.engines import base
from iface_wf.engines.cells import boxed_on_steps, grid_shape, kpoint_mesh, moved
from iface_wf.engines.gpaw.execute import execute
from iface_wf.engines.gpaw.files import CHECKPOINT, density_file
from iface_wf.engines.levels import level_settings
from iface_wf.errors import CalculationError, InputError

#: What A* and B* must share with AB, and take over from it.
SHARED_SETTINGS = (
    "mode",
    "basis",
    "cutoff",
    "xc",
    "dispersion",
    "grid",
    "kpoints",
    "smearing",
    "spin_polarized",
)
#: Spacing of the grid on which Bader basins are found, A: a third of the coarsest grid.
BADER_SPACING = 0.067


@dataclass
class GpawMaker(base.EngineMaker):
    """Maker of GPAW calculations.

    Parameters
    ----------
    name, kind, level, densities, overrides, role, force
        See `iface_wf.engines.base.EngineMaker`.
    charge
        Total charge of the cell, e.
    processes
        MPI processes; 0 means as many as there are cores available.
    max_seconds
        Time slice after which the run writes a checkpoint and continues in a new process; 0 means no limit.
    """

    name: str = "gpaw"
    charge: float = 0.0
    processes: int = 0
    max_seconds: float = 0.0

    @property
    def engine_name(self) -> str:
        """Name of the engine, as in documents."""
        return "gpaw"

    def request(
        self, structure: Structure, ghosts: list[int], like: dict[str, Any] | None = None
    ) -> base.CalculationRequest:
        """Write out every setting, defaults and those shared with another calculation included."""
        level = level_settings("gpaw", self.level) | self.overrides
        spacing = level.pop("grid_spacing")
        length = level.pop("kpoint_length")
        level.pop("relaxed_by", None)
        by_element = level.pop("magmoms", None) or {}
        shared = {k: v for k, v in (like or {}).items() if k in SHARED_SETTINGS}
        if like is not None and not any(structure.lattice.pbc):
            structure, shared["grid"] = boxed_on_steps(structure, np.array(like["grid_steps"]))
            shared["kpoints"] = [1, 1, 1]
        settings: dict[str, Any] = {
            "xc": "PBE",
            "dispersion": "D3(BJ)",
            "grid": list(grid_shape(structure, spacing)),
            "kpoints": list(kpoint_mesh(structure, length)),
            "charge": self.charge,
            "spin_polarized": False,
            "max_scf_steps": 150,
        }
        moments = structure.site_properties.get("magmom")
        if by_element and moments is None:
            moments = [0.0 if i in ghosts else by_element.get(x.symbol, 0.0) for i, x in enumerate(structure.species)]
        electrons = sum(site.specie.Z for i, site in enumerate(structure) if i not in set(ghosts)) - self.charge
        if moments is not None and any(moments):
            settings |= {"spin_polarized": True, "magnetic_moments": [float(m or 0.0) for m in moments]}
        elif round(electrons) % 2:
            settings |= {"spin_polarized": True, "start": "hund"}
        settings |= level | shared
        steps = structure.lattice.matrix / np.array(settings["grid"])[:, None]
        settings["grid_steps"] = np.round(steps, 10).tolist()
        if self.kind == "static":
            settings = {k: v for k, v in settings.items() if k not in ("fmax", "max_steps")}
        if "all_electron" in self.densities:
            settings.setdefault("bader_spacing", BADER_SPACING)
        if ghosts and settings["mode"] != "lcao":
            raise InputError(
                f"Counterpoise needs atom-centred functions: GPAW mode {settings['mode']!r} has none, only 'lcao' has."
            )
        return base.CalculationRequest(
            kind=self.kind,
            engine="gpaw",
            level=self.level,
            structure=structure.as_dict(),
            settings=settings,
            ghosts=ghosts,
            densities=self.densities,
            role=self.role,
        )

    def calculate(self, request: base.CalculationRequest, directory: Path) -> CalculationDocument:
        """Run GPAW in a folder under custodian and read its results."""
        result, settings, corrections = execute(request, directory, self.processes, self.max_seconds)
        structure = request.atoms_structure
        if "positions" in result:
            structure = moved(structure, result["positions"])
        converged = bool(result.get("scf_converged")) and bool(result.get("geometry_converged"))
        flags = [] if result.get("scf_converged") else ["scf_unconverged"]
        if request.kind == "relax" and result.get("scf_converged") and not result.get("geometry_converged"):
            flags.append("geometry_unconverged")
        densities, bader = {}, None
        if converged and "pseudo" in request.densities:
            smooth = np.load(directory / density_file("pseudo"))
            densities["pseudo"] = pack(smooth, structure.lattice.matrix, structure.lattice.pbc, "pseudo")
        if converged and "all_electron" in request.densities:
            bader, trouble = charges(directory / density_file("all_electron"), structure, request.ghosts)
            flags += trouble
        potential = result.get("potential_z")
        levels = vacuum(potential, structure, result.get("fermi_level"), flags) if potential else None
        for leftover in (CHECKPOINT, *map(density_file, request.densities)):
            (directory / leftover).unlink(missing_ok=True)
        basis = f"LCAO {settings['basis']}" if settings["mode"] == "lcao" else settings["mode"].upper()
        if settings["mode"] == "pw":
            basis = f"PW {settings['cutoff']:g} eV"
        return CalculationDocument(
            key=request.key(),
            kind=request.kind,
            role=request.role,
            engine="gpaw",
            engine_version=metadata.version("gpaw"),
            level=request.level,
            functional=settings["xc"],
            dispersion=settings["dispersion"],
            basis=basis,
            kpoints=tuple(settings["kpoints"]),
            settings=settings,
            versions=base.package_versions("gpaw", "gpaw-data", "dftd3", "custodian"),
            structure=structure.as_dict(),
            formula=structure.reduced_formula if not request.ghosts else structure.formula,
            n_atoms=len(structure) - len(request.ghosts),
            ghosts=request.ghosts,
            charge=self.charge,
            magnetic_moment=result.get("magnetic_moment", 0.0),
            energy=result.get("energy"),
            electronic_energy=result.get("electronic_energy"),
            free_energy=result.get("free_energy"),
            fermi_level=result.get("fermi_level"),
            max_force=result.get("max_force"),
            n_electrons=result.get("n_electrons"),
            dipole=result.get("dipole"),
            dispersion_energy=result.get("dispersion_energy", 0.0),
            grid=tuple(result.get("grid") or settings["grid"]),
            converged=converged,
            scf_steps=result.get("scf_steps"),
            ionic_steps=result.get("ionic_steps"),
            corrections=corrections,
            flags=flags,
            densities=densities,
            charges={"bader": bader} if bader else {},
            potential_z=potential,
            vacuum_level={"below": levels.lower, "above": levels.upper} if levels else {},
            work_function=(
                {"below": levels.work_function_lower, "above": levels.work_function_upper}
                if levels and levels.work_function_lower is not None and levels.work_function_upper is not None
                else {}
            ),
            wall_time=result.get("wall_time"),
            cpu_time=result.get("cpu_time"),
            n_processes=result.get("n_processes", 1),
            directory=base.location(directory),
            completed_at=base.now(),
        )


def charges(path: Path, structure: Structure, ghosts: list[int]) -> tuple[BaderDocument | None, list[str]]:
    """Divide the all-electron density between the real atoms; a failure is a flag, not an end of the flow."""
    real = structure.copy()
    real.remove_sites(ghosts)
    grid = Grid(np.load(path), structure.lattice.matrix, structure.lattice.pbc)
    try:
        return bader_charges(grid, real), []
    except CalculationError as error:
        return None, [f"bader_failed: {error}"]


def vacuum(
    potential: list[float], structure: Structure, fermi_level: float | None, flags: list[str]
) -> VacuumLevels | None:
    """Read the vacuum levels of a slab; a potential that is not flat is a flag."""
    profile = np.array(potential)
    heights = np.linspace(0.0, structure.lattice.c, len(profile), endpoint=False)
    z = structure.cart_coords[:, 2]
    try:
        return vacuum_levels(profile, heights, float(z.min()), float(z.max()), fermi_level)
    except CalculationError as error:
        flags.append(f"vacuum_level_unclear: {error}")
        return None


@dataclass(frozen=True)
class GpawEngine(base.Engine):
    """GPAW as an engine of the flows.

    Parameters
    ----------
    processes
        MPI processes per calculation; 0 means all available cores.
    overrides
        Settings that replace those of the level.
    max_seconds
        Time slice of one process, see `GpawMaker`.
    """

    processes: int = 0
    overrides: dict[str, Any] | None = None
    max_seconds: float = 0.0
    name: str = "gpaw"
    densities: tuple[str, ...] = ("pseudo", "all_electron")

    def grid_bound(self, level: str) -> bool:
        """Whether the level uses LCAO or a grid, not plane waves."""
        return self._mode(level) != "pw"

    def counterpoise(self, level: str) -> bool:
        """Whether the level uses LCAO, whose basis is atom-centred."""
        return self._mode(level) == "lcao"

    def _mode(self, level: str) -> str:
        return str((level_settings("gpaw", level) | (self.overrides or {}))["mode"])

    def _maker(self, kind: CalculationKind, level: str, **options: Any) -> GpawMaker:
        return GpawMaker(
            kind=kind,
            level=level,
            processes=self.processes,
            overrides=dict(self.overrides or {}),
            max_seconds=self.max_seconds,
            **options,
        )
