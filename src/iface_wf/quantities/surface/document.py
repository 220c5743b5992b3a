"""What is stored of the surfaces of one filler."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from iface_wf.documents.base import Document
from iface_wf.documents.result import ResultDocument

#: 1 eV/A^2 in J/m^2.
JOULE = 16.02176634


class FaceDocument(Document):
    """One termination of one face."""

    miller: tuple[int, int, int]
    termination: str = Field(description="As in the slab's own label, for example '1:O2|Si1'")
    top: str = Field(description="Formula of what lies within 2 A of the top, relaxed")
    bottom: str = Field("", description="The same of the lower face")
    energy: float | None = Field(description="Surface energy, J/m^2; mean of both faces where they differ")
    n_atoms: int
    area: float = Field(description="A^2")
    symmetric: bool = Field(description="Whether both faces are alike")
    moved_ions: int = Field(0, description="Ions moved against a dipole")
    remarks: list[str] = Field(default_factory=list, description="What the number hangs on")

    @property
    def name(self) -> str:
        """Miller indices and rank, for example ``(100)/1``; what ``--surface`` takes without the brackets."""
        indices = ("" if all(abs(h) < 10 for h in self.miller) else " ").join(map(str, self.miller))
        return f"({indices})/{self.termination.split(':')[0]}"

    @property
    def energy_ev(self) -> float | None:
        """Surface energy, eV/A^2."""
        return None if self.energy is None else self.energy / JOULE


class SurfacesDocument(ResultDocument):
    """Surface energies of the faces of a crystal: (E(slab) - n E(bulk) - m E(water)) / (2 area), all relaxed."""

    document_type: Literal["surface"] = "surface"
    surface_energy: float | None = Field(description="Of the most stable face, J/m^2")
    most_stable: str = Field("", description="Name of that face")
    faces: list[FaceDocument] = Field(default_factory=list)
    lattice: list[list[float]] = Field(description="Vectors in whose basis the Miller indices are meant, rows, A")
    wulff_shares: dict[str, float] = Field(
        default_factory=dict, description="Share of each face in the area of the Wulff shape"
    )
    refused: dict[str, str] = Field(default_factory=dict, description="Faces that could not be built, and why")
    units_of: dict[str, str] = Field(
        default_factory=lambda: {"surface_energy": "J/m^2", "energy": "J/m^2", "area": "A^2"}
    )

    @property
    def number(self) -> float | None:
        """The lowest surface energy, J/m^2."""
        return self.surface_energy

    def by_energy(self) -> list[FaceDocument]:
        """Return the faces, the most stable first, those without an energy last."""
        return sorted(self.faces, key=lambda face: (face.energy is None, face.energy or 0.0))

    @property
    def lowest(self) -> dict[tuple[int, int, int], float]:
        """Energy of the most stable termination of each face, J/m^2, of those that have one."""
        found: dict[tuple[int, int, int], float] = {}
        for face in self.by_energy():
            if face.energy is not None:
                found.setdefault(face.miller, face.energy)
        return found
