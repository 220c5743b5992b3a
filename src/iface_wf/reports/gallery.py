"""Figures of a result by name, for papers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from matplotlib.figure import Figure

from iface_wf.analysis.density import unpack
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.kinds import get_kind
from iface_wf.documents.labels import WHOLE
from iface_wf.errors import InputError
from iface_wf.reports.convergence import candidates, cycles, relaxed
from iface_wf.reports.convergence_figure import convergence_figure
from iface_wf.reports.curves import potential_figure, transfer_figure
from iface_wf.reports.figures import binding_figure
from iface_wf.reports.names import method_name
from iface_wf.reports.site.atoms import transfer_of_atoms
from iface_wf.reports.slices import slices_figure

Drawing = Literal["difference", "slices", "transfer", "potential", "convergence"]
#: What can be drawn of one result.
DRAWINGS: dict[Drawing, str] = {
    "difference": "the charge-density difference from the side and from above, with its profiles on the same z axis",
    "slices": "planes through the charge-density difference where filler and molecule touch",
    "transfer": "the charge that each atom lost",
    "potential": "the electrostatic potential along the normal, with work functions",
    "convergence": "how far relaxations, self-consistency and the search for the placement came",
}


def draw(
    what: Drawing,
    document: Any,
    calculations: Mapping[str, CalculationDocument],
    iso: float | None = None,
    along: int | None = None,
    relaxations: Mapping[str, CalculationDocument] | None = None,
) -> Figure:
    """Draw something of a result.

    Parameters
    ----------
    what
        One of `DRAWINGS`.
    document
        The result, its densities loaded.
    calculations
        Those of its energies that are in the store, by role.
    iso
        Isovalue in e/A^3; by default surfaces that enclose half of the displaced charge.
    along
        Cell vector to look along from the side, 0 or 1; by default the one that shows most of the molecule.
    relaxations
        Those of it that are in the store, by role, for its convergence.

    Raises
    ------
    InputError
        When the result has not what is to be drawn.
    """
    kind = get_kind(document.document_type)
    title = f"{kind.heading_of(document)}, {method_name(document)}"
    name, structure = f"The result {document.key[:10]}", document.structure
    if what in ("difference", "slices"):
        difference = getattr(document, "density_difference", None)
        if difference is None:
            raise InputError(f"{name} has no charge-density difference to draw: its engine gives no density.")
        values = unpack(difference.density)
        if what == "slices":
            return slices_figure(structure, values, title, iso)
        profiles = (difference.z, difference.delta_rho_z, difference.delta_q_z)
        first = kind.summary(document)[0]
        spread = "" if first.uncertainty is None else f" ± {first.uncertainty:.2f}"
        number = "no number" if first.value is None else f"{first.value:+.2f}{spread} {first.unit}".replace("-", "−")
        subtitle = f"{first.name} {number}\n{method_name(document)}"
        return binding_figure(
            structure, values, *profiles, kind.heading_of(document), subtitle, iso, along=along, top=True
        )  # fmt: skip
    if what == "convergence":
        ended, taken, tried = relaxed(relaxations or {}), cycles(calculations), candidates(document)
        if not (ended or taken or tried):
            raise InputError(
                f"{name} has no convergence to draw: its calculations are not in this store, or tell nothing."
            )
        return convergence_figure(ended, taken, tried, title)
    whole = calculations.get(WHOLE)
    if what == "potential":
        if whole is None or whole.potential_z is None:
            raise InputError(f"{name} has no potential to draw: its calculation gives none, or is not in this store.")
        return potential_figure(whole, title)
    transfer = transfer_of_atoms(calculations, getattr(document, "charge_scheme", None) or "")
    if transfer is None:
        raise InputError(f"{name} has no charges of atoms to draw: they were not calculated, or are not in this store.")
    return transfer_figure(structure, transfer, title, along=along)
