"""The engine protocol: every code offers `relax` and `static` jobs that return one CalculationDocument.

A calculation is described completely by a `CalculationRequest`. Its content key decides whether the job store already
holds the answer: then the stored document is returned and nothing is run.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import socket
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import numpy as np
from jobflow import CURRENT_JOB, Job, JobConfig, Maker, job
from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Structure

from iface_wf.builders.components import indices, select
from iface_wf.documents.calculation import CalculationDocument, CalculationKind
from iface_wf.engines.calculation_log import logged
from iface_wf.engines.shelf import calculate_once, common_shelf
from iface_wf.store.canonical import calculation_key
from iface_wf.store.reuse import claimed

#: Settings that steer how a result is reached, not what it is: they stay out of keys and of comparisons.
TECHNICAL_SETTINGS = frozenset(
    {
        "grid_steps",  # follows from cell and grid
        "mixer",
        "max_scf_steps",
        "scf_step_cap",
        "max_steps",
        "start",
        "max_seconds",
        "checkpoint_every",
        "relaxed_by",
        "technical",
    }
)


class CalculationRequest(BaseModel):
    """Everything that decides the result of one calculation.

    Attributes
    ----------
    structure
        pymatgen structure as a dict, labelled sites; ``lattice.pbc`` says which directions are periodic.
    settings
        Complete settings of the code, defaults written out.
    ghosts
        Indices of sites that carry basis functions only.
    densities
        Which densities are wanted: ``pseudo`` is stored, for difference densities; ``all_electron`` is made on a
        finer grid, divided into Bader charges, and dropped.
    """

    model_config = ConfigDict(extra="forbid")

    kind: CalculationKind
    engine: str
    level: str
    structure: dict[str, Any]
    settings: dict[str, Any]
    ghosts: list[int] = Field(default_factory=list)
    densities: list[str] = Field(default_factory=list)
    role: str = ""

    @property
    def atoms_structure(self) -> Structure:
        """The structure as a pymatgen object."""
        return Structure.from_dict(self.structure)

    def key(self) -> str:
        """Content key of the calculation.

        Returns
        -------
        str
            SHA-256, hexadecimal. Package versions, site order, translation and labels play no part; the wanted
            densities do, because a stored document without them is no answer.
        """
        physical = physical_settings(self.settings)
        physical |= {"engine": self.engine, "densities": sorted(self.densities)}
        return calculation_key(self.atoms_structure, physical, self.kind, ghosts=self.ghosts)


def physical_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Keep the settings that decide the result.

    Parameters
    ----------
    settings
        Settings of a calculation.

    Returns
    -------
    dict
        Without the technical ones (mixing, step limits, checkpoints).
    """
    return {k: v for k, v in settings.items() if k not in TECHNICAL_SETTINGS}


class Engine(ABC):
    """What a code offers to the flows: relaxations and single points as jobs, and what its energies hang on.

    A new engine is a frozen dataclass with these two attributes and `_maker`.

    Attributes
    ----------
    name
        Name in documents and on the command line.
    densities
        Densities that single points of an interface are asked for.
    """

    name: str
    densities: tuple[str, ...]

    @abstractmethod
    def _maker(self, kind: CalculationKind, level: str, **options: Any) -> EngineMaker:
        """Return the maker of one calculation."""

    def maker(self, kind: CalculationKind, level: str, **options: Any) -> EngineMaker:
        """Return the maker of one calculation."""
        return self._maker(kind, level, **options)

    def counterpoise(self, level: str) -> bool:
        """Whether the basis is atom-centred, so that ghost atoms are possible and needed."""
        return False

    def grid_bound(self, level: str) -> bool:
        """Whether absolute energies hang on the steps of a real-space grid, which then must be the interface's."""
        return False

    def check(self, structure: Structure, level: str) -> None:  # noqa: B027 - most engines need nothing
        """Refuse to start what cannot run here, naming the program or file that is missing (`InputError`)."""

    def elsewhere(self) -> Self:
        """Return the engine for calculations that another machine runs, which are not checked here."""
        return self

    def relax(self, structure: Any, level: str, **options: Any) -> Job:
        """Return a job that relaxes a structure, or the output reference of one.

        Its output is a CalculationDocument.
        """
        if isinstance(structure, Structure):
            self.check(structure, level)
        return self._maker("relax", level, **options).make(structure)

    def static(
        self,
        structure: Any,
        level: str,
        densities: list[str] | None = None,
        grid: Any = None,
        keep: list[str] | None = None,
        as_ghosts: list[str] | None = None,
        **options: Any,
    ) -> Job:
        """Return a single-point job; its output is a CalculationDocument.

        ``grid`` is the settings of the calculation whose grid it shares; ``keep`` and ``as_ghosts`` choose
        components, see `EngineMaker.make`.
        """
        if isinstance(structure, Structure):
            self.check(structure, level)
        maker = self._maker("static", level, densities=densities or [], **options)
        return maker.make(structure, keep=keep, as_ghosts=as_ghosts, like=grid)


