"""What a user asks for: one interface, an engine and a level."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import Any, Literal

from pydantic import Field, field_validator

from iface_wf.builders.interface import InterfaceSpec
from iface_wf.engines import registry
from iface_wf.engines.base import Engine
from iface_wf.library.records import FillerRecord

#: Raised by hand when the flow changes in a way that makes stored interface results no longer comparable.
FLOW_VERSION = 3
#: Engines whose levels alone, without overrides and common settings, are in keys of before; ends with the next version.
LEVELS_IN_KEYS = ("gpaw", "vasp", "xtb")


Quantity = Literal["binding_energy", "interaction_energy", "charges"]
#: Each one needs what the ones before it need.
QUANTITIES: tuple[Quantity, ...] = ("binding_energy", "interaction_energy", "charges")


class BindingRequest(InterfaceSpec):
    """Binding energy, charges and difference density of one interface.

    Attributes
    ----------
    engine
        Code that gives the energies: ``gpaw``, ``vasp``, ``xtb``, ``mlip``, or one of another package.
    level
        ``fast``, ``moderate`` or ``precise``, see `iface_wf.engines.profile`.
    geometry
        Cheap engine, for example ``xtb`` or ``mlip``, that ranks the placements and, at level `fast`, relaxes. By default
        the engine itself where it is a cheap one, and else xTB.
    overrides
        Settings of the engine that replace those of the level; stored in every document.
    processes
        MPI processes per calculation; 0 means all available cores. Plays no part in the result.
    quantities
        What is wanted: ``binding_energy``; ``interaction_energy``, which needs A* and B*; ``charges``, which needs
        their densities too.
    """

    engine: str = "gpaw"
    level: str = "fast"
    geometry: str | None = None
    overrides: dict[str, Any] = Field(default_factory=dict)
    processes: int = Field(0, ge=0)
    quantities: tuple[Quantity, ...] = QUANTITIES

    @field_validator("quantities")
    @classmethod
    def _needed_too(cls, value: tuple[Quantity, ...]) -> tuple[Quantity, ...]:
        """Complete what each quantity needs: whoever wants charges gets the energies on the way."""
        if not value:
            raise ValueError(f"give at least one of {', '.join(QUANTITIES)}")
        return QUANTITIES[: 1 + max(QUANTITIES.index(quantity) for quantity in value)]

    @field_validator("engine")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        return registry.profile(value).name

    @field_validator("geometry")
    @classmethod
    def _cheap_engine(cls, value: str | None) -> str | None:
        return value if value is None else registry.require_cheap(value)

    def model_post_init(self, _context: Any) -> None:
        """Check the level once the engine is known."""
        registry.profile(self.engine).level(self.level)

    @property
    def label(self) -> str:
        """Name of the interface for people, for example ``SiO2 (101) + PEO x 4``."""
        surface = "" if self.surface is None else f" ({self.surface})"
        units = "" if self.units is None else f" x {self.units}"
        parts = (f"{PurePath(self.filler).name}{surface}", f"{self.polymer or self.molecule or ''}{units}", self.salt)
        return " + ".join(part for part in parts if part)

    def main_engine(self, *fillers: FillerRecord) -> Engine:
        """Return the engine that gives the energies, treating the elements of some fillers as their records say.

        Parameters
        ----------
        *fillers
            Records whose ``engines`` entry names, for GPAW, the moment (Bohr magnetons) to start an element with, and
            for VASP overrides such as the POTCARs of elements.
        """
        entries = [filler.engines[self.engine] for filler in fillers if self.engine in filler.engines]
        own = registry.get(self.engine).treatment(entries)
        return self._engine(self.engine, own | self.overrides, processes=self.processes)

    def geometry_engine(self, *fillers: FillerRecord) -> Engine:
        """Return the engine that relaxes: a cheap one at `fast`, the main one from `moderate` on."""
        by = registry.profile(self.engine).level(self.level).get("relaxed_by", self.engine)
        if self.geometry is not None and self.level == "fast":
            by = self.geometry
        return self.main_engine(*fillers) if by == self.engine else self._engine(by)

    def ranking_engine(self) -> Engine:
        """Return the cheap engine that compares the placements; one that is the main engine ranks as it calculates."""
        cheap = registry.profile(self.engine).cheap
        by = self.geometry or (self.engine if cheap else registry.DEFAULT_RANKING)
        own = by == self.engine != registry.DEFAULT_RANKING
        return registry.create(by, level="fast", overrides=dict(self.overrides) if own else {})

    def _engine(self, name: str, overrides: dict[str, Any] | None = None, **options: Any) -> Engine:
        return registry.create(name, level=self.level, overrides=dict(overrides or {}), **options)

    def key(self, slab_digest: str, fragment_digest: str) -> str:
        """Content key of the whole interface calculation.

        Parameters
        ----------
        slab_digest, fragment_digest
            Digests of the two built parts, so that a changed library file or builder gives another key.

        Returns
        -------
        str
            SHA-256, hexadecimal.
        """
        # the quantities stay out where all are wanted, so that keys of before they could be chosen are found
        usual = {"quantities"} if self.quantities == QUANTITIES else set()
        usual |= {"geometry"}  # what follows from it is there instead
        content = self.model_dump(mode="json", exclude={"processes", *usual})
        geometry, ranking = self.geometry_engine().engine_name, self.ranking_engine()
        content |= {
            "slab": slab_digest,
            "fragment": fragment_digest,
            "settings": _settings(self.engine, self.level, self.overrides),
            "geometry": [geometry, _settings(geometry, self.level, {})],
            "flow_version": FLOW_VERSION,
        }
        if ranking.engine_name != registry.DEFAULT_RANKING:
            content["ranking"] = [ranking.engine_name, _settings(ranking.engine_name, "fast", ranking.overrides)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _settings(engine: str, level: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """Return what a level means; of an ML potential also the weights, which are all of its physics."""
    if engine in LEVELS_IN_KEYS:
        return registry.profile(engine).level(level)
    return registry.create(engine, level=level, overrides=overrides).defaults()
