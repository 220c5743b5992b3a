"""What a user asks for: the energy of a reaction."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import Field, field_validator

from iface_wf.builders.edges import MAX_VACUUM, MIN_VACUUM
from iface_wf.engines.base import Engine
from iface_wf.flows.request import Request, for_molecules
from iface_wf.flows.search.budget import MOST_STEPS, Budget, budget_of
from iface_wf.library.records import FillerRecord, InPlane, Thickness
from iface_wf.quantities.reactions.equation import Term, parse, written


class ReactionRequest(Request):
    """Energy of a reaction of neutral pieces: E(right) - E(left), each in its lowest minimum found.

    Attributes
    ----------
    engine, level, geometry, overrides, processes, quantities
        See `iface_wf.flows.request.Request`.
    reaction
        Names with `` + `` between them, `` -> `` between the sides, and numbers before those of which there are several:
        fillers (a slab of their first surface each), salts, polymers (``PEO x 2``), molecules of the library, SMILES and ``.xyz`` files.
    thickness, in_plane, vacuum
        Of all slabs, A, see `iface_wf.builders.spec.SlabSpec`.
    n_conformers, placements, search, seed
        Of the searches for the conformers of the molecules, as for an interface.
    max_atoms
        Pieces with more atoms are refused.

    Examples
    --------
    >>> ReactionRequest(reaction="2 LiF  ->  Li + FLi", engine="xtb").label
    '2 LiF -> Li + FLi'
    """

    reaction: str = Field(max_length=2000)
    thickness: Thickness | None = None
    in_plane: InPlane | None = None
    vacuum: float = Field(default=8.0, ge=MIN_VACUUM, le=MAX_VACUUM)
    n_conformers: int = Field(default=10, ge=1, le=500)
    placements: int = Field(default=8, ge=1, le=1000)
    search: int | None = Field(default=None, ge=0, le=MOST_STEPS)
    seed: int = Field(default=0, ge=0, lt=2**31)
    max_atoms: int = Field(default=600, ge=1, le=100_000)
    quantities: tuple[str, ...] = ("reaction_energy",)

    @field_validator("reaction")
    @classmethod
    def _in_order(cls, value: str) -> str:
        return written(parse(value))

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """What takes part, the left side first."""
        return parse(self.reaction)

    @property
    def budget(self) -> Budget:
        """What the searches may cost."""
        return budget_of(self.level, self.search)

    @property
    def label(self) -> str:
        """The reaction itself."""
        return self.reaction

    def main_engine(self, *fillers: FillerRecord) -> Engine:
        """Return the engine of the energies; where there is no slab, as it is used for molecules; see `Request.main_engine`."""
        engine = super().main_engine(*fillers)
        return engine if fillers else for_molecules(engine)

    def searching(self) -> tuple[Any, ...] | None:
        """Return what decides the searches; None where nothing is searched."""
        return self.budget.deciding(self.placements)
