"""Adhesion of two solids: what it costs to take them apart, by area, and how that hangs on where one lies on the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from iface_wf.documents.kinds import Column, Row, Section
from iface_wf.flows.kinds import FlowKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from iface_wf.flows.graph import Graph
    from iface_wf.library.library import Library
    from iface_wf.quantities.adhesion.document import AdhesionDocument
    from iface_wf.quantities.adhesion.request import AdhesionRequest

_SIGN = "J/m^2, positive = sticks"


class AdhesionKind(FlowKind):
    """Work of adhesion of two solids in one strained cell."""

    name = "adhesion"
    title = "Adhesion of two solids"
    quantities = ("work_of_adhesion",)
    columns = (
        Column("partner", "partner", shown=True),
        Column("work_of_adhesion", "work_of_adhesion", _SIGN, shown=True, uncertainty="uncertainty"),
        Column("uncertainty", "uncertainty", "J/m^2, half-spread"),
        Column("work_of_separation_rigid", "work_of_separation_rigid", f"{_SIGN}; slabs frozen", shown=True),
        Column("work_of_adhesion_ev", "work_of_adhesion_ev", "eV/A^2, positive = sticks", digits=4),
        Column("max_strain", "max_strain", "largest principal strain of the partner, as a fraction", shown=True),
        Column("dispersion_work", "dispersion_work", "J/m^2, share of the work of adhesion"),
        Column("bsse_work", "bsse_work", "J/m^2, >= 0"),
        Column("gap", "gap", "A, between the outermost atoms"),
        Column("partner_surface", "partner_surface"),
    )
    headline = "work_of_adhesion"
    highest_first = True
    roles: ClassVar[Mapping[str, str]] = {
        "AB": "both solids together",
        "A": "lower solid alone, relaxed in the common cell",
        "B": "upper solid alone, relaxed in the common cell",
        "A*": "lower solid, frozen as in AB",
        "B*": "upper solid, frozen as in AB",
        "A* in AB basis": "A* with the basis functions of AB",
        "B* in AB basis": "B* with the basis functions of AB",
    }

    @property
    def document(self) -> type[AdhesionDocument]:
        """See `iface_wf.documents.kinds.ResultKind.document`."""
        from iface_wf.quantities.adhesion.document import AdhesionDocument

        return AdhesionDocument

    @property
    def request(self) -> type[AdhesionRequest]:
        """See `iface_wf.flows.kinds.FlowKind.request`."""
        from iface_wf.quantities.adhesion.request import AdhesionRequest

        return AdhesionRequest

    def graph(self, request: AdhesionRequest, library: Library, here: bool = True) -> Graph:
        """See `iface_wf.flows.kinds.FlowKind.graph`."""
        from iface_wf.quantities.adhesion.graph import adhesion_graph

        return adhesion_graph(request, library, here)

    def title_of(self, document: AdhesionDocument) -> str:
        """Name a result, for example ``LiI (001) | Li (001)``."""
        from iface_wf.quantities.adhesion.page import title

        return title(document)

    def summary(self, document: AdhesionDocument) -> list[Row]:
        """See `iface_wf.documents.kinds.ResultKind.summary`."""
        from iface_wf.quantities.adhesion.page import rows

        return rows(document)

    def figure(self, document: AdhesionDocument, iso: float | None = None) -> Figure | None:
        """Draw the energy against the translation."""
        from iface_wf.quantities.adhesion.page import figure

        return figure(document)

    def sections(self, document: AdhesionDocument) -> list[Section]:
        """See `iface_wf.documents.kinds.ResultKind.sections`."""
        from iface_wf.quantities.adhesion.page import sections

        return sections(document)


ADHESION = AdhesionKind()
