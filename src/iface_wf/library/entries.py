"""Energies of phases from a file of the user: entries as pymatgen writes them, read as numbers and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator
from pymatgen.core import Composition, Element

from iface_wf.errors import InputError, validate
from iface_wf.library.files import read_bytes

#: Larger files are no list of phases.
MAX_BYTES = 200_000_000
MAX_ENTRIES = 100_000


class PhaseEntry(BaseModel):
    """The energy of one phase.

    Attributes
    ----------
    composition
        Atoms by element, or a formula.
    energy
        Of these atoms, eV, without corrections.
    correction
        What is added, eV, for example that of the Materials Project.
    entry_id
        Where it is from.
    parameters
        How it was calculated; ``run_type`` is compared.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    composition: dict[str, FiniteFloat]
    energy: FiniteFloat
    correction: FiniteFloat = 0.0
    entry_id: str | int | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("composition", mode="before")
    @classmethod
    def _from_formula(cls, value: Any) -> Any:
        if isinstance(value, str):
            if not value or len(value) > 200:
                raise ValueError("is no formula")
            value = Composition(value).as_dict()
        return value

    @field_validator("composition")
    @classmethod
    def _of_elements(cls, value: dict[str, float]) -> dict[str, float]:
        unknown = [symbol for symbol in value if not Element.is_valid_symbol(symbol)]
        if unknown:
            raise ValueError(f"{unknown[0][:20]!r} is no element")
        if not value or min(value.values()) <= 0:
            raise ValueError("needs positive numbers of atoms")
        return value

    @property
    def formula(self) -> str:
        """Reduced formula."""
        return str(Composition(self.composition).reduced_formula)

    @property
    def total(self) -> float:
        """Energy with correction, eV."""
        return self.energy + self.correction


def read_entries(path: Path) -> list[PhaseEntry]:
    """Read the energies of phases.

    Parameters
    ----------
    path
        JSON: a list of entries as pymatgen's ``ComputedEntry.as_dict`` writes them. Classes that the file names are not looked at.

    Raises
    ------
    InputError
        For a file that is no such list, naming the entry.
    """
    raw = read_bytes(path, MAX_BYTES)
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {(str(error).splitlines() or ['too deep'])[0][:100]}.") from error
    if not isinstance(data, list) or not data or len(data) > MAX_ENTRIES:
        raise InputError(
            f"{path} must be a list of 1 to {MAX_ENTRIES:,} entries, each with a composition and an energy (eV)."
        )
    return [_entry(each, f"{path}, entry {number}") for number, each in enumerate(data, start=1)]


def _entry(data: Any, where: str) -> PhaseEntry:
    if not isinstance(data, dict):
        raise InputError(f"{where} must be a mapping with a composition and an energy (eV).")
    return validate({str(key): value for key, value in data.items()}, PhaseEntry, where)


def run_types(entries: Sequence[PhaseEntry]) -> list[str]:
    """Return how entries say that they were calculated, each once; nothing where they do not say."""
    return sorted({str(entry.parameters["run_type"]) for entry in entries if "run_type" in entry.parameters})
