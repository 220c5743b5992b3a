"""The settings of an engine as a list: what each is, what is allowed, and what a level says."""

from __future__ import annotations

import inspect
import re
from typing import Any, NamedTuple

from iface_wf.engines.profile import EngineProfile

_KINDS = {"number": "number", "integer": "whole number", "boolean": "true or false", "string": "text", "array": "list"}
_KINDS |= {"object": "table", "null": "null"}
_LIMITS = (("exclusiveMinimum", "above"), ("minimum", "from"), ("exclusiveMaximum", "below"), ("maximum", "to"))


class Setting(NamedTuple):
    """One setting.

    Attributes
    ----------
    name, value
        Its name as an override, and what the level says; None where it says nothing.
    allowed
        Type and range in words, with the unit.
    meaning
        What it is.
    """

    name: str
    value: Any
    allowed: str
    meaning: str


def settings_of(profile: EngineProfile, level: str) -> list[Setting]:
    """List the settings of an engine.

    Parameters
    ----------
    profile
        The engine.
    level
        Whose values are shown.

    Raises
    ------
    InputError
        For an unknown level.
    """
    values, table = profile.settings(level, {}), profile.settings_table()
    schema = table.model_json_schema()
    meanings = _meanings(inspect.getdoc(table) or "")
    return [
        Setting(name, values.get(name), _allowed(found, schema.get("$defs", {})), meanings.get(name, ""))
        for name, found in schema["properties"].items()
    ]


def _allowed(found: dict[str, Any], named: dict[str, Any]) -> str:
    """Say in words what a JSON schema allows."""
    if "$ref" in found:
        return _allowed(named[found["$ref"].rpartition("/")[2]], named)
    if "anyOf" in found:
        words = [_allowed(each, named) for each in found["anyOf"]]
        return " or ".join(dict.fromkeys(word for word in words if word != "null"))
    if "enum" in found or "const" in found:
        return ", ".join(map(str, found.get("enum", [found.get("const")])))
    limits = [f"{word} {found[name]:g}" for name, word in _LIMITS if name in found]
    return " ".join(
        [_KINDS.get(str(found.get("type")), "any value"), *limits, str(found.get("description", ""))]
    ).strip()


def _meanings(doc: str) -> dict[str, str]:
    """Read the section Attributes of a docstring: text by name."""
    _, _, section = doc.partition("Attributes\n----------\n")
    found: dict[str, str] = {}
    for names, text in re.findall(r"^(\w[\w, ]*)\n((?:    .*\n?)+)", section, re.MULTILINE):
        meaning = " ".join(text.split()).replace("``", "")
        found |= dict.fromkeys(
            (name.strip() for name in names.split(",")), re.sub(r"`(?:\w+\.)*(\w+)`", r"\1", meaning)
        )
    return found
