"""The flow of a binding free energy: that of the binding energy, then second derivatives of AB and B as it relaxed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobflow import Job, job

from iface_wf.documents.labels import WHOLE, B
from iface_wf.flows.maker import ResultMaker
from iface_wf.flows.parts import PartOutputs
from iface_wf.quantities.binding.maker import BindingEnergyMaker
from iface_wf.quantities.binding.references import from_whole
from iface_wf.quantities.thermal.collect import collect_thermal


@job
def taken_molecule(provenance: dict[str, Any], shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the structure of B that the binding energy is against.

    Parameters
    ----------
    provenance
        Of the binding result, which says which reference was the lower one.
    shared, own
        B relaxed as it was built, and from what it is in AB.
    """
    taken = provenance.get("references", {}).get(B.name, {}).get("taken")
    return own if taken == from_whole(B) else shared


@dataclass
class ThermalMaker(ResultMaker):
    """Flow that gives the binding free energy of a fragment on a slab.

    Parameters
    ----------
    engine, geometry_engine, name
        See `iface_wf.flows.maker.ResultMaker`; the geometry engine gives the second derivatives too.
    binding
        Maker of the binding energy.
    """

    name: str = "thermal"
    binding: BindingEnergyMaker = field(kw_only=True)

    def combine(self, outputs: Mapping[str, PartOutputs], about: dict[str, Any]) -> list[Job]:
        """Return the jobs of the binding energy and those that follow; the last one collects.

        Parameters
        ----------
        outputs
            See `iface_wf.quantities.binding.maker.BindingEnergyMaker.combine`.
        about
            Copied into the document; ``binding`` is what the binding result says of itself.
        """
        jobs = self.binding.combine(outputs, about["binding"])
        jobs[-1].name = "collect binding"
        binding, by_name = jobs[-1].output, {each.name: each for each in jobs}
        molecule = taken_molecule(
            binding.provenance, outputs[B.name].relax.structure, by_name[f"relax {from_whole(B)}"].output.structure
        )
        molecule.name = f"choose {B.name}"
        structures = {WHOLE: by_name[f"relax {WHOLE}"].output.structure, B.name: molecule.output}
        vibrations = {
            role: self.geometry_engine.vibrations(structure, role=role, name=f"vibrations {role}")
            for role, structure in structures.items()
        }
        collect = collect_thermal(
            binding,
            {role: each.output for role, each in vibrations.items()},
            {role: each.output.uuid for role, each in vibrations.items()},
            {name: value for name, value in about.items() if name != "binding"},
        )
        collect.name = "collect"
        return [*jobs, molecule, *vibrations.values(), collect]
