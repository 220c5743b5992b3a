"""Finished interfaces in a job store: as a table, and one by one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jobflow import JobStore
from mongomock_ng.filtering import filter_applies
from pymatgen.core import Structure

from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.density import DensityRecord
from iface_wf.documents.kinds import DEFAULT_KIND, Column, ResultKind, get_kind, kind_names
from iface_wf.documents.labels import WHOLE
from iface_wf.documents.result import ResultDocument
from iface_wf.errors import InputError, unknown_name
from iface_wf.former import hint, todays_column
from iface_wf.store.fields import value_under
from iface_wf.store.mongo import Documents
from iface_wf.store.reuse import complete
from iface_wf.store.scalars import scalars
from iface_wf.store.versions import document_in, of_today, refuse_newer, upgraded
from iface_wf.store.where import parse_where
from iface_wf.store.whole import (
    DENSITY_MISSING,
    beginning_with,
    blob_fields,
    damaged_in,
    identity,
    newest_whole,
    note_unreadable,
    without_blobs,
)

if TYPE_CHECKING:
    import pandas as pd

#: Columns that the tables of all kinds begin and end with; those of the kind stand between.
NAMES = (
    Column("filler", "filler", shown=True),
    Column("surface", "surface", shown=True),
    Column("polymer", "polymer", shown=True),
    Column("units", "units", shown=True),
    Column("salt", "salt", shown=True),
    Column("engine", "engine"),
    Column("level", "level"),
    Column("functional", "functional"),
    Column("dispersion", "dispersion"),
    Column("title", "title", shown=True),
)
MARKS = (
    Column("area", "area", "A^2"),
    Column("n_atoms", "n_atoms"),
    Column("trustworthy", "trustworthy"),
    Column("converged", "converged"),
    Column("flags", "flags", shown=True),
    Column("key", "key"),
)
FILTERS = ("filler", "polymer", "salt", "engine", "level", "surface")


class StoredResult(NamedTuple):
    """A result of the store with the job that made it.

    Attributes
    ----------
    document
        The result, of the class that its kind has.
    uuid
        Job that holds it.
    completed_at
        When that job ended, ISO 8601.
    """

    document: Any
    uuid: str
    completed_at: str


def columns_of(kind: ResultKind) -> tuple[Column, ...]:
    """Return the columns of the table of a kind of result."""
    return (*NAMES, *kind.columns, *MARKS)


def of_other_kinds(store: JobStore, kind: str) -> dict[str, int]:
    """Count the stored results of all kinds but one, by kind, without reading them."""
    others = {"$in": [name for name in kind_names() if name != kind]}
    found = set(scalars(store, ["output.document_type", "output.key"], {"output.document_type": others}))
    return dict(sorted(Counter(str(name) for name, _ in found).items()))


def result_table(
    store: JobStore,
    kind: ResultKind | None = None,
    sort: str | None = None,
    where: str | None = None,
    **filters: str | int | None,
) -> pd.DataFrame:
    """Collect the finished results of one kind, one row each, the newest where one was repeated.

    Nothing is averaged; ``trustworthy`` is False where a number must not be quoted (not converged, no energy, or a
    fatal flag such as ``desorbed``). Results of older versions are shown as this version would have stored them.

    Parameters
    ----------
    store
        Connected job store.
    kind
        Which kind of result; by default binding energies.
    sort
        Column to sort by, ascending; a leading ``-`` sorts descending. By default the number that the kind is about, the best first.
        Rows that are not trustworthy come last.
    where
        Conditions on columns, such as ``"binding_energy < -0.5 and n_atoms <= 200"``, see
        `iface_wf.store.where.parse_where`.
    **filters
        ``filler``, ``polymer``, ``salt``, ``engine``, ``level``, ``surface``: only rows with this value, case
        ignored; None means any.

    Returns
    -------
    pandas.DataFrame
        Columns of `columns_of`, then ``completed_at``, ``uuid``. ``df.attrs["units"]`` gives unit and sign by
        column, ``df.attrs["kind"]`` the kind, ``df.attrs["older"]`` how many results an older version wrote,
        ``df.attrs["damaged"]`` a sentence about each document that is damaged, and left out. A result whose density is
        missing has the flag `DENSITY_MISSING`.

    Raises
    ------
    InputError
        For an unknown filter, column to sort by or condition, and where a newer version has written to the store.
    """
    import pandas as pd  # half a second, which `show` does without

    kind = kind or get_kind(DEFAULT_KIND)
    for name in filters:
        if name not in FILTERS:
            raise unknown_name("filter", name, FILTERS)
    columns = {column.name: column.field for column in columns_of(kind)}
    blobs = blob_fields(kind.document)
    refuse_newer(store, kind.name)
    criteria: dict[str, Any] = {}
    for name, value in filters.items():
        if value is not None:
            criteria[f"output.{name}"] = {"$regex": f"^{re.escape(str(value))}$", "$options": "i"}
    if where is not None:
        criteria["$and"] = parse_where(where, columns, {c.name: c.type_in(kind.document) for c in columns_of(kind)})
    beside = [] if isinstance(store.docs_store, Documents) else blobs  # see `without_blobs`
    wanted = ["uuid", "completed_at", *(f"output.{field}" for field in (*columns.values(), *beside))]
    found = list(store.query(of_today(kind.name) | criteria, properties=wanted))
    today = upgraded(store, kind.document, lambda entry, _: note_unreadable(store, entry))
    older = [entry for entry in today if filter_applies(criteria, entry)]
    torn = without_blobs(store, [*found, *older], blobs)
    paths = {column: field.split(".") for column, field in columns.items()}
    rows, before = ([_row(entry, paths, torn) for entry in entries] for entries in (found, older))
    table = pd.DataFrame([*rows, *before], columns=[*columns, "completed_at", "uuid"])
    table = table.sort_values("completed_at", kind="stable").drop_duplicates("key", keep="last")
    if where is not None and not table.empty:  # an older result that fulfils the conditions must not stand for a newer
        newest = _newest(store, kind, table["key"])
        table = table[[new == own for new, own in zip(newest, table["uuid"], strict=True)]]
    table = table.astype(dict.fromkeys(column_units(kind), "float64") | {"trustworthy": "bool", "converged": "bool"})
    table = _sorted(table, sort or f"{'-' * kind.highest_first}{kind.headline}")
    damaged = [damage.sentence for damage in damaged_in(store)]
    table.attrs |= {"units": column_units(kind), "kind": kind.name, "older": len(before), "damaged": damaged}
    return table


def _sorted(table: pd.DataFrame, sort: str) -> pd.DataFrame:
    column = todays_column(sort.removeprefix("-"), table.columns)
    if column not in table.columns or column == "flags":
        raise unknown_name("column to sort by", column, [c for c in table.columns if c != "flags"])
    table = table.sort_values(column, ascending=not sort.startswith("-"), kind="stable", na_position="last")
    return table.sort_values("trustworthy", ascending=False, kind="stable").reset_index(drop=True)


def _newest(store: JobStore, kind: ResultKind, keys: pd.Series[str]) -> list[str]:
    """Return the uuid of the newest result of each key."""
    wanted = list(keys)
    newest: dict[str, str] = {}
    for start in range(0, len(wanted), 400):
        criteria = {"output.document_type": kind.name, "output.key": {"$in": wanted[start : start + 400]}}
        entries = store.query(criteria, properties=["uuid", "completed_at", "output.key"])
        newest |= {e["output"]["key"]: e["uuid"] for e in sorted(entries, key=lambda e: str(e["completed_at"]))}
    return [newest[key] for key in wanted]


def column_units(kind: ResultKind | None = None) -> dict[str, str]:
    """Return unit and sign convention of every numeric column of the table of a kind, by default binding energies."""
    return {column.name: column.unit for column in columns_of(kind or get_kind(DEFAULT_KIND)) if column.unit}


def find_result(store: JobStore, identifier: str, load: bool = False) -> StoredResult:
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
    StoredResult
        Of whatever kind; the newest one, when the same was calculated more than once.

    Raises
    ------
    InputError
        When no result, or more than one, begins so.
    """
    text = identifier.strip().lower()
    if not re.fullmatch(r"[0-9a-f-]{1,64}", text):
        raise InputError(f"{identifier[:80]!r} is no ID: give the first characters of a key or uuid (0-9, a-f, -).")
    hits = beginning_with(store, text, ("output.key", "uuid")) or beginning_with(
        store, text, ("output.provenance.former_key",)
    )
    if not hits and _is_begun(store, text):
        raise InputError(f"{text!r} is not finished; what there is of it: iface-wf provenance {text}.")
    if not hits:
        raise InputError(f"No result has a key or uuid that begins with {text!r}; `iface-wf results` lists them.")
    keys = sorted({hit["output"]["key"] for hit in hits})
    if len(keys) > 1:
        shown = ", ".join(key[: len(text) + 6] for key in keys[:4])
        raise InputError(f"{text!r} is ambiguous: {len(keys)} results begin with it ({shown}); give more characters.")
    entry, whole = newest_whole(store, hits)
    if entry is None:
        raise InputError(f"The result {keys[0][:10]} cannot be read: it is damaged, or has just been removed.")
    if load and not whole:
        raise InputError(
            f"The density of the result {keys[0][:10]} is not in the store, or damaged: iface-wf run, with what it was asked "
            "for, puts the result together again."
        )
    return _read(next(store.query(identity(entry), load=True)) if load else entry, whole)


