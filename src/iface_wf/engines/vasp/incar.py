"""INCAR tags as text: read from an INCAR or its echo in OUTCAR, and written in one way, whatever the version."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?")
#: Tags of which 0, F or no value means that nothing is in force.
_OFF_WHEN_EMPTY = frozenset(
    ("IVDW", "IDIPOL", "LDIPOL", "ADDGRID", "LUSE_VDW", "LHFCALC", "BPARAM", "AEXX", "HFSCREEN", "LVDWSCS", "IVDW_NL")
)
_PREC = {"a": "Accurate", "n": "Normal", "s": "Single", "h": "High", "m": "Medium", "l": "Low"}
_LREAL = {"a": "Auto", "o": "On", "t": True, "f": False}


def parse_incar(text: str) -> dict[str, Any]:
    """Read the tags of an INCAR as VASP does.

    Parameters
    ----------
    text
        Lines ``TAG = value``; several by ``;``, comments behind ``!`` or ``#``, continued lines end with a backslash.

    Returns
    -------
    dict
        Upper-case tags: booleans, numbers, lists of them (``3*0.5`` written out) or words. Of a tag that is there
        twice the first counts, as in VASP.
    """
    tags: dict[str, Any] = {}
    for line in re.sub(r"\\[ \t]*\n", " ", text).split("\n"):
        for statement in re.split(r"[!#]", line, maxsplit=1)[0].split(";"):
            name, equals, value = statement.partition("=")
            if equals and re.fullmatch(r"\s*\w+\s*", name) and value.strip():
                tags.setdefault(name.strip().upper(), parse_value(value))
    return tags


def parse_value(text: str) -> Any:
    """Return what a value means: a boolean, a number, a list of numbers, or the words without comment."""
    words = without_comment(text).split()
    if len(words) == 1 and re.fullmatch(r"\.?[TtFf](\w*\.?)?", words[0]) and _is_logical(words[0]):
        return words[0].strip(".")[0].upper() == "T"
    numbers: list[float] = []
    for word in words:
        count, star, value = word.partition("*")
        if star and not count.isdigit():
            return " ".join(words)
        value = value if star else count
        if _NUMBER.fullmatch(value) is None:
            return " ".join(words)
        numbers += [_number(value)] * (int(count) if star else 1)
    return numbers[0] if len(numbers) == 1 else numbers


def _is_logical(word: str) -> bool:
    return word.strip(".").upper() in ("T", "F", "TRUE", "FALSE")


def _number(word: str) -> float:
    value = float(re.sub("[dD]", "e", word))
    return int(value) if re.fullmatch(r"[+-]?\d+", word) else value


def without_comment(text: str) -> str:
    """Cut a comment, a following statement and quotation marks off a value."""
    return re.split(r"[!#;]", text, maxsplit=1)[0].strip().strip("'\"").strip()


def canonical(name: str, value: Any) -> Any:
    """Write one meaning in one way, whatever the version; None for what is not in force."""
    if isinstance(value, str):
        value = without_comment(value)
    if name == "PREC" and value is not None:
        return _PREC.get(str(value)[:1].lower(), value)
    if name in ("GGA", "METAGGA"):
        text = str(value or "").upper()
        return None if text in ("", "NONE", "F", "FALSE", "--" if name == "METAGGA" else "") else text
    if name == "LREAL" and isinstance(value, str):
        return _LREAL.get(value.strip(".").lower()[:1], value)
    if name == "DIPOL" and value is not None and min(value) < -99:
        return None  # VASP's mark for: not given
    if name in _OFF_WHEN_EMPTY and not value:
        return None
    if name == "IVDW" and value in (1, 2):
        return 10 * value  # two numbers of one method each
    return value


def same_value(one: Any, other: Any) -> bool:
    """Say whether two values of a tag mean the same: numbers within 1e-6 of each other, words in any case."""
    if isinstance(one, (list, tuple)) or isinstance(other, (list, tuple)):
        rows = [list(v) if isinstance(v, (list, tuple)) else [v] for v in (one, other)]
        return len(rows[0]) == len(rows[1]) and all(same_value(a, b) for a, b in zip(*rows, strict=True))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return abs(one - other) <= 1e-6 * max(abs(one), abs(other), 1e-2)
    return str(one).casefold() == str(other).casefold()


def is_empty(value: Any) -> bool:
    """Say whether a value is the same as no tag: off, zero, nothing, or a list of these."""
    if isinstance(value, (list, tuple)):
        return all(is_empty(v) for v in value)
    return not value or (isinstance(value, str) and value.upper() in ("NONE", "F", "FALSE", ".FALSE.", "--"))


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the tags that both have, but with another meaning."""
    return sorted(name for name in set(one) & set(other) if not same_value(one[name], other[name]))


def unlike_tags(part: Mapping[str, Any], whole: Mapping[str, Any]) -> list[str]:
    """Say in which further tags two runs differ, from their settings.

    Defaults change from version to version, so a tag that one run does not know counts only where the other's INCAR
    gives it.

    Parameters
    ----------
    part, whole
        Settings with the tables ``incar`` (written) and ``parameters`` (in force); without them nothing is said.

    Returns
    -------
    list of str
        ``TAG (value, value)``, of the part and of the whole.
    """
    tables = [(s.get("incar"), s.get("parameters")) for s in (part, whole)]
    if any(written is None or used is None for written, used in tables):
        return []
    (own, used), (its, total) = ((w or {}, u or {}) for w, u in tables)
    unlike = []
    for name in sorted({*own, *its, *(set(used) & set(total))}):
        values = [u.get(name, w.get(name)) for w, u in ((own, used), (its, total))]
        if not same_value(*values) and not all(is_empty(value) for value in values):
            unlike.append(f"{name} ({_shown(values[0])}, {_shown(values[1])})")
    return unlike


def _shown(value: Any) -> str:
    return "not given" if value is None else str(value)


def types_not_conserved(parts: Iterable[Mapping[str, Any]], whole: Mapping[str, Any]) -> list[str]:
    """Say which kinds of atoms (element, POTCAR, U and other tags of a type) do not add up to those of the whole.

    Parameters
    ----------
    parts, whole
        Settings with the table ``types``; without it nothing is said.
    """
    counted = []
    for settings in (*parts, whole):
        if settings.get("types") is None:
            return []
        counts: Counter[str] = Counter()
        for kind in settings["types"]:
            name = ", ".join(
                f"{key} {value}" for key, value in sorted(kind.items()) if key != "atoms" and value is not None
            )
            counts[name] += int(kind["atoms"])
        counted.append(counts)
    *some, total = counted
    found = sum(some, Counter[str]())
    return [
        f"{name}: {found[name]} and {total[name]}" for name in sorted({*found, *total}) if found[name] != total[name]
    ]
