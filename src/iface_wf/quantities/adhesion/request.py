"""What a user asks for: two fillers, one on the other, and how they may be strained and moved."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from pydantic import Field, field_validator

from iface_wf.builders.edges import MAX_VACUUM, MIN_VACUUM
from iface_wf.builders.solids.stacks import MAX_STRAIN
from iface_wf.flows.request import Request
from iface_wf.library.records import Thickness

#: Engine that relaxes and compares translations where nothing else is said: xTB knows no metals and few oxides.
RELAXES = "mlip"


class AdhesionRequest(Request):
    """Work of adhesion of two solids.

    Attributes
    ----------
    engine, level, geometry, overrides, processes, quantities
        See `iface_wf.flows.request.Request`; the cheap engine is an ML potential where nothing else is said.
    filler, surface, thickness
        The lower solid, which keeps its own lattice: a name in the library or a structure file, Miller indices as text, and the
        smallest thickness, A.
    partner, partner_surface, partner_thickness
        The upper one, which is strained onto it.
    max_strain
        Largest absolute principal strain of the upper solid.
    max_area
        Largest area of the common cell, A^2.
    shifts
        Translations of the upper solid along each of two directions that are compared.
    vacuum
        Empty space above, A.
    seed
        Seed of the ordering of partly occupied sites.
    max_atoms
        Stacks with more atoms are refused.

    Examples
    --------
    >>> AdhesionRequest(filler="LiI", partner="Li").label
    'LiI | Li'
    """

    engine: str = "mlip"
    geometry: str | None = RELAXES
    filler: str
    surface: str | None = None
    thickness: Thickness | None = None
    partner: str
    partner_surface: str | None = None
    partner_thickness: Thickness | None = None
    max_strain: float = Field(default=MAX_STRAIN, gt=0, le=0.15)
    max_area: float = Field(default=400.0, ge=5, le=2000)
    shifts: int = Field(default=3, ge=1, le=10)
    vacuum: float = Field(default=8.0, ge=MIN_VACUUM, le=MAX_VACUUM)
    seed: int = Field(default=0, ge=0, lt=2**31)
    max_atoms: int = Field(default=400, ge=1, le=100_000)
    quantities: tuple[str, ...] = ("work_of_adhesion",)

    @field_validator("geometry", mode="before")
    @classmethod
    def _relaxes(cls, value: Any) -> Any:
        return RELAXES if value is None else value

    @property
    def label(self) -> str:
        """Name for people."""
        return f"{PurePath(self.filler).name} | {PurePath(self.partner).name}"
