"""What every kind of result says: what it is of, how it was calculated, whether it may be quoted, and its terms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any

from pydantic import Field, computed_field, model_validator

from iface_wf.documents.base import Document, RelaxedStructure, StoredDocument
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.notebook import html_of
from iface_wf.documents.trust import is_trustworthy

_VIEW = "iface_wf.reports.site.notebook"


#: Longest name of the user's own for a result, characters.
LONGEST_TITLE = 200


def one_line(text: str) -> str:
    """Return a text without line breaks and spaces at its ends; ValueError where nothing is left, or it cannot be printed."""
    line = " ".join(text.split())
    if not line or not line.isprintable():
        raise ValueError("a title is one line of text that can be printed")
    return line


class EnergyTerm(Document):
    """One total energy that entered a result, with where it came from."""

    role: str = Field(description="AB, A, B, A*, B*, A* in AB basis, B* in AB basis")
    energy: float | None = Field(description="eV, with dispersion, extrapolated to zero smearing")
    dispersion_energy: float | None = Field(description="eV; None where the code does not tell it apart")
    key: str = Field(description="Key of the CalculationDocument")
    uuid: str = Field("", description="Job that holds the CalculationDocument")
    converged: bool
    corrections: int = Field(0, description="How many corrections error handlers made")
    flags: list[str] = Field(default_factory=list)


class ResultDocument(StoredDocument, ABC):
    """Base of the documents of all kinds of results; energies in eV, lengths in A, charges in e."""

    key: str = Field(description="Content key of the whole calculation")
    title: str | None = Field(None, description="The user's own name for it")
    filler: str = ""
    surface: str = ""
    polymer: str | None = None
    units: int | None = None
    salt: str | None = None
    formula: str
    n_atoms: int
    area: float = Field(description="Of the cell's face that a and b span, A^2; 0 of what lies in an open box")
    charge: float = Field(0.0, description="Total charge of the cell, e")

    engine: str
    engine_version: str
    level: str
    functional: str
    dispersion: str | None = None
    basis: str = ""
    kpoints: tuple[int, int, int] = (1, 1, 1)
    grid: tuple[int, int, int] | None = None
    energy_type: str = ""
    geometry_engine: str = Field("", description="Which engine relaxed, with its method")

    terms: list[EnergyTerm] = Field(default_factory=list)
    structure: RelaxedStructure = Field(description="What the result is of, relaxed, labelled sites")
    converged: bool = Field(description="Whether every calculation converged, relaxations too")
    flags: list[str] = Field(default_factory=list)
    provenance: dict[str, Any] = Field(default_factory=dict, description="What was asked for and built, and versions")
    wall_time: float | None = Field(None, description="s")
    units_of: dict[str, str] = Field(default_factory=dict, description="Unit and sign by field")
    completed_at: str = ""

    @model_validator(mode="before")
    @classmethod
    def _title_of_request(cls, data: Any) -> Any:
        """Take the title from what was asked for."""
        if isinstance(data, dict) and "title" not in data and isinstance(data.get("provenance"), dict):
            asked = data["provenance"].get("request")
            title = asked.get("title") if isinstance(asked, dict) else None
            return data | {"title": title} if isinstance(title, str) else data
        return data

    @property
    @abstractmethod
    def number(self) -> float | None:
        """The number that the result is about; None where it has none."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def trustworthy(self) -> bool:
        """Whether the number may be quoted, see `iface_wf.documents.trust`."""
        return is_trustworthy(self.converged, self.number, self.flags)

    def _repr_html_(self) -> str:
        """Show the result in a notebook: its numbers, and its structure to turn."""
        view = import_module(_VIEW).view  # of a layer above this one, and only where it is shown
        return f"{html_of(self)}\n{view(self)}"


def method_of(calculation: CalculationDocument) -> dict[str, Any]:
    """Return what a result says of its method, from the calculation that it is of."""
    names = ("engine", "engine_version", "level", "functional", "dispersion", "basis", "kpoints", "grid", "energy_type")
    return {name: getattr(calculation, name) for name in names}


def method_in_words(calculation: CalculationDocument) -> str:
    """Return engine, functional and level of a calculation, for example ``xtb GFN1-xTB (fast)``."""
    return f"{calculation.engine} {calculation.functional} ({calculation.level})"


def term_of(role: str, calculation: CalculationDocument, uuid: str) -> EnergyTerm:
    """Return what a result keeps of one of its calculations.

    Parameters
    ----------
    role
        What the calculation is of, for example ``A*``.
    calculation
        Its document.
    uuid
        Job that holds it.
    """
    return EnergyTerm(
        role=role,
        energy=calculation.energy,
        dispersion_energy=calculation.dispersion_energy,
        key=calculation.key,
        uuid=uuid,
        converged=calculation.converged,
        corrections=len(calculation.corrections),
        flags=calculation.flags,
    )
