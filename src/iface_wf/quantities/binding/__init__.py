"""Binding energies: interaction, deformation, counterpoise and dispersion parts, charges and difference density."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from iface_wf.documents.kinds import Row, Section
from iface_wf.flows.kinds import FlowKind, Lengths
from iface_wf.quantities.binding.columns import COLUMNS, QUANTITIES

if TYPE_CHECKING:
    from jobflow import JobStore
    from matplotlib.figure import Figure

    from iface_wf.flows.graph import Graph
    from iface_wf.library.library import Library
    from iface_wf.quantities.binding.document import BindingDocument
    from iface_wf.quantities.binding.request import BindingRequest
    from iface_wf.store.migrate import Keyed


class BindingKind(FlowKind):
    """The binding energy of a fragment on a slab."""

    name = "binding"
    title = "Binding energies"
    quantities = QUANTITIES
    columns = COLUMNS
    headline = "binding_energy"

    @property
    def document(self) -> type[BindingDocument]:
        """See `iface_wf.documents.kinds.ResultKind.document`."""
        from iface_wf.quantities.binding.document import BindingDocument

        return BindingDocument

    @property
    def request(self) -> type[BindingRequest]:
        """See `iface_wf.flows.kinds.FlowKind.request`."""
        from iface_wf.quantities.binding.request import BindingRequest

        return BindingRequest

    def graph(self, request: BindingRequest, library: Library, here: bool = True) -> Graph:
        """See `iface_wf.flows.kinds.FlowKind.graph`."""
        from iface_wf.quantities.binding.graph import single_graph

        return single_graph(request, library, here)

    def graph_of_many(
        self,
        requests: Sequence[BindingRequest],
        library: Library,
        in_plane: Lengths | None = None,
        here: bool = True,
    ) -> Graph:
        """See `iface_wf.flows.kinds.FlowKind.graph_of_many`; fragments on one filler share its slab."""
        from iface_wf.quantities.binding.graph import grid_graph

        return grid_graph(requests, library, in_plane, here)

    def rekeyer(self, store: JobStore, library: Library) -> Callable[[BindingDocument], Keyed]:
        """See `iface_wf.flows.kinds.FlowKind.rekeyer`."""
        from iface_wf.quantities.binding.rekey import Rekeyer

        return Rekeyer(store, library)

    def title_of(self, document: BindingDocument) -> str:
        """Name an interface, for example ``PEO (2 units) + LiTFSI on SiO2 (101)``."""
        from iface_wf.reports.names import interface_name

        return interface_name(document)

    def summary(self, document: BindingDocument) -> list[Row]:
        """See `iface_wf.documents.kinds.ResultKind.summary`."""
        from iface_wf.quantities.binding.page import summary

        return summary(document)

    def figure(self, document: BindingDocument, iso: float | None = None) -> Figure:
        """See `iface_wf.documents.kinds.ResultKind.figure`."""
        from iface_wf.quantities.binding.page import figure

        return figure(document, iso)

    def sections(self, document: BindingDocument) -> list[Section]:
        """See `iface_wf.documents.kinds.ResultKind.sections`."""
        from iface_wf.quantities.binding.page import sections

        return sections(document)


BINDING = BindingKind()
