"""Place the relaxed fragment on the relaxed slab in several ways and let the cheap engine choose."""

from __future__ import annotations

from typing import Any

from jobflow import job
from pydantic import Field
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from iface_wf.build.placements import place
from iface_wf.build.targets import Target
from iface_wf.documents.base import Document, StructureDict
from iface_wf.engines.levels import level_settings
from iface_wf.engines.xtb import calculator
from iface_wf.errors import CalculationError


class RankedPlacements(Document):
    """Placements of one fragment on one slab, best first.

    Attributes
    ----------
    structure
        The best placement, labelled sites.
    placement
        Its index among the generated ones.
    ranking
        For every placement: index, energy (eV) relative to the best, closest contact (A) and its atoms.
    engine
        Which engine ranked.
    """

    structure: StructureDict
    placement: int
    ranking: list[dict[str, Any]] = Field(default_factory=list)
    engine: str


@job
def place_and_rank(
    slab: Structure | dict[str, Any],
    fragment: Structure | dict[str, Any],
    n: int,
    seed: int,
    vacuum: float,
    clearance: float = 0.85,
    target: Target | None = None,
) -> RankedPlacements:
    """Generate placements and order them by the energy of the cheap engine.

    Parameters
    ----------
    slab, fragment
        The relaxed parts, labelled sites.
    n
        Number of placements.
    seed
        Seed of orientations and positions.
    vacuum
        Empty space above the topmost atom, A.
    clearance, target
        Contact distance and aim, see `iface_wf.build.placements.place`.

    Returns
    -------
    RankedPlacements
        Best first. With a single placement nothing is calculated.

    Raises
    ------
    CalculationError
        When the cheap engine can calculate none of the placements.
    """
    slab, fragment = (Structure.from_dict(x) if isinstance(x, dict) else x for x in (slab, fragment))
    candidates = place(slab, fragment, n, seed, vacuum, clearance, target)
    settings = level_settings("xtb", "fast")
    entries: list[dict[str, Any]] = []
    for index, candidate in enumerate(candidates):
        entry = {"placement": index, "contact": candidate.properties["placement"]["contact"]}
        if len(candidates) > 1:
            atoms = AseAtomsAdaptor.get_atoms(candidate, msonable=False)
            atoms.calc = calculator(settings)
            try:
                entry["energy"] = float(atoms.get_potential_energy())
            except RuntimeError as error:
                entry["failed"] = str(error).splitlines()[0][:200]
        entries.append(entry)
    usable = [e for e in entries if "failed" not in e]
    if not usable:
        raise CalculationError(f"{settings['method']} could calculate none of {len(entries)} placements.")
    usable.sort(key=lambda e: e.get("energy", 0.0))
    lowest = usable[0].get("energy", 0.0)
    for entry in usable:
        entry["energy"] = entry.get("energy", 0.0) - lowest
    best = usable[0]["placement"]
    return RankedPlacements(
        structure=candidates[best].as_dict(),
        placement=best,
        ranking=[*usable, *(e for e in entries if "failed" in e)],
        engine=settings["method"] if len(candidates) > 1 else "none: a single placement",
    )
