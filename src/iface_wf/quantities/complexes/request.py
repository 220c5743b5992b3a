"""What a user asks for: two molecules, an ion pair, or an ion at a molecule, in an open box."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pymatgen.core import Structure

from iface_wf.builders.spec import NO_FILLER, InterfaceSpec, MoleculeSpec
from iface_wf.engines.base import Engine
from iface_wf.errors import InputError
from iface_wf.flows.request import Request, for_molecules, method_of
from iface_wf.flows.search.budget import MOST_STEPS, Budget, budget_of
from iface_wf.library.records import FillerRecord

#: Fields that say what the first molecule is; the same names as of what lies on a slab.
HOST = tuple(MoleculeSpec.model_fields)
#: Edges of boxes are whole multiples of so many grid steps.
_STEPS = 4


class ComplexRequest(MoleculeSpec, Request):
    """Base of the requests of results in an open box.

    Attributes
    ----------
    engine, level, geometry, overrides, processes, quantities
        See `iface_wf.flows.request.Request`.
    polymer, units, sequence, caps, tacticity, conformation, molecule, molecule_charge, n_conformers
        The molecule, see `iface_wf.builders.spec.MoleculeSpec`, and how many conformers are tried.
    placements
        Candidates of each batch of the searches: for the complex, and for each piece alone; with one nothing is searched.
    search
        Steps of relaxation that the cheap engine may take, as for an interface; the pieces of a complex take five times as many.
    isomers
        So many of the lowest distinct minima of the complex are relaxed and calculated by the engine; the lowest counts.
    seed
        Seed of everything random.
    max_atoms
        Complexes with more atoms are refused.
    """

    n_conformers: int = Field(default=10, ge=1, le=500)
    placements: int = Field(default=8, ge=1, le=1000)
    search: int | None = Field(default=None, ge=0, le=MOST_STEPS)
    isomers: int = Field(default=3, ge=1, le=20)
    seed: int = Field(default=0, ge=0, lt=2**31)
    max_atoms: int = Field(default=300, ge=1, le=100_000)

    kind: ClassVar[str]

    @property
    def budget(self) -> Budget:
        """What the searches may cost."""
        return budget_of(self.level, self.search)

    @property
    def host_name(self) -> str:
        """Name of the molecule for people, for example ``PEO x 4``; empty where there is none."""
        units = "" if self.units is None else f" x {self.units}"
        return f"{self.polymer or PurePath(self.molecule or '').name}{units}"

    @property
    def host(self) -> InterfaceSpec | None:
        """What the molecule is, as what lies on a slab; None where there is none."""
        if self.polymer is None and self.molecule is None:
            return None
        told = {name: getattr(self, name) for name in (*HOST, "n_conformers", "seed", "max_atoms")}
        return InterfaceSpec(filler=NO_FILLER, **told)

    @model_validator(mode="after")
    def _a_whole_molecule(self) -> Self:
        """Refuse options of another kind of molecule, as for what lies on a slab."""
        if self.host is None:
            fields = type(self).model_fields
            given = [name for name in HOST if getattr(self, name) != fields[name].default]
            if given:
                raise ValueError(f"{given[0]!r} means nothing without a polymer or a molecule")
        return self

    def main_engine(self, *fillers: FillerRecord) -> Engine:
        """Return the engine of the energies, as it is used where there is no surface; see `Request.main_engine`."""
        return for_molecules(super().main_engine(*fillers))

    def searching(self) -> tuple[Any, ...] | None:
        """Return what decides the searches; None where nothing is searched."""
        return self.budget.deciding(self.placements)

    def key(self, parts: Mapping[str, str], elements: set[str]) -> str:
        """Return the content key of the result from the digests of A, B and AB as built."""
        options: dict[str, Any] = {"placements": self.placements, "seed": self.seed}
        if (search := self.searching()) is not None:
            options |= {"search": list(search), "ranking": method_of(self.ranking_engine(), elements)}
            options["isomers"] = self.isomers
        return self.content_key(self.kind, parts, options, elements=elements)


class PairRequest(ComplexRequest):
    """Binding energy of two molecules, or of a molecule and a salt or one of its ions, without a surface.

    Attributes
    ----------
    partner, partner_units
        The second molecule: a polymer of the library or a PSMILES, with its number of units, or SMILES, ``EC``, ``DMC``, or the
        path of an ``.xyz`` file.
    salt, salt_part
        Or a salt of the library: as ion pair, or one of its ions.

    Examples
    --------
    >>> PairRequest(molecule="COC", partner="O", engine="xtb").label
    'COC with O'
    """

    kind = "pair"
    quantities: tuple[str, ...] = ("pair_binding_energy",)
    partner: str | None = None
    partner_units: int | None = None
    salt: str | None = None
    salt_part: Literal["pair", "cation", "anion"] = "pair"

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.host is None:
            raise ValueError("give a polymer or a molecule")
        if (self.partner is None) == (self.salt is None):
            raise ValueError("give what it is bound to: a partner or a salt, and not both")
        if self.partner is None and self.partner_units is not None:
            raise ValueError("'partner_units' means nothing without a partner")
        if self.salt is None and self.salt_part != "pair":
            raise ValueError("'salt_part' means nothing without a salt")
        return self

    @property
    def other_name(self) -> str:
        """Name of the second molecule, for people."""
        if self.salt is not None:
            return self.salt if self.salt_part == "pair" else f"{self.salt_part} of {self.salt}"
        units = "" if self.partner_units is None else f" x {self.partner_units}"
        return f"{PurePath(self.partner or '').name}{units}"

    @property
    def label(self) -> str:
        """Name for people."""
        return f"{self.host_name} with {self.other_name}"


def box_step(engine: Engine) -> float | None:
    """Return what the edges of all boxes are multiples of, A, so that all have the same grid steps; None: as by default.

    On a real-space grid an absolute energy hangs on the steps by tenths of an eV.
    """
    return _STEPS * float(engine.defaults()["grid_spacing"]) if engine.grid_bound else None


def require_charge(engine: Engine, *parts: Structure) -> None:
    """Refuse charged parts where the engine cannot treat them.

    Raises
    ------
    InputError
        With the reason.
    """
    charged = [part for part in parts if abs(part.properties.get("charge", 0.0)) > 1e-6]
    if not charged:
        return
    formula = charged[0].properties.get("formula", "a part")
    if engine.engine_name == "vasp":
        raise InputError(
            f"{formula} carries a charge, and VASP repeats every box: its correction is for one charge in one cubic box, and leaves "
            "an error of unknown size in the difference of unlike charges: use gpaw, whose boxes are open."
        )
    if engine.engine_name == "mlip":
        raise InputError(f"{formula} carries a charge, of which ML potentials know nothing: use gpaw or xtb.")
