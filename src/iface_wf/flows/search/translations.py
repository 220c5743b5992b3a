"""The search for where one solid lies best on another: a grid of translations, at each the best distance, both rigid."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jobflow import JobConfig, job
from pymatgen.core import Structure

from iface_wf.builders.components import select
from iface_wf.builders.edges import area_of
from iface_wf.builders.solids.stacks import touching_gap
from iface_wf.builders.solids.translations import laid
from iface_wf.documents.labels import PARTNER
from iface_wf.engines.base import Engine
from iface_wf.engines.progress import tell_progress
from iface_wf.engines.walks import Walk, Walkers
from iface_wf.errors import CalculationError
from iface_wf.flows.placements import RankedPlacements
from iface_wf.flows.search.once import once
from iface_wf.store.canonical import canonical_settings, structure_digest

#: So far above the distance at which atoms touch the best one is looked for, A.
REACH = 2.5
#: Distances are found to this, A: energies near a minimum are then right to some meV.
TOLERANCE = 0.03
#: Most energies of one translation.
ENERGIES = 12
#: Part of the key: raised when the search is done in another way.
VERSION = 1


@dataclass(frozen=True)
class TranslationSearch:
    """Where to look.

    Attributes
    ----------
    engine
        The cheap engine.
    translations
        In fractions of the in-plane vectors, see `iface_wf.builders.solids.translations.distinct_translations`.
    """

    engine: Engine
    translations: Sequence[tuple[float, float]]

    @property
    def energies(self) -> int:
        """How many energies it may take."""
        return ENERGIES * len(self.translations) + 2

    def key(self, lower: Structure, upper: Structure) -> str:
        """Return the content key of the search; how both stand over each other in the plane counts, where they stand does not."""
        told = {
            "translations": [list(map(float, each)) for each in self.translations],
            "version": VERSION,
            "parts": [structure_digest(part) for part in (lower, upper)],
            "together": structure_digest(laid(lower, upper, (0.0, 0.0), REACH)),
            "engine": [self.engine.engine_name, self.engine.profile.physical(self.engine.defaults())],
            "reach": [REACH, TOLERANCE, ENERGIES],
        }
        return hashlib.sha256(json.dumps(canonical_settings(told), sort_keys=True).encode()).hexdigest()


def find_translation(lower: Structure, upper: Structure, search: TranslationSearch) -> RankedPlacements:
    """Look for the best translation; see `search_translation`."""
    rigid = _Rigid(search.engine)
    apart = rigid.energy(lower) + rigid.energy(upper)
    if not math.isfinite(apart):
        raise CalculationError(f"{rigid.method} cannot calculate the two solids apart: {rigid.failed}.")
    area, total = area_of(lower), len(search.translations)
    entries: list[dict[str, Any]] = []
    for number, translation in enumerate(search.translations):
        tell_progress(f"translation {number + 1} of {total}")
        least = touching_gap(lower, select(laid(lower, upper, translation, 1.0), PARTNER))
        entries.append({"placement": number, "translation": list(translation)})
        energy, gap = rigid.lowest(lower, upper, translation, least)
        if math.isfinite(energy):
            entries[-1] |= {"energy": energy, "gap": gap, "work": (apart - energy) / area}
        else:
            entries[-1] |= {"failed": rigid.failed}
    usable = sorted((entry for entry in entries if "energy" in entry), key=lambda entry: entry["energy"])
    if not usable:
        raise CalculationError(f"{rigid.method} could calculate none of {total} translations: {rigid.failed}.")
    best = usable[0]
    structure = laid(lower, upper, tuple(best["translation"]), best["gap"])
    return RankedPlacements(
        structure=structure.as_dict(),
        placement=best["placement"],
        ranking=[*usable, *(entry for entry in entries if "energy" not in entry)],
        engine=f"{rigid.method}, both solids rigid",
    )


class _Rigid:
    """Energies of structures that are not relaxed, eV; infinite where the engine has none."""

    def __init__(self, engine: Engine) -> None:
        self.walkers = Walkers(engine)
        self.failed = ""

    @property
    def method(self) -> str:
        return self.walkers.method

    def energy(self, structure: Structure) -> float:
        walk = Walk(structure)
        self.walkers.take([walk], [0], self.walkers.settings["fmax"], lambda index, stand: None)
        assert walk.stand is not None
        if walk.stand.energy is None:
            self.failed = walk.stand.failed
            return math.inf
        return walk.stand.energy

    def lowest(
        self, lower: Structure, upper: Structure, translation: tuple[float, float], least: float
    ) -> tuple[float, float]:
        """Return the lowest energy of a translation, eV, and its gap, A."""
        tried: dict[float, float] = {}

        def energy(gap: float) -> float:
            tried[gap] = self.energy(laid(lower, upper, translation, gap))
            return min(tried[gap], 1e6)

        options = {"xatol": TOLERANCE, "maxiter": ENERGIES}
        from scipy.optimize import minimize_scalar  # half a second, which most jobs do without

        minimize_scalar(energy, bounds=(least, least + REACH), method="bounded", options=options)
        gap = min(tried, key=lambda each: tried[each])
        return tried[gap], float(gap)


@job(config=JobConfig(expose_store=True))
def search_translation(
    lower: Structure | dict[str, Any],
    upper: Structure | dict[str, Any],
    engine: Engine,
    translations: Sequence[tuple[float, float]],
) -> RankedPlacements:
    """Look for the translation of one solid over another with the lowest energy, or find it in the store.

    Parameters
    ----------
    lower, upper
        The relaxed slabs, both in one cell; they stay rigid.
    engine
        The cheap engine.
    translations
        Of the upper one, in fractions of the in-plane vectors.

    Returns
    -------
    RankedPlacements
        Both solids at the best translation, the upper one labelled ``partner``; and of all translations energy (eV), gap (A) and
        work of separation of the rigid slabs (eV/A^2).

    Raises
    ------
    CalculationError
        When the cheap engine can calculate none of them.
    """
    lower, upper = (Structure.from_dict(x) if isinstance(x, dict) else x for x in (lower, upper))
    search = TranslationSearch(engine, [(float(x), float(y)) for x, y in translations])
    return once(search.key(lower, upper), lambda: find_translation(lower, upper, search))
