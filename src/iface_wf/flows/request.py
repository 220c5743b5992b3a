"""What every request says: which quantities, by which engines, at which level; and what of it decides the result."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from iface_wf.documents.kinds import kind_of_all
from iface_wf.documents.result import LONGEST_TITLE, one_line
from iface_wf.engines import registry
from iface_wf.engines.base import Engine
from iface_wf.errors import InputError, refuse_bool
from iface_wf.library.records import FillerRecord
from iface_wf.store.canonical import canonical_settings

#: Part of the keys of all results. Raised by hand when keys are made in another way or flows change so that stored results
#: are no longer comparable; `iface_wf.store.migrate` gives the results of before their new keys.
KEY_VERSION = 5


#: A name of the user's own for a result: one line.
Title = Annotated[str, AfterValidator(one_line), Field(min_length=1, max_length=LONGEST_TITLE)]


class Request(BaseModel, ABC):
    """Base of the requests of all kinds of results.

    Attributes
    ----------
    engine
        Code that gives the energies: ``gpaw``, ``vasp``, ``xtb``, ``mlip``, or one of another package.
    level
        ``fast``, ``moderate`` or ``precise``, see `iface_wf.engines.profile`.
    geometry
        Cheap engine, for example ``xtb``, ``mlip`` or ``mlip:7net-0`` (its model), that ranks the placements and, at level
        `fast`, relaxes. By default the engine itself where it is a cheap one, and else xTB.
    overrides
        Settings of the engine that replace those of the level; stored in every document.
    processes
        MPI processes per calculation; 0 means all available cores. Plays no part in the result.
    quantities
        What is wanted, of one kind of result; what a quantity needs on the way is added.
    title
        The user's own name for the result; plays no part in it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    _numbers = field_validator("*", mode="before")(classmethod(refuse_bool))

    engine: str = "gpaw"
    level: str = "fast"
    geometry: str | None = None
    overrides: dict[str, Any] = Field(default_factory=dict)
    processes: int = Field(0, ge=0, le=100_000)
    quantities: tuple[str, ...]
    title: Title | None = None

    @field_validator("quantities")
    @classmethod
    def _needed_too(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Complete what each quantity needs: whoever wants charges gets the energies on the way."""
        known = cls.model_fields["quantities"].default
        if not value:
            raise ValueError(f"give at least one of {', '.join(known)}")
        try:
            return kind_of_all(value).needed(value)
        except InputError as error:  # inside a model, so that the text comes with its place
            raise ValueError(str(error)) from error

    @field_validator("engine")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        return registry.profile(value).name

    @field_validator("geometry")
    @classmethod
    def _cheap_engine(cls, value: str | None) -> str | None:
        return value if value is None else registry.require_cheap(value)

    def model_post_init(self, _context: Any) -> None:
        """Check level and overrides once the engine is known."""
        registry.profile(self.engine).settings(self.level, self.overrides)

    @property
    @abstractmethod
    def label(self) -> str:
        """Name of what is asked for, for people."""

    def main_engine(self, *fillers: FillerRecord) -> Engine:
        """Return the engine that gives the energies, treating the elements of some fillers as their records say.

        Parameters
        ----------
        *fillers
            Records whose ``engines`` entry names, for GPAW, the moment (Bohr magnetons) to start an element with, and
            for VASP overrides such as the POTCARs of elements.

        Raises
        ------
        InputError
            Naming the record whose entry the engine cannot use.
        """
        engine, entries = registry.get(self.engine), []
        for filler in fillers:
            if (entry := filler.engines.get(self.engine)) is None:
                continue
            try:
                engine.profile.settings(self.level, engine.treatment([entry]))
            except InputError as error:
                raise InputError(f"The record of the filler {filler.name}, 'engines': {error}") from error
            entries.append(entry)
        return self._engine(self.engine, engine.treatment(entries) | self.overrides, processes=self.processes)

    def geometry_engine(self, *fillers: FillerRecord) -> Engine:
        """Return the engine that relaxes: a cheap one at `fast`, the main one from `moderate` on.

        Parameters
        ----------
        *fillers
            As in `main_engine`.
        """
        by = registry.profile(self.engine).level(self.level).get("relaxed_by", self.engine)
        if self.geometry is not None and self.level == "fast":
            by = self.geometry
        return self.main_engine(*fillers) if by == self.engine else self._engine(by)

    def ranking_engine(self) -> Engine:
        """Return the cheap engine that compares placements; one that is the main engine ranks as it calculates."""
        cheap = registry.profile(self.engine).cheap
        by = self.geometry or (self.engine if cheap else registry.DEFAULT_RANKING)
        overrides = dict(self.overrides) if by == self.engine else {}
        return registry.create(by, level="fast", overrides=overrides, processes=self.processes)

    def _engine(self, name: str, overrides: dict[str, Any] | None = None, **options: Any) -> Engine:
        return registry.create(name, level=self.level, overrides=dict(overrides or {}), **options)

    def content_key(
        self,
        kind: str,
        parts: Mapping[str, str],
        options: Mapping[str, Any],
        *fillers: FillerRecord,
        elements: Collection[str] = (),
    ) -> str:
        """Content key of a result: all that decides it, and nothing that does not.

        Names and options that only decide how a part is built count by the part that comes out, so that spelling and
        options that are not used leave the key alone. Of engines all physical settings count, defaults included.

        Parameters
        ----------
        kind
            Kind of result.
        parts
            Digests of its parts as built, by role.
        options
            What else decides the result; options that are None are not used.
        *fillers
            Records that say how the engine treats their elements.
        elements
            Elements of the parts: what an engine's tables say of them counts.

        Returns
        -------
        str
            SHA-256, hexadecimal.
        """
        content = {
            "version": KEY_VERSION,
            "kind": kind,
            "parts": dict(parts),
            "quantities": list(self.quantities),
            "engine": method_of(self.main_engine(*fillers), elements),
            "geometry": method_of(self.geometry_engine(*fillers), elements),
            **{name: value for name, value in options.items() if value is not None},
        }
        text = json.dumps(canonical_settings(content), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def for_molecules(engine: Engine) -> Engine:
    """Return an engine as it is used where there is no surface; overrides of the user's own count."""
    return replace(engine, overrides={**engine.profile.molecules(engine.defaults()), **engine.overrides})


def method_of(engine: Engine, elements: Collection[str]) -> list[Any]:
    """Return what decides an engine's results: its name, its level, and its physical settings with all defaults.

    Parameters
    ----------
    engine
        The engine.
    elements
        Those of which its tables (potentials, U, moments) count.
    """
    return [engine.engine_name, engine.level, engine.profile.physical(engine.defaults(sorted(set(elements))))]
