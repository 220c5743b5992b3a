"""`iface_wf.results`, `best`, `compare` and `show`: what the store holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Literal

from jobflow import JobStore

from iface_wf.api.options import Store, check_types, opened
from iface_wf.documents.kinds import DEFAULT_KIND, ResultKind, get_kind
from iface_wf.documents.result import ResultDocument
from iface_wf.engines import registry
from iface_wf.engines.profile import LEVEL_NAMES
from iface_wf.errors import InputError, unknown_name
from iface_wf.store.compare import compare_levels, ties
from iface_wf.store.results import find_result, functional_of, of_other_kinds, result_table

if TYPE_CHECKING:
    import pandas as pd

#: Filters whose values have other names in the library.
_IN_LIBRARY: tuple[Literal["filler", "polymer", "salt"], ...] = ("filler", "polymer", "salt")


def results(
    store: Store | None = None,
    *,
    kind: str | None = None,
    sort: str | None = None,
    where: str | None = None,
    filler: str | None = None,
    polymer: str | None = None,
    salt: str | None = None,
    engine: str | None = None,
    level: str | None = None,
    surface: str | None = None,
) -> pd.DataFrame:
    """Return the finished results of a store, one row each, the newest where one was repeated.

    Parameters
    ----------
    store
        File or address of a store, or an open one; by default the configured one.
    kind
        Which kind of result; by default binding energies.
    sort
        Column to sort by, ascending; a leading ``-`` sorts descending. By default the number that the kind is about. Rows
        that are not trustworthy come last.
    where
        Conditions on columns, such as ``"binding_energy < -0.5 and n_atoms <= 200"``.
    filler, polymer, salt, engine, level, surface
        Only rows with this value; case is ignored, and another name of the library, such as ``POE``, finds what is stored
        by the record's own.

    Returns
    -------
    pandas.DataFrame
        Unit and sign by column in ``df.attrs["units"]``; ``trustworthy`` is False where a number must not be quoted.

    Raises
    ------
    InputError
        For an unknown kind, column, condition or name, and for a store that is not there or cannot be used.

    Examples
    --------
    >>> import iface_wf
    >>> table = iface_wf.results(engine="gpaw", level="fast", where="binding_energy < -0.5", sort="-area")
    >>> table.attrs["units"]["binding_energy"].split("; ")
    ['eV per interface cell, negative = bound', 'counterpoise corrected where the basis is atom-centred']
    >>> best = table[table.trustworthy].pivot(index="filler", columns="polymer", values="binding_energy")
    """
    check_types(store=store, kind=kind, sort=sort, where=where, filler=filler, polymer=polymer, salt=salt)
    check_types(engine=engine, level=level, surface=surface)
    kind_asked, opened_store = get_kind(kind or DEFAULT_KIND), opened(store, create=False)
    for name, value, known in (("engine", engine, registry.names()), ("level", level, LEVEL_NAMES)):
        if value is not None and value.casefold() not in known:
            _require(name, value, {*known, *result_table(opened_store, kind_asked)[name]})
    names = {"filler": filler, "polymer": polymer, "salt": salt, "engine": engine, "level": level, "surface": surface}
    return _table(opened_store, kind_asked, sort, where, names)


def _table(
    store: JobStore, kind: ResultKind, sort: str | None, where: str | None, names: Mapping[str, str | None]
) -> pd.DataFrame:
    """Return the rows of some names, those of today where nothing is stored by the names as given."""
    table = result_table(store, kind, sort=sort, where=where, **names)
    if table.empty and any(names.get(each) for each in _IN_LIBRARY):
        todays = _todays_names(result_table(store, kind), names)
        return table if todays == names else result_table(store, kind, sort=sort, where=where, **todays)
    return table


def told_of_other_kinds(store: JobStore, table: pd.DataFrame) -> str:
    """Say how many results of other kinds a store has beside those of a table that nobody asked a kind for; empty where it has none."""
    found = of_other_kinds(store, table.attrs["kind"])
    names = ", ".join(f"{name} ({count})" for name, count in found.items())
    return f"These are of the kind {table.attrs['kind']}; of other kinds the store has: {names}." if found else ""


def _todays_names(everything: pd.DataFrame, names: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return names as the store has them; InputError for one that neither the store nor the library knows."""
    from iface_wf.library import Library
    from iface_wf.library.library import names_a_file

    library, todays = Library(), dict(names)
    for what in _IN_LIBRARY:
        if (name := names.get(what)) is None or everything.empty:
            continue
        stored = {str(each) for each in everything[what].dropna()}
        if what == "filler" and names_a_file(name):  # results of a file go by its formula
            name = todays[what] = library.filler(name).name
        if name.casefold() in {each.casefold() for each in stored}:
            continue
        record = library.find(what, name) or (library.find("molecule", name) if what == "polymer" else None)
        if record is None:
            raise unknown_name(what, name, {*stored, *library.all_names(what)})
        todays[what] = record.name
    return todays


