"""Place the relaxed fragment on the relaxed slab in several ways and let the cheap engine choose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ase.calculators.calculator import CalculationFailed
from jobflow import job
from pydantic import Field
from pymatgen.core import Structure

from iface_wf.build.placements import place
from iface_wf.build.targets import Target
from iface_wf.documents.base import Document, StructureDict
from iface_wf.engines.cells import moved
from iface_wf.engines.levels import level_settings
from iface_wf.engines.xtb import calculator, in_wide_cell, relax
from iface_wf.errors import CalculationError


class RankedPlacements(Document):
    """Placements of one fragment on one slab, best first.

    Attributes
    ----------
    structure
        The best placement after its few steps, labelled sites.
    placement
        Its index among the generated ones.
    ranking
        For every placement: index, energy after a few steps of relaxation (eV), closest contact when placed (A).
    engine
        Which engine ranked.
    """

    structure: StructureDict
    placement: int
    ranking: list[dict[str, Any]] = Field(default_factory=list)
    engine: str


#: Steps of relaxation before placements are compared: as placed, one that stands upright and touches the surface with
#: few atoms looks better than one that lies flat and will bind more strongly.
RANKING_STEPS = 5


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
    contacts = [candidate.properties["placement"]["contact"] for candidate in candidates]
    entries: list[dict[str, Any]] = [{"placement": i, "contact": contact} for i, contact in enumerate(contacts)]
    if len(candidates) == 1:
        return RankedPlacements(structure=candidates[0].as_dict(), placement=0, ranking=entries, engine="none")
    settings = level_settings("xtb", "fast")
    relaxed: dict[int, Structure] = {}
    for entry, candidate in zip(entries, candidates, strict=True):
        score, relaxed[entry["placement"]] = _score(candidate, settings)
        entry |= score
    usable = sorted((e for e in entries if "energy" in e), key=lambda e: e["energy"])
    if not usable:
        raise CalculationError(f"{settings['method']} could calculate none of {len(entries)} placements.")
    best = usable[0]["placement"]
    return RankedPlacements(
        structure=relaxed[best].as_dict(),
        placement=best,
        ranking=[*usable, *(e for e in entries if "energy" not in e)],
        engine=f"{settings['method']}, each relaxed for {RANKING_STEPS} steps",
    )


def _score(structure: Structure, settings: dict[str, Any]) -> tuple[dict[str, Any], Structure]:
    """Return the energy (eV) of a placement after some steps of relaxation, and its geometry then."""
    atoms = in_wide_cell(structure)
    atoms.calc = calculator(settings)
    try:
        relax(atoms, {"fmax": settings["fmax"], "max_steps": RANKING_STEPS}, Path.cwd())
        return {"energy": float(atoms.get_potential_energy())}, moved(structure, atoms.positions.tolist())
    except (CalculationFailed, RuntimeError) as error:
        return {"failed": str(error).splitlines()[0][:200]}, structure
