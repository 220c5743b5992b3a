"""From a reaction to its pieces, built and balanced, and to the graph of their calculations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pymatgen.core import Structure

from iface_wf.builders.contact import symbols_of
from iface_wf.builders.fragment import build_fragment, role_of
from iface_wf.builders.molecules.fragments import mol_of
from iface_wf.builders.spec import NO_FILLER, InterfaceSpec, SlabSpec
from iface_wf.builders.substrate import build_substrate
from iface_wf.engines import registry
from iface_wf.errors import InputError, shown
from iface_wf.flows.graph import Graph, Item
from iface_wf.flows.request import KEY_VERSION, method_of
from iface_wf.library.library import Library, names_a_file
from iface_wf.library.records import FillerRecord
from iface_wf.quantities.reactions.equation import Term, unbalanced
from iface_wf.quantities.reactions.maker import ReactionMaker
from iface_wf.quantities.reactions.request import ReactionRequest

NAME = "reaction"


def reaction_graph(request: ReactionRequest, library: Library, here: bool = True) -> Graph:
    """Build the pieces, and say what is to be calculated; see `iface_wf.flows.kinds.FlowKind.graph`."""
    built = _Built.of(request, library)
    fillers = tuple(built.fillers.values())
    engines = [request.main_engine(*fillers), request.geometry_engine(*fillers), request.ranking_engine()]
    main, geometry, ranking = engines if here else [engine.elsewhere() for engine in engines]
    maker = ReactionMaker(
        main,
        geometry,
        name=request.label,
        slabs=tuple(built.fillers),
        ranking_engine=ranking,
        placements=request.placements,
        search=request.budget.steps,
        patience=request.budget.patience,
        seed=request.seed,
    )
    parts = {term.role: maker.part(built.structures[term.role], term.role, term.name) for term in request.terms}
    elements = {x.symbol for structure in built.structures.values() for x in structure.composition.elements}
    digests = {role: part.digest for role, part in parts.items()}
    options: dict[str, Any] = {"factors": {term.role: term.factor for term in request.terms}}
    if (search := request.searching()) is not None and len(built.fillers) < len(parts):
        options |= {"placements": request.placements, "seed": request.seed, "search": list(search)}
        options["ranking"] = method_of(request.ranking_engine(), elements)
    key = request.content_key(NAME, digests, options, *fillers, elements=elements)
    about = {
        "key": key,
        "reaction": request.reaction,
        "filler": ", ".join(record.name for record in fillers),
        "pieces": [
            {"role": t.role, "name": t.name, "units": t.units, "factor": t.factor, "slab": t.role in built.fillers}
            for t in request.terms
        ],
        "provenance": {"request": request.model_dump(mode="json"), "digests": digests, "key_version": KEY_VERSION},
    }
    graph = Graph()
    largest = max(map(len, built.structures.values()))
    keys = {role: part.key for role, part in parts.items()}
    graph.add(Item(key, request.label, NAME, keys, largest, about, maker), list(parts.values()))
    return graph


@dataclass
class _Built:
    """The pieces by role, and which of them are slabs of which fillers."""

    structures: dict[str, Structure]
    fillers: dict[str, FillerRecord]

    @classmethod
    def of(cls, request: ReactionRequest, library: Library) -> _Built:
        built = cls({}, {})
        for term in request.terms:
            record = _filler(term.name, library)
            if record is not None:
                _refuse_units(term, f"{record.name} is a filler")
                spec = SlabSpec(
                    filler=term.name,
                    thickness=request.thickness,
                    in_plane=request.in_plane,
                    vacuum=request.vacuum,
                    seed=request.seed,
                )
                built.fillers[term.role] = record
                piece = build_substrate(spec, library, request.in_plane or (0.0, 0.0))
            else:
                piece = build_fragment(_molecule(term, request, library), library)
            _require_usable(term, piece, request)
            built.structures[term.role] = piece
        _require_balance(request, built)
        return built


def _filler(name: str, library: Library) -> FillerRecord | None:
    """Return the filler of a name; None of anything else, a molecule's ``.xyz`` file among it."""
    if name.lower().endswith(".xyz"):
        return None
    if names_a_file(name) or library.find("filler", name) is not None:
        return library.filler(name)
    return None


def _molecule(term: Term, request: ReactionRequest, library: Library) -> InterfaceSpec:
    """Say what a piece is that is no slab: a salt, a polymer, or a molecule."""
    role = role_of(term.name, library)
    told: dict[str, Any] = {role: term.name}
    if role == "polymer":
        told["units"] = term.units
    else:
        _refuse_units(term, f"{term.name if role == 'salt' else shown(term.name)} is a {role}")
    return InterfaceSpec(
        filler=NO_FILLER, n_conformers=request.n_conformers, seed=request.seed, max_atoms=request.max_atoms, **told
    )


def _refuse_units(term: Term, what: str) -> None:
    if term.units is not None:
        raise InputError(f"{what} and has no repeat units, as in '{term.name[:80]} x {term.units}': polymers have.")


def _unpaired(piece: Structure) -> int:
    """Return how many unpaired electrons a molecule has at least, by its bonds; oxygen's two are known."""
    if symbols_of(piece) == ["O", "O"]:
        return 2
    mol = None if piece.properties.get("bonds") is None else mol_of(piece)
    radicals = 0 if mol is None else sum(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms())
    return radicals or int(sum(site.specie.Z for site in piece)) % 2


def _require_usable(term: Term, piece: Structure, request: ReactionRequest) -> None:
    charge = float(piece.properties.get("charge") or 0.0)
    if abs(charge) > 1e-6:
        raise InputError(
            f"{shown(term.name)} carries a charge of {charge:+g} e: the pieces of a reaction are neutral, because energies of charged slabs are "
            "not defined. Write the ion with its counter-ion, or ask for --quantities li_binding_energy or dissociation_energy."
        )
    spins = 0 if any(piece.lattice.pbc) else _unpaired(piece)
    if spins > 1 or (spins and registry.profile(request.engine).cheap):
        many = "an unpaired electron" if spins == 1 else f"{spins} unpaired electrons"
        able = "gpaw and vasp treat one" if spins == 1 else "more than one cannot be asked for"
        raise InputError(f"{shown(term.name)} has {many}, which {request.engine} would leave out: {able}.")
    if len(piece) > request.max_atoms:
        raise InputError(
            f"{shown(term.name)} has {len(piece)} atoms, at most {request.max_atoms} are allowed: raise max_atoms."
        )


def _require_balance(request: ReactionRequest, built: _Built) -> None:
    contents = {
        role: {str(element): float(number) for element, number in structure.composition.items()}
        for role, structure in built.structures.items()
    }
    more = unbalanced(request.terms, contents)
    if not more:
        return
    told = ", ".join(f"{number:+g} {element}" for element, number in more.items())
    formulas = ", ".join(
        f"{term.name[:80]} {'(slab) ' if term.role in built.fillers else ''}is {built.structures[term.role].formula.replace(' ', '')}"
        for term in request.terms
    )
    raise InputError(f"The reaction is not balanced, right minus left is {told}: {formulas}.")
