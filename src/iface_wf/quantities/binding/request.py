"""What a user asks for: one interface, an engine and a level."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import PurePath

from pydantic import Field, ValidationInfo, field_validator

from iface_wf.builders.spec import InterfaceSpec
from iface_wf.documents.labels import A, B
from iface_wf.engines import registry
from iface_wf.flows.request import Request, method_of
from iface_wf.flows.search.budget import MOST_STEPS, Budget, budget_of
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
        their densities too. The binding energy of an engine with atom-centred functions is counterpoise corrected, which
        needs A* and B* anyway: then the interaction energy is among them.
    search
        Steps of relaxation that the cheap engine may take to find the lowest minimum; by default those of the level, see
        `iface_wf.flows.search.budget.LEVELS`. 0: the first placement is taken.

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
    search: int | None = Field(default=None, ge=0, le=MOST_STEPS)

    @property
    def budget(self) -> Budget:
        """What the search for the placement may cost."""
        return budget_of(self.level, self.search)

    @field_validator("quantities")
    @classmethod
    def _corrected(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Add the interaction energy where the binding energy cannot be corrected without its calculations."""
        if "engine" not in info.data or "overrides" not in info.data:
            return value  # they are wrong, which is said of them
        profile = registry.profile(info.data["engine"])
        corrected = profile.comparison.counterpoise(profile.settings(info.data["level"], info.data["overrides"]))
        return QUANTITIES[: max(len(value), 2)] if corrected else value

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
        if self.interface is not None:
            split = "" if self.split is None else f" ({self.split})"
            return f"{PurePath(self.interface).name}{split}"
        surface = "" if self.surface is None else f" ({self.surface})"
        units = "" if self.units is None else f" x {self.units}"
        parts = (f"{PurePath(self.filler).name}{surface}", f"{self.polymer or self.molecule or ''}{units}", self.salt)
        one = " + ".join(part for part in parts if part)
        if not self.several:
            return one
        many = "" if self.copies == 1 else f", {self.copies} copies"
        beside = f", beside {', '.join(self.beside)}" if self.beside else ""
        return f"{one}{many}{beside}{', both faces' if self.n_faces == 2 else ''}"

    def key(
        self,
        slab_digest: str,
        fragment_digest: str | Mapping[str, str],
        *fillers: FillerRecord,
        elements: Collection[str] = (),
        metal: bool = False,
        interface_digest: str | None = None,
        conformers: bool = True,
        held: str | None = None,
        layer: list[int] | None = None,
    ) -> str:
        """Content key of the whole interface calculation.

        Parameters
        ----------
        slab_digest, fragment_digest
            Digests of the two built parts, so that a changed library file or builder gives another key; of several molecules
            those of each kind, by role.
        *fillers
            Record of the filler, which says how the engine treats its elements.
        elements
            Elements of the two parts.
        metal
            Whether the slab conducts, which engines give more k-points.
        interface_digest
            Digest of an interface that a file brought, for which no placement is searched.
        conformers
            Whether the lowest conformer of the fragment is searched for.
        held
            Digest of which atoms of the slab are held, where that is not what its surface says.
        layer
            Of several molecules: how many of each kind lie on a face, and on how many faces.

        Returns
        -------
        str
            SHA-256, hexadecimal.
        """
        options = self.model_dump(mode="json", include=set(_OPTIONS)) | {"metal": metal or None}
        searching = self.budget.deciding(self.placements)
        if interface_digest is not None:
            own = {name: options[name] if conformers else None for name in ("placements", "seed")}
            options = own | {"interface": interface_digest, "metal": metal or None}
        if conformers and searching is not None:
            options["ranking"] = method_of(self.ranking_engine(), elements)
            options["search"] = list(searching)
        options |= {"held": held, "layer": layer}
        fragments = {B.name: fragment_digest} if isinstance(fragment_digest, str) else dict(fragment_digest)
        parts = {A.name: slab_digest, **fragments}
        return self.content_key("binding", parts, options, *fillers, elements=elements)
