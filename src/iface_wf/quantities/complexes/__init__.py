"""Molecules, salts and ions in open boxes: what binds two of them, and what a salt's dissociation costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iface_wf.documents.kinds import Column, Row, Section
from iface_wf.flows.kinds import FlowKind
from iface_wf.quantities.complexes import page

if TYPE_CHECKING:
    from iface_wf.flows.graph import Graph
    from iface_wf.library.library import Library
    from iface_wf.quantities.complexes.document import ComplexDocument, PairDocument
    from iface_wf.quantities.complexes.request import PairRequest


class ComplexKind(FlowKind):
    """What the kinds of results in open boxes share."""

    def sections(self, document: ComplexDocument) -> list[Section]:
        """See `iface_wf.documents.kinds.ResultKind.sections`."""
        return page.sections(document)


class PairKind(ComplexKind):
    """The binding energy of two molecules, or of a molecule and a salt or ion, without a surface."""

    name = "pair"
    title = "Binding energies of molecules"
    quantities = ("pair_binding_energy",)
    columns = (Column("partner", "partner", shown=True), page.BINDING, *page.COLUMNS)
    headline = "binding_energy"

    @property
    def document(self) -> type[PairDocument]:
        """See `iface_wf.documents.kinds.ResultKind.document`."""
        from iface_wf.quantities.complexes.document import PairDocument

        return PairDocument

    @property
    def request(self) -> type[PairRequest]:
        """See `iface_wf.flows.kinds.FlowKind.request`."""
        from iface_wf.quantities.complexes.request import PairRequest

        return PairRequest

    def graph(self, request: PairRequest, library: Library, here: bool = True) -> Graph:
        """See `iface_wf.flows.kinds.FlowKind.graph`."""
        from iface_wf.quantities.complexes.graph import complex_graph
        from iface_wf.quantities.complexes.pieces import pair_pieces

        about = {"partner": request.other_name, "partner_units": request.partner_units}
        return complex_graph(request, pair_pieces(request, library), about, here)

    def title_of(self, document: PairDocument) -> str:
        """Name a result, for example ``PEO (2 units) with LiTFSI``."""
        return f"{page.molecule_name(document)} with {document.partner}"

    def summary(self, document: PairDocument) -> list[Row]:
        """See `iface_wf.documents.kinds.ResultKind.summary`."""
        meaning = "E(AB) - E(A) - E(B) in open boxes; negative = bound"
        return page.rows(document, Row("binding energy", document.binding_energy, "eV", meaning, document.uncertainty))


PAIR = PairKind()
