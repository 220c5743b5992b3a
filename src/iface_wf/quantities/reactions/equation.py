"""Reactions as people write them: ``SiO2-SO3Li + HTFSI -> SiO2-SO3H + LiTFSI``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from iface_wf.errors import shown

#: Most that stands on both sides together.
MOST_TERMS = 12
#: Largest number before a term, and of a polymer's units.
MOST_OF_EACH, MOST_UNITS = 100, 50
_ARROW = re.compile(r"\s+(?:->|→)\s+")
_NUMBER = re.compile(r"[+-]?\d[\d./,e]*\s")
_PLUS = re.compile(r"(?<=\s)\+(?=\s)")
_TERM = re.compile(r"(?:(\d+)\s+)?(\S.*?)(?:\s+x\s+(\d+))?")


@dataclass(frozen=True)
class Term:
    """What stands between two plus signs.

    Attributes
    ----------
    role
        ``L1``, ``L2``, ... on the left, ``R1``, ... on the right.
    count
        How many of it take part.
    name
        As written.
    units
        Repeat units of a polymer, as in ``PEO x 2``; None where none are given.
    """

    role: str
    count: int
    name: str
    units: int | None = None

    @property
    def factor(self) -> int:
        """What its energy counts by: negative on the left."""
        return self.count if self.role.startswith("R") else -self.count

    @property
    def text(self) -> str:
        """As it is written, spaces put in order."""
        units = "" if self.units is None else f" x {self.units}"
        return f"{self.count if self.count > 1 else ''} {self.name}{units}".strip()


def parse(text: str) -> tuple[Term, ...]:
    """Read a reaction.

    Parameters
    ----------
    text
        Terms with `` + `` between them and `` -> `` between the sides; names hold no such signs with spaces around them.

    Returns
    -------
    tuple of Term
        Those on the left first.

    Raises
    ------
    ValueError
        Saying what is wrong: inside a model, so that the text comes with its place.
    """
    if not text.isprintable():
        raise ValueError(f"a reaction is one line of text that can be printed, not {shown(text)}")
    sides = _ARROW.split(text.strip())
    if len(sides) != 2:
        raise ValueError(
            "a reaction has two sides with an arrow between them, spaces around it: 'SiO2-SO3Li + HTFSI -> SiO2-SO3H + LiTFSI', "
            f"not {shown(text)}"
        )
    found = [_term(each, f"{side}{i}") for side, whole in zip("LR", sides, strict=True) for i, each in _numbered(whole)]
    if len(found) > MOST_TERMS:
        raise ValueError(f"a reaction has at most {MOST_TERMS} terms, not {len(found)}")
    seen: dict[tuple[str, int | None], Term] = {}
    for term in found:
        other = seen.setdefault((term.name.casefold(), term.units), term)
        if other is term:
            continue
        if other.role[0] == term.role[0]:
            raise ValueError(f"{shown(term.name)} stands twice on one side: write it once, with its number before it")
        raise ValueError(f"{shown(term.name)} stands on both sides: leave out what does not react")
    return tuple(found)


def written(terms: Iterable[Term]) -> str:
    """Write a reaction."""
    sides = (" + ".join(term.text for term in terms if term.role.startswith(side)) for side in "LR")
    return " -> ".join(sides)


def unbalanced(terms: Iterable[Term], contents: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Say by how many atoms of each element the right side has more than the left; empty where the reaction is balanced.

    Parameters
    ----------
    terms
        Of the reaction.
    contents
        Atoms of each element by role.
    """
    more: dict[str, float] = {}
    for term in terms:
        for element, number in contents[term.role].items():
            more[element] = more.get(element, 0.0) + term.factor * number
    return {element: number for element, number in sorted(more.items()) if abs(number) > 1e-6}


def _numbered(side: str) -> list[tuple[int, str]]:
    return list(enumerate(_PLUS.split(f" {side.strip()} "), start=1))


def _term(text: str, role: str) -> Term:
    found = _TERM.fullmatch(text.strip())
    if found is None:
        raise ValueError("a side of the reaction, or what stands between two plus signs, is empty")
    if _NUMBER.match(found[2]):
        raise ValueError(
            f"{shown(text.strip())}: before a name stands a whole number from 1 to {MOST_OF_EACH}, and a space between them"
        )
    count, units = int(found[1] or 1), None if found[3] is None else int(found[3])
    if not 1 <= count <= MOST_OF_EACH:
        raise ValueError(f"{shown(found[2])} has the number {count} before it, allowed are 1 to {MOST_OF_EACH}")
    if units is not None and not 1 <= units <= MOST_UNITS:
        raise ValueError(f"{shown(found[2])} has {units} units, allowed are 1 to {MOST_UNITS}")
    return Term(role, count, found[2], units)
