"""Place the relaxed fragment on the relaxed slab in several ways and let the cheap engine choose."""

from __future__ import annotations

from typing import Any, Literal

from jobflow import job
from pydantic import Field
from pymatgen.core import Structure

from iface_wf.builders.placing.placements import place
from iface_wf.builders.placing.targets import Target
from iface_wf.documents.base import StoredDocument, StructureDict
from iface_wf.engines.base import Engine
from iface_wf.engines.ranking import Ranker
from iface_wf.engines.registry import DEFAULT_RANKING
from iface_wf.errors import CalculationError


class RankedPlacements(StoredDocument):
    """Placements of one fragment on one slab, best first.

    Attributes
    ----------
    structure
        The best placement after its few steps, labelled sites.
    placement
        Its index among the generated ones.
    ranking
        For every placement: index, energy after a few steps of relaxation (eV), closest contact when placed (A).
    built
        The chosen placement as it was built, before any step; None in documents of before.
    engine
        Which method ranked, for example ``CHGNet 0.3.0-D3(BJ), each relaxed for 5 steps``.
    """

    document_type: Literal["placements"] = "placements"
    structure: StructureDict
    placement: int
    ranking: list[dict[str, Any]] = Field(default_factory=list)
    built: StructureDict | None = None
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
    engine: Engine | str = DEFAULT_RANKING,
    overrides: dict[str, Any] | None = None,
) -> RankedPlacements:
    """Generate placements and order them by the energy of a cheap engine.

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
        Contact distance and aim, see `iface_wf.builders.placing.placements.place`.
    engine
        The cheap engine: a maker, which `jobflow.Flow.update_maker_kwargs` finds among the arguments of a job. Jobs of before
        name it, and give its ``overrides``.
    overrides
        See `iface_wf.engines.ranking.Ranker`.

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
        only = candidates[0].as_dict()
        return RankedPlacements(structure=only, placement=0, ranking=entries, built=only, engine="none")
    ranker = Ranker(engine, overrides)
    relaxed: dict[int, Structure] = {}
    for entry, candidate in zip(entries, candidates, strict=True):
        try:
            entry["energy"], relaxed[entry["placement"]] = ranker.score(candidate, RANKING_STEPS)
        except ranker.failures as error:
            entry["failed"] = str(error).splitlines()[0][:200]
    usable = sorted((e for e in entries if "energy" in e), key=lambda e: e["energy"])
    if not usable:
        raise CalculationError(f"{ranker.method} could calculate none of {len(entries)} placements.")
    best = usable[0]["placement"]
    return RankedPlacements(
        structure=relaxed[best].as_dict(),
        placement=best,
        ranking=[*usable, *(e for e in entries if "energy" not in e)],
        built=candidates[best].as_dict(),
        engine=f"{ranker.method}, each relaxed for {RANKING_STEPS} steps",
    )
