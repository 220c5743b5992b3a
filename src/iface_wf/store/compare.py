"""Set results against each other: two engines or levels interface by interface, and those that cannot be told apart."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from iface_wf.analysis.uncertainty import of_difference
from iface_wf.documents.kinds import ResultKind
from iface_wf.errors import InputError
from iface_wf.store.results import functional_of, method_of

if TYPE_CHECKING:
    import pandas as pd

SAME = ["filler", "surface", "polymer", "units", "salt"]


class Tie(NamedTuple):
    """Two rows of a table whose numbers differ by less than their difference is known.

    Attributes
    ----------
    first, second
        Keys of the results, in the order of the table.
    difference, uncertainty
        Of their numbers, eV.
    """

    first: str
    second: str
    difference: float
    uncertainty: float


def part_columns(table: pd.DataFrame, kind: ResultKind) -> dict[str, str]:
    """Return the columns with the parts of the uncertainty of a kind's headline, by the names of the parts."""
    headline = next(column for column in kind.columns if column.name == kind.headline)
    start = f"{headline.uncertainty}_"
    return {name.removeprefix(start): name for name in table.columns if headline.uncertainty and name.startswith(start)}


def ties(table: pd.DataFrame, kind: ResultKind) -> list[Tie]:
    """Find the results that cannot be told apart.

    The parts of both uncertainties count in quadrature. An exception is dispersion where both rows have one method and one
    surface: then the error of the model is that of the same ions and has the same sign in both, and the difference of the
    two parts counts. All other parts are taken as independent.

    Parameters
    ----------
    table
        From `iface_wf.store.results.result_table`, some of its rows.
    kind
        Of these results.

    Returns
    -------
    list of Tie
        None for rows of whose uncertainty nothing is known.
    """
    columns = part_columns(table, kind)
    rows = [(row, _parts(row, columns), _surface(row)) for row in table.to_dict("records")]
    found = []
    for (one, first, here), (other, second, there) in combinations(rows, 2):
        uncertainty = (
            of_difference(first, second, ["dispersion"] if here == there else []) if first and second else None
        )
        difference = abs(one[kind.headline] - other[kind.headline])
        if uncertainty is not None and difference < uncertainty:
            found.append(Tie(one["key"], other["key"], difference, uncertainty))
    return found


def _parts(row: Mapping[Hashable, Any], columns: Mapping[str, str]) -> dict[str, float]:
    from pandas import notna

    return {part: row[column] for part, column in columns.items() if notna(row[column])}


def _surface(row: Mapping[Hashable, Any]) -> tuple[Any, ...]:
    return method_of(row), row["filler"], row["surface"]


