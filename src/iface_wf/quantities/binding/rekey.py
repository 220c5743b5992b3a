"""The keys of today for stored interfaces whose keys were made in another way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from jobflow import JobStore
from pymatgen.core import Structure

from iface_wf.builders.fragment import build_fragment
from iface_wf.builders.placing.placements import footprint
from iface_wf.builders.substrate import build_substrate
from iface_wf.documents.labels import UNCORRECTED, A
from iface_wf.engines import registry
from iface_wf.errors import InputError, validate
from iface_wf.library.library import Library
from iface_wf.library.records import FillerRecord
from iface_wf.quantities.binding.document import BindingDocument
from iface_wf.quantities.binding.former_keys import FIRST_KEY_VERSION, LEVELS, key_of_before, ranking_of_before
from iface_wf.quantities.binding.graph import binding_maker, elements_of, held_digest
from iface_wf.quantities.binding.request import BindingRequest
from iface_wf.store.canonical import structure_digest
from iface_wf.store.migrate import Keyed
from iface_wf.store.reuse import find_finished

Size = tuple[float, float]
#: Results of earlier key versions stand for nothing that is asked for today: only a few placements were compared.
SEARCHED_SINCE = 5
#: How the placements of folders that were calculated by hand begin.
BY_HAND = "none: folders"


class Rekeyer:
    """Works out keys; parts that several interfaces share are built once.

    A stored result says what was asked for, but not what its parts looked like before they were relaxed. They are built
    again, and are the right ones when the key of before comes out. The key of today is theirs only if their
    calculations would be the same today: if a level or a default has changed since, it means another method.

    Parameters
    ----------
    store
        Where the results and their calculations are.
    library
        Where names are looked up.
    """

    def __init__(self, store: JobStore, library: Library) -> None:
        self.store, self.library = store, library
        self._fragments: dict[str, tuple[Structure, str]] = {}
        self._slabs: dict[str, tuple[Structure, str]] = {}
        self._same: set[tuple[str, ...]] = set()

    def __call__(self, document: BindingDocument) -> Keyed:
        """Return the key of today.

        Parameters
        ----------
        document
            A stored interface.

        Returns
        -------
        Keyed
            Folders that were calculated by hand keep their key, which is found by nobody but their own project.

        Raises
        ------
        InputError
            In one sentence, why it has none.
        """
        asked = document.provenance.get("request")
        if asked is None or str(document.provenance.get("ranked_by", "")).startswith(BY_HAND):
            return Keyed(document.key)
        if int(document.provenance.get("key_version", FIRST_KEY_VERSION)) < SEARCHED_SINCE:
            raise InputError(
                "Its minimum was not searched for, and its references were not compared with what they are in the interface."
            )
        request = validate(asked, BindingRequest, "What was asked for")
        if request.interface is not None:
            raise InputError(f"Its interface is that of the file {request.interface}: run it again.")
        if request.several:
            raise InputError("Several molecules lie on its slab: run it again.")
        record = self.library.filler(request.filler)
        fragment, fragment_digest = self._fragment(request)
        for slab, slab_digest in self._slabs_of(document, request, fragment):
            former = key_of_before(asked, slab_digest, fragment_digest)
            digests = {"slab": slab_digest, "fragment": fragment_digest}
            if document.key == hashlib.sha256(f"{former} by hand".encode()).hexdigest():
                return Keyed(document.key, digests)
            if document.key == former:
                if UNCORRECTED in document.flags:
                    raise InputError("Its energy is not counterpoise corrected, as one of today is.")
                self._require_same_method(document, request, record, slab)
                elements = elements_of(slab, fragment)
                held = held_digest(slab)
                return Keyed(request.key(slab_digest, fragment_digest, record, elements=elements, held=held), digests)
        raise InputError("The slab or the molecule that is built for it today is not the one that was calculated.")

    def _fragment(self, request: BindingRequest) -> tuple[Structure, str]:
        identity = request.model_copy(update={"filler": "", "surface": None, "thickness": None}).model_dump_json()
        if identity not in self._fragments:
            structure = build_fragment(request, self.library)
            self._fragments[identity] = structure, structure_digest(structure)
        return self._fragments[identity]

    def _slabs_of(
        self, document: BindingDocument, request: BindingRequest, fragment: Structure
    ) -> Iterator[tuple[Structure, str]]:
        """Build the slabs that it can have been, as large as the stored interface first."""
        lattice = document.structure.lattice
        stored: Size = (lattice.a, lattice.b if lattice.pbc[1] else 0.0)
        for size in dict.fromkeys([stored, request.in_plane or (0.0, 0.0), footprint(fragment)]):
            options = request.model_dump_json(include={"filler", "surface", "thickness", "vacuum", "seed", "in_plane"})
            identity = f"{options} {size[0]:.3f} {size[1]:.3f}"
            if identity not in self._slabs:
                structure = build_substrate(request, self.library, size)
                self._slabs[identity] = structure, structure_digest(structure)
            yield self._slabs[identity]

    def _require_same_method(
        self, document: BindingDocument, request: BindingRequest, record: FillerRecord, slab: Structure
    ) -> None:
        """Refuse a result whose slab would be calculated otherwise today; the fragment and the whole are like it."""
        relaxation = str(document.provenance["relaxations"][A.name]["key"])
        single_point = next(term.key for term in document.terms if term.role == A.name)
        method = request.model_dump_json(include={"engine", "level", "geometry", "overrides"})
        if (relaxation, single_point, method) not in self._same:
            maker = binding_maker(request, record, here=False)
            relaxed = self._same_calculation(maker.relaxation(A.name).request(slab, [], None).key(), relaxation)
            static = replace(maker.engine, kind="static", role=A.name)
            structure = Structure.from_dict(relaxed["structure"])
            self._same_calculation(static.request(structure, [], None).key(), single_point)
            self._same.add((relaxation, single_point, method))
        ranking = ranking_of_before(document.provenance["request"])
        if request.placements > 1 and LEVELS[ranking]["fast"] != registry.profile(ranking).level("fast"):
            raise InputError(f"Its placements were ranked by {ranking} with other settings than today.")

    def _same_calculation(self, key: str, stored: str) -> dict[str, Any]:
        """Return a stored calculation that would be found today."""
        found = find_finished(self.store, key, load=False)
        if found is not None and found["output"]["key"] == stored:
            output: dict[str, Any] = found["output"]
            return output
        if find_finished(self.store, stored, load=False) is None:
            raise InputError(
                "Its calculations are not in this store, so nobody knows whether they would be the same today."
            )
        raise InputError("Its engine, level and options mean other settings today.")
