"""What a library file may say: one pydantic record for each kind, unknown keys forbidden."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator
from pymatgen.core import Composition
from rdkit import Chem, rdBase

Distance = Annotated[float, Field(gt=0, le=10)]
Miller = tuple[int, int, int]
#: Of a slab, or diameter of a wire, A.
Thickness = Annotated[float, Field(ge=0.5, le=60)]
#: Smallest lengths of the two in-plane cell vectors, A.
InPlane = tuple[Annotated[float, Field(ge=0, le=500)], Annotated[float, Field(ge=0, le=500)]]
Passivation = Literal["none", "hydroxyl"]
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+()-]*$")]


def _parse_smiles(smiles: str, stars: int) -> Chem.Mol:
    """Parse SMILES that must have a given number of open ends; ValueError says what is wrong."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
    if mol is None or mol.GetNumAtoms() == 0:
        raise ValueError(f"{smiles[:80]!r} is not a SMILES that RDKit can read")
    ends = [a for a in mol.GetAtoms() if a.GetAtomicNum() == 0]
    if len(ends) != stars or any(a.GetDegree() != 1 for a in ends):
        raise ValueError(f"{smiles[:80]!r} must have {stars} '*' ends with one bond each, it has {len(ends)}")
    return mol


class LibraryRecord(BaseModel):
    """What every library file must say.

    Attributes
    ----------
    name, aliases
        Names by which it is found, case ignored.
    title
        One line for people.
    source
        DOI or book of the data in the file.
    notes, warnings
        Remarks; warnings are shown whenever the record is used.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name: Name
    aliases: tuple[Name, ...] = ()
    title: str = Field(min_length=1)
    source: str = Field(min_length=3)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Caps(BaseModel):
    """Capping groups of an oligomer: SMILES with one ``*``, the bond to the chain; hydrogen by default."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    head: str = "[H]*"
    tail: str = "*[H]"

    @field_validator("head", "tail")
    @classmethod
    def _one_end(cls, value: str) -> str:
        _parse_smiles(value, stars=1)
        return value


class PolymerRecord(LibraryRecord):
    """A polymer as repeat units; the first ``*`` of a unit points to the head, the second to the tail.

    Attributes
    ----------
    psmiles
        Repeat unit of a homopolymer, with two ``*``; or else ``units`` and ``sequence``.
    units, sequence
        Repeat units of a copolymer by letter, and the default order of the letters from head to tail;
        it is repeated or cut when another number of units is asked for.
    caps
        Capping groups. A monomer such as PEGDA is a repeat unit between two reactive caps.
    counter_ion
        SMILES of the cation that neutralises each negative charge of an ionomer.
    default_units
        Number of repeat units when the user gives none; a copolymer's is the length of ``sequence``.
    functional_groups
        Name -> SMARTS; the first atom of a match is the one that binds a cation.
    conformation
        Default shape: the ``lowest`` conformer, or the ``trans`` chain (beta-PVDF).
    """

    psmiles: str | None = None
    units: dict[Annotated[str, Field(pattern=r"^[A-Z]$")], str] = Field(default_factory=dict)
    sequence: str | None = None
    caps: Caps = Caps()
    counter_ion: str | None = None
    default_units: int = Field(default=4, ge=1, le=50)
    functional_groups: dict[str, str] = Field(default_factory=dict)
    conformation: Literal["lowest", "trans"] = "lowest"

    @field_validator("psmiles")
    @classmethod
    def _two_ends(cls, value: str | None) -> str | None:
        if value is not None:
            _parse_smiles(value, stars=2)
        return value

    @field_validator("units")
    @classmethod
    def _two_ends_each(cls, value: dict[str, str]) -> dict[str, str]:
        for smiles in value.values():
            _parse_smiles(smiles, stars=2)
        return value

    @field_validator("counter_ion")
    @classmethod
    def _cation(cls, value: str | None) -> str | None:
        if value is not None and Chem.GetFormalCharge(_parse_smiles(value, stars=0)) <= 0:
            raise ValueError(f"{value!r} must be a cation")
        return value

    @field_validator("functional_groups")
    @classmethod
    def _smarts(cls, value: dict[str, str]) -> dict[str, str]:
        with rdBase.BlockLogs():
            bad = [smarts for smarts in value.values() if not smarts or Chem.MolFromSmarts(smarts) is None]
        if bad:
            raise ValueError(f"{bad[0]!r} is not a SMARTS that RDKit can read")
        return value

    @model_validator(mode="before")
    @classmethod
    def _length_of_sequence(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("sequence"), str) and "default_units" not in data:
            return data | {"default_units": len(data["sequence"].strip())}
        return data

    @model_validator(mode="after")
    def _one_description(self) -> Self:
        if (self.psmiles is None) == (not self.units) or bool(self.units) != bool(self.sequence):
            raise ValueError("give either 'psmiles', or 'units' together with 'sequence'")
        if self.sequence is not None:
            unknown = sorted(set(self.sequence) - set(self.units))
            if unknown:
                raise ValueError(f"'sequence' uses {unknown[0]!r}, which is not among the units")
        return self


