"""An engine: the maker of one code's calculations, each a job that returns one CalculationDocument.

A calculation is described completely by a `CalculationRequest`. Its content key decides whether the job store already
holds the answer: then the stored document is returned and nothing is run.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from jobflow import CURRENT_JOB, Job, JobConfig, Maker, job
from pymatgen.core import Structure

from iface_wf.builders.checks import flags as outcome_flags
from iface_wf.builders.components import indices, select
from iface_wf.documents.calculation import CalculationDocument, CalculationKind
from iface_wf.documents.labels import SLAB_PARTS
from iface_wf.engines.answers import is_answer
from iface_wf.engines.calculation_log import logged
from iface_wf.engines.checkpoints import taken_aside
from iface_wf.engines.profile import ENGINES, EngineProfile, merged
from iface_wf.engines.request import CalculationRequest
from iface_wf.engines.shelf import calculate_once, common_shelf
from iface_wf.engines.vibrations import with_frozen_slab
from iface_wf.errors import CalculationError, InputError, OutageError
from iface_wf.outages import outage_in, outage_of
from iface_wf.store.reuse import claimed
from iface_wf.store.versions import document_in


@dataclass
class Engine(Maker, ABC):
    """Base of all engines: find a stored result or run the calculation.

    An engine is a dataclass of this kind with a ``profile``, `request` and `calculate`. Codes that are ASE calculators
    in this process need less, see `iface_wf.engines.ase_engine.AseEngine`.

    Parameters
    ----------
    name
        Job name, shown in progress and in the store.
    kind
        ``relax``, ``static`` or ``vibrations``.
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
    charge
        Total charge of the cell, e.
    processes
        MPI processes per calculation; 0 means all available cores. Codes that run in one process ignore it.
    here
        Whether calculations run on this machine: then programs and files are looked for when a flow is built. On the
        way to a queue of another machine they are looked for there.
    """

    #: What the engine tells about itself without being imported.
    profile: ClassVar[EngineProfile]

    name: str = "calculation"
    kind: CalculationKind = "static"
    level: str = "fast"
    densities: list[str] = field(default_factory=list)
    overrides: dict[str, Any] = field(default_factory=dict)
    role: str = ""
    force: bool = False
    charge: float = 0.0
    processes: int = 0
    here: bool = True

    @property
    def engine_name(self) -> str:
        """Name of the engine, as in documents and on the command line."""
        return self.profile.name

    @property
    def counterpoise(self) -> bool:
        """Whether the basis is atom-centred, so that ghost atoms are possible and needed."""
        return self.profile.comparison.counterpoise(self.defaults())

    @property
    def grid_bound(self) -> bool:
        """Whether absolute energies hang on the steps of a real-space grid, which then must be the interface's."""
        return self.profile.comparison.grid_bound(self.defaults())

    def defaults(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Write out the settings that hang on no structure: those of the level with the overrides.

        Parameters
        ----------
        elements
            Tables by element are written out for these; None: as the overrides give them.

        Returns
        -------
        dict
            All that decides a result, apart from the structure and what follows from it (grid, k-points, spin).

        Raises
        ------
        InputError
            For an unknown level or setting.
        """
        return self.profile.settings(self.level, self.overrides)

    @classmethod
    def treatment(cls, entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Translate what the library's records say about this engine into overrides.

        Parameters
        ----------
        entries
            For each filler its ``engines`` entry of this engine; tables by element are joined.
        """
        return merged(entries)

    def check(self, structure: Structure) -> None:
        """Refuse to start what cannot run ``here``, naming the program or file that is missing (`InputError`)."""
        if self.here:
            self.profile.require()

    def elsewhere(self) -> Self:
        """Return the engine for calculations that another machine runs, which are not checked here."""
        return replace(self, here=False)

    def relax(self, structure: Any, **options: Any) -> Job:
        """Return a job that relaxes a structure, or the output reference of one.

        Parameters
        ----------
        structure
            Labelled sites, or where they will be.
        **options
            Fields of the engine that differ for this job: name, role...

        Returns
        -------
        Job
            Its output is a CalculationDocument.
        """
        return self._job("relax", structure, options)

    def static(
        self,
        structure: Any,
        keep: list[str] | None = None,
        as_ghosts: list[str] | None = None,
        like: Any = None,
        **options: Any,
    ) -> Job:
        """Return a single-point job; its output is a CalculationDocument.

        Parameters
        ----------
        structure, keep, as_ghosts, like
            See `make`; each may be the reference of another job's output.
        **options
            Fields of the engine that differ for this job: name, role, densities...
        """
        return self._job("static", structure, options, keep=keep, as_ghosts=as_ghosts, like=like)

    def vibrations(self, structure: Any, **options: Any) -> Job:
        """Return a job that gives the second derivatives of the energy; its output is a CalculationDocument.

        Parameters
        ----------
        structure
            Relaxed by this engine, labelled sites, or where it will be; the atoms of a slab do not move.
        **options
            Fields of the engine that differ for this job: name, role...

        Raises
        ------
        InputError
            When the engine has no frequencies.
        """
        self.require_vibrations()
        return self._job("vibrations", structure, options)

    def require_vibrations(self) -> None:
        """Refuse an engine without frequencies (`InputError`)."""
        if not self.profile.vibrations:
            able = ", ".join(name for name, profile in ENGINES.usable().items() if profile.vibrations)
            raise InputError(
                f"The engine {self.engine_name} gives no frequencies, which come from the engine that relaxes: those of {able} "
                "do, by --engine, or at the level fast by --geometry."
            )

    def _job(self, kind: CalculationKind, structure: Any, options: dict[str, Any], **arguments: Any) -> Job:
        engine = replace(self, kind=kind, **options)
        if isinstance(structure, Structure):
            engine.check(structure)
        return engine.make(structure, **arguments)

    @abstractmethod
    def request(
        self, structure: Structure, ghosts: list[int], like: dict[str, Any] | None = None
    ) -> CalculationRequest:
        """Write out all settings of the calculation.

        Parameters
        ----------
        structure
            Labelled sites.
        ghosts
            Indices of sites that carry basis functions only.
        like
            Settings of another calculation, which fix the shared ones (grid, k-points...).

        Raises
        ------
        InputError
            For settings and structures that the code cannot treat.
        """

    @abstractmethod
    def calculate(self, request: CalculationRequest, directory: Path) -> CalculationDocument:
        """Run the calculation in a directory of its own.

        Raises
        ------
        CalculationError
            When the code fails for a reason other than convergence; non-convergence is a flag.
        """

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
        if self.kind == "vibrations":
            self.require_vibrations()
            structure = with_frozen_slab(structure)
        if keep is not None:
            structure = select(structure, *keep, *(as_ghosts or []))
        ghosts = indices(structure, *as_ghosts) if as_ghosts else []
        request = self.request(structure, ghosts, like)
        key = request.key()
        store = getattr(CURRENT_JOB, "store", None)
        if store is None or common_shelf() is not None:  # a queue's job has no access to the store, only to the shelf
            document = self._calculate(request, key)
            if document.reused_from is None and _files_were_deleted():
                document = document.with_note(
                    "queue", "its files were deleted while it was in the queue", calculated="anew"
                )
            return document
        others: list[str] = []
        with claimed(store, key, force=self.force, on_lost=others.append) as found:
            stored = None if found is None else document_in(found, CalculationDocument)
            if stored is not None and not same_frame(stored, request.atoms_structure):
                stored = None
            if found is not None and stored is not None and is_answer(stored, request.settings):
                return stored.model_copy(update={"reused_from": found["uuid"], "role": self.role})
            document = self._calculate(request, key, stored)
        if others:
            document = document.with_note("claim", f"stopped until {others[0]} took it over", calculated="twice")
        return document

    def _calculate(
        self, request: CalculationRequest, key: str, unconverged: CalculationDocument | None = None
    ) -> CalculationDocument:
        structure = request.atoms_structure
        # equal calculations may differ in the order of their sites, and checkpoints belong to one order
        order = hashlib.sha256(request.model_dump_json(include={"structure"}).encode()).hexdigest()[:8]
        common = common_shelf()
        document, found = calculate_once(
            (common or Path.cwd()) / f"calc-{key[:16]}-{order}",
            lambda document: str(document.key) == str(key) and same_frame(document, structure),
            lambda document: is_answer(document, request.settings),
            lambda directory, before: judged(self._go_on(request, directory, before or unconverged), structure),
            logged(key, kind=self.kind, role=self.role, engine=self.engine_name, level=self.level),
            self.force,
        )
        if not found or common is None:  # without a queue the store was asked before: this result never reached it
            return document.model_copy(update={"role": self.role})
        return document.model_copy(update={"reused_from": f"shelf {document.directory}", "role": self.role})

    def _go_on(
        self, request: CalculationRequest, directory: Path, before: CalculationDocument | None
    ) -> CalculationDocument:
        """Calculate, from where an earlier calculation had to end if there is one; say what was set aside."""
        start = request
        if before is not None and request.kind == "relax":
            start = request.model_copy(update={"structure": before.structure})
        try:
            document = self.calculate(start, directory)
        except OutageError:
            raise
        except Exception as error:
            outage = outage_of(error) or outage_in(directory, str(error))
            if outage is not None:
                raise outage from error
            if isinstance(error, CalculationError) and str(directory) not in str(error):
                raise CalculationError(f"{error} Its files: {directory}.") from error
            raise
        if before is not None:
            about = ", ".join(before.flags) or "unconverged"
            origin = "final geometry" if start is not request else "start"
            document = document.with_note("continuation", f"{about} before, with fewer steps", continue_from=[origin])
        for name in taken_aside(directory):
            document = document.with_note("checkpoint", f"{name} could not be read", continue_from=["start"])
        return document.model_copy(update={"key": str(request.key())})


def _files_were_deleted() -> bool:
    """Whether the present job of a queue ran before, and its files are gone: its note is from `iface_wf.queues.recover`."""
    job = getattr(CURRENT_JOB, "job", None)
    return bool(job is not None and job.metadata.get("deleted"))


def judged(document: CalculationDocument, initial: Structure) -> CalculationDocument:
    """Return the document of a relaxation with flags for what went wrong with its structure on the way.

    Parameters
    ----------
    document
        Of a relaxation, else it is left as it is.
    initial
        Where the relaxation started: a part as built.
    """
    if document.kind != "relax":
        return document
    found = [flag for flag in outcome_flags(initial, document.atoms_structure) if flag not in document.flags]
    if set(initial.site_properties.get("component", [])) <= set(SLAB_PARTS):
        # a slab alone that is not as it was cut any more may be a sound surface
        found = ["reconstructed" if flag == "slab_changed" else flag for flag in found]
    return document.model_copy(update={"flags": [*document.flags, *found]}) if found else document


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
