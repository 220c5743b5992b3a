"""Salts and cations taken apart: what a user asks for, and which pieces that makes."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator
from pymatgen.core import Structure

from iface_wf.builders.molecules.assemblies import join
from iface_wf.builders.molecules.complexes import bind_cation, build_salt
from iface_wf.builders.molecules.fragments import boxed, chemistry, group_sites
from iface_wf.builders.molecules.ions import single_cation
from iface_wf.documents.labels import CATION
from iface_wf.library.library import Library
from iface_wf.quantities.complexes.pieces import Pieces, host_of, together
from iface_wf.quantities.complexes.request import ComplexRequest

LITHIUM = "[Li+]"
#: What the lithium that is bound comes from.
REFERENCES = ("ion",)


class DissociationRequest(ComplexRequest):
    """What it costs to take the anion of a salt away from its cation, alone or held by a molecule.

    Bare, E(cation) + E(anion) - E(pair); with a molecule M, E(M.cation) + E(anion) - E(M.pair).

    Attributes
    ----------
    salt
        Salt of the library.
    """

    kind = "dissociation"
    quantities: tuple[str, ...] = ("dissociation_energy",)
    salt: str

    @property
    def label(self) -> str:
        """Name for people."""
        return f"dissociation of {self.salt}" + (f" at {self.host_name}" if self.host_name else "")


class LiBindingRequest(ComplexRequest):
    """The binding energy of Li+ at a molecule, at one of its groups, or at the anion of a salt.

    Attributes
    ----------
    salt
        Instead of a molecule: its anion holds Li+.
    group
        Functional group of the molecule: a name of the polymer's record or SMARTS whose first atom binds. The cation is put there
        and relaxed, not searched for, so that others of the molecule do not join in; by default it may go where it likes.
    reference
        What Li+ comes from: ``ion``.
    """

    kind = "li_binding"
    quantities: tuple[str, ...] = ("li_binding_energy",)
    salt: str | None = None
    group: str | None = None
    reference: Literal["ion"] = Field(default="ion")

    @field_validator("reference", mode="before")
    @classmethod
    def _known_reference(cls, value: Any) -> Any:
        if value not in REFERENCES:
            raise ValueError(
                "Li+ in an open box is compared with the ion, reference 'ion': an atom or the metal would need another number of "
                "electrons in the pieces than in the complex"
            )
        return value

    @model_validator(mode="after")
    def _one_holder(self) -> Self:
        if (self.host is None) == (self.salt is None):
            raise ValueError("give what holds Li+: a polymer or molecule, or a salt whose anion does, and not both")
        if self.salt is not None and self.group is not None:
            raise ValueError("'group' means nothing without a polymer or a molecule")
        return self

    @property
    def label(self) -> str:
        """Name for people."""
        at = f" ({self.group})" if self.group else ""
        return f"Li+ at {self.host_name or f'anion of {self.salt}'}{at}"


def dissociation_pieces(request: DissociationRequest, library: Library) -> Pieces:
    """Build the pair, alone or with its molecule, and what it falls into; errors as of `pair_pieces`.

    A is what keeps the cation's place: the anion and the bare cation, or the anion and the molecule with the cation.
    """
    salt = library.salt(request.salt)
    cation, anion = (build_salt(salt, request.seed, part=part) for part in ("cation", "anion"))
    names = (f"cation of {salt.name}", f"anion of {salt.name}")
    host = host_of(request, library)
    if host is None:
        return Pieces(cation, anion, join(anion, cation), names)
    pair = join(anion, cation)
    checked = together(request, host, pair, (request.host_name, salt.name))
    return Pieces(join(host, cation), anion, checked.whole, (f"{request.host_name} with {names[0]}", names[1]))


def li_pieces(request: LiBindingRequest, library: Library) -> Pieces:
    """Build what holds Li+, and Li+ at it.

    Raises
    ------
    InputError
        As of `pair_pieces`, and for a group that the molecule does not have.
    """
    ion = boxed(["Li"], np.zeros((1, 3)), [CATION], chemistry(single_cation(LITHIUM)))
    host = host_of(request, library)
    if host is None:
        host = build_salt(library.salt(request.salt or ""), request.seed, part="anion")
    names = (request.host_name or f"anion of {request.salt}", "Li+")
    pieces = together(request, host, ion, names)
    if request.group is None:
        return pieces
    return Pieces(host, ion, bind_cation(host, LITHIUM, smarts_of(request.group, host)), names)


def smarts_of(group: str, host: Structure) -> str:
    """Return the SMARTS of a group that the record of a polymer names, or the text as it is."""
    return str(host.properties.get("functional_groups", {}).get(group, group))


def sites_of(group: str, host: Structure) -> list[int]:
    """Return the sites of a molecule that are the first atoms of a group."""
    return sorted({match[0] for match in group_sites(host, smarts_of(group, host))})
