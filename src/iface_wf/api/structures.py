"""`iface_wf.build`: structures without calculations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iface_wf.api.options import check_options, check_types
from iface_wf.builders.interface import InterfaceBuild, build_bare, build_interface
from iface_wf.builders.molecules.oligomers import Conformation, Tacticity
from iface_wf.builders.placing.targets import Target
from iface_wf.builders.spec import InterfaceSpec, SlabSpec
from iface_wf.errors import InputError, validate
from iface_wf.library import Library

if TYPE_CHECKING:
    from iface_wf.api.options import Faces, Filler, Surface


def build(
    filler: Filler | None = None,
    polymer: str | None = None,
    units: int | None = None,
    *,
    surface: Surface | None = None,
    thickness: float | None = None,
    sequence: str | None = None,
    tacticity: Tacticity | None = None,
    caps: Mapping[str, str] | None = None,
    conformation: Conformation | None = None,
    molecule: str | None = None,
    salt: str | None = None,
    copies: int | None = None,
    faces: Faces | None = None,
    beside: Sequence[str] | None = None,
    target: Target | None = None,
    clearance: float | None = None,
    interface: str | Path | None = None,
    split: str | None = None,
    placements: int | None = None,
    seed: int | None = None,
    in_plane: tuple[float, float] | None = None,
    held_layers: int | None = None,
    vacuum: float | None = None,
    max_atoms: int | None = None,
    room_atoms: int | None = None,
    library: Library | None = None,
    **options: Any,
) -> InterfaceBuild:
    """Build the slab, what lies on it, and the interface, as `iface_wf.run` would; nothing is calculated.

    Parameters
    ----------
    filler, polymer, units, surface, thickness, sequence, tacticity, caps, conformation, molecule, salt
        As in `iface_wf.run`; without a polymer, molecule or salt only the slab is built.
    copies, faces, beside, target, clearance, interface, split
        As in `iface_wf.run`.
    placements
        How many interfaces, in different orientations and places; by default 1.
    seed, in_plane, held_layers, vacuum, max_atoms, room_atoms, library
        As in `iface_wf.run`.
    **options
        The other fields of `iface_wf.builders.spec.InterfaceSpec`.

    Returns
    -------
    InterfaceBuild
        ``slab``, ``fragment`` and ``placements`` are pymatgen structures, lengths in A, each site labelled with its
        ``component``; ``report`` says what was built. Of a slab alone ``fragment`` is None.

    Raises
    ------
    InputError
        For unknown names, and what cannot be built.

    Examples
    --------
    >>> import iface_wf
    >>> built = iface_wf.build("SiO2", "PEO", 2, placements=3)
    >>> built.fragment.composition.hill_formula, len(built.placements)
    ('C5 H12 O2', 3)
    >>> built.report["atoms"]["total"] == len(built.slab) + len(built.fragment)
    True
    >>> path = built.placements[0].to("POSCAR")
    >>> wire = iface_wf.build("GdOOH", surface="wire").slab
    >>> wire.lattice.pbc
    (True, False, False)

    Several molecules, on both faces if wanted:

    >>> wet = iface_wf.build("LiI", molecule="EC", copies=2, beside=["LiTFSI", "3 water"])
    >>> wet.report["on_each_face"]
    {'EC': 2, 'LiTFSI': 1, 'water': 3}

    A group of the molecule can be aimed at an atom of the surface:

    >>> aimed = iface_wf.build("GdOOH", salt="LiTFSI", target=iface_wf.Target(group="S=O", surface="Gd"))
    >>> aimed.report["charge"]
    0.0
    """
    given = {name: value for name, value in locals().items() if name not in ("library", "options")} | options
    asked = {name: value for name, value in given.items() if value is not None}
    asked |= {name: str(asked[name]) for name in ("filler", "interface") if isinstance(asked.get(name), Path)}
    check_types(library=library)
    check_options(asked, InterfaceSpec)
    library = library or Library()
    if {"polymer", "molecule", "salt", "interface", "split"} & set(asked):
        return build_interface(validate({"placements": 1} | asked, InterfaceSpec, "The interface"), library)
    if beside := [name for name in asked if name in InterfaceSpec.model_fields and name not in SlabSpec.model_fields]:
        raise InputError(f"Nothing lies on the slab, so {beside[0]!r} means nothing: give a polymer, molecule or salt.")
    return build_bare(validate(asked, SlabSpec, "The slab"), library)
