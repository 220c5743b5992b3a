"""One interface from names: slab, fragment and placements, with a report of what was built."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pymatgen.core import Structure
from rdkit import Chem

from iface_wf.builders.alone import no_ion_alone, refuse_ion
from iface_wf.builders.contact import image_distance, symbols_of
from iface_wf.builders.docking.layers import Layers
from iface_wf.builders.edges import MAX_VACUUM, MIN_VACUUM, area_of
from iface_wf.builders.given import Given, read_given
from iface_wf.builders.molecules.complexes import bind_salt, build_salt
from iface_wf.builders.molecules.fragments import formula, from_smiles, from_xyz, parse_smiles, require_meant
from iface_wf.builders.molecules.oligomers import Conformation, Tacticity, build_oligomer, parse_unit, record_mol
from iface_wf.builders.placing.layers import Piece, copies_of, group_of, n_touching
from iface_wf.builders.placing.placements import footprint, place
from iface_wf.builders.placing.targets import Target
from iface_wf.builders.room import ROOM_ATOMS, diameter, require_room, room_of, roomy
from iface_wf.builders.solids.held import BY_FILE, held, hold_layers, hold_middle
from iface_wf.builders.solids.miller import resolve_surface
from iface_wf.builders.solids.slabs import build_slab
from iface_wf.builders.solids.wires import build_wire
from iface_wf.errors import InputError, refuse_bool, unknown_name
from iface_wf.library.library import Library
from iface_wf.library.records import Caps, FillerRecord, InPlane, Miller, MoleculeRecord, PolymerRecord, Thickness

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


class InterfaceSpec(SlabSpec):
    """What to build; every field is part of the provenance of the result.

    Attributes
    ----------
    filler, surface, thickness, vacuum, in_plane, held_layers, seed
        See `SlabSpec`; where molecules lie on both faces, the layers in the middle are held.
    polymer, units, sequence, caps, tacticity, conformation
        Polymer of the library, or the PSMILES of one, and how its oligomer is made.
    molecule, molecule_charge
        Instead of a polymer: SMILES, a molecule of the library (``EC``, ``DMC``), or the path of an ``.xyz`` file with its charge (e).
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
    polymer: str | None = None
    units: int | None = None
    sequence: str | None = None
    caps: Caps | None = None
    tacticity: Tacticity = "atactic"
    conformation: Conformation | None = None
    molecule: str | None = None
    molecule_charge: int = Field(default=0, ge=-4, le=4)
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


@dataclass(frozen=True)
class InterfaceBuild:
    """Slab, fragment, their placements, and a report.

    Attributes
    ----------
    slab
        Isolated slab or wire, labelled sites.
    fragment
        Isolated polymer, molecule or salt, labelled sites; None where nothing lies on the slab.
    placements
        Interfaces; slab sites first.
    report
        Plain JSON: formula, surface, how many atoms are held, charge (e), area (A^2; None for a wire), thickness (A), atoms, the slab's
        dipole per area by formal charges (e/A, along +z; None where its oxidation states are unknown), and the
        closest contact of each placement and its distance from its images (A), and what a cell with room takes. Of a
        slab alone: its own properties.
    given
        What a file brought, where the interface is one of a file.
    pieces
        Where several molecules lie on the slab: which, and how many on each face; ``fragment`` then is all of them.
    """

    slab: Structure
    fragment: Structure | None
    placements: list[Structure]
    report: dict[str, Any]
    given: Given | None = None
    pieces: tuple[Piece, ...] = ()


def build_interface(spec: InterfaceSpec, library: Library) -> InterfaceBuild:
    """Build the slab, the fragment and the placements of one interface.

    Parameters
    ----------
    spec
        What to build.
    library
        Where names are looked up.

    Returns
    -------
    InterfaceBuild
        At least one placement.

    Raises
    ------
    InputError
        For unknown names, impossible requests, or more than ``spec.max_atoms`` atoms.
    """
    if spec.interface is not None:
        return _build_given(spec, library)
    if spec.several:
        return _build_layer(spec, library)
    fragment = build_fragment(spec, library)
    slab, placements = _substrate_with_room(spec, library, fragment)
    for placement in placements:
        placement.properties["spec"] = spec.model_dump(mode="json", exclude_none=True)
    return InterfaceBuild(slab, fragment, placements, _report(slab, fragment, placements))


