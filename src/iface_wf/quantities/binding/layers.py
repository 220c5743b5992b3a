"""Several molecules on a slab: each kind of molecule in isolation is a part of its own, and B is all of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from jobflow import Job, job
from pymatgen.core import Structure

from iface_wf.analysis.energies import require_same_settings
from iface_wf.builders.components import indices, label, select
from iface_wf.builders.contact import gathered, symbols_of
from iface_wf.builders.molecules.fragments import boxed
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import PARTNER, WHOLE, A, B, Part
from iface_wf.documents.result import term_of
from iface_wf.engines.comparison import comparison_of
from iface_wf.flows.parts import PartOutputs
from iface_wf.flows.placements import RankedPlacements
from iface_wf.flows.search.jobs import ConformerSearch
from iface_wf.flows.search.layers import search_layer
from iface_wf.quantities.binding.collect import binding_document
from iface_wf.quantities.binding.document import BindingDocument, LayerMolecule
from iface_wf.quantities.binding.lateral import LateralDocument, lateral_energy
from iface_wf.quantities.binding.maker import BindingEnergyMaker
from iface_wf.quantities.binding.references import from_whole, lowest, moved_into, relaxed_again

#: Distance between molecules that are only listed together, A.
_APART = 4.0


def kinds_of(count: int) -> tuple[Part, ...]:
    """Name so many kinds of molecules: B1, B2, ..."""
    return tuple(Part(f"{B.name}{number + 1}", B.components) for number in range(count))


@dataclass
class LayerMaker(BindingEnergyMaker):
    """Flow that gives the binding energy of several molecules on a slab.

    binding = E(AB) - E(A) - sum of n_i E(B_i), the slab and one molecule of each kind relaxed in isolation; B* are all
    molecules as they lie in AB. Conformers, relaxations and single points of the parts are those of each alone, and are shared.
    With atom-centred functions the molecules lend each other theirs, too, so each is calculated as it lies in B*, without and
    with the functions of the others.

    Parameters
    ----------
    counts
        How many molecules of each kind lie on a face; the parts are ``B1``, ``B2``, ...
    sizes
        Atoms of each kind.
    faces
        1: on the upper face, 2: the same on both.
    """

    counts: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    faces: int = 1

    def start_search(self, role: str) -> ConformerSearch | None:
        """See `iface_wf.flows.maker.ResultMaker.start_search`: the lowest conformer of each kind is looked for."""
        searched = role != A.name and self._options.searches
        return ConformerSearch(self._options, f"search {role}") if searched else None

    def combine(self, outputs: Mapping[str, PartOutputs], about: dict[str, Any]) -> list[Job]:
        """Return the jobs of an interface whose parts are calculated elsewhere; the last one collects.

        Parameters
        ----------
        outputs
            Where the outputs of the parts' jobs are: ``A`` the slab, ``B1``, ... the molecules.
        about
            As of `iface_wf.quantities.binding.maker.BindingEnergyMaker.make`.
        """
        kinds = kinds_of(len(self.counts))
        placed = search_layer(
            outputs[A.name].relax.structure,
            [outputs[kind.name].relax.structure for kind in kinds],
            counts=list(self.counts),
            faces=self.faces,
            vacuum=self.vacuum,
            clearance=self.clearance,
            **self._options.arguments(),
        )
        placed.name = f"search {WHOLE}"
        relax_ab = self.relaxation(WHOLE).make(placed.output.structure)
        one_face = [size for size, count in zip(self.sizes, self.counts, strict=True) for _ in range(count)]
        lateral = lateral_energy(relax_ab.output.structure, self.ranking_engine, sizes=one_face * self.faces)
        lateral.name = "images"
        own = self._statics(relax_ab)
        between = self._between(relax_ab, own[WHOLE], one_face * self.faces)
        shared = {name: output.relax for name, output in outputs.items()}
        like = {kind.name: own[WHOLE].output.settings for kind in kinds} if self.engine.grid_bound else {}
        pieces = cut_layer(
            relax_ab.output.structure,
            {name: relaxed.structure for name, relaxed in shared.items()},
            first=[0, *accumulate(s * n for s, n in zip(self.sizes, self.counts, strict=True))][:-1],
        )
        again = relaxed_again(
            lambda part: self, shared, relax_ab.output.structure, like, parts=(A, *kinds), pieces=pieces
        )
        if self.engine.grid_bound:  # as for a single molecule: a box on AB's grid steps
            boxes = {
                kind.name: self.engine.static(
                    outputs[kind.name].relax.structure, like=like[kind.name], role=kind.name, name=f"static {kind.name}"
                )
                for kind in kinds
            }
            own = boxes | own
        statics = {name: output.static for name, output in outputs.items() if output.static is not None}
        statics |= {role: each.output for role, each in (own | again.statics).items()}
        lent = {role: each.output for role, each in between.items() if role}
        collect = collect_layer(
            calculations=statics,
            relaxations=shared | {WHOLE: relax_ab.output} | again.relaxations,
            uuids={role: output.uuid for role, output in (statics | lent).items()},
            between=lent,
            placements=placed.output,
            about=about,
            totals=[count * self.faces for count in self.counts],
            lateral=lateral.output,
        )
        collect.name = "collect"
        return [placed, relax_ab, lateral, *own.values(), *between.values(), *again.jobs, collect]

    def _between(self, relax_ab: Job, whole: Job, sizes: Sequence[int]) -> dict[str, Job]:
        """Single points of each molecule as it lies in B*, without and with the functions of the others, where that differs."""
        if not self.engine.counterpoise or len(sizes) < 2:
            return {}
        labelled = one_by_one(relax_ab.output.structure, list(sizes))
        labelled.name = "label molecules"
        jobs: dict[str, Job] = {"": labelled}
        for number in range(len(sizes)):
            for role, ghosts in zip(_roles(number), (None, [PARTNER]), strict=True):
                jobs[role] = self.engine.static(
                    labelled.output[number],
                    like=whole.output.settings,
                    keep=list(B.components),
                    as_ghosts=ghosts,
                    role=role,
                    name=f"static {role}",
                )
        return jobs


def _roles(number: int) -> tuple[str, str]:
    """Name the calculations of one molecule as it lies among the others: without, and with their functions."""
    return f"molecule {number + 1}*", f"molecule {number + 1}* in B* basis"


@job
def one_by_one(interface: Structure | dict[str, Any], sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Return an interface once for each molecule, in which all others carry the label of a partner.

    Parameters
    ----------
    interface
        The relaxed interface, labelled sites.
    sizes
        Atoms of each molecule, in the order of their sites.
    """
    whole = Structure.from_dict(interface) if isinstance(interface, dict) else interface
    sites = np.split(np.array(indices(whole, *B.components)), np.cumsum(sizes)[:-1])
    every = {int(site) for each in sites for site in each}
    return [label(whole, PARTNER, sorted(every - set(each.tolist()))).as_dict() for each in sites]


