"""What is stored of the electrostatic potential of a slab."""

from __future__ import annotations

from pydantic import Field

from iface_wf.documents.base import Document


class PotentialDocument(Document):
    """Planar average of the potential energy of an electron, vacuum levels and work functions, all eV.

    The work function of a side is its vacuum level minus the Fermi level; None where the vacuum is not flat, and
    then ``flag`` says why.
    """

    z: list[float] = Field(description="heights of the planes, A")
    potential_z: list[float] = Field(description="average over each plane, eV")
    vacuum_lower: float | None = Field(None, description="vacuum level below the slab, eV")
    vacuum_upper: float | None = Field(None, description="vacuum level above the slab, eV")
    work_function_lower: float | None = Field(None, description="eV")
    work_function_upper: float | None = Field(None, description="eV")
    dipole: float | None = Field(None, description="dipole of the cell along z from the step of the levels, e A")
    flag: str = Field("", description="why there are no levels")