def compare_levels(
    table: pd.DataFrame, first: str, second: str, kind: ResultKind, column: str | None = None
) -> pd.DataFrame:
    """Join the trustworthy results of two levels.

    Parameters
    ----------
    table
        From `iface_wf.store.results.result_table`.
    first, second
        ``level``, ``engine/level`` or ``functional/level``, for example ``xtb/fast`` and ``CHGNet 0.3.0-D3(BJ)/fast``.
    kind
        Of these results.
    column
        What is compared; by default the headline of the kind, for interfaces ``binding_energy``.

    Returns
    -------
    pandas.DataFrame
        One row for each interface that both have: names, the two values with their keys, ``difference`` (second minus first),
        and the place of each in its own order, 1 = lowest. For a headline that has uncertainties also those of the two values,
        of the difference (``difference uncertainty``, all parts taken as independent; NaN where nothing is known of one), and
        ``agree``: whether the difference is smaller than that. ``attrs`` holds n, spearman, kendall, mean_difference and
        mean_absolute_difference; correlations are None for fewer than three rows; ``methods``: engine, level and functional of
        the two; and ``not_told_apart``: for each of the two its rows that cannot be told apart, see `ties`.

    Raises
    ------
    InputError
        When a level is ambiguous or unknown, or the two have no interface in common.
    """
    column = column or kind.headline
    both = [_of_level(table, level, column) for level in (first, second)]
    methods = [method_of(rows.to_dict("records")[0]) for rows in both]
    told = _uncertainty_of(kind, column, table)
    left, right = (rows[[*SAME, "key", column, *told]] for rows in both)
    joined = left.merge(right, on=SAME, suffixes=(" 1", " 2"))
    if joined.empty:
        raise InputError(f"{first} and {second} have no interface in common ({len(left)} and {len(right)} results).")
    one, two = f"{column} 1", f"{column} 2"
    joined["difference"] = joined[two] - joined[one]
    joined["rank 1"], joined["rank 2"] = (joined[name].rank().astype(int) for name in (one, two))
    common = [rows[rows["key"].isin(joined[f"key {i}"])] for i, rows in enumerate(both, 1)]
    if told:
        joined["difference uncertainty"] = _of_differences(joined, common, kind)
        joined["agree"] = joined["difference"].abs() < joined["difference uncertainty"]
    from scipy.stats import kendalltau, spearmanr  # takes as long to import as all else that tables need

    enough = len(joined) > 2
    joined.attrs = {
        "n": len(joined),
        "spearman": float(spearmanr(joined[one], joined[two]).statistic) if enough else None,
        "kendall": float(kendalltau(joined[one], joined[two]).statistic) if enough else None,
        "mean_difference": float(joined["difference"].mean()),
        "mean_absolute_difference": float(joined["difference"].abs().mean()),
        "first": first,
        "second": second,
        "methods": methods,
        "column": column,
        "not_told_apart": [ties(rows, kind) if told else [] for rows in common],
    }
    return joined.sort_values(two, kind="stable").reset_index(drop=True)


def _uncertainty_of(kind: ResultKind, column: str, table: pd.DataFrame) -> list[str]:
    """Name the column with the uncertainty of a kind's headline, if it has one and that is what is looked at."""
    names = [each.uncertainty for each in kind.columns if each.name == column == kind.headline and each.uncertainty]
    return [name for name in names if name in table]


def _of_differences(joined: pd.DataFrame, both: Sequence[pd.DataFrame], kind: ResultKind) -> list[float]:
    """Return the uncertainty of each difference between two methods, eV; NaN where nothing is known of one of the two."""
    columns = part_columns(both[0], kind)
    parts = [{row["key"]: _parts(row, columns) for row in rows.to_dict("records")} for rows in both]
    pairs = [(parts[0][one], parts[1][two]) for one, two in zip(joined["key 1"], joined["key 2"], strict=True)]
    known = [of_difference(one, two) if one and two else None for one, two in pairs]
    return [float("nan") if each is None else each for each in known]


def _of_level(table: pd.DataFrame, name: str, column: str) -> pd.DataFrame:
    engine, _, level = name.rpartition("/")
    rows = table[table["trustworthy"] & (table["level"] == level) & table[column].notna()]
    rows = rows.assign(functional=[functional_of(row) for row in rows.to_dict("records")], dispersion=None)
    if engine:
        rows = rows[(rows["engine"] == engine) | (rows["functional"] == engine)]
    engines = sorted(set(rows["engine"]))
    if not engines:
        raise InputError(f"No trustworthy result of level {name!r} has a {column}.")
    if len(engines) > 1:
        raise InputError(f"Level {name!r} is ambiguous: write {' or '.join(f'{e}/{level}' for e in engines)}.")
    functionals = sorted(set(rows["functional"]))
    if len(functionals) > 1:
        raise InputError(f"{name!r} is ambiguous: write {' or '.join(f'{f}/{level}' for f in functionals)}.")
    # of several results for one interface (other seeds, cells...) the lowest is the ground state's best guess
    keyed = rows.assign(**{c: rows[c].astype(object).where(rows[c].notna(), "") for c in SAME})
    return keyed.sort_values(column).drop_duplicates(SAME)
