"""Second derivatives of the energy by finite differences of forces: each displaced atom is calculated once, whatever happens.

Central differences by `ase.vibrations.Vibrations`. Every displacement leaves its forces in a file of the calculation's folder, so
that a run which was killed goes on with the next one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import numpy as np
from ase import Atoms
from ase.parallel import world
from pymatgen.core import Structure

from iface_wf.analysis.grid import FloatArray
from iface_wf.documents.labels import SLAB_PARTS
from iface_wf.errors import CalculationError, InputError

#: Kind of calculation.
KIND = "vibrations"
#: How far each atom is moved to both sides, A.
DISPLACEMENT = 0.01
#: Largest force on a free atom at which a structure counts as relaxed, eV/A.
UNRELAXED = 0.1
#: Folder of the forces of displaced atoms, within that of the calculation.
FOLDER = "displacements"
#: Seconds between two looks at how far another process is.
EVERY = 2.0


class UnrelaxedError(CalculationError):
    """The structure is no minimum: its second derivatives say nothing about vibrations."""

    def __init__(self, force: float) -> None:
        super().__init__(
            f"Frequencies need a relaxed structure, but the largest force on an atom that vibrates is {force:.2g} eV/A, above "
            f"{UNRELAXED:g} eV/A: let the engine that relaxes go further (--overrides max_steps=500 or fmax=0.02, where that is "
            "the engine itself), or choose a higher level."
        )
        self.force = force

    def __reduce__(self) -> tuple[type[UnrelaxedError], tuple[float]]:
        return type(self), (self.force,)


def with_frozen_slab(structure: Structure) -> Structure:
    """Mark which atoms vibrate: all but those of a slab and of what is grafted to it.

    Parameters
    ----------
    structure
        Labelled sites; the site property ``selective_dynamics`` is set.
    """
    labels = structure.site_properties.get("component", [None] * len(structure))
    marked = structure.copy()
    if "selective_dynamics" in marked.site_properties:
        marked.remove_site_property("selective_dynamics")
    marked.add_site_property("selective_dynamics", [[label not in SLAB_PARTS] * 3 for label in labels])
    return marked


def free_sites(structure: Structure) -> list[int]:
    """Return the indices of the sites that vibrate; all where nothing is marked."""
    marks = structure.site_properties.get("selective_dynamics") or [[True] * 3] * len(structure)
    return [index for index, mark in enumerate(marks) if mark is None or all(mark)]


def n_displacements(n_free: float) -> int:
    """Return how many calculations of forces so many free atoms take."""
    return 1 + 6 * round(n_free)


def hessian(atoms: Atoms, free: list[int], step: float, folder: Path, tell: Callable[[int], None]) -> FloatArray:
    """Return the second derivatives of the energy with respect to the positions of some atoms.

    Parameters
    ----------
    atoms
        With a calculator; where they are in the end is where they were.
    free
        Indices of the atoms that are moved.
    step
        Displacement to both sides, A.
    folder
        Where the forces of the displacements are kept, and found again.
    tell
        Is told before each calculation which one it is, from 1.

    Returns
    -------
    numpy.ndarray
        Shape (3 n, 3 n), eV/A^2, symmetric; atoms in the order of ``free``.

    Raises
    ------
    InputError
        When no atom is free.
    UnrelaxedError
        When the structure is no minimum.
    """
    if not free:
        raise InputError("Frequencies are those of what lies on a slab, but the structure holds nothing but slab.")
    if world.rank == 0:
        _remove_torn(folder)
    world.barrier()
    force = largest_force(atoms, free)
    if force > UNRELAXED:
        raise UnrelaxedError(force)
    from iface_wf.engines.displacements import TellingVibrations  # brings a library of plots, which jobs do without

    vibrations = TellingVibrations(atoms, free, folder, step, tell)
    vibrations.run()
    world.barrier()  # the last file is written by one process and read by all
    found: FloatArray = np.asarray(vibrations.get_vibrations().get_hessian_2d(), dtype=float)
    return found


def largest_force(atoms: Atoms, free: list[int]) -> float:
    """Return the largest force on some atoms, eV/A."""
    forces = np.asarray(atoms.calc.get_forces(atoms))[free]
    return float(np.linalg.norm(forces, axis=1).max())


def _remove_torn(folder: Path) -> None:
    """Remove files of forces that a killed run left empty or cut off: the ones that it was at are calculated again."""
    for path in folder.glob("cache.*.json"):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            path.unlink()


class Watched:
    """Tells from the files in a folder how far a calculation in another process is, while it runs.

    Parameters
    ----------
    folder
        Of the displacements.
    number
        How many there are in all.
    tell
        Hears it.
    """

    def __init__(self, folder: Path, number: int, tell: Callable[[str], None]) -> None:
        self._folder, self._number, self._tell = folder, number, tell
        self._over = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        before = -1
        while not self._over.wait(EVERY):
            done = len(list(self._folder.rglob("cache.*.json")))
            if done != before:
                self._tell(f"displacement {max(done, 1)} of {self._number}")
            before = done
