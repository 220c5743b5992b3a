"""What a user asks for: one interface, an engine and a level."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import Any, Literal

from pydantic import Field, field_validator

from iface_wf.builders.interface import InterfaceSpec
from iface_wf.engines.base import Engine
from iface_wf.engines.cheap import CheapEngine, CheapName, cheap_engine
from iface_wf.engines.gpaw.engine import GpawEngine
from iface_wf.engines.levels import LEVELS, level_settings
from iface_wf.engines.mlip.models import model_settings
from iface_wf.errors import unknown_name
from iface_wf.library.records import FillerRecord

#: Raised by hand when the flow changes in a way that makes stored interface results no longer comparable.
FLOW_VERSION = 3


Quantity = Literal["binding_energy", "interaction_energy", "charges"]
#: Each one needs what the ones before it need.
QUANTITIES: tuple[Quantity, ...] = ("binding_energy", "interaction_energy", "charges")


class BindingRequest(InterfaceSpec):
    """Binding energy, charges and difference density of one interface.

    Attributes
    ----------
    engine
        Code that gives the energies: ``gpaw``, ``vasp``, ``xtb`` or ``mlip``.
    level
        ``fast``, ``moderate`` or ``precise``, see `iface_wf.engines.levels.LEVELS`.
    geometry
        Cheap engine, ``xtb`` or ``mlip``, that ranks the placements and, at level `fast`, relaxes. By default xTB for
        GPAW and VASP, and the engine itself where it is a cheap one.
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
    geometry: CheapName | None = None
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
        if value not in LEVELS:
            raise unknown_name("engine", value, LEVELS)
        return value

    def model_post_init(self, _context: Any) -> None:
        """Check the level once the engine is known."""
        level_settings(self.engine, self.level)

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
        if self.engine == "gpaw":
            moments = {k: v for f in fillers for k, v in f.engines.get("gpaw", {}).get("magmoms", {}).items()}
            own = {"magmoms": moments} if moments else {}
            return GpawEngine(processes=self.processes, overrides=own | self.overrides)
        if self.engine == "vasp":
            from iface_wf.engines.vasp.engine import VaspEngine  # atomate2's VASP part takes seconds to import

            entries = {k: v for f in fillers for k, v in f.engines.get("vasp", {}).items()}
            if "potcar" in entries:
                entries["potcars"] = entries.pop("potcar")
            return VaspEngine(overrides=entries | self.overrides)
        return cheap_engine(self.engine, self.overrides)

    def geometry_engine(self, *fillers: FillerRecord) -> tuple[Engine, str]:
        """Return the engine that relaxes, and its level: a cheap one at `fast`, the main one from `moderate` on."""
        by = LEVELS[self.engine][self.level].get("relaxed_by", self.engine)
        if self.geometry is not None and self.level == "fast":
            by = self.geometry
        return (self.main_engine(*fillers) if by == self.engine else cheap_engine(by), self.level)

    def ranking_engine(self) -> CheapEngine:
        """Return the cheap engine that compares the placements; an ML potential as main engine ranks with its model."""
        by = self.geometry or ("mlip" if self.engine == "mlip" else "xtb")
        return cheap_engine(by, self.overrides if by == self.engine == "mlip" else None)

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
        engine, level = self.geometry_engine()
        ranking = self.ranking_engine()
        content |= {
            "slab": slab_digest,
            "fragment": fragment_digest,
            "settings": _settings(self.engine, self.level, self.overrides),
            "geometry": [engine.name, _settings(engine.name, level)],
            "flow_version": FLOW_VERSION,
        }
        if ranking.name != "xtb":
            content["ranking"] = [ranking.name, _settings(ranking.name, "fast", ranking.overrides)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _settings(engine: str, level: str, overrides: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what a level means; of an ML potential also the weights, which are all of its physics."""
    return model_settings(level, overrides or {}) if engine == "mlip" else level_settings(engine, level)
