"""What can be asked for: a slab or wire, and what lies on it."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from iface_wf.builders.edges import MAX_VACUUM, MIN_VACUUM
from iface_wf.builders.molecules.oligomers import Conformation, Tacticity
from iface_wf.builders.placing.targets import Target
from iface_wf.builders.room import ROOM_ATOMS
from iface_wf.errors import refuse_bool
from iface_wf.library.records import Caps, InPlane, Miller, Thickness

#: Filler of what is in an open box, where ions may be alone.
NO_FILLER = "none"
#: Molecules of a kind that may lie on a face.
MOST_COPIES = 100
_COUNTED = re.compile(r"(?:(\d+)\s+)?(\S.*)")


class SlabSpec(BaseModel):
    """A slab or wire to build.

    Attributes
    ----------
    filler, surface
        Filler of the library (or a structure file) and Miller indices or text; by default its first surface.
        ``"wire"`` asks for the filler's thin wire; ``thickness`` then is its diameter.
    thickness, vacuum, in_plane
        Slab thickness, empty space above the topmost atom and smallest in-plane lengths, A; by default the
        surface's thickness and, where something lies on it, the fragment's footprint.
    held_layers
        How many layers of atoms, from below, keep their places; by default the share that the surface says, or what the
        file of a slab holds.
    seed
        Seed of everything random.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    _numbers = field_validator("*", mode="before")(classmethod(refuse_bool))

    filler: str
    surface: Miller | str | None = None
    thickness: Thickness | None = None
    vacuum: float = Field(default=8.0, ge=MIN_VACUUM, le=MAX_VACUUM)
    in_plane: InPlane | None = None
    held_layers: int | None = Field(default=None, ge=0, le=100)
    seed: int = Field(default=0, ge=0, lt=2**31)

    @property
    def n_faces(self) -> int:
        """On how many faces of the slab molecules lie."""
        return 1


class MoleculeSpec(BaseModel):
    """A polymer or molecule to build.

    Attributes
    ----------
    polymer, units, sequence, caps, tacticity, conformation
        Polymer of the library, or the PSMILES of one, and how its oligomer is made.
    molecule, molecule_charge
        Instead of a polymer: SMILES, a molecule of the library (``EC``, ``DMC``), or the path of an ``.xyz`` file with its charge (e).
    """

    polymer: str | None = None
    units: int | None = None
    sequence: str | None = None
    caps: Caps | None = None
    tacticity: Tacticity = "atactic"
    conformation: Conformation | None = None
    molecule: str | None = None
    molecule_charge: int = Field(default=0, ge=-4, le=4)


