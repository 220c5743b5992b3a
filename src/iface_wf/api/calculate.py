"""`iface_wf.run`: one result, found or calculated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Unpack, overload

from jobflow import JobStore

from iface_wf.api.notebook import step_listener
from iface_wf.api.options import (
    BindingOptions,
    BindingQuantity,
    Faces,
    Filler,
    Store,
    Surface,
    check_options,
    check_types,
    opened,
    work_folder,
)
from iface_wf.builders.molecules.oligomers import Conformation, Tacticity
from iface_wf.builders.placing.targets import Target
from iface_wf.documents.kinds import DEFAULT_KIND
from iface_wf.documents.result import ResultDocument
from iface_wf.errors import InputError, shown, validate
from iface_wf.flows.events import Event
from iface_wf.flows.kinds import flow_kind, flow_kind_of
from iface_wf.library import Library
from iface_wf.quantities.binding.document import BindingDocument
from iface_wf.screening.single import Plan, Step, plan_request, run_request

#: What else can be asked about, but not of a reaction.
_OF_INTERFACES = frozenset(
    {"filler", "polymer", "molecule", "salt", "partner", "interface", "units", "surface", "target"}
)
#: Arguments of `run` that say how to calculate, not what.
_HOW = frozenset({"store", "workdir", "library", "force", "dry_run", "on_event", "options"})


@overload
def run(
    filler: Filler | None = None,
    polymer: str | None = None,
    units: int | None = None,
    *,
    quantities: Sequence[BindingQuantity] | None = None,
    store: Store | None = None,
    workdir: str | Path | None = None,
    library: Library | None = None,
    force: bool = False,
    dry_run: Literal[False] = False,
    on_event: Callable[[Event], None] | None = None,
    **options: Unpack[BindingOptions],
) -> BindingDocument: ...
@overload
def run(
    filler: Filler | None = None,
    polymer: str | None = None,
    units: int | None = None,
    *,
    dry_run: Literal[True],
    quantities: Sequence[str] | None = None,
    store: Store | None = None,
    library: Library | None = None,
    **options: Any,
) -> list[Step]: ...
@overload
def run(
    filler: Filler | None = None,
    polymer: str | None = None,
    units: int | None = None,
    *,
    quantities: Sequence[str],
    store: Store | None = None,
    workdir: str | Path | None = None,
    library: Library | None = None,
    force: bool = False,
    dry_run: Literal[False] = False,
    on_event: Callable[[Event], None] | None = None,
    **options: Any,
) -> ResultDocument: ...
def run(
    filler: Filler | None = None,
    polymer: str | None = None,
    units: int | None = None,
    *,
    surface: Surface | None = None,
    thickness: float | None = None,
    sequence: str | None = None,
    tacticity: Tacticity | None = None,
    caps: Mapping[str, str] | None = None,
    conformation: Conformation | None = None,
    molecule: str | None = None,
    salt: str | None = None,
    copies: int | None = None,
    faces: Faces | None = None,
    beside: Sequence[str] | None = None,
    target: Target | None = None,
    clearance: float | None = None,
    interface: str | Path | None = None,
    split: str | None = None,
    engine: str | None = None,
    level: str | None = None,
    geometry: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    quantities: Sequence[str] | None = None,
    placements: int | None = None,
    search: int | None = None,
    seed: int | None = None,
    in_plane: tuple[float, float] | None = None,
    held_layers: int | None = None,
    vacuum: float | None = None,
    max_atoms: int | None = None,
    room_atoms: int | None = None,
    processes: int | None = None,
    title: str | None = None,
    store: Store | None = None,
    workdir: str | Path | None = None,
    library: Library | None = None,
    force: bool = False,
    dry_run: bool = False,
    on_event: Callable[[Event], None] | None = None,
    **options: Any,
) -> ResultDocument | list[Step]:
    """Return the binding energy of something on a filler with its parts, charges and densities: found, or calculated.

    What is stored is not calculated again, and a run that was interrupted goes on where it stopped. Options that are None
    take their defaults, see `iface_wf.quantities.binding.request.BindingRequest`.

    Parameters
    ----------
    filler
        Name from the library, or the path of a CIF, POSCAR, extended XYZ or YAML file. Kinds of results in open boxes have none.
    polymer
        Name from the library, or a PSMILES with two ``*`` ends.
    units
        Repeat units; by default the polymer's own number.
    surface
        Miller indices, also as text and with a termination (``"101/2"``), or ``"wire"``; by default the filler's first
        surface.
    thickness
        Smallest thickness of the slab, A; by default the surface's own.
    sequence
        Order of a copolymer's units, by letters such as ``"AAB"``.
    tacticity
        ``"isotactic"``, ``"syndiotactic"`` or ``"atactic"``.
    caps
        Ends of the chain as SMILES, ``{"head": "C*", "tail": "*C"}``; by default hydrogen.
    conformation
        ``"lowest"`` conformer, or the all-``"trans"`` chain; by default the polymer's own.
    molecule
        Instead of a polymer: SMILES, a name from the library such as ``"EC"`` or ``"water"``, or the path of an ``.xyz`` file.
    salt
        Salt of the library, as an ion pair beside the polymer or molecule, or alone.
    copies, faces, beside
        Several molecules: how many of what is named lie on a face; ``"both"`` puts the same on the lower face as well; and what else
        lies there, names of molecules, polymers and salts, each with a number before it where there are several
        (``["LiTFSI", "3 EC"]``).
    target
        Which functional group shall touch which atom of the surface.
    clearance
        How near the molecule is put, in van der Waals sums; by default 0.85.
    interface, split
        Instead of building and searching for the placement: the CIF, POSCAR or extended XYZ file of an interface, and which of
        its atoms are the molecule, counted from 0 (``"48-55,60"``, ``"48:"``) or by the labels of its column ``component``;
        by default the one molecule that is bonded to nothing else. ``filler`` then only names what the slab is made of.
    engine
        Code that gives the energies: ``"gpaw"`` (default), ``"vasp"``, ``"xtb"``, ``"mlip"``, or one of another package.
    level
        ``"fast"`` (default), ``"moderate"`` or ``"precise"``.
    geometry
        Cheap engine that ranks the placements and, at level fast, relaxes; by default xTB, or the engine itself where that
        is a cheap one.
    overrides
        Settings of the engine that replace those of the level.
    quantities
        What is wanted: ``"binding_energy"``; ``"interaction_energy"``, with A* and B*; ``"charges"``, with their densities;
        by default all three. Those of another kind of result give a document of that kind.
    placements
        Candidates of each batch that the search for the lowest minimum looks at; with 1 nothing is searched.
    search
        Steps of relaxation that the cheap engine may take in the search; by default those of the level.
    seed
        Seed of everything random.
    in_plane
        Smallest in-plane lengths of the slab, A, in either order; by default as large as what lies on it needs.
    held_layers
        How many layers of atoms of the slab keep their places, from below, or in the middle where molecules lie on both faces; by
        default as the surface, or the file of a slab, says.
    vacuum
        Empty space above the topmost atom, A.
    max_atoms
        Interfaces with more atoms are refused.
    room_atoms
        Up to so many atoms a cell that is not given is enlarged until what lies on it is 8 A from its images; by default what
        engine and level say.
    processes
        MPI processes per calculation; 0 means all available cores.
    title
        A name of your own for the result, shown in tables, on pages and in figures.
    store
        File or address of a store, or an open one; by default the configured one.
    workdir
        Folder of the calculations' files; by default ``iface-wf-runs`` in the current one.
    library
        Where names are looked up; by default the package's records and the user's own.
    force
        Put the result together again although it is stored; its calculations are still found.
    dry_run
        Only list the calculations that would be needed; run nothing.
    on_event
        Is told about every step; by default a bar in a notebook, and nobody elsewhere.
    **options
        The other fields of `BindingRequest` (molecule_charge, salt_group, salt_part, n_conformers), or those of
        the request of another kind of result, such as ``partner``.

    Returns
    -------
    BindingDocument
        Energies in eV, negative = bound; charges in e, positive = lost electrons; unit and sign of every field in
        ``units_of``. ``trustworthy`` is False where the number must not be quoted; ``flags`` say why. Large data are left in
        the store, see `iface_wf.show`. With ``dry_run`` a list of the steps, each with name, kind, engine, level, number of
        atoms, and whether it is stored; empty when the result itself is stored.

    Raises
    ------
    InputError
        For unknown names, options and levels, and unusable structures.
    CalculationError
        When a step failed; those that do not need it have been done.

    Examples
    --------
    Water on lithium iodide by an ML potential, as small and quick as can be (``pip install '.[mlip]'``):

    >>> import iface_wf
    >>> quick = {"engine": "mlip", "thickness": 3.0, "placements": 1, "quantities": ["binding_energy"]}
    >>> steps = iface_wf.run("LiI", molecule="O", **quick, dry_run=True)
    >>> [step["step"] for step in steps][:6]
    ['relax A', 'relax B', 'static A', 'static B', 'relax AB', 'static AB']
    >>> [step["step"] for step in steps][6:8]
    ['relax A from AB', 'relax B from AB']
    >>> doc = iface_wf.run("LiI", molecule="O", **quick)
    >>> print(f"{doc.binding_energy:.1f} {doc.units_of['binding_energy']}")
    -0.8 eV per interface cell, negative = bound; counterpoise corrected where the basis is atom-centred
    >>> "geometry" in doc.uncertainty_parts  # what doc.uncertainty, eV, covers: see docs/results.md
    True
    >>> doc.trustworthy, doc.functional
    (True, 'CHGNet 0.3.0')
    """
    asked = {name: value for name, value in locals().items() if name not in _HOW} | options
    check_types(store=store, workdir=workdir, library=library, force=force, dry_run=dry_run, on_event=on_event)
    request = make_request(**asked)
    if dry_run:
        return plan(request, opened(store), library)
    document: ResultDocument
    listener = step_listener(on_event)
    document, _ = run_stored(request, opened(store), workdir, library, force=force, on_event=listener)
    return document


def make_request(**options: Any) -> Any:
    """Check what a user asks for.

    Parameters
    ----------
    **options
        Fields of the request of a kind of result, see `iface_wf.quantities.binding.request.BindingRequest`; those that are
        None take the default. ``quantities`` decides the kind; by default binding energies, of a ``reaction`` its energy.

    Returns
    -------
    Request
        The request.

    Raises
    ------
    InputError
        Naming the option that is wrong and what is allowed.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name in ("filler", "interface"):
        if isinstance(given.get(name), Path):
            given[name] = str(given[name])
    if isinstance(given.get("quantities"), str):  # a text is a sequence too, of letters
        given["quantities"] = (given["quantities"],)
    if not _is_names(given.get("quantities", ())):
        raise InputError(f"The argument 'quantities' must be a list of names, not {shown(given['quantities'])}.")
    if "reaction" in given and (beside := sorted(_OF_INTERFACES & set(given))):
        raise InputError(f"A reaction names what takes part itself: leave out {beside[0]!r}.")
    usual = "reaction" if "reaction" in given else DEFAULT_KIND
    kind = flow_kind_of(given["quantities"]) if given.get("quantities") else flow_kind(usual)
    if "reaction" in given and "reaction" not in kind.request.model_fields:
        raise InputError(f"A reaction has the quantity reaction_energy, not {', '.join(given['quantities'])}.")
    check_options(given, kind.request)
    return validate(given, kind.request, "The request")


def _is_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def run_stored(
    request: Any,
    store: JobStore,
    workdir: str | Path | None = None,
    library: Library | None = None,
    *,
    force: bool = False,
    on_event: Callable[[Event], None] | None = None,
) -> tuple[Any, str]:
    """Run a checked request on an open store; return the document and the uuid of the job that holds it.

    Parameters
    ----------
    request
        What to calculate.
    store
        Where results are looked for and kept.
    workdir, library, force, on_event
        As in `run`; errors too.
    """
    folder = work_folder(workdir)
    found = run_request(request, store, library or Library(), folder, force=force, on_event=on_event)
    return found.document, found.uuid


def plan(request: Any, store: JobStore, library: Library | None = None) -> Plan:
    """List what `run_stored` would calculate; empty when the result is stored."""
    return plan_request(request, store, library or Library())