@dataclass
class EngineMaker(Maker, ABC):
    """Base of the makers of all engines: find a stored result or run the calculation.

    Parameters
    ----------
    name
        Job name, shown in progress and in the store.
    kind
        ``relax`` or ``static``.
    level
        ``fast``, ``moderate`` or ``precise``.
    densities
        Wanted densities, see `CalculationRequest`.
    overrides
        Settings that replace those of the level; visible in the document.
    role
        What the calculation is in its flow, for example ``A*``.
    force
        Run even when the store holds a finished result.
    """

    name: str = "calculation"
    kind: CalculationKind = "static"
    level: str = "fast"
    densities: list[str] = field(default_factory=list)
    overrides: dict[str, Any] = field(default_factory=dict)
    role: str = ""
    force: bool = False

    @property
    @abstractmethod
    def engine_name(self) -> str:
        """Name of the engine, as in documents."""

    @abstractmethod
    def request(
        self, structure: Structure, ghosts: list[int], like: dict[str, Any] | None = None
    ) -> CalculationRequest:
        """Write out all settings of the calculation; ``like`` fixes the shared ones (grid, k-points...)."""

    @abstractmethod
    def calculate(self, request: CalculationRequest, directory: Path) -> CalculationDocument:
        """Run the calculation in a directory of its own."""

    @job(data=["blob"], config=JobConfig(expose_store=True))
    def make(
        self,
        structure: Structure | dict[str, Any],
        keep: list[str] | None = None,
        as_ghosts: list[str] | None = None,
        like: dict[str, Any] | None = None,
    ) -> CalculationDocument:
        """Find the result in the store, or calculate it.

        Parameters
        ----------
        structure
            Structure to calculate, labelled sites.
        keep
            Components to calculate; None means all. The others are left out, in the same cell.
        as_ghosts
            Components that carry basis functions only.
        like
            Settings of another calculation whose grid, smearing and k-points this one must share
            (A* and B* must be comparable with AB).

        Returns
        -------
        CalculationDocument
            With energy, final structure, densities and flags.

        Raises
        ------
        CalculationError
            When the code fails for a reason other than convergence; non-convergence is a flag.
        """
        if isinstance(structure, dict):
            structure = Structure.from_dict(structure)
        if keep is not None:
            structure = select(structure, *keep, *(as_ghosts or []))
        ghosts = indices(structure, *as_ghosts) if as_ghosts else []
        request = self.request(structure, ghosts, like)
        key = request.key()
        store = getattr(CURRENT_JOB, "store", None)
        if store is None or common_shelf() is not None:  # a queue's job has no access to the store, only to the shelf
            return self._calculate(request, key)
        with claimed(store, key, force=self.force) as found:
            document = None if found is None else CalculationDocument.model_validate(found["output"])
            if found is not None and document is not None and same_frame(document, request.atoms_structure):
                return document.model_copy(update={"reused_from": found["uuid"], "role": self.role})
            return self._calculate(request, key)

    def _calculate(self, request: CalculationRequest, key: str) -> CalculationDocument:
        structure = request.atoms_structure
        # equal calculations may differ in the order of their sites, and checkpoints belong to one order
        order = hashlib.sha256(request.model_dump_json(include={"structure"}).encode()).hexdigest()[:8]
        common = common_shelf()
        document, found = calculate_once(
            (common or Path.cwd()) / f"calc-{key[:16]}-{order}",
            lambda document: str(document.key) == str(key) and same_frame(document, structure),
            lambda directory: self.calculate(request, directory),
            logged(key, kind=self.kind, role=self.role, engine=self.engine_name, level=self.level),
            self.force,
        )
        if not found or common is None:  # without a queue the store was asked before: this result never reached it
            return document.model_copy(update={"role": self.role})
        return document.model_copy(update={"reused_from": f"shelf {document.directory}", "role": self.role})


def same_frame(document: CalculationDocument, structure: Structure) -> bool:
    """Whether a stored result can stand for a structure atom by atom and grid point by grid point.

    Keys ignore the order of sites and translations, which leave energies alone; charges and densities belong to
    one order and one place. A relaxation moves atoms, so only the order counts there.
    """
    stored = Structure.from_dict(document.structure)
    labels = [s.site_properties.get("component") for s in (stored, structure)]
    if stored.species != structure.species or labels[0] != labels[1]:
        return False
    if document.kind == "relax":
        return True
    return bool(np.allclose(stored.cart_coords, structure.cart_coords, atol=1e-3))


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


def location(directory: Path) -> str:
    """Return host:folder of a run."""
    return f"{socket.gethostname()}:{directory}"
