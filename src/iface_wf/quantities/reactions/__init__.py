"""Reaction energies: neutral pieces exchange ions or atoms, in open boxes and as slabs with what their surfaces carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from iface_wf.documents.kinds import Column, Row, Section
from iface_wf.flows.kinds import FlowKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from iface_wf.flows.graph import Graph
    from iface_wf.library.library import Library
    from iface_wf.quantities.reactions.document import ReactionDocument
    from iface_wf.quantities.reactions.request import ReactionRequest


class ReactionKind(FlowKind):
    """Energy of one reaction."""

    name = "reaction"
    title = "Reaction energies"
    quantities = ("reaction_energy",)
    columns = (
        Column("reaction", "reaction", shown=True),
        Column(
            "reaction_energy",
            "reaction_energy",
            "eV, E(right) - E(left), positive = costs energy",
            shown=True,
            uncertainty="uncertainty",
        ),
        Column("uncertainty", "uncertainty", "eV, half-spread"),
        Column("dispersion_energy", "dispersion_energy", "eV, share of the reaction energy"),
    )
    headline = "reaction_energy"
    roles: ClassVar[Mapping[str, str]] = {
        "LN": "on the left of the reaction, relaxed alone",
        "RN": "on the right of the reaction, relaxed alone",
    }

    @property
    def document(self) -> type[ReactionDocument]:
        """See `iface_wf.documents.kinds.ResultKind.document`."""
        from iface_wf.quantities.reactions.document import ReactionDocument

        return ReactionDocument

    @property
    def request(self) -> type[ReactionRequest]:
        """See `iface_wf.flows.kinds.FlowKind.request`."""
        from iface_wf.quantities.reactions.request import ReactionRequest

        return ReactionRequest

    def graph(self, request: ReactionRequest, library: Library, here: bool = True) -> Graph:
        """See `iface_wf.flows.kinds.FlowKind.graph`."""
        from iface_wf.quantities.reactions.graph import reaction_graph

        return reaction_graph(request, library, here)

    def title_of(self, document: ReactionDocument) -> str:
        """Name a result: the reaction itself."""
        return document.reaction

    def summary(self, document: ReactionDocument) -> list[Row]:
        """See `iface_wf.documents.kinds.ResultKind.summary`."""
        from iface_wf.quantities.reactions.page import rows

        return rows(document)

    def figure(self, document: ReactionDocument, iso: float | None = None) -> Figure | None:
        """Draw both sides as levels."""
        from iface_wf.quantities.reactions.page import figure

        return figure(document)

    def sections(self, document: ReactionDocument) -> list[Section]:
        """See `iface_wf.documents.kinds.ResultKind.sections`."""
        from iface_wf.quantities.reactions.page import sections

        return sections(document)


REACTION = ReactionKind()
