"""Hand the simple conditions of a MongoDB filter to SQLite, so that few documents need to be read.

The SQL condition is a pre-filter: every matching document fulfils it, some others may. The full meaning of the
filter (arrays, types, operators that have no SQL) is checked afterwards on the documents themselves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from iface_wf.store.extended_json import date_text

ARRAY = "["
"""What :func:`column` gives where the path meets an array: MongoDB then looks at the elements, SQL cannot."""

_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_FIELD = re.compile(r"[^\"'\\\x00-\x1f]+")
_PREFIX = re.compile(r"\^([A-Za-z0-9 -]*[A-Za-z0-9])")  # what begins so lies between this and the next greater text
_MOST_VALUES = 500  # SQLite's own limit on variables was 999 for long
_SLACK = 1e-12  # SQLite before 3.43 may read the last bit of a decimal number differently than Python

Condition = tuple[str, list[Any]]


def column(path: str) -> str | None:
    """Write the SQL expression for a dotted path in column ``doc``; the same text serves queries and indexes.

    Returns
    -------
    str or None
        None if the path has characters that cannot stand in a JSON path.
    """
    parts = path.split(".")
    if not all(_FIELD.fullmatch(part) for part in parts):
        return None
    json_paths = ["$" + "".join(f'."{part}"' for part in parts[:n]) for n in range(1, len(parts) + 1)]
    arrays = " OR ".join(f"json_type(doc, '{p}') = 'array'" for p in json_paths)
    return f"CASE WHEN {arrays} THEN '{ARRAY}' ELSE json_extract(doc, '{json_paths[-1]}') END"


def prefilter(criteria: dict[str, Any]) -> Condition:
    """Translate what is simple in a MongoDB filter.

    Parameters
    ----------
    criteria
        The filter.

    Returns
    -------
    tuple of str and list
        A condition on column ``doc`` and its parameters; ``1`` where nothing could be translated.
    """
    return _joined(" AND ", [_one(field, condition) for field, condition in criteria.items()])


def _joined(operator: str, conditions: Sequence[Condition]) -> Condition:
    if operator == " AND ":
        conditions = [c for c in conditions if c[0] != "1"]
    if not conditions or any(text == "1" for text, _ in conditions):
        return "1", []
    return f"({operator.join(text for text, _ in conditions)})", [v for _, values in conditions for v in values]


def _one(field: str, condition: Any) -> Condition:
    if field == "$and":
        return _joined(" AND ", [prefilter(part) for part in condition])
    if field == "$or":
        return _joined(" OR ", [prefilter(part) for part in condition])
    sql = None if field.startswith("$") else column(field)
    if sql is None:
        return "1", []
    if not isinstance(condition, dict):
        return _any_of(sql, [condition])
    if isinstance(begins := condition.get("$regex"), str) and "$options" not in condition:
        return _begins(sql, begins)
    return _joined(" AND ", [_operator(sql, name, value) for name, value in condition.items()])


def _operator(sql: str, name: str, value: Any) -> Condition:
    if name == "$eq":
        return _any_of(sql, [value])
    if name == "$in" and 0 < len(value) <= _MOST_VALUES:
        return _any_of(sql, list(value))
    if name in _COMPARISONS and (bound := _parameter(value)) is not None:
        if not isinstance(bound, str):
            bound += math.copysign(_slack(bound), 1 if name.startswith("$l") else -1)
        return f"({sql} {_COMPARISONS[name]} ? OR {sql} = '{ARRAY}')", [bound]
    return "1", []


def _begins(sql: str, pattern: str) -> Condition:
    match = _PREFIX.fullmatch(pattern)
    if match is None:
        return "1", []
    start = match.group(1)
    return f"({sql} BETWEEN ? AND ? OR {sql} = '{ARRAY}')", [start, start[:-1] + chr(ord(start[-1]) + 1)]


def _any_of(sql: str, values: list[Any]) -> Condition:
    terms: list[str] = []
    parameters: list[Any] = []
    same: list[str | int] = [ARRAY]
    for value in values:
        bound = _parameter(value)
        if value is None:
            terms.append(f"{sql} IS NULL")
        elif bound is None:
            return "1", []
        elif isinstance(bound, float):
            terms.append(f"{sql} BETWEEN ? AND ?")
            parameters += [bound - _slack(bound), bound + _slack(bound)]
        else:
            same.append(bound)
    terms.append(f"{sql} IN ({', '.join('?' * len(same))})")
    return f"({' OR '.join(terms)})", [*parameters, *same]


def _slack(value: float) -> float:
    return abs(value) * _SLACK + 5e-324


def _parameter(value: Any) -> str | int | float | None:
    """Give the SQL value to compare with; None where SQL and MongoDB would compare differently."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return None if "\x00" in value else value
    if isinstance(value, datetime):
        return f'{{"$date":"{date_text(value)}"}}'
    return value if isinstance(value, int | float) and abs(value) < 2**53 else None
