"""From a request to the two slabs in one cell, and what is to be calculated of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from pymatgen.core import Structure

from iface_wf.builders.solids.stacks import Layer, build_stack
from iface_wf.builders.solids.translations import distinct_translations, halves
from iface_wf.errors import InputError
from iface_wf.flows.graph import Graph, Item
from iface_wf.flows.request import KEY_VERSION, method_of
from iface_wf.flows.search.translations import REACH, VERSION
from iface_wf.library.library import Library
from iface_wf.library.records import FillerRecord
from iface_wf.quantities.adhesion.maker import AdhesionMaker
from iface_wf.quantities.adhesion.request import AdhesionRequest
from iface_wf.store.canonical import structure_digest

NAME = "adhesion"


def adhesion_graph(request: AdhesionRequest, library: Library, here: bool = True) -> Graph:
    """Build the stack; see `iface_wf.flows.kinds.FlowKind.graph`."""
    records = _solid(request.filler, library), _solid(request.partner, library)
    stack = stack_of(request, *records)
    parts = dict(zip("AB", halves(stack, REACH), strict=True))
    layers = stack.properties["layers"]
    translations = distinct_translations(
        np.asarray(stack.lattice.matrix[:2, :2]), layers[0]["repeats"], layers[1]["repeats"], request.shifts
    )
    engines = [request.main_engine(*records), request.geometry_engine(*records), request.ranking_engine()]
    elements = {element.symbol for element in stack.composition.elements}
    options = {
        "translations": [list(each) for each in translations],
        "search": VERSION,
        "together": structure_digest(stack),
        "ranking": method_of(engines[2], elements),
    }
    if not here:
        engines = [engine.elsewhere() for engine in engines]
    maker = AdhesionMaker(
        engine=engines[0],
        geometry_engine=engines[1],
        ranking_engine=engines[2],
        name=request.label,
        translations=translations,
    )
    names = dict(zip("AB", (record.name for record in records), strict=True))
    made = {role: maker.part(part, role, names[role]) for role, part in parts.items()}
    digests = {role: part.digest for role, part in made.items()}
    about: dict[str, Any] = {
        "key": request.content_key(NAME, digests, options, *records, elements=elements),
        "filler": records[0].name,
        "surface": layers[0]["surface"],
        "partner": records[1].name,
        "partner_surface": layers[1]["surface"],
        "layers": layers,
        "provenance": {"request": request.model_dump(mode="json"), "digests": digests, "key_version": KEY_VERSION},
    }
    graph = Graph()
    keys = {role: part.key for role, part in made.items()}
    graph.add(Item(about["key"], request.label, NAME, keys, len(stack), about, maker), list(made.values()))
    return graph


def stack_of(request: AdhesionRequest, lower: FillerRecord, upper: FillerRecord) -> Structure:
    """Build the stack of two solids.

    Raises
    ------
    InputError
        When both are one crystal, nothing matches within the limits, or there are too many atoms.
    """
    if lower.name == upper.name:
        raise InputError(
            f"{lower.name} on {upper.name} is one crystal, whose cohesion is twice its surface energy: iface-wf surfaces "
            f"{lower.name}; name another partner."
        )
    chosen = [
        Layer(lower, request.surface, request.thickness),
        Layer(upper, request.partner_surface, request.partner_thickness),
    ]
    try:
        stack = build_stack(chosen, request.max_area, request.max_strain, vacuum=request.vacuum, seed=request.seed)
    except InputError as error:
        raise InputError(f"{lower.name} | {upper.name}: {error}") from error
    if len(stack) > request.max_atoms:
        raise InputError(
            f"{lower.name} | {upper.name} has {len(stack)} atoms, at most {request.max_atoms} are allowed: take thinner slabs, "
            "allow more strain, or raise max_atoms."
        )
    return stack


def _solid(name: str, library: Library) -> FillerRecord:
    """Return the record of a solid; of anything else say what it is."""
    for kind in ("polymer", "salt"):
        if name.casefold() in (known.casefold() for known in library.names(kind)):
            raise InputError(f"{name} is a {kind}, and adhesion is between two solids: name a filler, such as LiI.")
    return library.filler(name)