@job
def cut_layer(
    interface: Structure | dict[str, Any], parts: Mapping[str, Structure | dict[str, Any]], first: Sequence[int]
) -> dict[str, dict[str, Any]]:
    """Cut the slab and the first molecule of each kind out of an interface, each into the cell of the part in isolation.

    Parameters
    ----------
    interface
        The relaxed interface, labelled sites.
    parts
        The relaxed parts in isolation, by role.
    first
        Where among the sites of all molecules the first one of each kind begins.

    Returns
    -------
    dict
        By role: its structure as it is in the interface.
    """
    whole = Structure.from_dict(interface) if isinstance(interface, dict) else interface
    alone = {name: Structure.from_dict(each) if isinstance(each, dict) else each for name, each in parts.items()}
    slab = select(whole, *A.components)
    found = {A.name: moved_into(alone[A.name], slab).as_dict()}
    molecules = select(whole, *B.components)
    for kind, start in zip(kinds_of(len(first)), first, strict=True):
        piece = Structure.from_sites(molecules[start : start + len(alone[kind.name])], to_unit_cell=False)
        xyz = gathered(piece.cart_coords, piece.lattice)
        for site, position in enumerate(xyz):
            piece[site].coords = position
        found[kind.name] = moved_into(alone[kind.name], piece).as_dict()
    return found


