"""GPAW: relaxations and single points as jobflow jobs, run as a subprocess under custodian with MPI.

Methods: PAW (Bloechl, 10.1103/PhysRevB.50.17953) in GPAW (Mortensen et al., 10.1063/5.0182685); PBE
(10.1103/PhysRevLett.77.3865); D3(BJ) (10.1002/jcc.21759); dipole layer (Bengtsson, 10.1103/PhysRevB.59.12301).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure

from iface_wf.analysis.bader import bader_charges
from iface_wf.analysis.density import pack
from iface_wf.analysis.grid import Grid
from iface_wf.analysis.hirshfeld import FreeAtom, hirshfeld_charges
from iface_wf.analysis.potential import VacuumLevels, vacuum_levels
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.charges import ChargesDocument
from iface_wf.documents.density import DensityRecord
from iface_wf.engines.base import Engine
from iface_wf.engines.cells import boxed_on_steps, grid_shape, kpoint_mesh, moved
from iface_wf.engines.document import Method, calculation_document
from iface_wf.engines.free_atoms import SOURCE
from iface_wf.engines.gpaw.checks import require_setups
from iface_wf.engines.gpaw.execute import execute
from iface_wf.engines.gpaw.files import CHECKPOINT, FREE_ATOMS, density_file
from iface_wf.engines.gpaw.profile import PROFILE, SHARED_SETTINGS
from iface_wf.engines.profile import RELAXATION
from iface_wf.engines.progress import progress_listener
from iface_wf.engines.request import CalculationRequest
from iface_wf.engines.vibrations import DISPLACEMENT, FOLDER, UnrelaxedError, Watched, free_sites, n_displacements
from iface_wf.errors import CalculationError, InputError

#: Results that go into the document under the same names.
AS_TOLD = (
    *("energy", "electronic_energy", "free_energy", "fermi_level", "max_force", "n_electrons", "dipole"),
    *("scf_steps", "ionic_steps", "wall_time", "cpu_time"),
)
#: Thresholds of frequencies, as GPAW names them: eV and electrons, each per valence electron.
TIGHT = {"energy": 1e-6, "density": 1e-6}


@dataclass
class GpawEngine(Engine):
    """GPAW calculations, by LCAO or plane waves.

    Parameters
    ----------
    name, kind, level, densities, overrides, role, force, charge, processes, here
        See `iface_wf.engines.base.Engine`.
    max_seconds
        Time slice after which a run writes a checkpoint and continues in a new process; 0 means no limit.
    """

    profile = PROFILE

    name: str = "gpaw"
    max_seconds: float = 0.0

    def defaults(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Write out what hangs on no structure, see `iface_wf.engines.base.Engine.defaults`."""
        settings = super().defaults()
        for table in ("magmoms", "hubbard"):
            if elements is not None and settings.get(table):
                settings[table] = {x: value for x, value in settings[table].items() if x in elements}
        return settings

    def check(self, structure: Structure) -> None:
        """Refuse what cannot run here, also for want of setups or a basis; see `iface_wf.engines.base.Engine.check`."""
        super().check(structure)
        if self.here:
            require_setups({element.symbol for element in structure.composition.elements}, self.defaults())

    def request(
        self, structure: Structure, ghosts: list[int], like: dict[str, Any] | None = None
    ) -> CalculationRequest:
        """Write out every setting, see `iface_wf.engines.base.Engine.request`."""
        settings = self.defaults()
        spacing, length = settings.pop("grid_spacing"), settings.pop("kpoint_length")
        settings.pop("relaxed_by", None)
        by_element = settings.pop("magmoms", None) or {}
        real = {site.specie.symbol for i, site in enumerate(structure) if i not in set(ghosts)}
        hubbard = {x: list(value) for x, value in (settings.pop("hubbard", None) or {}).items() if x in real}
        if hubbard:
            settings["hubbard"] = hubbard
        if "all_electron" not in self.densities and "bader_spacing" not in self.overrides:
            del settings["bader_spacing"]
        shared = {k: v for k, v in (like or {}).items() if k in SHARED_SETTINGS}
        if like is not None and not any(structure.lattice.pbc):
            structure, shared["grid"] = boxed_on_steps(structure, np.array(like["grid_steps"]))
            shared["kpoints"] = [1, 1, 1]
        settings = {
            "grid": list(grid_shape(structure, spacing)),
            "kpoints": list(kpoint_mesh(structure, length, exact="kpoint_length" in self.overrides)),
            "charge": self.charge,
            **settings,
            **{k: v for k, v in self._spin(structure, ghosts, by_element).items() if k not in self.overrides},
            **shared,
        }
        steps = structure.lattice.matrix / np.array(settings["grid"])[:, None]
        settings["grid_steps"] = np.round(steps, 10).tolist()
        if self.kind != "relax":
            settings = {k: v for k, v in settings.items() if k not in RELAXATION}
        if self.kind == "vibrations":
            # differences of forces ask for a density that is converged more tightly than energies do
            tight = {name: min(limit, settings["convergence"].get(name, limit)) for name, limit in TIGHT.items()}
            settings |= {"displacement": DISPLACEMENT, "convergence": settings["convergence"] | tight}
        settings |= self._boundary(structure, settings["mode"])
        if ghosts and settings["mode"] != "lcao":
            raise InputError(
                f"Counterpoise needs atom-centred functions: GPAW mode {settings['mode']!r} has none, only 'lcao' has."
            )
        return CalculationRequest(
            kind=self.kind,
            engine=self.engine_name,
            level=self.level,
            structure=structure.as_dict(),
            settings=settings,
            ghosts=ghosts,
            densities=self.densities,
            role=self.role,
        )

    def _boundary(self, structure: Structure, mode: str) -> dict[str, str]:
        """Return how the images of a charged piece are kept out; refuse one that is repeated.

        In a repeated cell a charge stands in a uniform background, and its energy hangs on the cell by eV. Isolated pieces in
        plane waves get the potential of an open box instead: a Gaussian of the opposite charge is added and its exact
        potential and energy are taken off again. LCAO and grids have open boxes anyway.
        """
        if abs(self.charge) < 1e-6:
            return {}
        if any(structure.lattice.pbc):
            raise InputError(
                f"A cell that is repeated cannot carry a charge of {self.charge:+g} e: its energy hangs on the size of the cell. "
                "Calculate an isolated piece, or keep the counter-ion."
            )
        return {"boundary": "open"} if mode == "pw" else {}

    def _spin(self, structure: Structure, ghosts: list[int], by_element: dict[str, float]) -> dict[str, Any]:
        """Return the settings of open shells: moments to start with (Bohr magnetons), or Hund's rule for odd electrons."""
        moments = structure.site_properties.get("magmom")
        if by_element and moments is None:
            moments = [0.0 if i in ghosts else by_element.get(x.symbol, 0.0) for i, x in enumerate(structure.species)]
        if moments is not None and any(moments):
            return {"spin_polarized": True, "magnetic_moments": [float(m or 0.0) for m in moments]}
        electrons = sum(site.specie.Z for i, site in enumerate(structure) if i not in set(ghosts)) - self.charge
        return {"spin_polarized": True, "start": "hund"} if round(electrons) % 2 else {}

    def calculate(self, request: CalculationRequest, directory: Path) -> CalculationDocument:
        """Run GPAW in a folder under custodian and read its results."""
        watched: AbstractContextManager[None] = nullcontext()
        if request.kind == "vibrations":
            number = n_displacements(len(free_sites(request.atoms_structure)))
            watched = Watched(directory / FOLDER, number, progress_listener())
        with watched:
            result, settings, corrections = execute(request, directory, self.processes, self.max_seconds)
        if "unrelaxed" in result:
            raise UnrelaxedError(result["unrelaxed"])
        structure = request.atoms_structure
        if "positions" in result:
            structure = moved(structure, result["positions"])
        flags = [] if result.get("scf_converged") else ["scf_unconverged"]
        if result.get("scf_converged") and not result.get("geometry_converged"):
            flags.append("geometry_unconverged")
        converged = not flags
        densities: dict[str, DensityRecord] = {}
        found: list[ChargesDocument] = []
        if converged and "pseudo" in request.densities:
            smooth = np.load(directory / density_file("pseudo"))
            densities["pseudo"] = pack(smooth, structure.lattice.matrix, structure.lattice.pbc, "pseudo")
        if converged and "all_electron" in request.densities:
            found, trouble = charges(directory, structure, request.ghosts)
            flags += trouble
        potential = result.get("potential_z")
        levels = vacuum(potential, structure, result.get("fermi_level"), flags) if potential else None
        for leftover in (CHECKPOINT, FREE_ATOMS, *map(density_file, request.densities)):
            (directory / leftover).unlink(missing_ok=True)
        told: dict[str, Any] = {name: result.get(name) for name in AS_TOLD}
        if "hessian" in result:
            told |= {"hessian": result["hessian"], "vibrating": free_sites(structure)}
        return calculation_document(
            request,
            directory,
            method(settings),
            structure,
            settings,
            charges=found,
            **told,
            kpoints=tuple(settings["kpoints"]),
            charge=self.charge,
            magnetic_moment=result.get("magnetic_moment", 0.0),
            dispersion_energy=result.get("dispersion_energy", 0.0),
            grid=tuple(result.get("grid") or settings["grid"]),
            converged=converged,
            corrections=corrections,
            flags=flags,
            densities=densities,
            potential_z=potential,
            vacuum_level={"below": levels.lower, "above": levels.upper} if levels else {},
            work_function=work_function(levels),
            n_processes=result.get("n_processes", 1),
        )


