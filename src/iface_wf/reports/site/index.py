"""What the page with the table of results is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from iface_wf.documents.kinds import get_kind
from iface_wf.reports.site.models import ColumnData, IndexData, RowData, StatesData
from iface_wf.reports.tables import with_columns
from iface_wf.store.results import NAMES

if TYPE_CHECKING:
    import pandas as pd

#: Of the table of results, what the page shows otherwise or not at all.
_LEFT_OUT = ("flags", "trustworthy", "engine", "functional", "dispersion")


def index_data(
    table: pd.DataFrame, pages: Mapping[str, str], made: str, states: Sequence[StatesData] = ()
) -> IndexData:
    """Return the rows of a table of results for the page.

    Parameters
    ----------
    table
        Of `iface_wf.results`.
    pages
        By key: relative path of the page of a result.
    made
        When and by which version the page is made.
    states
        What runs, waits and failed.
    """
    kind = get_kind(table.attrs["kind"])
    names = [column.name for column in NAMES if column.name not in _LEFT_OUT and column.name != "level"]
    others = [str(name) for name in table.columns if name not in (*_LEFT_OUT, *names)]
    order = ["ID", *names, "method", *others]
    units, known = table.attrs["units"], {column.name: column for column in (*NAMES, *kind.columns)}
    found = with_columns(table, order)
    columns = []
    for name in order:
        column, filled = known.get(name), bool(found[name].notna().any())
        columns.append(
            ColumnData(
                name=name,
                unit=units.get(name, ""),
                digits=3 if column is None else column.digits,
                numeric=name in units or name in ("units", "n_atoms"),
                shown=name in ("ID", "method") or (column is not None and column.shown and filled),
                uncertainty=column.uncertainty if column is not None else "",
            )
        )
    whole = found.astype(object).where(found.notna(), None).to_numpy().tolist()
    rows = [
        RowData(cells=[_plain(cell) for cell in cells], flags=list(flags), trustworthy=bool(good), page=pages[key])
        for cells, flags, good, key in zip(whole, table["flags"], table["trustworthy"], table["key"], strict=True)
    ]
    return IndexData(
        title=kind.title, made=made, headline=kind.headline, columns=columns, rows=rows, states=list(states)
    )


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
