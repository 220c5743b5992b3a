"""What is stored of the adhesion of two solids."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, computed_field

from iface_wf.documents.base import Document
from iface_wf.documents.result import ResultDocument

#: 1 eV/A^2 in J/m^2.
JOULE = 16.02176634
SIGN = "J/m^2, positive = sticks"
_UNITS = {
    "work_of_adhesion": f"{SIGN}; slabs apart relaxed in the common cell",
    "work_of_separation_rigid": f"{SIGN}; slabs apart frozen as they are together",
    "work_of_adhesion_ev": "eV/A^2, positive = sticks",
    "uncertainty": "J/m^2, half-spread",
    "deformation_energy": "eV per cell, by solid: E(X*) - E(X)",
    "dispersion_work": "J/m^2, share of the work of adhesion",
    "bsse_work": "J/m^2, >= 0, which the work of adhesion is corrected by",
    "area": "A^2",
    "gap": "A",
}


class SolidDocument(Document):
    """One of the two solids."""

    name: str
    surface: str = Field(description="Miller indices and termination as cut")
    face: str = Field(description="Formula of what lies within 2 A of its face to the other solid, relaxed alone")
    thickness: float | None = Field(None, description="Of the slab as cut, A")
    n_atoms: int
    strains: tuple[float, float] = Field(description="Principal strains in the plane, positive = stretched")
    polar: bool = Field(False, description="Whether the slab carries a dipole")
    moved_ions: int = Field(0, description="Ions moved against a dipole")
    energy: float | None = Field(None, description="Relaxed alone in the common cell, eV")
    taken: str = Field("", description="Role of the relaxation that gave it: as cut, or from what it is together")


class TranslationDocument(Document):
    """One translation of the upper solid, both rigid, by the cheap engine."""

    fractions: tuple[float, float] = Field(description="Of the in-plane vectors of the common cell")
    shift: tuple[float, float] = Field(description="x and y, A")
    gap: float | None = Field(None, description="Between the outermost atoms along z, A")
    energy: float | None = Field(None, description="eV per cell above the lowest")
    work: float | None = Field(None, description="Work of separation of the rigid slabs, J/m^2")
    failed: str = ""


class AdhesionDocument(ResultDocument):
    """Adhesion of two solids A | B: work = (E(A) + E(B) - E(AB)) / area, all three in one strained cell, one interface.

    The cell holds one interface and vacuum. The outer faces of both slabs are the same alone and together, and cancel as far as
    the slabs are thick; what is left are the two faces that meet. With A and B relaxed alone in the common cell this is the ideal
    work of separation, called work of adhesion here: no atoms diffuse or are adsorbed (Finnis, 10.1088/0953-8984/8/32/003). With A
    and B frozen as they are together it is the rigid one, which is larger by what their relaxation gains.
    """

    document_type: Literal["adhesion"] = "adhesion"
    partner: str = Field(description="The upper solid, B")
    partner_surface: str = ""
    work_of_adhesion: float | None
    work_of_separation_rigid: float | None
    uncertainty: float | None = None
    uncertainty_parts: dict[str, float] = Field(default_factory=dict, description="J/m^2")
    deformation_energy: dict[str, float] = Field(default_factory=dict)
    dispersion_work: float | None = None
    dispersion_works: dict[str, float] = Field(default_factory=dict, description="The same by model, J/m^2")
    bsse_work: float | None = None
    max_strain: float = Field(description="Largest absolute principal strain of the upper solid")
    gap: float | None = Field(None, description="Between the outermost atoms of the relaxed interface along z, A")
    solids: dict[str, SolidDocument] = Field(default_factory=dict, description="A the lower one, B the upper one")
    translations: list[TranslationDocument] = Field(default_factory=list, description="Lowest first")
    translations_engine: str = ""
    units_of: dict[str, str] = Field(default_factory=lambda: dict(_UNITS))

    @property
    def number(self) -> float | None:
        """The work of adhesion, J/m^2."""
        return self.work_of_adhesion

    @computed_field  # type: ignore[prop-decorator]
    @property
    def work_of_adhesion_ev(self) -> float | None:
        """The work of adhesion, eV/A^2."""
        return None if self.work_of_adhesion is None else self.work_of_adhesion / JOULE

    def model_post_init(self, _context: Any) -> None:
        """Keep numbers of translations in the order of their energies."""
        self.translations.sort(key=lambda each: (each.energy is None, each.energy or 0.0))
