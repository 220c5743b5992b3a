"""Binding free energies: vibrations of the molecule on a frozen slab and as a gas, beside the binding energy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iface_wf.documents.kinds import Column, Row, Section
from iface_wf.flows.kinds import FlowKind, Lengths

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from iface_wf.flows.graph import Graph
    from iface_wf.library.library import Library
    from iface_wf.quantities.thermal.document import ThermalDocument
    from iface_wf.quantities.thermal.request import ThermalRequest

_BINDING = "eV per interface cell, negative = bound; electronic"


class ThermalKind(FlowKind):
    """The binding free energy of a fragment on a slab."""

    name = "thermal"
    title = "Binding free energies"
    quantities = ("binding_free_energy",)
    columns = (
        Column(
            "binding_free_energy", "binding_free_energy", "eV, negative = bound", shown=True, uncertainty="uncertainty"
        ),
        Column("temperature", "temperature", "K", digits=2, shown=True),
        Column("pressure", "pressure", "bar", shown=True),
        Column("binding_energy", "binding_energy", _BINDING, shown=True, uncertainty="uncertainty"),
        Column(
            "binding_energy_zpe", "binding_energy_zpe", "eV, with zero-point energies; negative = bound", shown=True
        ),
        Column("binding_enthalpy", "binding_enthalpy", "eV, negative = bound"),
        Column("binding_entropy", "binding_entropy", "eV/K", digits=6),
        Column("zero_point_change", "zero_point_change", "eV, ZPE(AB) - ZPE(B)"),
        Column("vibrational_change", "vibrational_change", "eV, F_vib(AB) - F_vib(B)"),
        Column("imaginary_modes", "imaginary_modes", "number of imaginary wavenumbers", digits=0, shown=True),
        Column("uncertainty", "uncertainty", "eV, half-spread of binding_energy"),
        Column("vibrations_engine", "vibrations_engine"),
    )
    headline = "binding_free_energy"

    @property
    def document(self) -> type[ThermalDocument]:
        """See `iface_wf.documents.kinds.ResultKind.document`."""
        from iface_wf.quantities.thermal.document import ThermalDocument

        return ThermalDocument

    @property
    def request(self) -> type[ThermalRequest]:
        """See `iface_wf.flows.kinds.FlowKind.request`."""
        from iface_wf.quantities.thermal.request import ThermalRequest

        return ThermalRequest

    def graph(self, request: ThermalRequest, library: Library, here: bool = True) -> Graph:
        """See `iface_wf.flows.kinds.FlowKind.graph`."""
        from iface_wf.quantities.thermal.graph import thermal_graph

        return thermal_graph(request, library, here)

    def graph_of_many(
        self,
        requests: Sequence[ThermalRequest],
        library: Library,
        in_plane: Lengths | None = None,
        here: bool = True,
    ) -> Graph:
        """See `iface_wf.flows.kinds.FlowKind.graph_of_many`; fragments on one filler share its slab."""
        from iface_wf.quantities.thermal.graph import thermal_grid

        return thermal_grid(requests, library, in_plane, here)

    def title_of(self, document: ThermalDocument) -> str:
        """Name a result, for example ``water on LiI (100) at 298.15 K``."""
        from iface_wf.reports.names import interface_name

        return f"{interface_name(document)} at {document.temperature:g} K"

    def summary(self, document: ThermalDocument) -> list[Row]:
        """See `iface_wf.documents.kinds.ResultKind.summary`."""
        from iface_wf.quantities.thermal.page import summary

        return summary(document)

    def figure(self, document: ThermalDocument, iso: float | None = None) -> Figure | None:
        """Draw both spectra."""
        from iface_wf.quantities.thermal.page import figure

        return figure(document)

    def sections(self, document: ThermalDocument) -> list[Section]:
        """See `iface_wf.documents.kinds.ResultKind.sections`."""
        from iface_wf.quantities.thermal.page import sections

        return sections(document)


THERMAL = ThermalKind()