class MoleculeRecord(LibraryRecord):
    """A molecule by its SMILES, for example a solvent."""

    smiles: str

    @field_validator("smiles")
    @classmethod
    def _readable(cls, value: str) -> str:
        mol = _parse_smiles(value, stars=0)
        if len(Chem.GetMolFrags(mol)) != 1:
            raise ValueError(f"{value[:80]!r} has several unconnected parts: give one molecule")
        return value


class SaltRecord(LibraryRecord):
    """A salt of one cation and one anion of opposite charge, both as SMILES."""

    cation: str
    anion: str

    @model_validator(mode="after")
    def _charges(self) -> Self:
        plus, minus = (Chem.GetFormalCharge(_parse_smiles(s, stars=0)) for s in (self.cation, self.anion))
        if plus <= 0 or plus + minus != 0:
            raise ValueError(f"cation and anion must have opposite charges, they have {plus:+d} and {minus:+d}")
        return self


class SurfaceSpec(BaseModel):
    """One surface of a filler.

    Attributes
    ----------
    miller
        Indices in the conventional cell.
    thickness
        Smallest extent of the slab along its normal in A, before passivation.
    termination
        Label (``"2"`` or ``"2:Li-O"``) of the termination to use; by default the first one.
    passivation
        ``"hydroxyl"`` closes every broken bond with OH or H, ``"none"`` leaves the cut as it is.
    condense
        Condense neighbouring silanols of a hydroxylated silica surface until their density lies in the record's
        ``silanols``, or in 4 to 6 per nm^2.
    in_plane
        Smallest lengths of the two in-plane cell vectors in A when the user gives none.
    frozen_fraction
        Share of the slab's thickness, from the bottom, whose atoms are held.
    reason
        Why this surface, with its source.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    miller: Miller
    thickness: Thickness
    termination: str | None = None
    passivation: Passivation = "none"
    condense: bool = False
    in_plane: InPlane | None = None
    frozen_fraction: float = Field(default=0.4, ge=0, lt=1)
    reason: str = ""

    @field_validator("miller")
    @classmethod
    def _not_zero(cls, value: Miller) -> Miller:
        if not any(value):
            raise ValueError("Miller indices 0 0 0 are no plane")
        return value

    @model_validator(mode="after")
    def _silanols_to_condense(self) -> Self:
        if self.condense and self.passivation != "hydroxyl":
            raise ValueError("'condense' needs passivation 'hydroxyl'")
        return self


class Silanols(BaseModel):
    """How many silanols a face of silica may have.

    Attributes
    ----------
    min_per_nm2, max_per_nm2
        Allowed range of their density, per nm^2 and face.
    source
        Where these numbers come from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_per_nm2: float = Field(ge=0)
    max_per_nm2: float = Field(gt=0)
    source: str


