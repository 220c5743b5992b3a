"""Whether energies of several calculations may be subtracted: what each finally used must be alike where it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from iface_wf.analysis.energies import require_same_settings
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import PARTS, WHOLE
from iface_wf.engines.parts import require_parts
from iface_wf.engines.profile import ENGINES, Comparison
from iface_wf.errors import MismatchError

#: Cell vectors of two calculations are one axis when no component differs by more than this (A).
SAME_AXIS = 1e-2


def comparison_of(calculation: CalculationDocument) -> Comparison:
    """Return what calculations of the engine of a document must share."""
    return ENGINES.load(calculation.engine).comparison


def require_comparable(calculations: Mapping[str, CalculationDocument]) -> list[str]:
    """Refuse unlike engines and settings, and parts that are not those of the whole.

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
        Naming the settings and the roles, or what does not add up.
    """
    ab, isolated = calculations[WHOLE], [part.name for part in PARTS]
    require_same_settings({role: {"engine": c.engine} for role, c in calculations.items()}, ["engine"])
    rules = comparison_of(ab)
    settings = {role: c.settings for role, c in calculations.items()}
    in_cell = {role: s for role, s in settings.items() if role not in isolated}
    require_same_settings(in_cell, [*rules.method, *rules.cell])
    require_same_settings({role: settings[role] for role in (WHOLE, *isolated)}, rules.method)
    _require_alike(calculations, WHOLE)
    flags = _mesh_flags(calculations)
    flags += require_parts(calculations)
    for parts in (isolated, [part.frozen for part in PARTS]):
        unlike = rules.conserved([settings[role] for role in parts], ab.settings) if set(parts) <= set(settings) else []
        if unlike:
            raise MismatchError(
                f"Atoms treated in unlike ways cannot be subtracted, {' + '.join(parts)} and AB: {'; '.join(unlike)}."
            )
    return flags + _differences(calculations, rules)


def require_one_method(calculations: Mapping[str, CalculationDocument]) -> list[str]:
    """Refuse unlike engines and settings of pieces that were calculated by themselves, none of which is made of the others.

    Parameters
    ----------
    calculations
        By role; each has its own cell, and with it its own k-points. The first is what the others are compared with.

    Returns
    -------
    list of str
        Flags: versions that differ.

    Raises
    ------
    MismatchError
        Naming the settings and the roles.
    """
    first = next(iter(calculations))
    require_same_settings({role: {"engine": c.engine} for role, c in calculations.items()}, ["engine"], first)
    settings = {role: c.settings for role, c in calculations.items()}
    require_same_settings(settings, comparison_of(calculations[first]).method, first)
    _require_alike(calculations, first)
    return _version_flags(calculations, first)


def _require_alike(calculations: Mapping[str, CalculationDocument], reference: str) -> None:
    """Refuse unlike grid steps, tables by element and other settings, whatever cells the calculations have."""
    first, settings = calculations[reference], {role: c.settings for role, c in calculations.items()}
    rules = comparison_of(first)
    if rules.grid_bound(first.settings):
        steps = {role: {"grid_steps": _rounded(own)} for role, own in settings.items()}
        require_same_settings(steps, ["grid_steps"], reference)
    for name in rules.elements:
        _require_same_elements(name, settings, reference)
    for role, own in settings.items():
        if unlike := rules.others(own, first.settings):
            raise MismatchError(
                f"Calculations with unlike settings cannot be subtracted: of {role} and {reference} differ {'; '.join(unlike)}."
            )


def _version_flags(calculations: Mapping[str, CalculationDocument], reference: str) -> list[str]:
    version = calculations[reference].engine_version
    return [
        f"versions_differ ({role}: {c.engine} {c.engine_version}, {reference}: {version})"
        for role, c in calculations.items()
        if c.engine_version != version
    ]


def _differences(calculations: Mapping[str, CalculationDocument], rules: Comparison) -> list[str]:
    """Return flags for what may differ, though not unseen."""
    ab = calculations[WHOLE]
    # extrapolated energies of a part with vacuum around it may be compared across smearings
    named = [("smearing_differs", part.name, rules.tolerated) for part in PARTS]
    named += [("settings_differ", role, names) for role, names in rules.noted.items() if role in calculations]
    flags = [
        f"{flag} ({role}: {name} {calculations[role].settings.get(name)}, AB: {ab.settings.get(name)})"
        for flag, role, names in named
        for name in names
        if calculations[role].settings.get(name) != ab.settings.get(name)
    ]
    return flags + _version_flags(calculations, WHOLE)


def _mesh_flags(calculations: Mapping[str, CalculationDocument]) -> list[str]:
    """Refuse unlike k-points along periodic axes that A or B shares with AB; flag them along others, and unknown ones.

    Raises
    ------
    MismatchError
        Naming both meshes.
    """
    ab, flags = calculations[WHOLE], []
    for role in (each.name for each in PARTS):
        part = calculations[role]
        if not all("kpoints" in c.settings for c in (part, ab)):
            continue
        meshes = [c.settings["kpoints"] for c in (part, ab)]
        shared = _shared_axes(part, ab)
        shifts = [c.settings.get("kpoint_shift", [0.0] * 3) for c in (part, ab)]
        if None in shifts:  # a list of points
            if any(shared) and (meshes[0] != meshes[1] or shifts[0] != shifts[1]):
                flags.append(f"kpoints_not_compared ({role}: KPOINTS of one is a list of points)")
            continue
        unlike = [i for i in range(3) if shared[i] and any(pair[0][i] != pair[1][i] for pair in (meshes, shifts))]
        text = f"KPOINTS of {role} {_mesh(meshes[0], shifts[0])}, of AB {_mesh(meshes[1], shifts[1])}"
        if any(part.atoms_structure.lattice.pbc[i] for i in unlike):
            raise MismatchError(
                f"Calculations with unlike k-points along axes that they share cannot be subtracted: {text}."
            )
        if unlike:
            flags.append(f"kpoints_differ ({text})")
    return flags


def _shared_axes(part: CalculationDocument, whole: CalculationDocument) -> list[bool]:
    cells = [c.atoms_structure.lattice.matrix for c in (part, whole)]
    return [bool(np.abs(a - b).max() < SAME_AXIS) for a, b in zip(*cells, strict=True)]


def _mesh(mesh: Sequence[int], shift: Sequence[float]) -> str:
    return "x".join(str(n) for n in mesh) + (f" shifted by {', '.join(f'{s:g}' for s in shift)}" if any(shift) else "")


def _require_same_elements(name: str, settings: Mapping[str, Mapping[str, Any]], reference: str) -> None:
    """Compare a table by element with that of the reference, for the elements that both have and treat in one way."""
    whole = settings[reference]
    for role, own in settings.items():
        common = sorted(
            set(own.get("potcars") or {}) & set(whole.get("potcars") or {}) - _several(own) - _several(whole)
        )
        named = {
            who: {f"{name} of {x}": (s.get(name) or {}).get(x) for x in common}
            for who, s in ((reference, whole), (role, own))
        }
        require_same_settings(named, [f"{name} of {x}" for x in common], reference)


def _several(settings: Mapping[str, Any]) -> set[str]:
    """Return the elements of which there are unlike types of atoms."""
    kinds: dict[str, set[str]] = {}
    for kind in settings.get("types") or []:
        kinds.setdefault(kind["element"], set()).add(str({k: v for k, v in kind.items() if k != "atoms"}))
    return {element for element, found in kinds.items() if len(found) > 1}


def _rounded(settings: Mapping[str, Any]) -> list[list[float]]:
    """Grid steps of a calculation to 1e-4 A; adding zero makes -0.0 and 0.0 look alike."""
    steps: list[list[float]] = (np.round(settings["grid_steps"], 4) + 0.0).tolist()
    return steps