def method(settings: dict[str, Any]) -> Method:
    """Say in words how GPAW calculates with some settings."""
    basis = settings["mode"].upper()
    if settings["mode"] == "lcao":
        kinds = settings["basis"]
        told = kinds if isinstance(kinds, str) else ", ".join(f"{x} {kind}" for x, kind in sorted(kinds.items()))
        shift = f" of {settings['energy_shift']:g} eV" if settings.get("energy_shift") else ""
        basis = f"LCAO {told}{shift}"
    if settings["mode"] == "pw":
        basis = f"PW {settings['cutoff']:g} eV" + (", open box" if settings.get("boundary") == "open" else "")
    return Method(metadata.version("gpaw"), settings["xc"], settings["dispersion"], basis, damping=settings["xc"])


def charges(directory: Path, structure: Structure, ghosts: list[int]) -> tuple[list[ChargesDocument], list[str]]:
    """Divide the all-electron density between the real atoms by each scheme; a failure is a flag, not an end of the flow.

    Parameters
    ----------
    directory
        Where the density (e/A^3) and those of the free atoms lie.
    structure
        All sites.
    ghosts
        Indices of those without a nucleus.

    Returns
    -------
    tuple
        The charges, without those of a scheme that failed, and flags.
    """
    real = structure.copy()
    real.remove_sites(ghosts)
    grid = Grid(np.load(directory / density_file("all_electron")), structure.lattice.matrix, structure.lattice.pbc)
    schemes: dict[str, Callable[[], ChargesDocument]] = {
        "bader": lambda: bader_charges(grid, real),
        "hirshfeld": lambda: hirshfeld_charges(grid, real, _free_atoms(directory), SOURCE),
    }
    found, flags = [], []
    for scheme, divide in schemes.items():
        try:
            found.append(divide())
        except CalculationError as error:
            flags.append(f"{scheme}_failed: {error}")
    return found, flags


