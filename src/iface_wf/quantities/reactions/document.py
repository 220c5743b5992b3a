"""What is stored of a reaction: its energy, and the energies of its pieces."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from iface_wf.documents.base import Document
from iface_wf.documents.result import ResultDocument
from iface_wf.documents.search import SearchSummary

UNITS = {
    "reaction_energy": "eV, E(right) - E(left), positive = costs energy; not counterpoise corrected",
    "uncertainty": "eV, half-spread; its parts combined in quadrature",
    "uncertainty_parts": "eV, half-spreads",
    "dispersion_energy": "eV, share of the reaction energy",
    "dispersion_shares": "eV, share of the reaction energy by model",
    "energy": "eV",
}


class ReactionPiece(Document):
    """One piece of a reaction, relaxed alone."""

    role: str = Field(description="L1, L2, ... on the left, R1, ... on the right")
    name: str
    units: int | None = Field(None, description="Repeat units of a polymer, where they were given")
    factor: int = Field(description="How many take part; negative on the left")
    slab: bool = Field(description="Whether it is a slab; else it is a molecule in an open box")
    formula: str
    n_atoms: int
    energy: float | None = Field(description="Total energy of the minimum that it was relaxed to, eV")
    key: str = Field(description="Key of its CalculationDocument")
    search: SearchSummary | None = Field(None, description="How its lowest conformer was looked for")


class ReactionDocument(ResultDocument):
    """Energy of a reaction of neutral pieces: the sum of factor times energy, each piece relaxed alone."""

    document_type: Literal["reaction"] = "reaction"
    reaction: str
    reaction_energy: float | None = Field(description="E(right) - E(left), eV; None where a piece has no energy")
    uncertainty: float | None = Field(None, description="Half-spread, eV; None where nothing is known of it")
    uncertainty_parts: dict[str, float] = Field(default_factory=dict, description="By source")
    dispersion_energy: float | None = Field(None, description="Share of the reaction energy, eV")
    dispersion_shares: dict[str, float] = Field(default_factory=dict, description="By model")
    pieces: list[ReactionPiece] = Field(default_factory=list)
    units_of: dict[str, str] = Field(default_factory=lambda: dict(UNITS), description="Unit and sign by field")

    @property
    def number(self) -> float | None:
        """The reaction energy, eV."""
        return self.reaction_energy
