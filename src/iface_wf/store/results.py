"""Finished interfaces in a job store: as a table, and one by one."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import pandas as pd
from jobflow import JobStore
from mongomock_ng.filtering import filter_applies
from pymatgen.core import Structure

from iface_wf.documents.binding import UNITS, BindingDocument
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.density import DensityRecord
from iface_wf.documents.labels import COMPONENTS, PARTS, WHOLE
from iface_wf.errors import InputError, unknown_name
from iface_wf.store.versions import of_today, refuse_newer, upgraded
from iface_wf.store.where import parse_where

#: Columns of the table and the field of BindingDocument that each one shows.
COLUMNS: dict[str, str] = {
    "filler": "filler",
    "surface": "surface",
    "polymer": "polymer",
    "units": "units",
    "salt": "salt",
    "engine": "engine",
    "level": "level",
    "functional": "functional",
    "dispersion": "dispersion",
    "binding_energy": "binding_energy",
    "binding_energy_cp": "binding_energy_cp",
    "interaction_energy": "interaction_energy",
    "interaction_energy_cp": "interaction_energy_cp",
    **{f"deformation_{part.name}": f"deformation_energy.{part.name}" for part in PARTS},
    "dispersion_energy": "dispersion_energy",
    "bsse_energy": "bsse_energy",
    **{f"charge_transfer_{component}": f"charge_transfer.{component}" for component in COMPONENTS},
    "area": "area",
    "n_atoms": "n_atoms",
    "trustworthy": "trustworthy",
    "converged": "converged",
    "flags": "flags",
    "key": "key",
}
FILTERS = ("filler", "polymer", "salt", "engine", "level", "surface")
_ENERGIES = [c for c in COLUMNS if c.endswith(("_energy", "_energy_cp")) or c.startswith("deformation_")]
_CHARGES = [c for c in COLUMNS if c.startswith("charge_transfer_")]
_NUMBERS = [*_ENERGIES, *_CHARGES, "area"]
_BINDING = {"output.document_type": "binding"}


class StoredBinding(NamedTuple):
    """A result of the store with the job that made it.

    Attributes
    ----------
    document
        The result.
    uuid
        Job that holds it.
    completed_at
        When that job ended, ISO 8601.
    """

    document: BindingDocument
    uuid: str
    completed_at: str


def binding_table(
    store: JobStore, sort: str = "binding_energy", where: str | None = None, **filters: str | int | None
) -> pd.DataFrame:
    """Collect the finished interfaces of a store, one row per interface, the newest where one was repeated.

    Results of older versions are shown as this version would have stored them. Nothing is averaged; ``trustworthy`` is False where a number must not be quoted (not converged, no energy, or a
    fatal flag such as ``desorbed``).

    Parameters
    ----------
    store
        Connected job store.
    sort
        Column to sort by, ascending; a leading ``-`` sorts descending. Rows that are not
        trustworthy come last.
    where
        Conditions on columns, such as ``"binding_energy < -0.5 and n_atoms <= 200"``, see
        `iface_wf.store.where.parse_where`.
    **filters
        ``filler``, ``polymer``, ``salt``, ``engine``, ``level``, ``surface``: only rows with this value, case
        ignored; None means any.

    Returns
    -------
    pandas.DataFrame
        Columns of `COLUMNS`, then ``completed_at``, ``uuid``. ``df.attrs["units"]`` gives unit and sign by
        column, ``df.attrs["older"]`` how many results an older version wrote.

    Raises
    ------
    InputError
        For an unknown filter, column to sort by or condition, and where a newer version has written to the store.
    """
    for name in filters:
        if name not in FILTERS:
            raise unknown_name("filter", name, FILTERS)
    refuse_newer(store, "binding")
    criteria: dict[str, Any] = {}
    for name, value in filters.items():
        if value is not None:
            criteria[f"output.{name}"] = {"$regex": f"^{re.escape(str(value))}$", "$options": "i"}
    if where is not None:
        criteria["$and"] = parse_where(where, COLUMNS)
    wanted = ["uuid", "completed_at", *(f"output.{field}" for field in COLUMNS.values())]
    rows = [_row(entry) for entry in store.query(of_today("binding") | criteria, properties=wanted)]
    before = [_row(entry) for entry in upgraded(store, BindingDocument) if filter_applies(criteria, entry)]
    rows += before
    table = pd.DataFrame(rows, columns=[*COLUMNS, "completed_at", "uuid"])
    column = sort.removeprefix("-")
    if column not in table.columns or column == "flags":
        raise unknown_name("column to sort by", column, [c for c in table.columns if c != "flags"])
    table = table.sort_values("completed_at", kind="stable").drop_duplicates("key", keep="last")
    if where is not None and not table.empty:  # an older result that fulfils the conditions must not stand for a newer
        table = table[[newest == own for newest, own in zip(_newest(store, table["key"]), table["uuid"], strict=True)]]
    table = table.astype(dict.fromkeys(_NUMBERS, "float64") | {"trustworthy": "bool", "converged": "bool"})
    table = table.sort_values(column, ascending=not sort.startswith("-"), kind="stable", na_position="last")
    table = table.sort_values("trustworthy", ascending=False, kind="stable").reset_index(drop=True)
    table.attrs |= {"units": column_units(), "older": len(before)}
    return table


def _newest(store: JobStore, keys: pd.Series[str]) -> list[str]:
    """Return the uuid of the newest result of each key."""
    wanted = list(keys)
    newest: dict[str, str] = {}
    for start in range(0, len(wanted), 400):
        criteria = _BINDING | {"output.key": {"$in": wanted[start : start + 400]}}
        entries = store.query(criteria, properties=["uuid", "completed_at", "output.key"])
        newest |= {e["output"]["key"]: e["uuid"] for e in sorted(entries, key=lambda e: str(e["completed_at"]))}
    return [newest[key] for key in wanted]


def column_units() -> dict[str, str]:
    """Return unit and sign convention of every numeric column of the table."""
    units = {c: UNITS[c] for c in COLUMNS if c in UNITS}
    units["deformation_A"] = units["deformation_B"] = UNITS["deformation_energy"]
    return units | dict.fromkeys(_CHARGES, UNITS["charge_transfer"])


def find_binding(store: JobStore, identifier: str, load: bool = False) -> StoredBinding:
    """Find the one result whose key or uuid begins with the given characters.

    Parameters
    ----------
    store
        Connected job store.
    identifier
        First characters of the content key or of the job's uuid.
    load
        Also fetch the stored densities; otherwise they stay references.

    Returns
    -------
    StoredBinding
        The newest one, when the same interface was calculated more than once.

    Raises
    ------
    InputError
        When no result, or more than one, begins so.
    """
    text = identifier.strip().lower()
    if not re.fullmatch(r"[0-9a-f-]{1,64}", text):
        raise InputError(f"{identifier[:80]!r} is no ID: give the first characters of a key or uuid (0-9, a-f, -).")
    start = {"$regex": f"^{text}"}
    criteria = _BINDING | {"$or": [{"output.key": start}, {"uuid": start}]}
    hits = list(store.query(criteria, properties=["uuid", "completed_at", "output.key"]))
    if not hits:
        raise InputError(f"No result has a key or uuid that begins with {text!r}; `iface-wf results` lists them.")
    keys = sorted({hit["output"]["key"] for hit in hits})
    if len(keys) > 1:
        shown = ", ".join(key[: len(text) + 6] for key in keys[:4])
        raise InputError(f"{text!r} is ambiguous: {len(keys)} results begin with it ({shown}); give more characters.")
    newest = max(hits, key=lambda hit: str(hit["completed_at"]))
    entry = store.query_one(_BINDING | {"uuid": newest["uuid"]}, load=load)
    output = {name: value for name, value in entry["output"].items() if not name.startswith("@")}
    return StoredBinding(BindingDocument.model_validate(output), entry["uuid"], str(entry["completed_at"]))


def find_density(store: JobStore, binding: BindingDocument) -> tuple[DensityRecord, Structure]:
    """Fetch the stored density of a whole interface, with the structure it belongs to.

    Raises
    ------
    InputError
        When none was stored, or its calculation is no longer in the store.
    """
    uuid = next((term.uuid for term in binding.terms if term.role == WHOLE), "")
    entry = store.query_one({"uuid": uuid, "output.document_type": "calculation"}, load=True) if uuid else None
    if entry is None:
        raise InputError(f"The calculation of the interface {binding.key[:10]} is not in this store.")
    output = {name: value for name, value in entry["output"].items() if not name.startswith("@")}
    calculation = CalculationDocument.model_validate(output)
    if not calculation.densities:
        raise InputError(f"No density of the interface {binding.key[:10]} was stored: {calculation.engine} gives none.")
    record = calculation.densities.get("pseudo") or next(iter(calculation.densities.values()))
    return record, Structure.from_dict(calculation.structure)


def functional_of(row: Mapping[Hashable, Any]) -> str:
    """Name the functional or model of a row of the table with its dispersion, for example ``CHGNet 0.3.0-D3(BJ)``."""
    dispersion = f"-{row['dispersion']}" if isinstance(row["dispersion"], str) else ""
    return f"{row['functional']}{dispersion}"


def method_of(row: Mapping[Hashable, Any]) -> str:
    """Name what gave the energies of a row: no energy of an ML potential is shown without the name of its model."""
    return f"{row['engine']} {row['level']} {functional_of(row)}"


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    output = entry["output"]
    row: dict[str, Any] = {}
    for column, field in COLUMNS.items():
        value: Any = output
        for part in field.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        row[column] = value
    row["flags"] = list(row["flags"] or [])
    return row | {"completed_at": str(entry["completed_at"]), "uuid": entry["uuid"]}
