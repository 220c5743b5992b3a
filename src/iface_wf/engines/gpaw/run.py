"""The script that runs inside `gpaw python`, under MPI: reads calculation.json, writes result.json and densities.

It is the only module that drives GPAW, and it imports no workflow library, so that start-up stays cheap.
Files in its folder: calculation.json (in), gpaw.txt (GPAW's log), result.json (out), density-KIND.npy and
free-atoms.npz (out), checkpoint.npz, relax.traj and displacements/ (to continue after a kill).
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.mixing import SumCalculator
from gpaw import GPAW, KohnShamConvergenceError
from gpaw.mpi import world
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from iface_wf.engines.bodies import Bodies, BodyBFGS, bodies_of
from iface_wf.engines.dispersion import dispersion_calculator, dispersion_energy
from iface_wf.engines.gpaw.basis import farther_reaching
from iface_wf.engines.gpaw.checkpoint import Checkpoint, OutOfTimeError, last_positions
from iface_wf.engines.gpaw.density import (
    all_electron_density,
    electrostatic_potential,
    free_atom_densities,
    pseudo_density,
)
from iface_wf.engines.gpaw.domains import share
from iface_wf.engines.gpaw.files import FREE_ATOMS, INPUT, LOG, RESULT, TRAJECTORY, density_file
from iface_wf.engines.gpaw.replaced import replace_methods
from iface_wf.engines.vibrations import FOLDER, KIND, UnrelaxedError, free_sites, hessian


def calculator_parameters(settings: dict[str, Any], ghosts: list[int], pbc: list[bool]) -> dict[str, Any]:
    """Translate our settings into GPAW's parameters.

    Parameters
    ----------
    settings
        Settings of the request.
    ghosts
        Basis-only sites.
    pbc
        Periodic directions.

    Returns
    -------
    dict
        Keyword arguments for ``gpaw.GPAW``.
    """
    mode = {"name": settings["mode"]}
    if settings["mode"] == "pw":
        mode["ecut"] = settings["cutoff"]
    parameters: dict[str, Any] = {
        "mode": mode,
        "xc": settings["xc"],
        "gpts": settings["grid"],
        "kpts": {"size": settings["kpoints"], "gamma": True},
        "occupations": {"name": "fermi-dirac", "width": settings["smearing"]},
        "convergence": dict(settings["convergence"]),
        "charge": settings.get("charge", 0.0),
        "maxiter": settings["max_scf_steps"],
        "spinpol": bool(settings.get("spin_polarized", False)) or None,
        "symmetry": {"point_group": False},
    }
    if settings["mode"] == "lcao":
        parameters["basis"] = settings["basis"]
    else:
        parameters["parallel"] = {"domain": 1, "band": 1}  # see `iface_wf.engines.gpaw.execute.usable_processes`
    if settings.get("mixer"):
        parameters["mixer"] = settings["mixer"]
    if settings.get("start") == "hund":
        parameters["hund"] = True
    if pbc == [True, True, False]:
        parameters["poissonsolver"] = {"dipolelayer": "xy"}
    setups = {
        symbol: f":{'spdf'[int(shell)]},{u - j:g}" for symbol, (shell, u, j) in (settings.get("hubbard") or {}).items()
    }
    if setups or ghosts:
        parameters["setups"] = {**setups, **dict.fromkeys(ghosts, "ghost")}
    return parameters


def optimise(atoms: Atoms, settings: dict[str, Any], checkpoint: Checkpoint, bodies: Bodies = ()) -> tuple[bool, int]:
    """Relax the free atoms, continuing an interrupted trajectory.

    Parameters
    ----------
    atoms
        With a calculator.
    settings
        ``fmax`` (eV/A) and ``max_steps``.
    checkpoint
        Written after every step; says when the time is over.
    bodies
        Molecules on a slab, see `iface_wf.engines.bodies`.

    Returns
    -------
    tuple
        Whether the forces converged, and the number of ionic steps in this run.
    """
    steps = 0
    options = {"trajectory": TRAJECTORY, "append_trajectory": True, "logfile": "relax.log", "maxstep": 0.1}
    with BodyBFGS(atoms, bodies, **options) as optimiser:
        for converged in optimiser.irun(fmax=settings["fmax"], steps=settings["max_steps"]):
            steps = optimiser.nsteps
            checkpoint.write()
            late = np.array([float(checkpoint.late())])
            world.broadcast(late, 0)
            if late[0] and not converged and steps > 0:  # a slice moves at least once, else it never ends
                raise OutOfTimeError
    return bool(converged), steps


def second_derivatives(atoms: Atoms, task: dict[str, Any], checkpoint: Checkpoint) -> list[list[float]]:
    """Return the second derivatives of the energy with respect to the free atoms, going on where an earlier run stopped.

    Parameters
    ----------
    atoms
        With a calculator.
    task
        As in `run`.
    checkpoint
        Says when the time is over.

    Returns
    -------
    list of list of float
        eV/A^2.
    """
    begun = [0]

    def in_time(_now: int) -> None:
        begun[0] += 1
        # a slice calculates at least once, else it never ends
        late = np.array([float(begun[0] > 1 and checkpoint.late())])
        world.broadcast(late, 0)
        if late[0]:
            raise OutOfTimeError

    settings = task["settings"]
    free = free_sites(Structure.from_dict(task["structure"]))
    # what a handler changes so that the SCF converges makes another energy: its forces are not mixed with those of before
    folder = Path(FOLDER) / f"smearing-{settings['smearing']:g}-spin-{int(bool(settings.get('spin_polarized')))}"
    found = hessian(atoms, free, settings["displacement"], folder, in_time)
    return found.tolist()  # type: ignore[no-any-return]


def converge(calc: Any) -> None:
    """Converge a new calculation.

    GPAW's ASE interface would set it up again where there are no wave functions yet, as always with atom-centred functions: that
    would cost seconds, and the density of a checkpoint.
    """
    dft = calc.dft
    for context in dft.iconverge():
        calc.hooks["scf_step"](context)
    dft.calculate_energy()
    dft.calculate_dipole()
    dft.magmoms()
    dft.write_converged()


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Run one calculation and return its results as plain data (densities go to files).

    Parameters
    ----------
    task
        The request as a dict, plus ``max_seconds``: stop with a checkpoint after so many seconds (0: never).

    Returns
    -------
    dict
        Energies in eV, forces in eV/A, positions in A, grid, counts of steps, flags.
    """
    settings, relax = task["settings"], task["kind"] == "relax"
    atoms = starting_atoms(task)
    pbc = [bool(p) for p in atoms.pbc]
    share(pbc)
    replace_methods(settings["mode"])
    parameters = calculator_parameters(settings, task["ghosts"], pbc)
    if settings.get("energy_shift"):
        parameters["basis"] = farther_reaching(settings["basis"], settings["energy_shift"], atoms.symbols)
    calc = GPAW(**parameters, txt=LOG)
    checkpoint = Checkpoint(calc, settings.get("checkpoint_every", 300.0), task.get("max_seconds", 0.0))
    scf_steps = [0]

    def count(context: Any) -> None:
        scf_steps[0] = context.niter
        checkpoint.after_scf_step(context)

    calc.hooks["scf_step"] = count
    calc.create_new_calculation(atoms)
    restored = checkpoint.restore(atoms)
    converge(calc)
    correction = dispersion_calculator(settings["dispersion"], settings["xc"], settings.get("charge", 0.0))
    atoms.calc = SumCalculator([calc, correction]) if task["kind"] != "static" and correction is not None else calc
    result: dict[str, Any] = {"scf_converged": True, "geometry_converged": True, "ionic_steps": 0}
    if relax:
        bodies = bodies_of(Structure.from_dict(task["structure"]), atoms)
        result["geometry_converged"], result["ionic_steps"] = optimise(atoms, settings, checkpoint, bodies)
    if task["kind"] == KIND:
        result["hessian"] = second_derivatives(atoms, task, checkpoint)
    result |= energies(task, atoms, calc)
    result |= {"restored_density": restored, "scf_steps": scf_steps[0]}
    if atoms.pbc.tolist() == [True, True, False]:
        potential = electrostatic_potential(calc)
        if potential is not None:
            result["potential_z"] = potential.mean(axis=(0, 1)).tolist()
    if "pseudo" in task["densities"]:
        save("pseudo", pseudo_density(calc))
    if "all_electron" in task["densities"]:
        array, info = all_electron_density(calc, spacing=settings["bader_spacing"])
        save("all_electron", array)
        if world.rank == 0:
            atoms_alone = {symbol: np.array(both) for symbol, both in free_atom_densities(calc).items()}
            np.savez(FREE_ATOMS, **atoms_alone)  # type: ignore[arg-type]
        result["all_electron_info"] = info
    return result


