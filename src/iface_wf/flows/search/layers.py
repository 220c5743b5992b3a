"""The job that searches how several molecules lie on a slab together, on one face or on both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobflow import JobConfig, job
from pymatgen.core import Structure

from iface_wf.builders.docking.layers import Layers
from iface_wf.builders.placing.layers import copies_of
from iface_wf.engines.base import Engine
from iface_wf.flows.placements import RankedPlacements
from iface_wf.flows.search.find import Batch, Finder, seed_of
from iface_wf.flows.search.once import once
from iface_wf.flows.search.options import SearchOptions
from iface_wf.flows.search.record import Record

#: Layers that the docking force field relaxes on each face, for each candidate that the engine looks at.
STARTS = 6


class _OnFaces:
    """Candidates of a layer."""

    def __init__(self, layers: Layers) -> None:
        self.layers, self.size = layers, len(layers.slab)

    def batch(self, number: int, best: Structure | None) -> Batch:
        """See `iface_wf.flows.search.find.Source.batch`."""
        seed, starts = seed_of(self.layers.seed, number), STARTS * self.layers.count
        poses = self.layers.docked(starts, seed, best)
        return Batch(poses, starts, sum(pose.hits for pose in poses), seed)

    def kept(self, number: int) -> None:
        """See `iface_wf.flows.search.find.Source.kept`."""


def find_layer(
    slab: Structure,
    pieces: Sequence[Structure],
    counts: Sequence[int],
    faces: int,
    options: SearchOptions,
    vacuum: float,
    clearance: float,
) -> RankedPlacements:
    """Search for the lowest minimum of several molecules on a slab; see `search_layer`."""
    molecules = copies_of(pieces, counts)
    layers = Layers(slab, molecules, faces, vacuum, clearance, options.placements, options.seed)
    if not options.searches:
        one = layers.first()[0]
        return RankedPlacements(
            structure=one.structure.as_dict(),
            placement=0,
            ranking=[{"placement": 0, "contact": one.contact}],
            engine="none",
        )
    told = _told(counts, faces, vacuum, clearance)
    record = Record(options.record_key(slab, *pieces, **told), slab, *pieces)
    return Finder(_OnFaces(layers), options.engine, options.placements, options.budget, record, options.seed).run()


def _told(counts: Sequence[int], faces: int, vacuum: float, clearance: float) -> dict[str, Any]:
    return {"layer": list(counts), "faces": faces, "vacuum": vacuum, "clearance": clearance}


@job(config=JobConfig(expose_store=True))
def search_layer(
    slab: Structure | dict[str, Any],
    pieces: list[Structure | dict[str, Any]],
    counts: list[int],
    faces: int,
    engine: Engine,
    placements: int,
    seed: int,
    steps: int,
    patience: int,
    vacuum: float = 8.0,
    clearance: float = 0.85,
) -> RankedPlacements:
    """Search how several molecules lie on a slab together, or find it in the store.

    Parameters
    ----------
    slab
        The relaxed slab, labelled sites.
    pieces, counts
        The relaxed molecules, one of each kind, and how many of them lie on each face.
    faces
        1: on the upper face, 2: the same on both.
    engine, placements, seed, steps, patience, vacuum, clearance
        As of `iface_wf.flows.search.jobs.search_placement`.

    Returns
    -------
    RankedPlacements
        The best one's structure, slab sites first, then the molecules of the upper face in the order of `pieces`, then those of
        the lower one; and all others with their energies, lowest first.

    Raises
    ------
    CalculationError
        When the cheap engine can calculate none of the candidates.
    """
    slab = Structure.from_dict(slab) if isinstance(slab, dict) else slab
    kinds = [Structure.from_dict(each) if isinstance(each, dict) else each for each in pieces]
    options = SearchOptions(engine, placements, seed, steps, patience)
    key = options.key(slab, *kinds, **_told(counts, faces, vacuum, clearance))
    return once(key, lambda: find_layer(slab, kinds, counts, faces, options, vacuum, clearance))
