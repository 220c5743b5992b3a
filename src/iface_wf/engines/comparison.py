"""Whether energies of several calculations may be subtracted: what each finally used must be alike where it counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from iface_wf.analysis.energies import require_same_settings
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import PARTS, WHOLE
from iface_wf.engines.profile import ENGINES, Comparison


def comparison_of(calculation: CalculationDocument) -> Comparison:
    """Return what calculations of the engine of a document must share."""
    return ENGINES.load(calculation.engine).comparison


def require_comparable(calculations: Mapping[str, CalculationDocument]) -> list[str]:
    """Refuse unlike engines and settings.

    Parameters
    ----------
    calculations
        By role: AB, A and B, whose cells are their own, and A*, B*, ..., which share the cell of AB.

    Returns
    -------
    list of str
        Flags: what differs but may be compared, though not unseen.

    Raises
    ------
    MismatchError
        Naming the settings and the roles.
    """
    ab, isolated = calculations[WHOLE], [part.name for part in PARTS]
    require_same_settings({role: {"engine": c.engine} for role, c in calculations.items()}, ["engine"])
    rules = comparison_of(ab)
    settings = {role: c.settings for role, c in calculations.items()}
    in_cell = {role: s for role, s in settings.items() if role not in isolated}
    require_same_settings(in_cell, [*rules.method, *rules.cell])
    require_same_settings({role: settings[role] for role in (WHOLE, *isolated)}, rules.method)
    if rules.grid_bound(ab.settings):
        require_same_settings({role: {"grid_steps": _rounded(s)} for role, s in settings.items()}, ["grid_steps"])
    for name in rules.elements:
        _require_same_elements(name, settings)
    # extrapolated energies of a part with vacuum around it may be compared across smearings, but not unseen
    return [
        f"smearing_differs ({role}: {name} {settings[role].get(name)}, AB: {ab.settings.get(name)})"
        for role in isolated
        for name in rules.tolerated
        if settings[role].get(name) != ab.settings.get(name)
    ]


def _require_same_elements(name: str, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Compare a table by element with that of AB, for the elements that both have."""
    whole = settings[WHOLE]
    for role, own in settings.items():
        common = sorted(set(own.get("potcars") or {}) & set(whole.get("potcars") or {}))
        named = {
            who: {f"{name} of {x}": (s.get(name) or {}).get(x) for x in common}
            for who, s in ((WHOLE, whole), (role, own))
        }
        require_same_settings(named, [f"{name} of {x}" for x in common])


def _rounded(settings: Mapping[str, Any]) -> list[list[float]]:
    """Grid steps of a calculation to 1e-4 A; adding zero makes -0.0 and 0.0 look alike."""
    steps: list[list[float]] = (np.round(settings["grid_steps"], 4) + 0.0).tolist()
    return steps