def starting_atoms(task: dict[str, Any]) -> Atoms:
    """Return the atoms to begin with: as asked for, or where an interrupted relaxation has come to."""
    settings = task["settings"]
    atoms = AseAtomsAdaptor.get_atoms(Structure.from_dict(task["structure"]), msonable=False)
    atoms.pbc = task["structure"]["lattice"].get("pbc", [True] * 3)
    if settings["mode"] == "pw" and atoms.pbc.tolist() != [True, True, False] and settings.get("boundary") != "open":
        atoms.pbc = True  # plane waves repeat a molecule or wire too, apart by its vacuum
    if task["kind"] == "relax":
        atoms.positions = last_positions(atoms)
    if any(settings.get("magnetic_moments") or []):
        atoms.set_initial_magnetic_moments(settings["magnetic_moments"])
    return atoms


def energies(task: dict[str, Any], atoms: Atoms, calc: Any) -> dict[str, Any]:
    """Return energies (eV), forces (eV/A) and what else is read off a converged calculation.

    Parameters
    ----------
    task
        As in `run`.
    atoms
        Where the atoms are in the end; dispersion is part of their forces.
    calc
        The electronic part alone.
    """
    settings = task["settings"]
    bare = atoms.copy()
    bare.set_constraint(atoms.constraints)
    bare.calc = calc
    electronic = float(calc.get_potential_energy(bare))
    free = float(calc.get_potential_energy(bare, force_consistent=True))
    dispersion = 0.0
    if world.rank == 0:
        charge = settings.get("charge", 0.0)
        dispersion = dispersion_energy(atoms, task["ghosts"], settings["dispersion"], settings["xc"], charge)
    forces = None if task["kind"] == "static" else atoms.get_forces()
    return {
        "energy": electronic + dispersion,
        "electronic_energy": electronic,
        "free_energy": free + dispersion,
        "dispersion_energy": dispersion,
        "positions": atoms.positions.tolist(),
        "max_force": None if forces is None else float(np.linalg.norm(forces, axis=1).max()),
        "grid": [int(n) for n in calc.get_number_of_grid_points()],
        "n_electrons": float(calc.get_number_of_electrons()),
        "magnetic_moment": float(calc.get_magnetic_moment(bare)),
        "dipole": float(calc.get_dipole_moment(bare)[2]),
        "fermi_level": float(calc.get_fermi_level()),
    }


