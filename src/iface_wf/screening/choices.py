"""What the lists of a screening hold: fillers, polymers, molecules and partners, and which results they make together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic.fields import FieldInfo

from iface_wf.builders.molecules.oligomers import Conformation, Tacticity
from iface_wf.errors import refuse_bool, unquoted
from iface_wf.flows.request import Title
from iface_wf.library.library import Library
from iface_wf.library.records import Caps, Thickness


def _named(value: Any) -> Any:
    if isinstance(value, bool | float):
        raise ValueError(unquoted(value))
    if isinstance(value, str) and re.search(r",\s", value) and not Path(value).exists():
        raise ValueError(f"{value[:80]!r} is one text with a comma in it: write each name by itself, as in [PEO, PAN]")
    return {"name": str(value)} if isinstance(value, str | int) else value


class Choice(BaseModel):
    """Base of what the lists hold; a plain name stands for a choice with that name."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
    _numbers = field_validator("*", mode="before")(classmethod(refuse_bool))

    name: str = Field(min_length=1, max_length=500)


class FillerChoice(Choice):
    """A filler: its name in the library or a structure file, and which surface of it.

    Attributes
    ----------
    name
        Name, or path of a CIF, POSCAR, extended XYZ or YAML file; a relative path begins at the folder of the screening's file.
    surface
        Miller indices as text, or ``wire``; by default the filler's first surface.
    thickness
        Smallest thickness, A; by default the surface's own.
    held_layers
        How many layers of atoms keep their places; by default as the surface or the file says.
    """

    surface: str | None = None
    thickness: Thickness | None = None
    held_layers: int | None = Field(default=None, ge=0, le=100)


class PolymerChoice(Choice):
    """A polymer: its name in the library or its PSMILES, and how long a chain of it.

    Attributes
    ----------
    name
        Name, or PSMILES with two ``*``.
    units
        Repeat units; by default the polymer's own number.
    sequence
        Order of a copolymer's units, by letters.
    caps, tacticity, conformation
        As in `iface_wf.builders.spec.InterfaceSpec`.
    group
        For Li+: the functional group that it is put to; by default it is searched for.
    """

    units: int | None = Field(default=None, ge=1, le=50)
    sequence: str | None = None
    caps: Caps | None = None
    tacticity: Tacticity = "atactic"
    conformation: Conformation | None = None
    group: str | None = None

    def options(self, library: Library) -> dict[str, Any]:
        """Return what a request says of it, with the name as the library writes it."""
        name = self.name if "*" in self.name else library.polymer(self.name).name
        return {"polymer": name} | {field: getattr(self, field) for field in type(self).model_fields if field != "name"}


class MoleculeChoice(Choice):
    """A molecule that is no chain.

    Attributes
    ----------
    name
        Name in the library, SMILES, or the path of an ``.xyz`` file; a relative path begins at the folder of the screening's file.
    group
        As of a polymer.
    """

    group: str | None = None

    def options(self, library: Library) -> dict[str, Any]:
        """Return what a request says of it, with a name as the library writes it."""
        known = library.find("molecule", self.name)
        return {"molecule": self.name if known is None else known.name, "group": self.group}


class InterfaceChoice(Choice):
    """An interface of the user's own, taken as it is.

    Attributes
    ----------
    name
        Path of a CIF, POSCAR or extended XYZ file; a relative path begins at the folder of the screening's file.
    split
        Which atoms are the molecule, see `iface_wf.builders.split.sites_of_molecule`.
    filler
        What the slab is made of, a name of the library; by default nobody knows but the file.
    title
        A name of the user's own for its result.
    """

    split: str | None = None
    filler: str | None = None
    title: Title | None = None

    @field_validator("split", mode="before")
    @classmethod
    def _one_site(cls, value: Any) -> Any:
        """Read a single site, which YAML takes for a number."""
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def options(self, title: str | None) -> dict[str, Any]:
        """Return what a request says of it; ``title`` is that of the screening, where it has none of its own."""
        told = {"interface": self.name, "split": self.split, "filler": self.filler or ""}
        return told | {"title": self.title or title}


class PartnerChoice(Choice):
    """What polymers and molecules are bound to where there is no filler, and what lies on a filler in an adhesion.

    Attributes
    ----------
    name
        A polymer or molecule of the library, a PSMILES, SMILES, or the path of an ``.xyz`` file; for an adhesion a filler.
    units
        Repeat units of a polymer.
    surface, thickness
        Of a filler, as in `FillerChoice`.
    """

    units: int | None = Field(default=None, ge=1, le=50)
    surface: str | None = None
    thickness: Thickness | None = None

    def options(self, library: Library) -> dict[str, Any]:
        """Return what a request says of it."""
        solid = {"partner_surface": self.surface, "partner_thickness": self.thickness}
        return {"partner": self.name, "partner_units": self.units, **solid}


Filler = Annotated[FillerChoice, BeforeValidator(_named, json_schema_input_type=str | FillerChoice)]
Polymer = Annotated[PolymerChoice, BeforeValidator(_named, json_schema_input_type=str | PolymerChoice)]
Molecule = Annotated[MoleculeChoice, BeforeValidator(_named, json_schema_input_type=str | MoleculeChoice)]
Interface = Annotated[InterfaceChoice, BeforeValidator(_named, json_schema_input_type=str | InterfaceChoice)]
#: What is put on a filler: a chain or molecule and a salt, each None where there is none.
Fragment = tuple[PolymerChoice | MoleculeChoice | None, str | None]
Partner = Annotated[PartnerChoice, BeforeValidator(_named, json_schema_input_type=str | PartnerChoice)]


class Pairing(NamedTuple):
    """What one result is of beside its filler: each is None where there is none."""

    chain: PolymerChoice | MoleculeChoice | None
    salt: str | None
    partner: PartnerChoice | None = None


def pairings(
    fields: Mapping[str, FieldInfo],
    fragments: Sequence[Fragment],
    salts: Sequence[str],
    partners: Sequence[PartnerChoice],
) -> list[Pairing]:
    """List what a kind of result makes of the lists of a screening.

    Parameters
    ----------
    fields
        Of its requests.
    fragments
        What lies on a filler.
    salts, partners
        As listed.

    Returns
    -------
    list of Pairing
        With a filler the fragments, or where it has a partner these. Without one, where there are partners, each molecule with each salt and partner; where a salt
        is needed, each one alone and with each molecule; else each molecule and each salt alone.
    """
    if "filler" in fields and "partner" in fields:
        return [Pairing(None, None, partner) for partner in partners]
    if "filler" in fields:
        return [Pairing(*fragment) for fragment in fragments] or [Pairing(None, None)]
    chains = list(dict.fromkeys(chain for chain, _ in fragments if chain is not None))
    named = [salt for salt in salts if salt.casefold() != "none"]
    alone = [Pairing(None, salt) for salt in named]
    both = [Pairing(chain, salt) for chain in chains for salt in named]
    if "partner" in fields:
        return both + [Pairing(chain, None, partner) for chain in chains for partner in partners]
    if "salt" in fields and fields["salt"].is_required():
        return alone + both
    return [Pairing(chain, None) for chain in chains] + alone