def _build_layer(spec: InterfaceSpec, library: Library) -> InterfaceBuild:
    """Put several molecules on the slab that the largest of them needs alone, so that coverages share it."""
    pieces = build_pieces(spec, library)
    molecules = copies_of([each.structure for each in pieces], [each.count for each in pieces])
    atoms = spec.n_faces * sum(map(len, molecules))
    _require_small(atoms, spec, "molecules", "ask for fewer, or raise max_atoms")
    group = group_of(molecules * spec.n_faces)
    slab, placements = _laid_with_room(spec, library, pieces, molecules, group)
    for placement in placements:
        placement.properties["spec"] = spec.model_dump(mode="json", exclude_none=True)
    sizes = [len(each) for each in molecules] * spec.n_faces
    shown = placements[0].cart_coords
    touching = n_touching(
        Structure.from_sites(placements[0][: len(slab)]), shown[len(slab) :], symbols_of(group), sizes
    )
    report = _report(slab, group, placements) | {
        "flat_distance": None,
        "larger_cell": None,
        "on_each_face": on_each_face(pieces),
        "faces": spec.n_faces,
        "coverage": 100.0 * len(molecules) / area_of(slab),
        "touch_the_slab": f"{touching} of {len(sizes)} molecules",
    }
    return InterfaceBuild(slab, group, placements, report, pieces=pieces)


def _laid_with_room(
    spec: InterfaceSpec, library: Library, pieces: Sequence[Piece], molecules: Sequence[Structure], group: Structure
) -> tuple[Structure, list[Structure]]:
    """Put molecules on the slab that the longest of them needs alone, and only where another one is too wide on a larger one."""
    longest = max((each.structure for each in pieces), key=diameter)
    one = spec.model_copy(update={"copies": 1, "beside": (), "placements": 1})
    slab, _ = _substrate_with_room(one, library, longest)
    if not slab.lattice.pbc[1]:
        raise InputError("Several molecules lie on slabs only: a wire takes one molecule at a time.")
    x, y = (max(lengths) for lengths in zip(*(footprint(each.structure) for each in pieces), strict=True))
    sizes = [None] if spec.in_plane is not None else [None, (x, y), (x, x)]
    for size in sizes:
        slab = slab if size is None else build_substrate(spec, library, size)
        require_few_atoms(slab, group, spec)
        layers = Layers(slab, molecules, spec.n_faces, spec.vacuum, spec.clearance, spec.placements, spec.seed)
        try:
            return slab, [pose.structure for pose in layers.first()]
        except InputError:
            if size == sizes[-1]:
                raise
    raise AssertionError("the last size returns or raises")


def build_pieces(spec: InterfaceSpec, library: Library) -> tuple[Piece, ...]:
    """Build the molecules that lie together on a slab, one of each kind; errors as of `build_fragment`."""
    units = "" if spec.units is None else f" x {spec.units}"
    host = f"{spec.polymer or spec.molecule or ''}{units}"
    name = f"({host} + {spec.salt})" if host and spec.salt else host or spec.salt or ""
    pieces = [Piece(_short(name), build_fragment(spec, library), spec.copies)]
    for text in spec.beside:
        count, other = counted(text)
        role = "salt" if library.find("salt", other) is not None else "polymer"
        if role == "polymer" and "*" not in other and library.find("polymer", other) is None:
            role = "molecule"
        asked = {
            "filler": spec.filler,
            "seed": spec.seed,
            "n_conformers": spec.n_conformers,
            "max_atoms": spec.max_atoms,
        }
        pieces.append(Piece(_short(other), build_fragment(InterfaceSpec(**asked, **{role: other}), library), count))
    for each in pieces:
        if abs(float(each.structure.properties.get("charge", 0.0))) > 1e-6:
            raise no_ion_alone(f"{each.name} carries a charge", spec.salt or "LiTFSI")
    return tuple(pieces)


def _short(name: str) -> str:
    """Call a user's own file by its name."""
    return PurePath(name).name if name.lower().endswith(".xyz") else name


def on_each_face(pieces: Sequence[Piece]) -> dict[str, int]:
    """Count the molecules of a face by name."""
    return {name: sum(each.count for each in pieces if each.name == name) for name in (each.name for each in pieces)}


def _build_given(spec: InterfaceSpec, library: Library) -> InterfaceBuild:
    assert spec.interface is not None
    given = read_given(Path(spec.interface), spec.split, spec.filler, library, spec.vacuum)
    require_few_atoms(given.slab, given.fragment, spec)
    given.whole.properties["spec"] = spec.model_dump(mode="json", exclude_none=True)
    report = _report(given.slab, given.fragment, [given.whole]) | {
        "larger_cell": None,  # the cell is the file's
        "slab_formula": formula(symbols_of(given.slab)),
        "molecules": given.molecules,
        "warnings": given.slab.properties["warnings"] or None,
    }
    return InterfaceBuild(given.slab, given.fragment, [given.whole], report, given)


