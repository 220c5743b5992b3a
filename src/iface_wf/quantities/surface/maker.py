"""The flow of surface energies: crystal and slabs are relaxed, each by itself, and put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobflow import Job

from iface_wf.flows.maker import ResultMaker
from iface_wf.flows.parts import PartOutputs
from iface_wf.quantities.surface.collect import collect_surfaces


@dataclass
class SurfacesMaker(ResultMaker):
    """Flow of the surface energies of one filler.

    Parameters
    ----------
    engine, geometry_engine, name
        See `iface_wf.flows.maker.ResultMaker`; both engines are the same cheap one.
    """

    name: str = "surfaces"

    def single_point_of_part(self, role: str) -> bool:
        """Return False: the engine that relaxes gives the energies too."""
        return False

    def combine(self, outputs: Mapping[str, PartOutputs], about: dict[str, Any]) -> list[Job]:
        """Return the job that collects, see `iface_wf.flows.maker.ResultMaker.combine`."""
        relaxed = {role: output.relax for role, output in outputs.items()}
        collect = collect_surfaces(relaxed, {role: output.relax.uuid for role, output in outputs.items()}, about)
        collect.name = "collect"
        return [collect]
