"""Place the relaxed fragment on the relaxed slab in several ways and let the cheap engine choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from jobflow import job
from pydantic import Field
from pymatgen.core import Structure

from iface_wf.documents.base import StoredDocument, StructureDict
from iface_wf.documents.search import SearchSummary
from iface_wf.engines.base import Engine
from iface_wf.engines.registry import DEFAULT_RANKING, create, require_cheap
from iface_wf.errors import CalculationError

if TYPE_CHECKING:
    from iface_wf.builders.placing.targets import Target


class RankedPlacements(StoredDocument):
    """Candidates that a cheap engine compared, best first: placements of one fragment on one slab, or conformers.

    Attributes
    ----------
    structure
        The best one as far as it was relaxed, labelled sites.
    placement
        Its index among the candidates.
    ranking
        For every candidate: index, origin, steps, energy after them and as it is expected at the end (eV), and the closest
        contact of fragment and slab when placed (A).
    engine
        Which method compared, for example ``GFN1-xTB-D3(BJ), 100 steps for 8 candidates``.
    search
        How the minimum was looked for; None where nothing was, or by a version that did not tell.
    """

    document_type: Literal["placements"] = "placements"
    structure: StructureDict
    placement: int
    ranking: list[dict[str, Any]] = Field(default_factory=list)
    engine: str
    search: SearchSummary | None = None
    built: StructureDict | None = Field(None, description="The best one as it was placed, before the engine moved it")
    isomers: list[StructureDict] = Field(
        default_factory=list, description="The lowest distinct minima, best first, where several were asked for"
    )
    key: str = Field("", description="Content key of the search")
    reused_from: str | None = Field(None, description="Job of the store that it was found in")


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
    """Generate placements and order them by a cheap engine: what jobs of before, which wait in queues, ask for.

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
        Settings that replace those of the level, where the engine is given by its name.

    Returns
    -------
    RankedPlacements
        Best first. With a single placement nothing is calculated.

    Raises
    ------
    CalculationError
        When the cheap engine can calculate none of the placements.
    """
    # the document is read by jobs that place nothing, and builders and optimisers take a second to import
    from iface_wf.builders.placing.placements import place
    from iface_wf.engines.walks import Walk, Walkers

    slab, fragment = (Structure.from_dict(x) if isinstance(x, dict) else x for x in (slab, fragment))
    candidates = place(slab, fragment, n, seed, vacuum, clearance, target)
    contacts = [candidate.properties["placement"]["contact"] for candidate in candidates]
    entries: list[dict[str, Any]] = [{"placement": i, "contact": contact} for i, contact in enumerate(contacts)]
    if len(candidates) == 1:
        only = candidates[0].as_dict()
        return RankedPlacements(structure=only, placement=0, ranking=entries, built=only, engine="none")
    if isinstance(engine, str):
        engine = create(require_cheap(engine), level="fast", overrides=dict(overrides or {}))
    walkers, walks = Walkers(engine), [Walk(candidate) for candidate in candidates]
    walkers.take(walks, [RANKING_STEPS] * len(walks), walkers.settings["fmax"], lambda index, stand: None)
    for entry, walk in zip(entries, walks, strict=True):
        assert walk.stand is not None
        entry |= {"failed": walk.stand.failed} if walk.stand.energy is None else {"energy": walk.stand.energy}
    usable = sorted((e for e in entries if "energy" in e), key=lambda e: e["energy"])
    if not usable:
        raise CalculationError(f"{walkers.method} could calculate none of {len(entries)} placements.")
    best = usable[0]["placement"]
    return RankedPlacements(
        structure=walks[best].now.as_dict(),
        built=candidates[best].as_dict(),
        placement=best,
        ranking=[*usable, *(e for e in entries if "energy" not in e)],
        engine=f"{walkers.method}, each relaxed for {RANKING_STEPS} steps",
    )