def _free_atoms(directory: Path) -> dict[str, FreeAtom]:
    with np.load(directory / FREE_ATOMS) as stored:
        return {symbol: FreeAtom(*stored[symbol]) for symbol in stored.files}


def vacuum(
    potential: list[float], structure: Structure, fermi_level: float | None, flags: list[str]
) -> VacuumLevels | None:
    """Read the vacuum levels of a slab; a potential that is not flat is a flag.

    Parameters
    ----------
    potential
        Planar average along c, eV.
    structure
        The slab.
    fermi_level
        On the scale of the potential, eV.
    flags
        The flag is added to these.
    """
    profile = np.array(potential)
    heights = np.linspace(0.0, structure.lattice.c, len(profile), endpoint=False)
    z = structure.cart_coords[:, 2]
    try:
        return vacuum_levels(profile, heights, float(z.min()), float(z.max()), fermi_level)
    except CalculationError as error:
        flags.append(f"vacuum_level_unclear: {error}")
        return None


def work_function(levels: VacuumLevels | None) -> dict[str, float]:
    """Return the work functions of both sides, eV, where there are any."""
    if levels is None or levels.work_function_lower is None or levels.work_function_upper is None:
        return {}
    return {"below": levels.work_function_lower, "above": levels.work_function_upper}


#: Jobs that wait in queues name the engine by its name of before.
GpawMaker = GpawEngine
