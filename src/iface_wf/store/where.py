"""Conditions on results in one line of text, such as ``binding_energy < -0.5 and n_atoms <= 200``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from iface_wf.errors import InputError, unknown_name
from iface_wf.former import todays_column

_OPERATORS = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "=": "$eq", "==": "$eq", "!=": "$ne"}
_CLAUSE = re.compile(r"\s*(\w+)\s*(<=|>=|==|!=|<|>|=)\s*(\"[^\"]*\"|'[^']*'|[^\s<>=!\"']+)\s*")
MAX_TEXT, MAX_CONDITIONS = 5_000, 50
"""Longest text and most conditions: SQLite takes expressions of bounded depth only."""
_WORDS = {"true": True, "false": False}
_HOLDS = {bool: "true or false", float: "numbers", str: "text"}


def parse_where(
    text: str, fields: Mapping[str, str], types: Mapping[str, type | None] | None = None
) -> list[dict[str, Any]]:
    """Read conditions that are joined by ``and``; the text is taken apart, never evaluated.

    Parameters
    ----------
    text
        ``column operator value``; operators are ``< <= > >= = !=``; a text with spaces stands in quotes.
    fields
        Allowed columns, and the field of the stored document that each one shows.
    types
        What each column holds: ``bool``, ``float`` or ``str``; a column that is missing or None is compared with anything.

    Returns
    -------
    list of dict
        MongoDB conditions, all of which must hold.

    Raises
    ------
    InputError
        For an unknown column, text that is no condition, and what cannot be compared with a column.
    """
    if len(text) > MAX_TEXT:
        raise InputError(f"The conditions have {len(text)} characters, at most {MAX_TEXT} are allowed.")
    conditions: list[dict[str, Any]] = []
    for clause in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE):
        if len(conditions) == MAX_CONDITIONS:
            raise InputError(f"More than {MAX_CONDITIONS} conditions are not allowed.")
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise InputError(
                f'{clause[:80]!r} is no condition: write for example "binding_energy < -0.5 and polymer = PEO".'
            )
        column, operator, value = match.groups()
        column = todays_column(column, fields)
        if column not in fields:
            raise unknown_name("column", column, fields)
        conditions.append(
            {
                f"output.{fields[column]}": {
                    _OPERATORS[operator]: _value(value, column, operator, (types or {}).get(column))
                }
            }
        )
    return conditions


def _value(text: str, column: str, operator: str, kind: type | None) -> str | float | bool:
    value = _read(text)
    if kind in (bool, str) and _OPERATORS[operator] not in ("$eq", "$ne"):
        raise InputError(f"{column!r} holds {_HOLDS[kind]}, which compare with = and != only, not with {operator}.")
    if kind is not None and type(value) is not kind:
        hint = ": put a name in quotes" if kind is str else ""
        raise InputError(f"{column!r} holds {_HOLDS[kind]}, and cannot be compared with {text[:60]}{hint}.")
    return value


def _read(text: str) -> str | float | bool:
    if text[0] in "\"'":
        return text[1:-1]
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        raise InputError(f"{text[:40]!r} is no number to compare with: put a name in quotes.")
    return number