class Disorder(BaseModel):
    """How partly occupied sites become an ordered cell.

    Attributes
    ----------
    composition
        Formula that the ordered cell must have, rounded to whole atoms of the cell and charge balanced.
    cell
        Order the crystal file's own cell, or its primitive cell (fewer atoms, coarser rounding).
    min_distances
        ``"Li-Li": 2.2``: pairs closer than this (A) are never occupied together.
    candidates
        Most independent searches; the ordering with the lowest Ewald energy is used, and two that found it are enough.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    composition: str
    cell: Literal["conventional", "primitive"] = "conventional"
    min_distances: dict[Annotated[str, Field(pattern=r"^[A-Z][a-z]?-[A-Z][a-z]?$")], Distance] = Field(
        default_factory=dict
    )
    candidates: int = Field(default=8, ge=1, le=100)

    @field_validator("composition")
    @classmethod
    def _formula(cls, value: str) -> str:
        try:
            if Composition(value, strict=True).num_atoms <= 0:
                raise ValueError("empty")
        except ValueError as error:
            raise ValueError(f"{value[:60]!r} is not a chemical formula") from error
        return value


class Graft(BaseModel):
    """Molecular arms that replace the hydrogen of silanols on the top face.

    Attributes
    ----------
    smiles
        The arm; its one ``*`` is the oxygen of the surface.
    counter_ion
        SMILES of the one-atom cation that neutralises the arm.
    count
        Arms on the slab.
    source
        Where the arm is described.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    smiles: str
    counter_ion: str | None = None
    count: int = Field(default=1, ge=1, le=4)
    source: str

    @field_validator("smiles")
    @classmethod
    def _one_end(cls, value: str) -> str:
        _parse_smiles(value, stars=1)
        return value


class Wire(BaseModel):
    """A thin wire cut from the crystal, periodic along one lattice direction.

    Attributes
    ----------
    direction
        Lattice direction [uvw] of the wire.
    diameter
        Aimed diameter in A.
    source
        Where direction and diameter come from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    direction: Miller
    diameter: float = Field(gt=3, le=40)
    source: str


class FillerRecord(LibraryRecord):
    """A filler: its crystal, its surfaces (the default first) and what a calculation must know of it.

    Attributes
    ----------
    crystal
        CIF or POSCAR file, beside the record or in the library's ``crystals`` folder.
    ready_slab
        The crystal file is already a slab: it is used as it is.
    oxidation_states
        Formal charge of each element in e.
    surfaces
        Surfaces that make sense; the first is the default.
    silanols, disorder, graft, wire
        What this filler needs beyond a plain cut.
    engines
        Treatment per engine, for example ``gpaw: {magmoms: {Gd: 7.0}}`` or ``vasp: {potcar: {Gd: Gd_3}}``.
    density
        Literature density in g/cm^3, checked by the tests.
    gap
        Band gap, eV; 0: a metal, which gets more k-points. Without it, what is made of metallic elements alone is one.
    """

    crystal: str
    ready_slab: bool = False
    oxidation_states: dict[str, float] = Field(default_factory=dict)
    surfaces: tuple[SurfaceSpec, ...] = Field(min_length=1)
    silanols: Silanols | None = None
    disorder: Disorder | None = None
    graft: Graft | None = None
    wire: Wire | None = None
    engines: dict[str, dict[str, Any]] = Field(default_factory=dict)
    density: float | None = Field(default=None, gt=0)
    gap: float | None = Field(default=None, ge=0, le=50.0)

    _crystal_path: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _silanols_to_graft(self) -> Self:
        if self.graft is not None and any(s.passivation != "hydroxyl" for s in self.surfaces):
            raise ValueError("'graft' needs surfaces with passivation 'hydroxyl'")
        return self

    @property
    def crystal_path(self) -> Path:
        """Where the crystal file lies on this machine; not part of the record's data."""
        return self._crystal_path or Path(self.crystal)
