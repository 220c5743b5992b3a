"""What a user asks for: the surfaces of one filler, by a cheap engine."""

from __future__ import annotations

from pathlib import PurePath

from pydantic import Field, field_validator

from iface_wf.builders.edges import MAX_VACUUM, MIN_VACUUM
from iface_wf.engines import registry
from iface_wf.errors import InputError
from iface_wf.flows.request import Request
from iface_wf.library.records import Thickness


class SurfacesRequest(Request):
    """Surface energies of the low-index faces of a filler.

    Attributes
    ----------
    engine, level, geometry, overrides, processes, quantities
        See `iface_wf.flows.request.Request`; the engine must be a cheap one.
    filler
        Name in the library, or a structure file.
    max_index
        Largest Miller index.
    terminations
        Most terminations of each face, those first that break the least bond strength.
    thickness
        Smallest thickness of the slabs, A: thick enough that both faces do not feel each other.
    vacuum
        Empty space above them, A.
    seed
        Seed of the ordering of partly occupied sites.
    max_atoms
        Slabs with more atoms are left out.
    """

    engine: str = "mlip"
    filler: str
    max_index: int = Field(default=1, ge=1, le=3)
    terminations: int = Field(default=3, ge=1, le=50)
    thickness: Thickness = 10.0
    vacuum: float = Field(default=8.0, ge=MIN_VACUUM, le=MAX_VACUUM)
    seed: int = Field(default=0, ge=0, lt=2**31)
    max_atoms: int = Field(default=400, ge=1, le=100_000)
    quantities: tuple[str, ...] = ("surface_energy",)

    @field_validator("engine")
    @classmethod
    def _cheap(cls, value: str) -> str:
        try:
            return registry.require_cheap(value)
        except InputError as error:  # inside a model, so that the text comes with its place
            raise ValueError(str(error)) from error

    @property
    def label(self) -> str:
        """Name for people."""
        return f"surfaces of {PurePath(self.filler).name}"