def _is_begun(store: JobStore, text: str) -> bool:
    """Whether something without a result has a key that begins so."""
    begins = {"$regex": f"^{text}"}
    failed = {"output.document_type": "failure", "output.key": begins}
    return bool(store.count(failed) or store.count({"metadata.interface": begins}))


def stored_result(store: JobStore, key: str) -> StoredResult | None:
    """Return the newest stored result of a key that has all its large data, without these; or None."""
    criteria = {"output.document_type": {"$in": kind_names()}, "output.key": key}
    hits = list(store.query(criteria, properties=["uuid", "index", "completed_at", "output.key"], load=False))
    entry, whole = newest_whole(store, hits)
    return _read(entry) if entry is not None and whole else None


def find_density(store: JobStore, result: ResultDocument) -> tuple[DensityRecord, Structure]:
    """Fetch the stored density of what a result is of, with the structure it belongs to.

    Parameters
    ----------
    store
        Connected job store.
    result
        The result; its first term is what it is of.

    Raises
    ------
    InputError
        When none was stored, or its calculation is no longer in the store.
    """
    roles = [term.role for term in result.terms]
    entry = _calculation(store, result, WHOLE if WHOLE in roles else "".join(roles[:1]))
    if entry is None:
        raise InputError(f"The calculation of the interface {result.key[:10]} is not in this store.")
    if not complete(store, entry):
        raise InputError(f"The density of the interface {result.key[:10]} is missing from this store, or damaged.")
    entry = next(store.query(identity(entry), load=True))
    calculation = document_in(entry, CalculationDocument)
    if not calculation.densities:
        raise InputError(f"No density of the interface {result.key[:10]} was stored: {calculation.engine} gives none.")
    record = calculation.densities.get("pseudo") or next(iter(calculation.densities.values()))
    return record, Structure.from_dict(calculation.structure)


