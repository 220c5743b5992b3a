"""Whether a document fulfils a MongoDB filter; plain equalities, which most filters consist of, are seen at a glance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mongomock_ng.filtering import filter_applies


def matcher(criteria: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    """Return what says whether a document fulfils a filter.

    Parameters
    ----------
    criteria
        MongoDB filter; an empty one is fulfilled by all.
    """
    plain = [
        (field.split("."), value)
        for field, value in criteria.items()
        if type(value) in (str, int) and not field.startswith("$")
    ]
    simple = len(plain) == len(criteria)

    def fulfils(document: dict[str, Any]) -> bool:
        for path, wanted in plain:
            value: Any = document
            for part in path:
                if type(value) is not dict:
                    break
                value = value.get(part)
            else:
                if value is None or type(value) is type(wanted):
                    if value != wanted:
                        return False
                    continue
            return bool(filter_applies(criteria, document))  # lists, and numbers of several types
        return simple or bool(filter_applies(criteria, document))

    return fulfils
