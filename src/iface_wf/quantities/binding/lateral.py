"""What the molecule feels of its own periodic images: the share of a binding energy that hangs on the cell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from jobflow import job
from pydantic import Field
from pymatgen.core import Structure

from iface_wf.builders.components import select
from iface_wf.builders.contact import gathered, image_distance, symbols_of
from iface_wf.builders.molecules.fragments import boxed
from iface_wf.documents.base import StoredDocument
from iface_wf.documents.labels import B
from iface_wf.engines.base import Engine

#: Above this size, eV per molecule, neighbours in the plane have a share in a binding energy that must not be overlooked.
CROWDED = 0.05


class LateralDocument(StoredDocument):
    """Interaction of the molecule with its own images, frozen as it is in the interface, without the surface."""

    document_type: Literal["lateral"] = "lateral"
    energy: float | None = Field(description="E(B* alone in AB's cell) - E(B* isolated), eV; negative = images attract")
    mutual_energy: float | None = Field(
        None, description="Of several molecules: E(B* isolated) - sum of E(each isolated), eV; negative = they attract"
    )
    method: str = Field(description="What calculated it, for example GFN1-xTB-D3(BJ)")
    flags: list[str] = Field(default_factory=list, description="What a result must say of it")


@job
def lateral_energy(structure: Structure | dict[str, Any], engine: Engine, sizes: Sequence[int] = ()) -> LateralDocument:
    """Calculate the molecule of an interface alone, in the interface's cell and isolated; see `lateral_document`."""
    whole = Structure.from_dict(structure) if isinstance(structure, dict) else structure
    return lateral_document(whole, engine, sizes)


def lateral_document(structure: Structure, engine: Engine, sizes: Sequence[int] = ()) -> LateralDocument:
    """Calculate the molecule of an interface alone, in the interface's cell and isolated.

    Parameters
    ----------
    structure
        The relaxed interface, labelled sites.
    engine
        A cheap one: two single points of the molecule, and one of each of several.
    sizes
        Of several molecules: how many atoms each has, in the order of their sites.

    Returns
    -------
    LateralDocument
        Without an energy, and with the reason, where the engine gave none.
    """
    from iface_wf.engines.walks import Stand, Walk, Walkers  # ASE's optimisers, which the document does without

    molecule = select(structure, *B.components)
    xyz = gathered(molecule.cart_coords, molecule.lattice)
    labels = list(molecule.site_properties["component"])
    isolated = boxed(symbols_of(molecule), xyz, labels, {})
    in_cell = Structure(
        molecule.lattice,
        molecule.species,
        xyz,
        coords_are_cartesian=True,
        site_properties={"component": labels},
    )
    ends = np.cumsum([0, *sizes])
    each = [
        boxed(symbols_of(molecule)[i:j], gathered(molecule.cart_coords[i:j], molecule.lattice), labels[i:j], {})
        for i, j in pairwise(ends.tolist())
    ]
    walkers, stands = Walkers(engine), dict[int, Stand]()
    walks = [Walk(one) for one in (in_cell, isolated, *each)]
    walkers.take(walks, [0] * len(walks), walkers.settings["fmax"], stands.__setitem__)
    energies = [stands[index].energy for index in range(len(walks))]
    known = [energy for energy in energies if energy is not None]
    if len(known) < len(walks):
        told = next(stand.failed for stand in stands.values() if stand.energy is None)[:200]
        return LateralDocument(energy=None, method=walkers.method, flags=[f"lateral_unknown: {told}"])
    energy, distance = known[0] - known[1], image_distance(xyz, molecule.lattice)
    apart = "" if distance is None else f", images {distance:.1f} A apart"
    flags = [f"crowded ({energy:+.3f} eV{apart})"] if abs(energy) > CROWDED * max(1, len(each)) else []
    mutual = known[1] - sum(known[2:]) if each else None
    return LateralDocument(energy=energy, mutual_energy=mutual, method=walkers.method, flags=flags)


def distance_of_images(structure: Structure) -> float | None:
    """Return how far the molecule of an interface is from its nearest image, A; None where nothing is periodic."""
    molecule = select(structure, *B.components)
    return image_distance(gathered(molecule.cart_coords, molecule.lattice), molecule.lattice)
