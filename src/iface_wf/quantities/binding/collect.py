"""Put the calculations of one interface into one BindingDocument."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from jobflow import job
from pymatgen.core import Structure

from iface_wf.analysis.charges import charge_transfer
from iface_wf.analysis.density import difference, difference_profile, pack, unpack_grid
from iface_wf.analysis.energies import BindingTerms
from iface_wf.analysis.uncertainty import GEOMETRY_NOISE
from iface_wf.analysis.vacuum import vacuum_middle
from iface_wf.builders.bonding import hydrogen_bonds, longer_bonds
from iface_wf.builders.checks import flags as outcome_flags
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.charges import ChargeSums
from iface_wf.documents.labels import PARTS, UNCORRECTED, WHOLE, A, B
from iface_wf.documents.result import method_in_words, method_of, term_of
from iface_wf.documents.schemes import SCHEMES
from iface_wf.documents.upgrade import provenance_of_today
from iface_wf.engines.comparison import comparison_of, require_comparable
from iface_wf.engines.document import now, provenance_of
from iface_wf.errors import CalculationError, IfaceError
from iface_wf.flows.placements import RankedPlacements
from iface_wf.quantities.binding.document import BindingDocument, DensityDifferenceDocument
from iface_wf.quantities.binding.lateral import LateralDocument, distance_of_images
from iface_wf.quantities.binding.references import from_whole, lowest
from iface_wf.quantities.binding.terms import numbers_of, terms_of


@job(data=["blob"])
def collect_binding(
    calculations: dict[str, CalculationDocument],
    relaxations: dict[str, CalculationDocument],
    uuids: dict[str, str],
    placements: RankedPlacements,
    about: dict[str, Any],
    conformers: RankedPlacements | None = None,
    lateral: LateralDocument | None = None,  # jobs of before have none
) -> BindingDocument:
    """Combine energies, charges and densities; see `binding_document`."""
    return binding_document(calculations, relaxations, uuids, placements, about, conformers, lateral)


def binding_document(
    calculations: dict[str, CalculationDocument],
    relaxations: dict[str, CalculationDocument],
    uuids: dict[str, str],
    placements: RankedPlacements,
    about: dict[str, Any],
    conformers: RankedPlacements | None = None,
    lateral: LateralDocument | None = None,
) -> BindingDocument:
    """Combine energies, charges and densities into one document.

    Parameters
    ----------
    calculations
        Single points by role: A, B, AB, A*, B* and, for LCAO, ``A* in AB basis``, ``B* in AB basis``. Without A* and
        B* (folders calculated elsewhere) there is a binding energy, but no interaction energy. With ``A from AB`` and
        ``B from AB`` the lower reference of each part counts.
    relaxations
        Relaxations by role, as the single points; none where the geometries came from elsewhere.
    uuids
        Jobs that hold the single points.
    placements
        The placements that were compared.
    about
        Names and provenance of the interface, and its key; by default one that follows from those of the calculations.
    conformers
        The conformers of B that were compared.
    lateral
        What the molecule feels of its own images, if that was calculated.

    Returns
    -------
    BindingDocument
        Energies are None where a calculation they need did not converge; flags say which.

    Raises
    ------
    MismatchError
        When AB, A* and B* finally used unlike settings or grids.
    """
    key = _key(calculations)
    energies = {role: c.energy for role, c in calculations.items()}
    calculations, relaxations, taken = lowest(calculations, relaxations)
    ab, geometry = calculations[WHOLE], relaxations.get(WHOLE)
    everything = (*calculations.values(), *relaxations.values())
    structure = ab.atoms_structure
    area = float(np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))
    binding, terms = terms_of(calculations)
    distance = distance_of_images(structure)
    flags = _flags(calculations, relaxations, placements, terms, lateral)
    flags += lateral.flags if lateral else []
    if binding and (terms is None or terms.bsse is None) and comparison_of(ab).counterpoise(ab.settings):
        flags.append(UNCORRECTED)
    numbers = numbers_of(calculations, binding, terms)
    transfers = _charge_transfers(calculations, flags)
    scheme = _first_scheme(calculations)
    named = {k: v for k, v in about.items() if k in BindingDocument.model_fields and k != "provenance"}
    return BindingDocument(
        **{"key": key, **named},
        **method_of(ab),
        **numbers,
        binding_energy_per_area=numbers["binding_energy"] / area if binding else None,
        model_energies=_model_energies(calculations, relaxations),
        placement=placements.placement,
        placements=len(placements.ranking),
        placement_ranking=placements.ranking,
        search=placements.search,
        conformer_search=conformers.search if conformers else None,
        formula=structure.formula.replace(" ", ""),
        n_atoms=len(structure),
        area=area,
        lateral_energy=lateral.energy if lateral else None,
        lateral_method=lateral.method if lateral else "",
        image_distance=distance,
        coverage=100.0 / area if structure.lattice.pbc[1] else None,
        charge=ab.charge,
        geometry_engine=method_in_words(geometry) if geometry else "as given",
        terms=[term_of(role, c, uuids.get(taken.get(role, role), "")) for role, c in calculations.items()],
        hydrogen_bonds=hydrogen_bonds(structure, A.components),
        longer_bonds=longer_bonds(structure, calculations[B.name].atoms_structure, B.components),
        charge_transfer=transfers.get(scheme or "", {}),
        charge_scheme=scheme if scheme in transfers else None,
        charge_transfers=transfers,
        charges=_charges(calculations),
        density_difference=_difference(calculations, flags),
        structure=ab.structure,
        converged=all(c.converged for c in everything),
        flags=flags,
        provenance={
            **provenance_of_today(about.get("provenance", {})),  # of a job that was submitted before the update, too
            **provenance_of(ab, relaxations),
            "ranked_by": placements.engine,
            "references": {
                part.name: {
                    "taken": taken[part.name],
                    "energies": {role: energies[role] for role in (part.name, from_whole(part))},
                }
                for part in PARTS
                if part.name in taken
            },
        },
        wall_time=sum(c.wall_time or 0.0 for c in everything),
        completed_at=now(),
    )


#: Flag of a whole above its parts where another method found its minimum: the method of the energies would take it elsewhere.
UNBOUND = "unbound_at_cheap_geometry"


def _flags(
    calculations: dict[str, CalculationDocument],
    relaxations: dict[str, CalculationDocument],
    placements: RankedPlacements,
    terms: BindingTerms | None,
    lateral: LateralDocument | None,
) -> list[str]:
    """Collect the flags of all calculations, and what only their comparison tells."""
    ab = calculations[WHOLE]
    unlike = require_comparable(calculations)
    flags = sorted({f"{flag} ({role})" for role, c in calculations.items() for flag in c.flags})
    flags += unlike
    # against the placement as built: the steps of its ranking may have brought it apart already
    outcome = outcome_flags(Structure.from_dict(placements.built or placements.structure), ab.atoms_structure)
    flags += [
        f"{flag} (relax {role})"
        for role, c in relaxations.items()
        for flag in c.flags
        if role != WHOLE or flag not in outcome
    ]
    flags += outcome
    # minima of a cheap engine are not those of the energies: there a negative deformation tells how large the
    # error of its geometries is, while within one engine it tells that a part is not relaxed
    cheap = any(c.engine != ab.engine for c in relaxations.values())
    name = "deformation_of_cheap_geometry" if cheap else "negative_deformation"
    deformation = {part: energy.total for part, energy in terms.deformation.items()} if terms else {}
    if lateral and lateral.energy is not None and B.name in deformation:
        # B* is in AB's cell, all molecules of it together: what they give each other and their images is no change of shape. It is
        # a cheap engine's number, so it may explain a negative deformation, but raises no flag.
        deformation[B.name] -= min(lateral.energy + (lateral.mutual_energy or 0.0), 0.0)
    if cheap and terms and terms.binding > GEOMETRY_NOISE:
        flags.append(f"{UNBOUND} ({terms.binding:+.3f} eV)")
    return flags + [
        f"{name} ({part}: {energy:.3f} eV)" for part, energy in deformation.items() if energy < -GEOMETRY_NOISE
    ]


def _model_energies(
    calculations: dict[str, CalculationDocument], relaxations: dict[str, CalculationDocument]
) -> dict[str, float]:
    """Return the binding energy of the same structures by two ML potentials, eV, where one relaxed for the other."""
    found: dict[str, float] = {}
    for documents in (calculations, relaxations):
        of_three = [documents[role] for role in (WHOLE, A.name, B.name) if role in documents]
        energies = [c.energy for c in of_three if c.engine == "mlip" and c.energy is not None]
        if len(energies) == len((WHOLE, *PARTS)):
            found[of_three[0].functional] = energies[0] - sum(energies[1:])
    return found if len(found) > 1 else {}


def _key(calculations: dict[str, CalculationDocument]) -> str:
    """Content key of a result of which nothing is known but its calculations."""
    keys = "".join(str(document.key) for _, document in sorted(calculations.items()))
    return hashlib.sha256(keys.encode()).hexdigest()


def _charges(calculations: dict[str, CalculationDocument]) -> dict[str, ChargeSums]:
    """Return the charges of the components in every density, by scheme."""
    sums: dict[str, ChargeSums] = {}
    for role, calculation in calculations.items():
        for scheme, charges in calculation.charges.items():
            if charges.component_charges is not None:
                found = sums.setdefault(scheme, ChargeSums(component_charges={}))
                found.component_charges[role] = dict(charges.component_charges)
                found.flags |= {role: list(charges.flags)} if charges.flags else {}
    return sums


def _with_densities(calculations: dict[str, CalculationDocument]) -> list[CalculationDocument]:
    """Return the frozen parts that carry densities, A first: those with ghosts, where there are any."""
    frozen = [calculations.get(part.with_ghosts) or calculations.get(part.frozen) for part in PARTS]
    return [calculation for calculation in frozen if calculation is not None]


def _charge_transfers(calculations: dict[str, CalculationDocument], flags: list[str]) -> dict[str, dict[str, float]]:
    """Return by scheme what each component lost, of the schemes that all densities have; a flag where it cannot be."""
    frozen = _with_densities(calculations)
    found = {}
    for scheme in SCHEMES:
        whole = calculations[WHOLE].charges.get(scheme)
        isolated = [c.charges[scheme] for c in frozen if scheme in c.charges]
        if whole is None or len(isolated) < len(PARTS):
            continue
        try:
            found[scheme] = charge_transfer(whole, isolated)
        except IfaceError as error:
            flags.append(f"charge_transfer_failed: {error}")
    return found


def _first_scheme(calculations: dict[str, CalculationDocument]) -> str | None:
    """Return the scheme whose charge transfer is that of the result: the first one that was tried, also where it failed."""

    def tried(scheme: str) -> bool:
        return any(
            scheme in c.charges or any(flag.startswith(f"{scheme}_failed") for flag in c.flags)
            for c in calculations.values()
        )

    return next(filter(tried, SCHEMES), None)


def _difference(calculations: dict[str, CalculationDocument], flags: list[str]) -> DensityDifferenceDocument | None:
    """Return the difference density, or None (and a flag) where the densities do not allow it."""
    ab = calculations[WHOLE]
    densities = [c.densities for c in (ab, *_with_densities(calculations))]
    records = [d.get("pseudo") or d.get("valence") for d in densities]
    if len(records) <= len(PARTS) or any(record is None for record in records):
        return None
    try:
        delta = difference(*(unpack_grid(record) for record in records if record is not None))
    except CalculationError as error:
        flags.append(f"difference_failed: {error}")
        return None
    profile = difference_profile(delta, _first_plane(ab.atoms_structure))
    superposed = comparison_of(ab).counterpoise(ab.settings)
    ghosts = A.with_ghosts in calculations
    return DensityDifferenceDocument(
        density=pack(delta.values, delta.cell, delta.pbc, "difference"),
        basis_superposition="none needed" if not superposed else ("ghosts" if ghosts else "uncorrected"),
        integral=profile.integral,
        displaced_charge=profile.displaced_charge,
        z=profile.z.tolist(),
        delta_rho_z=profile.delta_rho_z.tolist(),
        delta_q_z=profile.delta_q_z.tolist(),
    )


def _first_plane(structure: Structure) -> float:
    """Return where along c a profile begins: at the border of the cell, but in the vacuum where atoms stand across it."""
    fractions = structure.frac_coords[:, 2]
    return vacuum_middle(fractions) if fractions.min() < 0.0 else 0.0
