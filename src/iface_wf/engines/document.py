"""The one place that puts a CalculationDocument together: engines hand in what only they know."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from pymatgen.core import Structure

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.charges import ChargesDocument
from iface_wf.engines.dispersion import dispersion_energies
from iface_wf.engines.history import logged_steps
from iface_wf.engines.profile import ENGINES
from iface_wf.engines.request import CalculationRequest


class Method(NamedTuple):
    """How energies were calculated, in the words of documents and tables.

    Attributes
    ----------
    version
        Of the code.
    functional
        Exchange-correlation functional, method of xTB, or ML potential with its weights.
    dispersion
        Dispersion correction; None if none.
    basis
        Basis or cutoff.
    energy_type
        Which energy ``energy`` is.
    damping
        Functional whose damping parameters dispersion models take with these energies; empty where there is none, or where
        dispersion is part of the method.
    """

    version: str
    functional: str
    dispersion: str | None = None
    basis: str = ""
    energy_type: str = "extrapolated to zero smearing"
    damping: str = ""


def calculation_document(
    request: CalculationRequest,
    directory: Path,
    method: Method,
    structure: Structure,
    settings: dict[str, Any],
    *,
    charges: Sequence[ChargesDocument] = (),
    packages: Sequence[str] = (),
    **results: Any,
) -> CalculationDocument:
    """Return the document of a calculation.

    Parameters
    ----------
    request
        What was asked for.
    directory
        Where it ran.
    method
        How its energies were calculated.
    structure
        Final structure, labelled sites, ghosts among them.
    settings
        Those finally used, after all corrections.
    charges
        Charges of the atoms, one document for each scheme.
    packages
        Distributions that took part, besides those of the engine's profile.
    **results
        Other fields of `CalculationDocument`: energy (eV) and its parts, ``converged``, ``flags``, ``wall_time`` (s)...

    Returns
    -------
    CalculationDocument
        With key, versions, place and time.
    """
    ghosts = request.ghosts
    if request.kind == "relax" and "step_energies" not in results:
        results["step_energies"], results["step_forces"] = logged_steps(directory)
    dispersions = {}
    if results.get("energy") is not None:
        from pymatgen.io.ase import AseAtomsAdaptor  # a fifth of the start of a job, for all of ASE's symmetry

        atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
        atoms.pbc = structure.lattice.pbc
        dispersions = dispersion_energies(atoms, ghosts, method.damping, round(results.get("charge", 0.0), 6))
    return CalculationDocument(
        key=request.key(),
        kind=request.kind,
        role=request.role,
        engine=request.engine,
        engine_version=method.version,
        level=request.level,
        functional=method.functional,
        dispersion=method.dispersion,
        basis=method.basis,
        settings=settings,
        versions=package_versions(*ENGINES.load(request.engine).packages, *packages, "dftd3", "dftd4"),
        structure=structure.as_dict(),
        formula=structure.formula if ghosts else structure.reduced_formula,
        n_atoms=len(structure) - len(ghosts),
        ghosts=ghosts,
        energy_type=method.energy_type,
        dispersion_energies=dispersions,
        charges={each.scheme: each for each in charges},
        directory=f"{socket.gethostname()}:{directory}",
        completed_at=now(),
        **results,
    )


def provenance_of(whole: CalculationDocument, relaxations: Mapping[str, CalculationDocument]) -> dict[str, Any]:
    """Return what a result says of how it came about: versions, and the relaxations behind its geometries.

    Parameters
    ----------
    whole
        The calculation that stands for the result.
    relaxations
        By role.
    """
    return {
        "versions": package_versions() | whole.versions,
        "iface_wf": metadata.version("iface-wf"),
        "relaxations": {role: {"key": c.key, "engine": c.engine} for role, c in relaxations.items()},
    }


def package_versions(*names: str) -> dict[str, str]:
    """Return the installed versions of packages, for provenance.

    Parameters
    ----------
    *names
        Distribution names; those not installed are left out.

    Returns
    -------
    dict of str
        name: version.
    """
    versions = {}
    for name in ("iface-wf", "ase", "pymatgen-core", "numpy", *names):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def now() -> str:
    """Return the current time, UTC, ISO 8601."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
