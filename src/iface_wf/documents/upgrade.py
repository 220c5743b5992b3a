"""Read what older versions of this program stored: one small step from each schema to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from iface_wf.documents.labels import PARTS, UNCORRECTED, WHOLE
from iface_wf.errors import InputError

SCHEMA_VERSION = 3
"""Of the documents that this version writes; raised by one, with a step below, when a stored field changes its meaning."""

FIRST_VERSION = 1
"""Of the documents that say no version."""

Data = dict[str, Any]
Step = Callable[[Data], Data]


def schema_version(data: Data) -> int:
    """Return the version of a stored document."""
    return int(data.get("schema_version", FIRST_VERSION))


def upgrade(data: Data) -> Data:
    """Bring a stored document to the schema of this version.

    Parameters
    ----------
    data
        A document as stored, with its ``document_type``; it is left as it is.

    Returns
    -------
    dict
        The same facts under the names and in the form of today.

    Raises
    ------
    InputError
        When a newer version of this program wrote it.
    """
    found, kind = schema_version(data), str(data.get("document_type"))
    if found > SCHEMA_VERSION:
        raise InputError(
            f"The {kind} {str(data.get('key', ''))[:10]} was written by a newer version of iface-wf (schema {found}, this "
            f"one reads up to {SCHEMA_VERSION}): update iface-wf."
        )
    for version in range(found, SCHEMA_VERSION):
        step = _STEPS.get((kind, version))
        data = step(data) if step else data
    return {**data, "schema_version": SCHEMA_VERSION}


def _calculation_2(data: Data) -> Data:
    """Charges are kept by scheme."""
    bader = data.get("bader")
    charges = {"bader": {**bader, "scheme": "bader"}} if bader else {}
    return {"charges": charges, **_without(data, "bader")}


def _binding_2(data: Data) -> Data:
    """Charges by scheme and component, names of one meaning, and converged as nothing but that."""
    documents = {each["role"]: each["document"] for each in data.get("bader", [])}
    sums = {role: each["component_charges"] for role, each in documents.items() if each["component_charges"]}
    flags = {role: each["flags"] for role, each in documents.items() if each["flags"]}
    upgraded = _without(data, "n_placements", "bader", "charge_transfer", "units_of")
    upgraded["placements"] = data.get("n_placements", data.get("placements", 1))
    if sums:
        upgraded["charges"] = {"bader": {"component_charges": sums, "flags": flags}}
    if data.get("charge_transfer"):
        upgraded["charge_transfer"], upgraded["charge_scheme"] = _by_component(sums), "bader"
    upgraded["converged"] = data["converged"] or _all_converged(data)
    upgraded["provenance"] = provenance_of_today(data.get("provenance", {}))
    return upgraded


def _binding_3(data: Data) -> Data:
    """Make the counterpoise-corrected energy the headline, where there is one; the other one is called raw."""
    upgraded = _without(data, "binding_energy_cp", "interaction_energy_cp", "units_of")
    for name in ("binding_energy", "interaction_energy"):
        raw, corrected = data.get(name), data.get(f"{name}_cp")
        upgraded[f"{name}_raw"] = raw
        upgraded[name] = raw if corrected is None else corrected
    headline = upgraded["binding_energy"]
    upgraded["binding_energy_per_area"] = None if headline is None else headline / data["area"]
    if headline is not None and data.get("binding_energy_cp") is None and data.get("basis", "").startswith("LCAO"):
        upgraded["flags"] = [*data.get("flags", []), UNCORRECTED]
    return upgraded


def _by_component(sums: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return each component's charge in AB minus that in the frozen part, e; they were kept by part only."""
    transfer: dict[str, float] = {}
    for part in PARTS:
        alone = sums.get(part.with_ghosts) or sums[part.frozen]
        transfer |= {label: sums[WHOLE][label] - alone[label] for label in part.components if label in alone}
    return transfer


def _all_converged(data: Data) -> bool:
    """Whether all calculations converged where converged also said whether the number may be quoted."""
    unconverged = {"scf_unconverged", "geometry_unconverged", "implausible_forces", "isolated_atoms"}
    return all(term["converged"] for term in data["terms"]) and not unconverged.intersection(
        flag.split(" ")[0] for flag in data["flags"]
    )


def provenance_of_today(provenance: Data) -> Data:
    """Return what an interface was asked for and built with, its options under their names of today."""
    upgraded = dict(provenance)
    if request := provenance.get("request"):
        upgraded["request"] = _renamed(request, {"n_placements": "placements", "min_in_plane": "in_plane"})
    build = provenance.get("build") or {}
    if screening := build.get("screening"):
        upgraded["build"] = {**build, "screening": _renamed(screening, {"cell": "in_plane"})}
    return upgraded


def _without(data: Data, *names: str) -> Data:
    return {name: value for name, value in data.items() if name not in names}


def _renamed(data: Data, names: dict[str, str]) -> Data:
    return {names.get(name, name): value for name, value in data.items()}


#: By kind of document and the version that a step starts from.
_STEPS: dict[tuple[str, int], Step] = {
    ("calculation", 1): _calculation_2,
    ("binding", 1): _binding_2,
    ("binding", 2): _binding_3,
}
