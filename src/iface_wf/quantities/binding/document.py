"""What one interface leaves behind: binding energy with all of its terms, charges and pictures of density."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, computed_field

from iface_wf.analysis.uncertainty import basis_part, combined, dispersion_part, geometry_part, search_part, spread_part
from iface_wf.documents.base import Document
from iface_wf.documents.charges import ChargeSums
from iface_wf.documents.contacts import HydrogenBond, LongerBond
from iface_wf.documents.density import DensityRecord
from iface_wf.documents.labels import CATION
from iface_wf.documents.result import ResultDocument
from iface_wf.documents.search import SearchSummary
from iface_wf.former import hint

UNITS: dict[str, str] = {
    "binding_energy": "eV per interface cell, negative = bound; counterpoise corrected where the basis is atom-centred",
    "binding_energy_raw": "eV per interface cell, without counterpoise correction",
    "binding_energy_per_area": "eV/A^2, of binding_energy",
    "interaction_energy": "eV, negative = attractive; counterpoise corrected where the basis is atom-centred",
    "interaction_energy_raw": "eV, without counterpoise correction",
    "uncertainty": "eV, half-spread of binding_energy; its parts combined in quadrature",
    "uncertainty_parts": "eV, half-spreads",
    "deformation_energy": "eV",
    "bsse_energy": "eV, >= 0",
    "dispersion_energy": "eV, share of the binding energy",
    "dispersion_interaction": "eV, share of the interaction energy",
    "dispersion_shares": "eV, share of the binding energy by model",
    "dispersion_interaction_shares": "eV, share of the interaction energy by model",
    "charge_transfer": "e, positive = the component lost electrons; the components sum to 0",
    "charge_transfers": "e, by scheme; positive = the component lost electrons; the components sum to 0",
    "displaced_charge": "e, half the integral of |delta_rho|",
    "lateral_energy": "eV, negative = the molecule and its images attract each other",
    "binding_energy_per_molecule": "eV, binding_energy by the number of molecules; negative = bound",
    "mutual_energy": "eV, of all molecules without their images; negative = they attract each other",
    "image_distance": "A",
    "coverage": "molecules per nm^2",
    "area": "A^2",
    "delta_rho_z": "e/A",
    "delta_q_z": "e",
}


class LayerMolecule(Document):
    """One kind of molecule among several on a slab."""

    name: str = Field(description="As it was asked for, for example EC or LiTFSI")
    formula: str = ""
    count: int = Field(description="How many there are, both faces together")
    role: str = Field("", description="Role of its calculations in isolation, for example B1")
    energy: float | None = Field(None, description="Of one in isolation, eV")


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
    deformation[X] = E(X*) - E(X); binding = interaction + sum of deformations. Where the basis is atom-centred, binding and
    interaction are counterpoise corrected: raw + bsse. Where that could not be done they are raw, and flagged
    ``uncorrected_basis``. Of several molecules E(B) is the sum of their energies, each relaxed in isolation, and B* all of them
    as they lie in AB, so that what they feel of each other is a part of deformation[B]. B* is in AB's cell, so what it feels of its
    own images (lateral_energy) is a part of the binding energy and cancels in the interaction energy.
    """

    document_type: Literal["binding"] = "binding"
    placement: int = Field(0, description="Index of the candidate that was computed")
    placements: int = Field(1, description="How many candidates the cheap engine looked at")
    placement_ranking: list[dict[str, Any]] = Field(default_factory=list)
    search: SearchSummary | None = Field(None, description="How the placement was looked for; None where it was not")
    conformer_search: SearchSummary | None = Field(
        None, description="How the molecule's lowest conformer was looked for"
    )

    binding_energy: float | None = Field(description="The headline; counterpoise corrected where the basis needs it")
    binding_energy_raw: float | None = Field(None, description="Without counterpoise correction")
    binding_energy_per_area: float | None
    binding_energy_per_molecule: float | None = Field(
        None, description="Of several molecules: binding_energy by their number; None of one"
    )
    interaction_energy: float | None = Field(description="Counterpoise corrected where the basis needs it")
    interaction_energy_raw: float | None = Field(None, description="Without counterpoise correction")
    deformation_energy: dict[str, float] = Field(description="By part: A, B")
    bsse_energy: float | None = Field(
        None, description="corrected = raw + this; None where the basis has no such error"
    )
    model_energies: dict[str, float] = Field(
        default_factory=dict,
        description="Binding energy of the same structures by each ML potential that took part, eV",
    )
    dispersion_energy: float | None = Field(description="Dispersion share of the binding energy, eV")
    dispersion_interaction: float | None = Field(None, description="Dispersion share of the interaction energy, eV")
    dispersion_shares: dict[str, float] = Field(
        default_factory=dict,
        description="Dispersion share of the binding energy by each model that has parameters for the functional, whatever was chosen, eV",
    )
    dispersion_interaction_shares: dict[str, float] = Field(
        default_factory=dict, description="The same of the interaction energy, eV"
    )

    lateral_energy: float | None = Field(
        None, description="Molecule with its own images, E(B* alone in AB's cell) - E(B* isolated), eV"
    )
    lateral_method: str = Field("", description="What calculated the lateral energy")
    image_distance: float | None = Field(None, description="From the molecule to its nearest periodic image, A")
    coverage: float | None = Field(None, description="Molecules per nm^2; None for a wire")

    molecules: list[LayerMolecule] = Field(
        default_factory=list, description="Where several lie on the slab: which; B is all of them together"
    )
    faces: int = Field(1, description="On how many faces of the slab they lie")
    mutual_energy: float | None = Field(
        None,
        description="Of several molecules: with each other, without slab and images, frozen as in AB, by lateral_method, eV",
    )

    hydrogen_bonds: list[HydrogenBond] = Field(
        default_factory=list, description="Between slab and molecule, the shortest first"
    )
    longer_bonds: list[LongerBond] = Field(
        default_factory=list, description="Bonds of the molecule that are longer than in isolation, at most five"
    )

    charge_transfer: dict[str, float] = Field(
        default_factory=dict, description="By component (slab, polymer...): its charge in AB minus that in A* or B*, e"
    )
    charge_scheme: str | None = Field(None, description="Scheme of the charges that charge_transfer is of")
    charge_transfers: dict[str, dict[str, float]] = Field(
        default_factory=dict, description="The same by every scheme that all densities have, e"
    )
    charges: dict[str, ChargeSums] = Field(default_factory=dict, description="Charges of the components, by scheme")
    density_difference: DensityDifferenceDocument | None = None
    units_of: dict[str, str] = Field(default_factory=lambda: dict(UNITS), description="Unit and sign by field")

    @computed_field(description="Half-spreads of binding_energy by source, eV; a source that is not known is absent")  # type: ignore[prop-decorator]
    @property
    def uncertainty_parts(self) -> dict[str, float]:
        """Half-spreads of the binding energy by source, eV, see `iface_wf.analysis.uncertainty`."""
        lateral: float | None = getattr(self, "lateral_energy", None)
        parts = {
            "search": search_part(self._of_record("search"), self.binding_energy),
            "basis": basis_part(self.basis, self.bsse_energy, ions=self._with_ions),
            "dispersion": dispersion_part(self._of_record("dispersion_shares"), self.dispersion not in (None, "none")),
            "lateral": None if lateral is None else abs(lateral),
            "geometry": geometry_part(self._change_of_shape, self._relaxed_by_another_method, self.binding_energy),
            "model": spread_part(self.model_energies),
        }
        known = {name: part for name, part in parts.items() if part is not None}
        return known if self.binding_energy is not None else {}

    @computed_field(description="The parts combined in quadrature, eV; None where none is known")  # type: ignore[prop-decorator]
    @property
    def uncertainty(self) -> float | None:
        """Half-spread of the binding energy, eV; None where nothing is known of it."""
        return combined(self.uncertainty_parts.values())

    @property
    def _with_ions(self) -> bool:
        """Whether there are ions of a salt, alone or among several molecules."""
        among = getattr(self, "molecules", []) and CATION in self.structure.site_properties.get("component", ())
        return self.salt is not None or bool(among)

    @property
    def _change_of_shape(self) -> dict[str, float]:
        """Deformation energies, of several molecules without what these give each other and their images, eV."""
        deformation: dict[str, float] = self.deformation_energy
        mutual: float | None = getattr(self, "mutual_energy", None)
        if mutual is None or "B" not in deformation:
            return deformation
        return deformation | {"B": deformation["B"] - min(mutual + (self.lateral_energy or 0.0), 0.0)}

    def _of_record(self, name: str) -> dict[str, Any] | None:
        """Return a record of the document as a dict; None where it has none."""
        record = getattr(self, name, None)
        return record.model_dump() if isinstance(record, Document) else record

    @property
    def _relaxed_by_another_method(self) -> bool | None:
        if self.geometry_engine in ("", "as given"):
            return None
        return not self.geometry_engine.startswith(f"{self.engine} {self.functional} (")

    @property
    def binding_energy_cp(self) -> float | None:
        """Name of before of `binding_energy` where that is corrected; goes with the next release."""
        hint("binding_energy_cp", "binding_energy")
        return None if self.bsse_energy is None else self.binding_energy

    @property
    def interaction_energy_cp(self) -> float | None:
        """Name of before of `interaction_energy` where that is corrected; goes with the next release."""
        hint("interaction_energy_cp", "interaction_energy")
        return None if self.bsse_energy is None else self.interaction_energy

    @property
    def number(self) -> float | None:
        """The binding energy, eV."""
        return self.binding_energy
