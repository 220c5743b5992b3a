"""Put the calculations of two solids and their interface into one document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jobflow import job
from pymatgen.core import Composition, Structure

from iface_wf.analysis.uncertainty import GEOMETRY_NOISE, basis_part, combined, dispersion_part
from iface_wf.builders.components import select
from iface_wf.builders.edges import area_of
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import PARTNER, PARTS, SLAB, UNCORRECTED, WHOLE
from iface_wf.documents.result import method_in_words, method_of, term_of
from iface_wf.engines.comparison import comparison_of, require_comparable
from iface_wf.engines.document import now, provenance_of
from iface_wf.flows.placements import RankedPlacements
from iface_wf.quantities.adhesion.document import JOULE, AdhesionDocument, SolidDocument, TranslationDocument
from iface_wf.quantities.binding.references import lowest
from iface_wf.quantities.binding.terms import numbers_of, terms_of

#: Principal strains beyond this are flagged: a solid's own energy per area then changes by as much as its adhesion.
STRAINED = 0.03
#: Atoms within this of the outermost one belong to a face, A.
SKIN = 2.0
#: What the tests of molecules on slabs call by their names, in the words of two solids.
_WORDS = {"slab_changed": "reconstructed", "dissociated": "reacted", "desorbed": "separated"}


@job
def collect_adhesion(
    calculations: dict[str, CalculationDocument],
    relaxations: dict[str, CalculationDocument],
    uuids: dict[str, str],
    placed: RankedPlacements,
    about: dict[str, Any],
) -> AdhesionDocument:
    """Put the energies together; see `adhesion_document`."""
    return adhesion_document(calculations, relaxations, uuids, placed, about)


def adhesion_document(
    calculations: Mapping[str, CalculationDocument],
    relaxations: Mapping[str, CalculationDocument],
    uuids: Mapping[str, str],
    placed: RankedPlacements,
    about: Mapping[str, Any],
) -> AdhesionDocument:
    """Put the energies of two solids and of their interface together.

    Parameters
    ----------
    calculations
        Single points by role: AB, A, B, A*, B*, for atom-centred functions those with ghosts, and the references from AB.
    relaxations
        Of A, B, AB, and of the references from AB.
    uuids
        Jobs that hold the single points.
    placed
        What the translations gave.
    about
        Names, key and provenance, and what was cut of both solids (``layers``).

    Raises
    ------
    MismatchError
        When calculations finally used unlike settings, or A and B are not what AB is made of.
    """
    told = dict(about)
    layers, provenance = told.pop("layers"), told.pop("provenance", {})
    single, relaxed, taken = lowest(calculations, relaxations)
    binding, terms = terms_of(single)
    numbers = numbers_of(single, binding, terms)
    whole = single[WHOLE]
    structure = whole.atoms_structure
    area = area_of(structure)

    def work(energy: float | None) -> float | None:
        return None if energy is None else -JOULE * energy / area + 0.0

    shares = {model: work(energy) or 0.0 for model, energy in numbers["dispersion_shares"].items()}
    bsse = None if numbers["bsse_energy"] is None else JOULE * numbers["bsse_energy"] / area
    parts = {
        "basis": basis_part(whole.basis, numbers["bsse_energy"], ions=False),
        "dispersion": dispersion_part(numbers["dispersion_shares"], whole.dispersion is not None),
    }
    known = {name: JOULE * size / area for name, size in parts.items() if size is not None and binding is not None}
    everything = (*single.values(), *relaxed.values())
    cheap = any(c.engine != whole.engine for c in relaxed.values())
    return AdhesionDocument(
        **told,
        **method_of(whole),
        work_of_adhesion=work(numbers["binding_energy"]),
        work_of_separation_rigid=work(numbers["interaction_energy"]),
        uncertainty=combined(known.values()),
        uncertainty_parts=known,
        deformation_energy=numbers["deformation_energy"],
        dispersion_work=work(numbers["dispersion_energy"]),
        dispersion_works=shares,
        bsse_work=bsse,
        max_strain=max(map(abs, layers[1]["strains"])),
        gap=gap_of(structure),
        solids={
            part.name: _solid(layer, single[part.name], relaxations[part.name], taken.get(part.name, part.name), upper)
            for part, layer, upper in zip(PARTS, layers, (False, True), strict=True)
        },
        translations=_translations(placed, structure),
        translations_engine=placed.engine,
        formula=structure.formula.replace(" ", ""),
        n_atoms=len(structure),
        area=area,
        geometry_engine=method_in_words(relaxed[WHOLE]),
        terms=[term_of(role, c, uuids.get(taken.get(role, role), "")) for role, c in single.items()],
        structure=whole.structure,
        converged=all(c.converged for c in everything),
        flags=_flags(single, relaxed, layers, numbers, cheap),
        provenance={
            **provenance,
            "layers": layers,
            **provenance_of(whole, relaxed),
        },
        wall_time=sum(c.wall_time or 0.0 for c in everything),
        completed_at=now(),
    )


def gap_of(interface: Structure) -> float:
    """Return the distance along z between the highest atom of the lower solid and the lowest one of the upper, A."""
    lower, upper = (select(interface, name).cart_coords[:, 2] for name in (SLAB, PARTNER))
    return float(upper.min() - lower.max())


def _flags(
    single: Mapping[str, CalculationDocument],
    relaxed: Mapping[str, CalculationDocument],
    layers: list[dict[str, Any]],
    numbers: Mapping[str, Any],
    cheap: bool,
) -> list[str]:
    """Collect the flags of all calculations, and what only their comparison tells."""
    found = [f"{flag} ({role})" for role, c in single.items() for flag in c.flags]
    found += require_comparable(single)
    found += [f"{flag} (relax {role})" for role, c in relaxed.items() for flag in c.flags]
    found = [_WORDS.get(flag.split(" ")[0], flag.split(" ")[0]) + flag[len(flag.split(" ")[0]) :] for flag in found]
    strain = max(layers[1]["strains"], key=abs)
    if abs(strain) > STRAINED:
        found.append(f"strained (B: {strain:+.1%})")
    found += [f"polar_slab ({part.name})" for part, layer in zip(PARTS, layers, strict=True) if layer.get("polar")]
    whole = single[WHOLE]
    uncorrected = numbers["binding_energy_raw"] is not None and numbers["bsse_energy"] is None
    if uncorrected and comparison_of(whole).counterpoise(whole.settings):
        found.append(UNCORRECTED)
    name = "deformation_of_cheap_geometry" if cheap else "negative_deformation"
    found += [
        f"{name} ({part}: {energy:.3f} eV)"
        for part, energy in numbers["deformation_energy"].items()
        if energy < -GEOMETRY_NOISE
    ]
    return list(dict.fromkeys(found))


def _solid(
    layer: Mapping[str, Any], single: CalculationDocument, relaxed: CalculationDocument, taken: str, upper: bool
) -> SolidDocument:
    structure = relaxed.atoms_structure
    z = structure.cart_coords[:, 2]
    near = z < z.min() + SKIN if upper else z > z.max() - SKIN
    symbols = [structure[int(i)].specie.symbol for i in np.flatnonzero(near)]
    face = Composition({x: symbols.count(x) for x in symbols}).alphabetical_formula.replace(" ", "")
    return SolidDocument(
        name=str(layer["filler"]),
        surface=str(layer["surface"]),
        face=face,
        thickness=layer.get("thickness"),
        n_atoms=single.n_atoms,
        strains=tuple(layer["strains"]),
        polar=bool(layer.get("polar")),
        moved_ions=int(layer.get("moved_ions") or 0),
        energy=single.energy,
        taken=taken,
    )


def _translations(placed: RankedPlacements, structure: Structure) -> list[TranslationDocument]:
    plane = structure.lattice.matrix[:2, :2]
    energies = [entry["energy"] for entry in placed.ranking if "energy" in entry]
    found = []
    for entry in placed.ranking:
        fractions = entry["translation"]
        nearest = np.array(fractions) - np.rint(fractions)  # not the image a whole cell away
        x, y = nearest @ plane
        known = "energy" in entry
        found.append(
            TranslationDocument(
                fractions=tuple(fractions),
                shift=(float(x), float(y)),
                gap=entry.get("gap"),
                energy=entry["energy"] - min(energies) if known else None,
                work=JOULE * entry["work"] if known else None,
                failed=entry.get("failed", ""),
            )
        )
    return found
