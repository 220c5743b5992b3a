"""Set the results of two engines or levels against each other, interface by interface."""

from __future__ import annotations

import pandas as pd
from scipy.stats import kendalltau, spearmanr

from iface_wf.errors import InputError
from iface_wf.store.results import functional_of, method_of

SAME = ["filler", "surface", "polymer", "units", "salt"]


def compare_levels(table: pd.DataFrame, first: str, second: str, column: str) -> pd.DataFrame:
    """Join the trustworthy results of two levels.

    Parameters
    ----------
    table
        From `iface_wf.store.results.result_table`.
    first, second
        ``level``, ``engine/level`` or ``functional/level``, for example ``xtb/fast`` and ``CHGNet 0.3.0-D3(BJ)/fast``.
    column
        What is compared: the headline of the kind of result, for interfaces ``binding_energy``.

    Returns
    -------
    pandas.DataFrame
        One row for each interface that both have: names, the two values, ``difference`` (second minus first), and the
        place of each in its own order, 1 = lowest. ``attrs`` holds n, spearman, kendall, mean_difference and
        mean_absolute_difference; correlations are None for fewer than three rows; and ``methods``: engine, level and
        functional of the two.

    Raises
    ------
    InputError
        When a level is ambiguous or unknown, or the two have no interface in common.
    """
    left, right = (_of_level(table, level, column) for level in (first, second))
    methods = [method_of(rows.to_dict("records")[0]) for rows in (left, right)]
    left, right = (rows[[*SAME, column]] for rows in (left, right))
    joined = left.merge(right, on=SAME, suffixes=(" 1", " 2"))
    if joined.empty:
        raise InputError(f"{first} and {second} have no interface in common ({len(left)} and {len(right)} results).")
    one, two = f"{column} 1", f"{column} 2"
    joined["difference"] = joined[two] - joined[one]
    joined["rank 1"], joined["rank 2"] = (joined[name].rank().astype(int) for name in (one, two))
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
    }
    return joined.sort_values(two, kind="stable").reset_index(drop=True)


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