@job(data=["blob"])
def collect_layer(
    calculations: dict[str, CalculationDocument],
    relaxations: dict[str, CalculationDocument],
    uuids: dict[str, str],
    placements: RankedPlacements,
    about: dict[str, Any],
    totals: list[int],
    lateral: LateralDocument | None = None,
    between: dict[str, CalculationDocument] | None = None,
) -> BindingDocument:
    """Combine the calculations of several molecules on a slab into one document.

    Parameters
    ----------
    calculations, relaxations, uuids, placements, about, lateral
        As of `iface_wf.quantities.binding.collect.binding_document`, with the roles ``B1``, ... instead of ``B``.
    totals
        How many molecules of each kind there are, both faces together.
    between
        With atom-centred functions: each molecule as it lies among the others, without and with their functions.
    """
    between = between or {}
    kinds = kinds_of(len(totals))
    energies = {role: c.energy for role, c in calculations.items()}
    single, relaxed, taken = lowest(calculations, relaxations, kinds)
    alone = [single.pop(kind.name) for kind in kinds]
    for kind, each in zip(kinds, alone, strict=True):
        require_same_settings({WHOLE: single[WHOLE].settings, kind.name: each.settings}, comparison_of(each).method)
    ab, rules = single[WHOLE], comparison_of(single[WHOLE])
    for role, each in between.items():
        require_same_settings({WHOLE: ab.settings, role: each.settings}, [*rules.method, *rules.cell])
    lent = _lent(between)
    together = _sum_of(alone, totals, about["faces"])
    if between:  # what the molecules lend each other makes B* too low, so their sum is lowered by as much
        lowered = None if lent is None or together.energy is None else together.energy - lent
        together = together.model_copy(update={"energy": lowered})
    document = binding_document(single | {B.name: together}, relaxed, uuids, placements, about, None, lateral)
    number = sum(totals)
    molecules = [
        LayerMolecule(**told, role=kind.name, energy=each.energy)
        for told, kind, each in zip(about["molecules"], kinds, alone, strict=True)
    ]
    references = {
        kind.name: {
            "taken": taken[kind.name],
            "energies": {role: energies[role] for role in (kind.name, from_whole(kind))},
        }
        for kind in kinds
    }
    terms = [each for each in document.terms if each.role != B.name]
    terms += [
        term_of(kind.name, each, uuids.get(taken[kind.name], "")) for kind, each in zip(kinds, alone, strict=True)
    ]
    terms += [term_of(role, each, uuids.get(role, "")) for role, each in between.items()]
    energy = document.binding_energy
    provenance = document.provenance
    return document.model_copy(
        update={
            "molecules": molecules,
            **_counterpoise(document, lent if between else None),
            "converged": document.converged and all(each.converged for each in between.values()),
            "flags": document.flags + sorted({f"{flag} ({role})" for role, c in between.items() for flag in c.flags}),
            "binding_energy_per_molecule": None if energy is None else energy / number,
            "mutual_energy": lateral.mutual_energy if lateral else None,
            "coverage": 100.0 * number / about["faces"] / document.area,
            "terms": terms,
            "provenance": provenance | {"references": provenance["references"] | references},
        }
    )


def _sum_of(alone: Sequence[CalculationDocument], totals: Sequence[int], faces: int) -> CalculationDocument:
    """Return molecules in isolation as one calculation: energies add up, and the sites are in the order of the interface."""
    weighed = list(zip(alone, totals, strict=True))
    models = set.intersection(*(set(each.dispersion_energies) for each in alone))
    first = {name: getattr(alone[0], name) for name in CalculationDocument.model_fields}
    return CalculationDocument.model_validate(
        first
        | {
            "key": "",
            "role": B.name,
            "structure": _listed(alone, totals, faces).as_dict(),
            "energy": _weighed([each.energy for each in alone], totals),
            "dispersion_energy": _weighed([each.dispersion_energy for each in alone], totals),
            "dispersion_energies": {m: sum(n * each.dispersion_energies[m] for each, n in weighed) for m in models},
            "charge": sum(n * each.charge for each, n in weighed),
            "converged": all(each.converged for each in alone),
            "flags": sorted({flag for each in alone for flag in each.flags}),
            "wall_time": sum(each.wall_time or 0.0 for each in alone),
            "densities": {},
            "charges": {},
        }
    )


def _lent(between: Mapping[str, CalculationDocument]) -> float | None:
    """Return what molecules gain from the functions of each other, eV, >= 0; None where a calculation gave no energy."""
    energies = [each.energy for each in between.values() if each.converged]
    if None in energies or len(energies) < len(between):
        return None
    return _weighed([each.energy for each in between.values()], [-1 if "basis" in role else 1 for role in between])


def _counterpoise(document: BindingDocument, lent: float | None) -> dict[str, Any]:
    """Return raw energy and correction where the molecules lend each other functions (eV): the correction is that of all."""
    if lent is None or document.binding_energy_raw is None:
        return {}
    bsse = None if document.bsse_energy is None else document.bsse_energy + lent
    return {"binding_energy_raw": document.binding_energy_raw - lent, "bsse_energy": bsse}


def _weighed(energies: Sequence[float | None], totals: Sequence[int]) -> float | None:
    known = [n * energy for energy, n in zip(energies, totals, strict=True) if energy is not None]
    return sum(known) if len(known) == len(energies) else None


def _listed(alone: Sequence[CalculationDocument], totals: Sequence[int], faces: int) -> Structure:
    """List relaxed molecules in the order of their sites in the interface, far from each other."""
    structures = [each.atoms_structure for each in alone]
    order = [s for s, n in zip(structures, totals, strict=True) for _ in range(n // faces)] * faces
    xyz, right = [], 0.0
    for each in order:
        own = each.cart_coords - each.cart_coords.min(axis=0)
        xyz.append(own + [right, 0.0, 0.0])
        right += float(np.ptp(own[:, 0])) + _APART
    labels = [label for each in order for label in each.site_properties["component"]]
    return boxed([symbol for each in order for symbol in symbols_of(each)], np.vstack(xyz), labels, {})
