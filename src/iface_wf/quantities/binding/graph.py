"""From requests to the graph of interfaces: every slab and every fragment once, one slab for all fragments of a filler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from pymatgen.core import Structure

from iface_wf.builders.alone import no_ion_alone
from iface_wf.builders.contact import symbols_of
from iface_wf.builders.fragment import build_fragment
from iface_wf.builders.given import Given
from iface_wf.builders.interface import InterfaceBuild, build_interface, on_each_face
from iface_wf.builders.molecules.fragments import formula
from iface_wf.builders.placing.layers import Piece
from iface_wf.builders.room import room_of
from iface_wf.builders.solids.held import OWN
from iface_wf.documents.labels import A
from iface_wf.errors import InputError
from iface_wf.flows.graph import Graph, Item
from iface_wf.flows.parts import Part
from iface_wf.flows.request import KEY_VERSION
from iface_wf.library.library import Library
from iface_wf.library.records import FillerRecord
from iface_wf.quantities.binding.cells import Size, shared_slab
from iface_wf.quantities.binding.layers import LayerMaker, kinds_of
from iface_wf.quantities.binding.maker import BindingEnergyMaker
from iface_wf.quantities.binding.request import BindingRequest
from iface_wf.store.canonical import calculation_key

NAME = "binding"


def binding_maker(request: BindingRequest, *fillers: FillerRecord, here: bool = True) -> BindingEnergyMaker:
    """Return the maker of a request's flow.

    Parameters
    ----------
    request
        What is asked for.
    *fillers
        Their records say how the engine treats their elements.
    here
        False when a queue on another machine will calculate: programs are not looked for on this one.
    """
    engine, geometry_engine = request.main_engine(*fillers), request.geometry_engine(*fillers)
    ranking_engine = request.ranking_engine()
    if not here:
        engine, geometry_engine = engine.elsewhere(), geometry_engine.elsewhere()
        ranking_engine = ranking_engine.elsewhere()
    return BindingEnergyMaker(
        engine=engine,
        geometry_engine=geometry_engine,
        ranking_engine=ranking_engine,
        name=request.label,
        placements=request.placements,
        search=request.budget.steps,
        patience=request.budget.patience,
        seed=request.seed,
        vacuum=request.vacuum,
        clearance=request.clearance,
        target=request.target,
        frozen="interaction_energy" in request.quantities,
        densities="charges" in request.quantities,
    )


def describe(
    request: BindingRequest,
    record: FillerRecord,
    slab: Part,
    fragments: Sequence[Part],
    report: dict[str, Any],
    given: Given | None = None,
    pieces: Sequence[Piece] = (),
) -> dict[str, Any]:
    """Describe an interface for its document.

    Parameters
    ----------
    request
        What was asked for.
    record
        The filler.
    slab, fragments
        The parts: slab and fragment, or one fragment of each kind of several molecules.
    report
        What building them told, plain JSON, for the provenance.
    given
        What a file brought, where the interface is one of a file.
    pieces
        Of several molecules: which, and how many.

    Returns
    -------
    dict
        With ``key``, the content key of the whole interface calculation.

    Raises
    ------
    InputError
        When the interface carries a charge: a cell repeated in the plane cannot.
    """
    charge = sum(float(part.structure.properties.get("charge", 0.0)) for part in (slab, *fragments))
    if abs(charge) > 1e-6:
        raise no_ion_alone(f"What lies on {record.name} carries a charge of {charge:+g} e", request.salt or "LiTFSI")
    digests: dict[str, Any] = {"slab": slab.digest}
    digests |= {part.role: part.digest for part in fragments} if pieces else {"fragment": fragments[0].digest}
    polymer = request.polymer or request.molecule
    if given is not None:
        # as for a relaxation, so that which atoms the file holds counts, too
        digests["interface"] = str(calculation_key(given.whole, {}, "relax"))
        polymer = given.fragment.properties["formula"]
    # of a file's own interface they count with it
    held = held_digest(slab.structure) if given is None else None
    faces = request.n_faces
    counts = [piece.count for piece in pieces]
    if pieces:  # one name, so that no table, heat map or comparison takes it for one of these molecules alone
        polymer = " + ".join(f"{count} {name}" for name, count in on_each_face(pieces).items()) + (
            " (both faces)" if faces == 2 else ""
        )
    layer = {
        "molecules": [
            {"name": piece.name, "formula": formula(symbols_of(piece.structure)), "count": piece.count * faces}
            for piece in pieces
        ],
        "faces": faces,
    }
    return {
        **(layer if pieces else {}),
        "key": request.key(
            slab.digest,
            {part.role: part.digest for part in fragments} if pieces else fragments[0].digest,
            record,
            elements=slab.elements.union(*(part.elements for part in fragments)),
            metal=bool(slab.structure.properties.get("metal")),
            interface_digest=digests.get("interface"),
            conformers=given is None or given.searched,
            held=held,
            layer=[*counts, faces] if pieces else None,
        ),
        "filler": record.name,
        "surface": str(slab.structure.properties.get("surface", "")),
        "polymer": polymer,
        "units": request.units if request.polymer and not pieces else None,
        "salt": request.salt if not pieces else None,
        "provenance": {
            "request": request.model_dump(mode="json"),
            "build": report,
            "digests": digests,
            "key_version": KEY_VERSION,
        },
    }


def held_digest(slab: Structure) -> str | None:
    """Return a digest of a slab with its held atoms; None where these are the ones that its surface says."""
    return str(calculation_key(slab, {}, "relax")) if OWN in slab.properties else None


def elements_of(*structures: Structure) -> set[str]:
    """Return the symbols of the elements of some structures."""
    return {element.symbol for structure in structures for element in structure.composition.elements}


def single_graph(request: BindingRequest, library: Library, here: bool = True) -> Graph:
    """Build one interface; see `iface_wf.flows.kinds.FlowKind.graph`."""
    return graph_of_built(request, build_interface(request, library), library, here)


def graph_of_built(request: BindingRequest, built: InterfaceBuild, library: Library, here: bool = True) -> Graph:
    """Say what is to be calculated of an interface that is built; see `single_graph`."""
    given = built.given
    record = library.filler(request.filler) if given is None else given.record
    maker = binding_maker(request, record, here=here)
    filler, _, rest = request.label.partition(" + ")
    if built.pieces:
        return _layer_graph(request, built, record, maker, filler)
    if given is not None:
        maker = replace(maker, interface=given.whole, conformers=given.searched)
        filler, rest = f"{record.name} of {request.label}", f"{given.fragment.properties['formula']} of {request.label}"
    slab, fragment = maker.part(built.slab, "A", filler), maker.part(built.fragment, "B", rest)
    graph = Graph()
    _add(graph, maker, request, slab, fragment, describe(request, record, slab, [fragment], built.report, given))
    return graph


def _layer_graph(
    request: BindingRequest, built: InterfaceBuild, record: FillerRecord, single: BindingEnergyMaker, filler: str
) -> Graph:
    """Say what is to be calculated of several molecules on a slab."""
    pieces = built.pieces
    maker = LayerMaker(
        **{each.name: getattr(single, each.name) for each in fields(single)},
        counts=tuple(piece.count for piece in pieces),
        sizes=tuple(len(piece.structure) for piece in pieces),
        faces=request.n_faces,
    )
    slab = maker.part(built.slab, A.name, filler)
    roles = [kind.name for kind in kinds_of(len(pieces))]
    molecules = [maker.part(piece.structure, role, piece.name) for piece, role in zip(pieces, roles, strict=True)]
    about = describe(request, record, slab, molecules, built.report, pieces=pieces)
    assert built.fragment is not None
    atoms = len(built.slab) + len(built.fragment)
    graph = Graph()
    parts = {part.role: part.key for part in (slab, *molecules)}
    graph.add(Item(about["key"], request.label, NAME, parts, atoms, about, maker), (slab, *molecules))
    return graph


def _add(
    graph: Graph,
    maker: BindingEnergyMaker,
    request: BindingRequest,
    slab: Part,
    fragment: Part,
    about: dict[str, Any],
) -> None:
    atoms = len(slab.structure) + len(fragment.structure)
    parts = {"A": slab.key, "B": fragment.key}
    graph.add(Item(about["key"], request.label, NAME, parts, atoms, about, maker), (slab, fragment))


def grid_graph(
    requests: Sequence[BindingRequest], library: Library, in_plane: Size | None = None, here: bool = True
) -> Graph:
    """Build many interfaces; see `iface_wf.flows.kinds.FlowKind.graph_of_many`.

    All requests share their engines and levels; of each filler and surface one slab is built that has room for all fragments.
    """
    graph = Graph()
    alone = [each for each in requests if each.interface is not None or each.several]
    for request in alone:
        own = request if in_plane is None or not request.several else request.model_copy(update={"in_plane": in_plane})
        try:
            graph.merge(single_graph(own, library, here))
        except InputError as error:
            graph.refused.append((request.label, str(error)))
    requests = [each for each in requests if each not in alone]
    if not requests:
        return graph
    fillers = {name: library.filler(name) for name in dict.fromkeys(request.filler for request in requests)}
    grid = _Grid(library, in_plane, fillers, binding_maker(requests[0], *fillers.values(), here=here), graph)
    rows: dict[tuple[Any, ...], list[BindingRequest]] = {}
    for request in requests:
        rows.setdefault((request.filler, request.surface, request.thickness, request.held_layers), []).append(request)
    for row in rows.values():
        grid.add_filler(row)
    return grid.graph


@dataclass
class _Grid:
    """The interfaces of many requests while they are built."""

    library: Library
    in_plane: Size | None
    fillers: dict[str, FillerRecord]
    maker: BindingEnergyMaker
    graph: Graph = field(default_factory=Graph)
    fragments: dict[str, Part | InputError] = field(default_factory=dict)

    def fragment(self, request: BindingRequest) -> Part | InputError:
        """Return the fragment of a request, or why it cannot be built; each is built once."""
        name = request.label.partition(" + ")[2]
        identity = request.model_copy(
            update={"filler": "", "surface": None, "thickness": None, "held_layers": None}
        ).model_dump_json()
        if identity not in self.fragments:
            try:
                self.fragments[identity] = self.maker.part(build_fragment(request, self.library), "B", name)
            except InputError as error:
                self.fragments[identity] = error
        return self.fragments[identity]

    def add_filler(self, requests: list[BindingRequest]) -> None:
        """Add the interfaces of one slab."""
        parts = [self.fragment(request) for request in requests]
        able: list[tuple[BindingRequest, Part]] = []
        for request, part in zip(requests, parts, strict=True):
            if isinstance(part, Part):
                able.append((request, part))
            else:
                self.graph.refused.append((request.label, str(part)))
        if not able:
            return
        structures: list[Structure] = [part.structure for _, part in able]
        record = self.fillers[requests[0].filler]
        try:
            slab, refused = shared_slab(requests[0], self.library, structures, self.in_plane)
            slab_formula = slab.composition.formula.replace(" ", "")
            a = self.maker.part(slab, "A", f"{record.name} {slab.properties.get('surface', '')}".strip())
        except InputError as error:
            self.graph.refused += [(request.label, str(error)) for request, _ in able]
            return
        for index, (request, b) in enumerate(able):
            try:
                if index in refused:
                    raise InputError(refused[index])
                about = describe(request, record, a, [b], self._report(request, slab, slab_formula, b.structure))
            except InputError as error:
                self.graph.refused.append((request.label, str(error)))
                continue
            _add(self.graph, self.maker, request, a, b, about)

    def _report(
        self, request: BindingRequest, slab: Structure, slab_formula: str, fragment: Structure
    ) -> dict[str, Any]:
        screening = request.model_dump(mode="json", include={"seed", "vacuum", "placements"})
        return {
            "formula": slab_formula,
            "fragment_formula": fragment.properties.get("formula"),
            "atoms": {"slab": len(slab), "fragment": len(fragment), "total": len(slab) + len(fragment)},
            **room_of(slab, fragment),
            "screening": screening | {"in_plane": self.in_plane},
        }