def best(
    count: int = 10,
    store: Store | None = None,
    *,
    kind: str | None = None,
    where: str | None = None,
    filler: str | None = None,
    polymer: str | None = None,
    salt: str | None = None,
    engine: str | None = None,
    level: str | None = None,
) -> pd.DataFrame:
    """Return the most strongly bound interfaces with a trustworthy energy, and say which cannot be told apart.

    Parameters
    ----------
    count
        How many.
    store, kind, where, filler, polymer, salt, engine, level
        As in `iface_wf.results`.

    Returns
    -------
    pandas.DataFrame
        As of `iface_wf.results`, the best first. ``uncertainty`` (eV) belongs to the number that the kind is about;
        ``df.attrs["not_told_apart"]`` holds, as mappings, the pairs of rows that differ by less than their difference is
        known: keys ``first`` and ``second``, ``difference`` and its ``uncertainty``, eV.

    Raises
    ------
    InputError
        As of `iface_wf.results`, and for a count below 1.

    Examples
    --------
    >>> import iface_wf
    >>> table = iface_wf.best(5, engine="gpaw", level="fast")
    >>> first = [tie["second"] for tie in table.attrs["not_told_apart"] if tie["first"] == table["key"].iat[0]]
    >>> numbers = table[["filler", "polymer", "binding_energy", "uncertainty"]]  # eV
    """
    check_types(count=count)
    if count < 1:
        raise InputError(f"The argument 'count' must be 1 or more, not {count}.")
    table = results(
        store, kind=kind, where=where, filler=filler, polymer=polymer, salt=salt, engine=engine, level=level
    )
    table = table[table["trustworthy"]].head(count)
    table.attrs["not_told_apart"] = [tie._asdict() for tie in ties(table, get_kind(table.attrs["kind"]))]
    return table


def compare(
    first: str,
    second: str,
    store: Store | None = None,
    *,
    kind: str | None = None,
    filler: str | None = None,
    polymer: str | None = None,
    salt: str | None = None,
) -> pd.DataFrame:
    """Compare the numbers and the order of two levels, interface by interface.

    Parameters
    ----------
    first, second
        ``level``, ``engine/level`` or ``functional/level``.
    store, kind, filler, polymer, salt
        As in `iface_wf.results`.

    Returns
    -------
    pandas.DataFrame
        For binding energies ``binding_energy 1``, ``binding_energy 2``, their ``difference`` (second minus first), with ``uncertainty
        1``, ``uncertainty 2`` and ``difference uncertainty`` (all eV), whether the two ``agree`` within that, and the place
        of each in its own order (``rank 1``, ``rank 2``). ``df.attrs`` has ``spearman``, ``kendall``, ``mean_difference``,
        ``mean_absolute_difference``, ``methods``, ``units``, and for each of the two in ``not_told_apart`` the pairs of its rows
        that cannot be told apart, as of `iface_wf.best`.

    Raises
    ------
    InputError
        For a name that is no level, engine or functional, for one that means several, and where the two have no interface in
        common.

    Examples
    --------
    >>> import iface_wf
    >>> both = iface_wf.compare("xtb/fast", "gpaw/fast", filler="SiO2")
    >>> alike = both[both.agree][["polymer", "difference", "difference uncertainty"]]
    """
    check_types(first=first, second=second, store=store, kind=kind, filler=filler, polymer=polymer, salt=salt)
    asked = get_kind(kind or DEFAULT_KIND)
    table = _table(opened(store, create=False), asked, None, None, {"filler": filler, "polymer": polymer, "salt": salt})
    functionals = [functional_of(row) for row in table.to_dict("records")]
    for name in (first, second):
        method, slash, level = name.rpartition("/")
        _require("level", level, {*LEVEL_NAMES, *table["level"]})
        if slash:
            _require("engine or functional", method, {*registry.names(), *table["engine"], *functionals})
    both = compare_levels(table, first, second, asked)
    both.attrs["not_told_apart"] = [[tie._asdict() for tie in alike] for alike in both.attrs["not_told_apart"]]
    both.attrs["units"] = table.attrs["units"]
    return both


def _require(what: str, name: str, known: Collection[str]) -> None:
    if name.casefold() not in {each.casefold() for each in known}:
        raise unknown_name(what, name, known)


def show(identifier: str, *, densities: bool = False, store: Store | None = None) -> ResultDocument:
    """Return one stored result.

    Parameters
    ----------
    identifier
        First characters of its key or of the uuid of its job.
    densities
        Also fetch the densities that the document holds; else they stay in the store.
    store
        As in `iface_wf.results`.

    Returns
    -------
    ResultDocument
        Of the class of its kind, for example `iface_wf.quantities.binding.document.BindingDocument`; unit and sign of every
        field in ``units_of``. ``number`` is what it is about, for an interface the binding energy in eV.

    Raises
    ------
    InputError
        When no result, or more than one, begins so.

    Examples
    --------
    >>> import iface_wf
    >>> doc = iface_wf.run("LiI", molecule="O", engine="mlip", thickness=3.0, placements=1, quantities=["binding_energy"])
    >>> again = iface_wf.show(doc.key[:10])
    >>> again.number == doc.binding_energy
    True
    >>> [term.role for term in again.terms]
    ['A', 'B', 'AB']
    """
    check_types(identifier=identifier, densities=densities, store=store)
    document: ResultDocument = find_result(opened(store, create=False), identifier, load=densities).document
    return document
