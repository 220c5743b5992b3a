"""What a user asks for: one interface, an engine and a level."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath

from iface_wf.builders.interface import InterfaceSpec
from iface_wf.documents.labels import A, B
from iface_wf.engines import registry
from iface_wf.flows.request import Request, method_of
from iface_wf.library.records import FillerRecord
from iface_wf.quantities.binding.columns import QUANTITIES

#: Options that decide a result beside the parts and the method; all others decide how a part is built.
_OPTIONS = ("placements", "seed", "clearance", "target", "vacuum")


class BindingRequest(InterfaceSpec, Request):
    """Binding energy, charges and difference density of one interface.

    Attributes
    ----------
    engine, level, geometry, overrides, processes
        See `iface_wf.flows.request.Request`.
    quantities
        What is wanted: ``binding_energy``; ``interaction_energy``, which needs A* and B*; ``charges``, which needs
        their densities too.

    Examples
    --------
    What needs something on the way gets it; engines know their settings before anything is built:

    >>> request = BindingRequest(filler="SiO2", polymer="PEO", units=2, engine="xtb", quantities=["interaction_energy"])
    >>> request.label, request.quantities
    ('SiO2 + PEO x 2', ('binding_energy', 'interaction_energy'))
    >>> request.main_engine().defaults()["method"]
    'GFN1-xTB'
    """

    quantities: tuple[str, ...] = QUANTITIES

    @property
    def most_for_room(self) -> int:
        """Up to how many atoms a cell is enlarged for the sake of room: by default what engine and level say."""
        by_level = registry.profile(self.engine).room
        if self.room_atoms is not None or self.level not in by_level:
            return super().most_for_room
        return min(self.max_atoms, by_level[self.level])

    @property
    def label(self) -> str:
        """Name of the interface for people, for example ``SiO2 (101) + PEO x 4``."""
        surface = "" if self.surface is None else f" ({self.surface})"
        units = "" if self.units is None else f" x {self.units}"
        parts = (f"{PurePath(self.filler).name}{surface}", f"{self.polymer or self.molecule or ''}{units}", self.salt)
        return " + ".join(part for part in parts if part)

    def key(
        self, slab_digest: str, fragment_digest: str, *fillers: FillerRecord, elements: Collection[str] = ()
    ) -> str:
        """Content key of the whole interface calculation.

        Parameters
        ----------
        slab_digest, fragment_digest
            Digests of the two built parts, so that a changed library file or builder gives another key.
        *fillers
            Record of the filler, which says how the engine treats its elements.
        elements
            Elements of the two parts.

        Returns
        -------
        str
            SHA-256, hexadecimal.
        """
        options = self.model_dump(mode="json", include=set(_OPTIONS))
        if self.placements > 1:
            options["ranking"] = method_of(self.ranking_engine(), elements)
        parts = {A.name: slab_digest, B.name: fragment_digest}
        return self.content_key("binding", parts, options, *fillers, elements=elements)
