"""What the candidates of a search say about its minimum: how many others there are, and how far it may be off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase.units import kB
from numpy.typing import NDArray

from iface_wf.builders.docking.search import unlike

Vectors = NDArray[np.float64]

#: Two candidates are one minimum when they differ by less: energy (eV), descriptor.
SAME_ENERGY, SAME_DESCRIPTOR = 0.02, 0.06
TEMPERATURE = 300.0
_RESAMPLES = 400


def expected(energies: Mapping[str, Mapping[int, float]], arrived: set[str]) -> dict[str, float]:
    """Estimate where each candidate would have ended.

    Parameters
    ----------
    energies
        For each candidate its energy (eV) by the number of steps taken.
    arrived
        Candidates that were relaxed to the end.

    Returns
    -------
    dict
        Energies, eV: the last one, lowered for those that were given up early by the median descent of the others
        from the same number of steps on.
    """
    found = {}
    for name, own in energies.items():
        steps = max(own)
        descents = [
            others[steps] - others[max(others)]
            for other, others in energies.items()
            if other != name and steps in others and max(others) > steps
        ]
        found[name] = own[steps] - (float(np.median(descents)) if descents and name not in arrived else 0.0)
    return found


def minima(energies: Sequence[float], marks: Sequence[Vectors]) -> list[int]:
    """Return the indices of the distinct minima, lowest first."""
    kept: list[int] = []
    for i in np.argsort(energies, kind="stable"):
        same = (
            abs(energies[i] - energies[k]) < SAME_ENERGY and unlike(marks[i], marks[k]) < SAME_DESCRIPTOR for k in kept
        )
        if not any(same):
            kept.append(int(i))
    return kept


def summary(energies: Sequence[float], marks: Sequence[Vectors], seed: int) -> dict[str, Any]:
    """Describe the minima of a search.

    Parameters
    ----------
    energies
        Of the candidates, eV.
    marks
        Their descriptors, see `iface_wf.builders.docking.search.descriptor`.
    seed
        Of the resampling.

    Returns
    -------
    dict
        ``distinct_minima``, ``gap``, ``boltzmann_mean`` and ``spread`` of `iface_wf.documents.search.SearchSummary`.
    """
    values = np.asarray(energies, dtype=float)
    distinct = values[minima(energies, marks)]
    above = distinct - distinct[0]
    weights = np.exp(-above / (kB * TEMPERATURE))
    rng = np.random.default_rng(seed)
    misses = [float(rng.permutation(values)[: (len(values) + 1) // 2].min() - values.min()) for _ in range(_RESAMPLES)]
    return {
        "distinct_minima": len(distinct),
        "gap": float(above[1]) if len(above) > 1 else None,
        "boltzmann_mean": float(np.sum(weights * above) / np.sum(weights)),
        "spread": float(np.mean(misses)) if len(values) > 1 else None,
    }
