"""What one interface leaves behind: binding energy with all of its terms, charges and pictures of density."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from iface_wf.documents.base import Document
from iface_wf.documents.charges import ChargeSums
from iface_wf.documents.density import DensityRecord
from iface_wf.documents.result import ResultDocument

UNITS: dict[str, str] = {
    "binding_energy": "eV per interface cell, negative = bound",
    "binding_energy_cp": "eV per interface cell, counterpoise corrected, negative = bound",
    "binding_energy_per_area": "eV/A^2",
    "interaction_energy": "eV, negative = attractive",
    "interaction_energy_cp": "eV, counterpoise corrected",
    "deformation_energy": "eV",
    "bsse_energy": "eV, >= 0",
    "dispersion_energy": "eV, share of the binding energy",
    "dispersion_interaction": "eV, share of the interaction energy",
    "charge_transfer": "e, positive = the component lost electrons; the components sum to 0",
    "displaced_charge": "e, half the integral of |delta_rho|",
    "lateral_energy": "eV, negative = the molecule and its images attract each other",
    "image_distance": "A",
    "coverage": "molecules per nm^2",
    "area": "A^2",
    "delta_rho_z": "e/A",
    "delta_q_z": "e",
}


class DensityDifferenceDocument(Document):
    """Charge-density difference rho(AB) - rho(A*) - rho(B*), one grid, one cell; positive = accumulation."""

    density: DensityRecord = Field(description="delta_rho, e/A^3")
    basis_superposition: Literal["ghosts", "none needed", "uncorrected"] = Field(
        description="How A* and B* shared AB's basis: ghost atoms (LCAO), plane waves or grid, or not"
    )
    integral: float = Field(description="Integral of delta_rho, e; 0 within 1e-3")
    displaced_charge: float = Field(description="Half the integral of |delta_rho|, e")
    z: list[float] = Field(description="Positions of the planes along c, A")
    delta_rho_z: list[float] = Field(description="Planar integral over x and y, e/A")
    delta_q_z: list[float] = Field(description="Running integral of delta_rho_z, e")


class BindingDocument(ResultDocument):
    """Binding energy of an interface AB with its parts A (slab side) and B (fragment side).

    Definitions: binding = E(AB) - E(A) - E(B); interaction = E(AB) - E(A*) - E(B*) in AB's cell;
    deformation[X] = E(X*) - E(X); binding = interaction + sum of deformations. B* is in AB's cell, so what it feels of its
    own images (lateral_energy) is a part of the binding energy and cancels in the interaction energy.
    """

    document_type: Literal["binding"] = "binding"
    placement: int = Field(0, description="Index of the placement that was computed")
    placements: int = Field(1, description="How many placements the cheap engine ranked")
    placement_ranking: list[dict[str, Any]] = Field(default_factory=list)

    binding_energy: float | None
    binding_energy_cp: float | None = Field(None, description="Counterpoise corrected; None for plane waves")
    binding_energy_per_area: float | None
    interaction_energy: float | None
    interaction_energy_cp: float | None = None
    deformation_energy: dict[str, float] = Field(description="By part: A, B")
    bsse_energy: float | None = None
    dispersion_energy: float | None = Field(description="Dispersion share of the binding energy, eV")
    dispersion_interaction: float | None = Field(None, description="Dispersion share of the interaction energy, eV")

    lateral_energy: float | None = Field(
        None, description="Molecule with its own images, E(B* alone in AB's cell) - E(B* isolated), eV"
    )
    lateral_method: str = Field("", description="What calculated the lateral energy")
    image_distance: float | None = Field(None, description="From the molecule to its nearest periodic image, A")
    coverage: float | None = Field(None, description="Molecules per nm^2; None for a wire")

    charge_transfer: dict[str, float] = Field(
        default_factory=dict, description="By component (slab, polymer...): its charge in AB minus that in A* or B*, e"
    )
    charge_scheme: str | None = Field(None, description="Scheme of the charges that charge_transfer is of")
    charges: dict[str, ChargeSums] = Field(default_factory=dict, description="Charges of the components, by scheme")
    density_difference: DensityDifferenceDocument | None = None
    units_of: dict[str, str] = Field(default_factory=lambda: dict(UNITS), description="Unit and sign by field")

    @property
    def number(self) -> float | None:
        """The binding energy, eV."""
        return self.binding_energy