class InterfaceSpec(MoleculeSpec, SlabSpec):
    """What to build; every field is part of the provenance of the result.

    Attributes
    ----------
    filler, surface, thickness, vacuum, in_plane, held_layers, seed
        See `SlabSpec`; where molecules lie on both faces, the layers in the middle are held.
    polymer, units, sequence, caps, tacticity, conformation, molecule, molecule_charge
        See `MoleculeSpec`.
    salt, salt_group, salt_part
        Salt of the library, alone or as an ion pair beside polymer or molecule, its cation at this functional
        group (a name from the polymer's record or SMARTS; by default at any O, N or F). Of a salt alone only the
        cation or the anion may be placed; the interface then has a charge.
    copies, faces, beside
        Several molecules: how many of the polymer, molecule or salt (with both, of the complex) lie on a face, whether they lie
        on the ``upper`` face or on ``both``, and what else lies beside them: names, each with a number before it where there
        are several (``LiTFSI``, ``3 EC``).
    placements, clearance, target
        Number of placements, contact distance in van der Waals sums, and what shall touch what.
    n_conformers
        Conformers to try.
    max_atoms
        Refuse interfaces with more atoms.
    room_atoms
        Up to so many atoms a cell that is not given by ``in_plane`` is enlarged until the fragment is 8 A from its
        images; by default 100, or what engine and level say.
    interface, split
        Instead of all that: the file of an interface that is taken as it is, and which of its atoms are the fragment, see
        `iface_wf.builders.split.sites_of_molecule`. Then ``filler`` only names what the slab is made of, and may be left out.
    """

    filler: str = ""
    salt: str | None = None
    salt_group: str | None = None
    salt_part: Literal["pair", "cation", "anion"] = "pair"
    copies: int = Field(default=1, ge=1, le=MOST_COPIES)
    faces: Literal["upper", "both"] = "upper"
    beside: tuple[str, ...] = ()
    placements: int = Field(default=8, ge=1, le=1000)
    clearance: float = Field(default=0.85, ge=0.5, le=1.5)
    target: Target | None = None
    n_conformers: int = Field(default=10, ge=1, le=500)
    max_atoms: int = Field(default=600, ge=1, le=100_000)
    room_atoms: int | None = Field(default=None, ge=0, le=100_000)
    interface: str | None = Field(default=None, min_length=1)
    split: str | None = None

    @property
    def most_for_room(self) -> int:
        """Up to how many atoms a cell is enlarged for the sake of room."""
        return min(self.max_atoms, ROOM_ATOMS if self.room_atoms is None else self.room_atoms)

    @property
    def n_faces(self) -> int:
        """On how many faces of the slab molecules lie."""
        return 2 if self.faces == "both" else 1

    @property
    def several(self) -> bool:
        """Whether more than one molecule lies on the slab, each of which has its own reference."""
        return self.copies > 1 or self.faces == "both" or bool(self.beside)

    @field_validator("beside", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Take a single name for a list of one."""
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _something_on_top(self) -> Self:
        if self.interface is not None:
            self._require_only_the_file()
            return self
        if self.split is not None:
            raise ValueError("'split' means nothing without an interface from a file")
        if not self.filler:
            raise ValueError("give a 'filler', or the file of an 'interface'")
        if self.polymer is None and self.molecule is None and self.salt is None:
            raise ValueError("give a polymer, a molecule or a salt")
        if self.polymer is not None and self.molecule is not None:
            raise ValueError("give a polymer or a molecule, not both")
        if self.salt_group is not None and (self.salt is None or (self.polymer is None and self.molecule is None)):
            raise ValueError("'salt_group' needs a salt and a polymer or molecule that holds it")
        if self.salt_part != "pair" and (self.salt is None or self.polymer is not None or self.molecule is not None):
            raise ValueError("'salt_part' needs a salt without polymer and molecule")
        for text in self.beside:
            counted(text)
        if self.several and self.target is not None:
            raise ValueError("'target' means nothing where several molecules lie on the slab")
        if self.several and self.salt_part != "pair":
            raise ValueError("'salt_part' means nothing where several molecules lie on the slab, which is neutral")
        self._require_meaning()
        return self

    def _require_only_the_file(self) -> None:
        """Refuse options that say what is built, where an interface is given."""
        usual = type(self).model_fields
        given = [name for name in _BUILDING if getattr(self, name) != usual[name].default]
        if given:
            raise ValueError(f"{given[0]!r} means nothing for an interface from a file, which is taken as it is")

    def _require_meaning(self) -> None:
        """Refuse options of another kind of fragment: whoever gives them expects that they do something."""
        of_xyz = self.molecule is not None and self.molecule.lower().endswith(".xyz")
        for needed, there, names in (
            ("a polymer", self.polymer is not None, ("units", "sequence", "caps", "tacticity", "conformation")),
            ("a molecule from an .xyz file", of_xyz, ("molecule_charge",)),
        ):
            fields = type(self).model_fields
            given = [] if there else [name for name in names if getattr(self, name) != fields[name].default]
            if given:
                raise ValueError(f"{given[0]!r} means nothing without {needed}")


#: Options that say how slab and fragment are built and placed.
_BUILDING = (
    "surface", "thickness", "in_plane", "polymer", "units", "sequence", "caps", "tacticity", "conformation", "molecule",
    "molecule_charge", "salt", "salt_group", "salt_part", "copies", "faces", "beside", "held_layers", "clearance", "target", "n_conformers", "room_atoms",
)  # fmt: skip


def counted(text: str) -> tuple[int, str]:
    """Read how many of what lie beside a molecule: ``EC``, ``3 EC``.

    Raises
    ------
    ValueError
        For an empty name, and a number out of range: inside a model, so that the text comes with its place.
    """
    found = _COUNTED.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            "'beside' names molecules or salts, each with a number before it where there are several: EC, '3 EC'"
        )
    if found[1] is None and re.fullmatch(r"[A-Za-z][\w-]*\s+\d+", found[2]):
        name, number = found[2].split()
        raise ValueError(f"'beside' has the number first: '{number} {name}', not {text.strip()[:80]!r}")
    count = int(found[1] or 1)
    if not 1 <= count <= MOST_COPIES:
        raise ValueError(f"'beside' asks for {count} of {found[2][:80]!r}, allowed are 1 to {MOST_COPIES}")
    return count, found[2]