def _substrate_with_room(
    spec: InterfaceSpec, library: Library, fragment: Structure
) -> tuple[Structure, list[Structure]]:
    """Build the substrate on which the fragment has most room, and place the fragment.

    Where room would take too many atoms: a long fragment often fits the surface's own cell along a diagonal. So that cell
    comes first, and the cell of the fragment's footprint only where fewer than half of the placements keep clear of their
    periodic images.
    """
    sizes = [spec.in_plane] if spec.in_plane else [(0.0, 0.0), footprint(fragment)]
    first = build_substrate(spec, library, sizes[0])
    if spec.in_plane is not None:
        require_room(first, fragment)
    else:
        large = roomy(lambda size: build_substrate(spec, library, size), first, [fragment], spec.most_for_room)
        if large is not None:
            first, sizes = large, sizes[:1]
    for size in sizes:
        slab = first if size == sizes[0] else build_substrate(spec, library, size)
        require_few_atoms(slab, fragment, spec)
        last = size == sizes[-1]
        try:
            placements = place(slab, fragment, spec.placements, spec.seed, spec.vacuum, spec.clearance, spec.target)
        except InputError:
            if last:
                raise
            continue
        if last or 2 * len(placements) > spec.placements:
            return slab, placements
    raise AssertionError("the last size returns or raises")


def require_few_atoms(slab: Structure, fragment: Structure, spec: InterfaceSpec) -> None:
    """Refuse an interface with more than ``spec.max_atoms`` atoms (`InputError`)."""
    count = len(slab) + len(fragment)
    if count > spec.max_atoms:
        raise InputError(
            f"The interface would have {count} atoms ({len(slab)} slab, {len(fragment)} fragment), at most "
            f"{spec.max_atoms} are allowed: use fewer units, a thinner slab or raise max_atoms."
        )


def build_fragment(spec: InterfaceSpec, library: Library) -> Structure:
    """Build the isolated fragment of a spec: polymer or molecule, salt, or one with an ion pair of the other.

    Raises
    ------
    InputError
        For unknown names, for molecules that cannot be built, also where RDKit finds that out late, and for an oligomer
        of more than ``spec.max_atoms`` atoms.
    """
    try:
        return _fragment(spec, library)
    except (RuntimeError, ValueError) as error:
        if "Violation" not in str(error) and not type(error).__module__.startswith("rdkit"):
            raise
        asked = spec.polymer or spec.molecule or spec.salt or ""
        reason = [line.strip() for line in str(error).splitlines() if line.strip()]
        told = reason[1] if len(reason) > 1 and "Violation" in reason[0] else " ".join(reason[:1])
        raise InputError(f"{asked[:80]!r} is no molecule that RDKit can build: {told[:200]}.") from error


def _fragment(spec: InterfaceSpec, library: Library) -> Structure:
    salt = library.salt(spec.salt) if spec.salt is not None else None
    host = _host(spec, library)
    if host is None:
        assert salt is not None
        return build_salt(salt, spec.seed, part=spec.salt_part)
    if salt is None:
        return host
    names = host.properties.get("functional_groups", {})
    group = names.get(spec.salt_group, spec.salt_group) if spec.salt_group else None
    return bind_salt(host, salt, group, spec.seed)


def _host(spec: InterfaceSpec, library: Library) -> Structure | None:
    if spec.polymer is not None:
        record = _polymer(spec.polymer, library)
        chain = record_mol(record, spec.units, caps=spec.caps, sequence=spec.sequence)
        _require_small(chain.GetNumAtoms(), spec, "oligomer", "use fewer units")
        return build_oligomer(
            record,
            spec.units,
            spec.caps,
            spec.seed,
            spec.n_conformers,
            sequence=spec.sequence,
            tacticity=spec.tacticity,
            conformation=spec.conformation,
        )
    if spec.molecule is None:
        return None
    if spec.molecule.lower().endswith(".xyz"):
        return from_xyz(Path(spec.molecule), spec.molecule_charge)
    if spec.filler != NO_FILLER and library.find("molecule", spec.molecule) is None:
        refuse_ion(spec.molecule, library)
    smiles = molecule_smiles(spec.molecule, library)
    size = Chem.AddHs(parse_smiles(smiles)).GetNumAtoms()
    _require_small(size, spec, "molecule", "take a smaller one")
    return from_smiles(smiles, n_conformers=spec.n_conformers, seed=spec.seed)


def molecule_smiles(name: str, library: Library) -> str:
    """Return the SMILES of a molecule: that of its name in the library, else the text itself where it is one.

    Raises
    ------
    InputError
        When it is neither, also for a SMILES that reads as a formula, see `require_meant`.
    """
    record = library.find("molecule", name)
    if isinstance(record, MoleculeRecord):
        return record.smiles
    require_meant(name)
    try:
        parse_smiles(name)
    except InputError as error:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9 -]*", name.strip()):
            raise
        raise InputError(
            f"{error} As a name: {unknown_name('molecule', name, library.all_names('molecule'))}"
        ) from error
    return name


