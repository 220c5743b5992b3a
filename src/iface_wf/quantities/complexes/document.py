"""What a complex in an open box leaves behind: its energies by the definitions of interfaces, its pieces and its isomers."""

from __future__ import annotations

from abc import ABC
from typing import Literal

from pydantic import Field, computed_field

from iface_wf.analysis.uncertainty import basis_part, combined, dispersion_part, geometry_part, searches_part
from iface_wf.documents.base import Document, StructureDict
from iface_wf.documents.contacts import HydrogenBond, LongerBond
from iface_wf.documents.labels import CATION
from iface_wf.documents.result import ResultDocument
from iface_wf.documents.search import SearchSummary

UNITS: dict[str, str] = {
    "binding_energy": "eV, negative = bound; counterpoise corrected where the basis is atom-centred",
    "binding_energy_raw": "eV, without counterpoise correction",
    "interaction_energy": "eV, negative = attractive; counterpoise corrected where the basis is atom-centred",
    "interaction_energy_raw": "eV, without counterpoise correction",
    "deformation_energy": "eV",
    "bsse_energy": "eV, >= 0",
    "dispersion_energy": "eV, share of the binding energy",
    "dispersion_shares": "eV, share of the binding energy by model",
    "dissociation_energy": "eV, positive = costs energy; counterpoise corrected where the basis is atom-centred",
    "li_binding_energy": "eV, negative = bound; counterpoise corrected where the basis is atom-centred",
    "uncertainty": "eV, half-spread; its parts combined in quadrature",
    "uncertainty_parts": "eV, half-spreads",
    "energy": "eV",
    "distances": "A",
}


class PieceDocument(Document):
    """A piece of a complex in isolation."""

    name: str
    formula: str
    charge: float = Field(description="e")
    energy: float | None = Field(description="Total energy of the lowest minimum found, eV")
    key: str = Field(description="Key of its CalculationDocument")
    taken: str = Field(
        description="Role of the relaxation that led to it: of the piece alone, or from what it is in AB"
    )
    search: SearchSummary | None = Field(None, description="How its lowest conformer was looked for")


class IsomerDocument(Document):
    """One minimum of a complex, relaxed and calculated by the engine."""

    energy: float | None = Field(description="Above the lowest one, eV; None where it did not converge")
    donors: str = Field("", description="What coordinates the cation, such as 'O O'")
    distances: list[float] = Field(default_factory=list, description="From the cation to these, A")
    structure: StructureDict
    key: str = Field(description="Key of its CalculationDocument")
    flags: list[str] = Field(default_factory=list)


