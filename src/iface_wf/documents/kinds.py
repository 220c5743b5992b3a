"""Kinds of results: what store, tables, pages and queues must know of each, told once by the room that it has.

A kind is an object of the class below, registered in the entry-point group ``iface_wf.quantities``, this program's own in
the table below; so a package of somebody else adds one without touching ours.
"""

from __future__ import annotations

import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from iface_wf.documents.result import ResultDocument
from iface_wf.errors import InputError, unknown_name
from iface_wf.plugins import Registry

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: Of the roles of calculations, for people; see `iface_wf.documents.labels`.
ROLES = {
    "AB": "the interface",
    "A": "filler, relaxed alone",
    "B": "molecule, relaxed alone",
    "A*": "filler, frozen as in AB, in AB's cell",
    "B*": "molecule, frozen as in AB, in AB's cell",
    "A* in AB basis": "A* with the basis functions of AB",
    "B* in AB basis": "B* with the basis functions of AB",
    "BN": "one molecule of a kind, relaxed alone",
    "molecule N*": "one molecule, frozen as it lies among the others, in AB's cell",
    "molecule N* in B* basis": "the same with the basis functions of the other molecules",
}


def meaning_of(role: str, roles: Mapping[str, str]) -> str:
    """Say what a calculation is of, by its role; empty where nobody tells. One of several that are numbered is any of them."""
    return roles.get(role) or roles.get(re.sub(r"\d+", "N", role), "")


@dataclass(frozen=True)
class Column:
    """A column of the table of results.

    Attributes
    ----------
    name
        Of the column, in tables, conditions and programs.
    field
        Where the document has it, for example ``deformation_energy.A``.
    unit
        Unit and sign; empty for names and marks.
    digits
        After the point, on a terminal.
    shown
        Whether a terminal shows it: always, or only where a row has a value.
    uncertainty
        Name of the column that holds its uncertainty, in the same unit; empty where there is none.
    """

    name: str
    field: str
    unit: str = ""
    digits: int = 3
    shown: bool = False
    uncertainty: str = ""

    def type_in(self, document: type[ResultDocument]) -> type[bool] | type[float] | type[str] | None:
        """Say what a column holds: truth values, numbers or text, that of lists too; None where the document leaves it open."""
        if self.unit:
            return float
        if self.field in document.model_computed_fields:
            kind = document.model_computed_fields[self.field].return_type
        else:
            kind = document.model_fields[self.field].annotation if self.field in document.model_fields else None
        held = {kind, *typing.get_args(kind)} - {type(None)}
        for each in (bool, float, str):
            if held & ({int, float} if each is float else {each}):
                return each
        return None


@dataclass(frozen=True)
class Row:
    """A line of a result's summary: a quantity with its value, unit and meaning in a few words, and its uncertainty."""

    name: str
    value: float | None
    unit: str
    meaning: str = ""
    uncertainty: float | None = None


@dataclass(frozen=True)
class Section:
    """A table of a result's page: a title, headings and rows of plain values."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]


class ResultKind(ABC):
    """What is to be known of one kind of result once it is stored.

    Attributes
    ----------
    name
        ``document_type`` of its documents.
    title
        For people.
    quantities
        What can be asked for by name; each one needs what the ones before it need.
    columns
        Of its table, beside those that all kinds have.
    headline
        Column of the number that it is about, by which results are ranked.
    highest_first
        Whether the highest number ranks first; by default the lowest.
    roles
        What its calculations are of, by role, for people.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    quantities: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[Column, ...]]
    headline: ClassVar[str]
    highest_first: ClassVar[bool] = False
    roles: ClassVar[Mapping[str, str]] = ROLES

    @property
    @abstractmethod
    def document(self) -> type[ResultDocument]:
        """Class of its documents."""

    @abstractmethod
    def title_of(self, document: Any) -> str:
        """Name a result for people, for example ``PEO (2 units) on SiO2 (101)``."""

    def heading_of(self, document: Any) -> str:
        """Name a result for people with the user's own title, if it has one, before what it is."""
        title: str | None = getattr(document, "title", None)
        return f"{title}: {self.title_of(document)}" if title else self.title_of(document)

    @abstractmethod
    def summary(self, document: Any) -> list[Row]:
        """Return the quantities of a result, for a terminal and for its page."""

    def needed(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Return what is to be calculated for some quantities: those of this kind, and what they need on the way."""
        mine = [self.quantities.index(each) for each in wanted if each in self.quantities]
        return self.quantities[: 1 + max(mine)] if mine else ()

    def figure(self, document: Any, iso: float | None = None) -> Figure | None:
        """Draw a result; None where there is nothing to draw.

        Parameters
        ----------
        document
            The result, its densities loaded.
        iso
            Isovalue in e/A^3, where it has a density; by default chosen from it.
        """
        return None

    def sections(self, document: Any) -> list[Section]:
        """Return further tables of a result's page."""
        return []


#: What is meant where no kind is named.
DEFAULT_KIND = "binding"
KINDS: Registry[ResultKind] = Registry(
    "kind of result",
    "iface_wf.quantities",
    ResultKind,  # type: ignore[type-abstract]
    {
        "binding": "iface_wf.quantities.binding:BINDING",
        "thermal": "iface_wf.quantities.thermal:THERMAL",
        "surface": "iface_wf.quantities.surface:SURFACE",
        "adhesion": "iface_wf.quantities.adhesion:ADHESION",
        "pair": "iface_wf.quantities.complexes:PAIR",
        "dissociation": "iface_wf.quantities.complexes:DISSOCIATION",
        "li_binding": "iface_wf.quantities.complexes:LI_BINDING",
        "reaction": "iface_wf.quantities.reactions:REACTION",
    },
)


def kind_names() -> list[str]:
    """List the names of all kinds of results."""
    return list(KINDS.names())


def get_kind(name: str) -> ResultKind:
    """Return a kind by its name.

    Raises
    ------
    InputError
        For an unknown one, with the nearest known ones.
    """
    return KINDS.load(name)


def kinds() -> list[ResultKind]:
    """Return all kinds that can be used, this program's own first."""
    return list(KINDS.usable().values())


def quantity_names() -> list[str]:
    """List everything that can be asked for by name."""
    return [each for kind in kinds() for each in kind.quantities]


def kind_of(quantity: str) -> ResultKind:
    """Return the kind that has a quantity.

    Raises
    ------
    InputError
        When no kind has it, with the nearest known ones, and with a kind of another package that cannot be used.
    """
    known = {each: kind for kind in reversed(kinds()) for each in kind.quantities}
    if quantity not in known:
        unknown = unknown_name("quantity", quantity, known)
        broken = next(iter(KINDS.problems().values()), None)
        raise (
            unknown
            if broken is None
            else InputError(f"{str(unknown).rstrip('.')}; and there is a broken one: {broken}")
        )
    return known[quantity]


def kind_of_all(quantities: Sequence[str]) -> ResultKind:
    """Return the one kind that all of some quantities belong to.

    Raises
    ------
    InputError
        For an unknown quantity, and where they belong to several kinds.
    """
    found = {kind.name: kind for kind in map(kind_of, quantities)}
    if len(found) > 1:
        raise InputError(
            f"The quantities {', '.join(quantities)} belong to several kinds of results ({', '.join(found)}): ask for each "
            "kind by itself, or for all of them in a screening."
        )
    return next(iter(found.values()))
