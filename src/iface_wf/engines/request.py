"""What one calculation is: everything that decides its result, and the content key that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Structure

from iface_wf.documents.base import StructureDict
from iface_wf.documents.calculation import CalculationKind
from iface_wf.engines.profile import ENGINES
from iface_wf.store.canonical import CalculationKey, calculation_key


class CalculationRequest(BaseModel):
    """Everything that decides the result of one calculation.

    Attributes
    ----------
    structure
        pymatgen structure as a dict, labelled sites; ``lattice.pbc`` says which directions are periodic.
    settings
        Complete settings of the code, defaults written out.
    ghosts
        Indices of sites that carry basis functions only.
    densities
        Which densities are wanted: ``pseudo`` is stored, for difference densities; ``all_electron`` is made on a
        finer grid, divided into Bader charges, and dropped.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: CalculationKind
    engine: str
    level: str
    structure: StructureDict
    settings: dict[str, Any]
    ghosts: list[int] = Field(default_factory=list)
    densities: list[str] = Field(default_factory=list)
    role: str = ""

    @cached_property
    def atoms_structure(self) -> Structure:
        """The structure as a pymatgen object, made once: to be read, not changed."""
        return Structure.from_dict(self.structure)

    def key(self) -> CalculationKey:
        """Content key of the calculation.

        Returns
        -------
        CalculationKey
            SHA-256, hexadecimal. Technical settings, package versions, site order, translation and labels play no
            part; the wanted densities do, because a stored document without them is no answer.
        """
        return self._key

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy, whose structure and key are worked out anew."""
        copy = super().model_copy(update=update, deep=deep)
        for made_once in ("atoms_structure", "_key"):
            copy.__dict__.pop(made_once, None)
        return copy

    @cached_property
    def _key(self) -> CalculationKey:
        physical = ENGINES.load(self.engine).physical(self.settings)
        physical |= {"engine": self.engine, "densities": sorted(self.densities)}
        return calculation_key(self.atoms_structure, physical, self.kind, ghosts=self.ghosts)