class ComplexDocument(ResultDocument, ABC):
    """A complex AB of two pieces in an open box, with the definitions of interfaces.

    binding = E(AB) - E(A) - E(B), each the lowest minimum found in isolation; interaction = E(AB) - E(A*) - E(B*) in AB's box;
    deformation[X] = E(X*) - E(X). Where the basis is atom-centred, binding and interaction are counterpoise corrected.
    """

    binding_energy: float | None
    binding_energy_raw: float | None = None
    interaction_energy: float | None = None
    interaction_energy_raw: float | None = None
    deformation_energy: dict[str, float] = Field(default_factory=dict, description="By part: A, B")
    bsse_energy: float | None = Field(
        None, description="corrected = raw + this; None where the basis has no such error"
    )
    dispersion_energy: float | None = None
    dispersion_shares: dict[str, float] = Field(default_factory=dict)
    pieces: dict[str, PieceDocument] = Field(default_factory=dict, description="A and B in isolation")
    isomers: list[IsomerDocument] = Field(default_factory=list, description="Minima of AB, the lowest first")
    search: SearchSummary | None = Field(None, description="How AB was looked for; None where it was not")
    hydrogen_bonds: list[HydrogenBond] = Field(default_factory=list, description="Between A and B, the shortest first")
    longer_bonds: list[LongerBond] = Field(
        default_factory=list, description="Bonds of A and B that are longer than in isolation, at most five of each"
    )
    donors: str = Field("", description="What coordinates the cation in AB, such as 'O O'; empty where there is none")
    units_of: dict[str, str] = Field(default_factory=lambda: dict(UNITS), description="Unit and sign by field")

    @computed_field(description="Half-spreads by source, eV; a source that is not known is absent")  # type: ignore[prop-decorator]
    @property
    def uncertainty_parts(self) -> dict[str, float]:
        """Half-spreads of the energy by source, eV, see `iface_wf.analysis.uncertainty`."""
        if self.binding_energy is None:
            return {}
        searches = [self.search, *(piece.search for piece in self.pieces.values())]
        parts = {
            "search": searches_part(each.model_dump() if each is not None else None for each in searches),
            "basis": basis_part(self.basis, self.bsse_energy, ions=self._with_cation),
            "dispersion": dispersion_part(self.dispersion_shares, self.dispersion not in (None, "none")),
            "geometry": geometry_part(self.deformation_energy, self._relaxed_by_another_method),
        }
        return {name: part for name, part in parts.items() if part is not None}

    @computed_field(description="The parts combined in quadrature, eV; None where none is known")  # type: ignore[prop-decorator]
    @property
    def uncertainty(self) -> float | None:
        """Half-spread of the energy, eV; None where nothing is known of it."""
        return combined(self.uncertainty_parts.values())

    @property
    def _with_cation(self) -> bool:
        return CATION in self.structure.site_properties.get("component", ())

    @property
    def _relaxed_by_another_method(self) -> bool:
        return not self.geometry_engine.startswith(f"{self.engine} {self.functional} (")


class PairDocument(ComplexDocument):
    """Binding energy of two molecules, or of a molecule and a salt or one of its ions."""

    document_type: Literal["pair"] = "pair"
    partner: str = Field("", description="The second piece")
    partner_units: int | None = None

    @property
    def number(self) -> float | None:
        """The binding energy, eV."""
        return self.binding_energy


class DissociationDocument(ComplexDocument):
    """What it costs to take the anion of a salt away: bare A is the cation, with a molecule M it is M with the cation; B is the anion.

    dissociation = E(A) + E(B) - E(AB), the binding energy with the other sign.
    """

    document_type: Literal["dissociation"] = "dissociation"

    @computed_field(description="E(cation) + E(anion) - E(pair), or with M E(M.cation) + E(anion) - E(M.pair), eV")  # type: ignore[prop-decorator]
    @property
    def dissociation_energy(self) -> float | None:
        """Positive = costs energy, eV; counterpoise corrected where the basis is atom-centred."""
        return None if self.binding_energy is None else -self.binding_energy

    @computed_field(description="Without counterpoise correction, eV")  # type: ignore[prop-decorator]
    @property
    def dissociation_energy_raw(self) -> float | None:
        """The same without counterpoise correction, eV."""
        return None if self.binding_energy_raw is None else -self.binding_energy_raw

    @property
    def number(self) -> float | None:
        """The dissociation energy, eV."""
        return self.dissociation_energy


class LiBindingDocument(ComplexDocument):
    """Binding energy of Li+ (B) at a molecule, one of its groups, or an anion (A)."""

    document_type: Literal["li_binding"] = "li_binding"
    reference: str = Field("ion", description="What Li+ comes from")
    group: str | None = Field(None, description="The group that it was put to; None: it was searched for")

    @computed_field(description="E(A.Li) - E(A) - E(Li reference), eV")  # type: ignore[prop-decorator]
    @property
    def li_binding_energy(self) -> float | None:
        """Negative = bound, eV; counterpoise corrected where the basis is atom-centred."""
        return self.binding_energy

    @property
    def number(self) -> float | None:
        """The binding energy of Li+, eV."""
        return self.binding_energy
