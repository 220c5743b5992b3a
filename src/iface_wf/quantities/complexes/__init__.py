"""Molecules, salts and ions in open boxes: what binds two of them, and what a salt's dissociation costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iface_wf.documents.kinds import Column, Row, Section
from iface_wf.flows.kinds import FlowKind
from iface_wf.quantities.complexes import page

if TYPE_CHECKING:
    from iface_wf.flows.graph import Graph
    from iface_wf.library.library import Library
    from iface_wf.quantities.complexes.document import (
        ComplexDocument,
        DissociationDocument,
        LiBindingDocument,
        PairDocument,
    )
    from iface_wf.quantities.complexes.request import PairRequest
    from iface_wf.quantities.complexes.salts import DissociationRequest, LiBindingRequest


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


class DissociationKind(ComplexKind):
    """What it costs to take the anion of a salt away from its cation, alone or held by a molecule."""

    name = "dissociation"
    title = "Dissociation energies of salts"
    quantities = ("dissociation_energy",)
    columns = (page.DISSOCIATION, *page.COLUMNS)
    headline = "dissociation_energy"

    @property
    def document(self) -> type[DissociationDocument]:
        """See `iface_wf.documents.kinds.ResultKind.document`."""
        from iface_wf.quantities.complexes.document import DissociationDocument

        return DissociationDocument

    @property
    def request(self) -> type[DissociationRequest]:
        """See `iface_wf.flows.kinds.FlowKind.request`."""
        from iface_wf.quantities.complexes.salts import DissociationRequest

        return DissociationRequest

    def graph(self, request: DissociationRequest, library: Library, here: bool = True) -> Graph:
        """See `iface_wf.flows.kinds.FlowKind.graph`."""
        from iface_wf.quantities.complexes.graph import complex_graph
        from iface_wf.quantities.complexes.salts import dissociation_pieces

        return complex_graph(request, dissociation_pieces(request, library), {}, here)

    def title_of(self, document: DissociationDocument) -> str:
        """Name a result, for example ``Dissociation of LiTFSI at PEO (2 units)``."""
        at = page.molecule_name(document)
        return f"Dissociation of {document.salt}" + (f" at {at}" if at else "")

    def summary(self, document: DissociationDocument) -> list[Row]:
        """See `iface_wf.documents.kinds.ResultKind.summary`."""
        first, second = (document.pieces[role].name for role in "AB")
        meaning = f"E({first}) + E({second}) - E(together); positive = costs energy"
        return page.rows(
            document, Row("dissociation energy", document.dissociation_energy, "eV", meaning, document.uncertainty)
        )


class LiBindingKind(ComplexKind):
    """The binding energy of Li+ at a molecule, one of its groups, or the anion of a salt."""

    name = "li_binding"
    title = "Binding energies of Li+"
    quantities = ("li_binding_energy",)
    columns = (page.LITHIUM, Column("group", "group", shown=True), Column("reference", "reference"), *page.COLUMNS)
    headline = "li_binding_energy"

    @property
    def document(self) -> type[LiBindingDocument]:
        """See `iface_wf.documents.kinds.ResultKind.document`."""
        from iface_wf.quantities.complexes.document import LiBindingDocument

        return LiBindingDocument

    @property
    def request(self) -> type[LiBindingRequest]:
        """See `iface_wf.flows.kinds.FlowKind.request`."""
        from iface_wf.quantities.complexes.salts import LiBindingRequest

        return LiBindingRequest

    def graph(self, request: LiBindingRequest, library: Library, here: bool = True) -> Graph:
        """See `iface_wf.flows.kinds.FlowKind.graph`."""
        from iface_wf.quantities.complexes.graph import complex_graph
        from iface_wf.quantities.complexes.salts import li_pieces, sites_of

        built = li_pieces(request, library)
        about: dict[str, Any] = {"reference": request.reference, "group": request.group}
        if request.group is not None:
            about["group_sites"] = sites_of(request.group, built.first)
        return complex_graph(request, built, about, here, searched=request.group is None)

    def title_of(self, document: LiBindingDocument) -> str:
        """Name a result, for example ``Li+ at PEO (2 units)``."""
        at = f" ({document.group})" if document.group else ""
        return f"Li+ at {page.molecule_name(document) or f'the anion of {document.salt}'}{at}"

    def summary(self, document: LiBindingDocument) -> list[Row]:
        """See `iface_wf.documents.kinds.ResultKind.summary`."""
        held = document.donors or "nothing within 2.5 A"
        meaning = f"E(A.Li) - E(A) - E({document.reference}); negative = bound; held by {held}"
        return page.rows(
            document, Row("binding energy of Li+", document.li_binding_energy, "eV", meaning, document.uncertainty)
        )


PAIR = PairKind()
DISSOCIATION = DissociationKind()
LI_BINDING = LiBindingKind()