def save(kind: str, array: np.ndarray | None) -> None:
    """Write a density, e/A^3, from rank 0."""
    if world.rank == 0 and array is not None:
        np.save(density_file(kind), array)


def report(result: dict[str, Any], started: float) -> None:
    """Write result.json in one step, so that a reader never sees half of it."""
    result |= {"wall_time": time.time() - started, "n_processes": world.size}
    part = Path(RESULT + ".part")
    part.write_text(json.dumps(result))
    part.replace(RESULT)


def main() -> int:
    """Run the calculation of the current folder; what goes wrong is told in result.json."""
    started, cpu = time.time(), time.process_time()
    task = json.loads(Path(INPUT).read_text())
    try:
        result = run(task)
    except KohnShamConvergenceError as error:
        result = {
            "scf_converged": False,
            "geometry_converged": False,
            "error": str(error) or "too few SCF steps",
        }
    except OutOfTimeError:
        result = {"out_of_time": True}
    except UnrelaxedError as error:
        result = {"scf_converged": True, "unrelaxed": error.force}
    except Exception:  # told to the parent process, which raises it again with its cause
        report({"failed": traceback.format_exc(limit=-6)}, started)
        if world.size > 1:
            world.abort(1)  # the other ranks may be waiting for this one
        raise
    result["cpu_time"] = world.sum_scalar(time.process_time() - cpu)
    if world.rank == 0:
        report(result, started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