def _require_small(size: int, spec: InterfaceSpec, what: str, advice: str) -> None:
    """Refuse what cannot pass before its conformers are searched, which takes minutes."""
    if size > spec.max_atoms:
        raise InputError(f"The {what} would have {size} atoms, at most {spec.max_atoms} are allowed: {advice}.")


def _polymer(name: str, library: Library) -> PolymerRecord:
    """Look up a polymer, or make one of the user's PSMILES."""
    if "*" not in name:
        return library.polymer(name)
    parse_unit(name)
    return PolymerRecord(name="PSMILES", title=name, source="given by the user", psmiles=name)


def build_bare(spec: SlabSpec, library: Library) -> InterfaceBuild:
    """Build a slab or wire on which nothing lies; errors as of `build_interface`."""
    slab = build_substrate(spec, library, spec.in_plane or (0.0, 0.0))
    return InterfaceBuild(slab, None, [], dict(slab.properties))


def build_substrate(spec: SlabSpec, library: Library, lengths: tuple[float, float]) -> Structure:
    """Build the slab or wire of a spec.

    Parameters
    ----------
    spec
        Filler, surface, thickness, vacuum and seed; if it says ``in_plane``, the surface's own lengths do not count.
    library
        Where the filler is looked up.
    lengths
        Smallest lengths of the cell along its periodic directions, A; a wire takes the larger one.

    Returns
    -------
    Structure
        As from `iface_wf.builders.solids.slabs.build_slab` or `iface_wf.builders.solids.wires.build_wire`.

    Raises
    ------
    InputError
        As from these two, and for an unknown filler.
    """
    slab = _substrate(spec, library, lengths)
    if spec.held_layers is None and spec.n_faces == 1:
        return slab
    if not slab.lattice.pbc[1]:
        raise InputError("'faces' and 'held_layers' mean nothing for a wire, which has neither.")
    if spec.held_layers is None:  # who holds atoms in the file of a slab has chosen which
        return slab if slab.properties.get(BY_FILE) else hold_middle(slab)
    return hold_layers(slab, spec.held_layers, middle=spec.n_faces == 2)


def _substrate(spec: SlabSpec, library: Library, lengths: tuple[float, float]) -> Structure:
    """Build the slab or wire with the atoms held that its surface or its file says."""
    filler = library.filler(spec.filler)
    if spec.surface == "wire":
        return build_wire(filler, spec.thickness, None, max(lengths), spec.vacuum, spec.seed)
    if filler.ready_slab:
        _require_as_given(spec, filler)
    if spec.in_plane is None:  # a surface's own cell is large enough for its chemistry, a footprint may not be
        least = resolve_surface(filler, spec.surface).in_plane or (0.0, 0.0)
        lengths = (max(lengths[0], least[0]), max(lengths[1], least[1]))
    return build_slab(filler, spec.surface, spec.thickness, lengths, spec.vacuum, spec.seed)


def _require_as_given(spec: SlabSpec, filler: FillerRecord) -> None:
    """Refuse to cut a slab that is used as its file brings it."""
    other = spec.surface is not None and (
        resolve_surface(filler, spec.surface).miller != resolve_surface(filler, None).miller
    )
    if spec.thickness is not None or other:
        raise InputError(
            f"{spec.filler} is a ready slab, used as it is: surface and thickness mean nothing for it. To cut another one, give a crystal "
            "(a file without an empty layer of 6 A)."
        )


def _report(slab: Structure, fragment: Structure, placements: Sequence[Structure]) -> dict[str, Any]:
    """Summarise an interface as plain JSON; see `InterfaceBuild`."""
    first = placements[0]
    return {
        "formula": first.properties["formula"],
        "surface": slab.properties.get("surface"),
        "held": f"{int(held(slab).sum())} of {len(slab)} atoms of the slab",
        "fragment_formula": fragment.properties.get("formula"),
        "atoms": {"slab": len(slab), "fragment": len(fragment), "total": len(first)},
        "charge": first.properties["charge"],
        "area": area_of(slab) if slab.lattice.pbc[1] else None,
        "thickness": float(np.ptp(slab.cart_coords[:, 2])),
        "dipole_per_area": slab.properties.get("dipole_per_area"),
        "contacts": [placement.properties["placement"]["contact"] for placement in placements],
        "image_distances": [_image_distance(placement, len(slab)) for placement in placements],
        **room_of(slab, fragment),
    }


def _image_distance(placement: Structure, above: int) -> float | None:
    """Return how far the fragment, the sites from ``above`` on, is from its nearest image, A."""
    return image_distance(placement.cart_coords[above:], placement.lattice)
