"""Surface energies of a crystal: its low-index faces, relaxed by a cheap engine, and the shape that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iface_wf.documents.kinds import Column, Row, Section
from iface_wf.flows.kinds import FlowKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from iface_wf.flows.graph import Graph
    from iface_wf.library.library import Library
    from iface_wf.quantities.surface.document import SurfacesDocument
    from iface_wf.quantities.surface.request import SurfacesRequest


class SurfaceKind(FlowKind):
    """Surface energies of the faces of one filler."""

    name = "surface"
    title = "Surface energies"
    quantities = ("surface_energy",)
    columns = (
        Column("surface_energy", "surface_energy", "J/m^2 of the most stable face", shown=True),
        Column("face", "most_stable", "", shown=True),
    )
    headline = "surface_energy"

    @property
    def document(self) -> type[SurfacesDocument]:
        """See `iface_wf.documents.kinds.ResultKind.document`."""
        from iface_wf.quantities.surface.document import SurfacesDocument

        return SurfacesDocument

    @property
    def request(self) -> type[SurfacesRequest]:
        """See `iface_wf.flows.kinds.FlowKind.request`."""
        from iface_wf.quantities.surface.request import SurfacesRequest

        return SurfacesRequest

    def graph(self, request: SurfacesRequest, library: Library, here: bool = True) -> Graph:
        """See `iface_wf.flows.kinds.FlowKind.graph`."""
        from iface_wf.quantities.surface.graph import surfaces_graph

        return surfaces_graph(request, library, here)

    def title_of(self, document: SurfacesDocument) -> str:
        """Name a result, for example ``Surfaces of GdOOH``."""
        return f"Surfaces of {document.filler}"

    def summary(self, document: SurfacesDocument) -> list[Row]:
        """Return the energies of the faces, the most stable first."""
        return [
            Row(face.name, face.energy, "J/m^2", ", ".join([f"top {face.top}", *face.remarks]))
            for face in document.by_energy()
        ]

    def figure(self, document: SurfacesDocument, iso: float | None = None) -> Figure | None:
        """Draw the Wulff shape."""
        from iface_wf.quantities.surface.shape import figure

        title = f"{document.filler}: {document.most_stable} {document.surface_energy or 0.0:.2f} J/m$^2$"
        return figure(document.lattice, document.lowest, title)

    def sections(self, document: SurfacesDocument) -> list[Section]:
        """Return the table of the faces."""
        head = ("face", "J/m^2", "eV/A^2", "atoms", "area, A^2", "top 2 A", "remarks")
        rows = [
            (f.name, f.energy, f.energy_ev, f.n_atoms, round(f.area, 2), f.top, ", ".join(f.remarks))
            for f in document.by_energy()
        ]
        return [Section("Faces", head, rows)]


SURFACE = SurfaceKind()