def structure_of(store: JobStore, result: ResultDocument, role: str) -> Structure | None:
    """Return the structure of one of a result's energies; None where its calculation is not in the store.

    Parameters
    ----------
    store
        Connected job store.
    result
        The result.
    role
        Of the energy, for example ``A``.
    """
    calculation = calculation_of(store, result, role)
    return None if calculation is None else calculation.atoms_structure


def calculation_of(store: JobStore, result: ResultDocument, role: str) -> CalculationDocument | None:
    """Return the calculation of one of a result's energies, without its densities; None where it is not in the store.

    Parameters
    ----------
    store, result, role
        As in `structure_of`.
    """
    entry = _calculation(store, result, role)
    return None if entry is None else document_in(entry, CalculationDocument)


def _calculation(store: JobStore, result: ResultDocument, role: str) -> dict[str, Any] | None:
    uuid = next((term.uuid for term in result.terms if term.role == role), "")
    if not uuid:
        return None
    found: dict[str, Any] | None = store.query_one({"uuid": uuid, "output.document_type": "calculation"}, load=False)
    return found


def functional_of(row: Mapping[Hashable, Any]) -> str:
    """Name the functional or model of a row of the table with its dispersion, for example ``CHGNet 0.3.0-D3(BJ)``."""
    dispersion = f"-{row['dispersion']}" if isinstance(row["dispersion"], str) else ""
    return f"{row['functional']}{dispersion}"


def method_of(row: Mapping[Hashable, Any]) -> str:
    """Name what gave the energies of a row: no energy of an ML potential is shown without the name of its model."""
    return f"{row['engine']} {row['level']} {functional_of(row)}"


def _read(entry: dict[str, Any], whole: bool = True) -> StoredResult:
    kind = get_kind(entry["output"]["document_type"])
    document = document_in(entry, kind.document)
    if not whole:
        document.flags.append(DENSITY_MISSING)
    return StoredResult(document, str(entry["uuid"]), str(entry["completed_at"]))


def _row(entry: dict[str, Any], columns: Mapping[str, Sequence[str]], torn: Collection[str]) -> dict[str, Any]:
    output = entry["output"]
    row: dict[str, Any] = {column: value_under(output, path) for column, path in columns.items()}
    row["flags"] = [*(row["flags"] or []), *([DENSITY_MISSING] if entry["uuid"] in torn else [])]
    return row | {"completed_at": str(entry["completed_at"]), "uuid": entry["uuid"]}


def __getattr__(name: str) -> Any:
    """Answer names of before, with a hint."""
    today = {"binding_table": "result_table", "find_binding": "find_result"}.get(name)
    if today is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    hint(name, today)
    return globals()[today]
