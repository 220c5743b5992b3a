"""References that are the lowest: A and B are relaxed from AB too, and what is lower there is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jobflow import Job, OutputReference, job
from pymatgen.core import Structure

from iface_wf.builders.components import select
from iface_wf.builders.contact import symbols_of
from iface_wf.builders.edges import EDGE_STEP
from iface_wf.builders.molecules.fragments import boxed
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.labels import PARTS, WHOLE, Part
from iface_wf.flows.maker import ResultMaker

#: Two relaxations that end within this, eV, ended in one minimum, or in two between which nobody can tell.
SAME = 0.005
#: A minimum that lies higher by more than this, eV, for the cheap engine that relaxed it is not the lower one for any other.
HOPELESS = 0.5
#: Energies of one structure that was calculated twice differ by less, eV.
_ROUNDING = 1e-6


def from_whole(part: Part) -> str:
    """Return the role of a part that was relaxed from what it is in AB."""
    return f"{part.name} from {WHOLE}"


@job
def cut(
    interface: Structure | dict[str, Any],
    parts: Mapping[str, Structure | dict[str, Any]],
    components: Mapping[str, list[str]] | None = None,
    step: float = EDGE_STEP,
) -> dict[str, dict[str, Any]]:
    """Cut the two parts out of an interface or complex, each into the cell of the part in isolation.

    Parameters
    ----------
    interface
        The relaxed interface, labelled sites.
    parts
        The relaxed parts in isolation, ``A`` and ``B``.
    components
        Labels of the two parts; by default those of slab and fragment.
    step
        Edges of the boxes of molecules are multiples of this, A.

    Returns
    -------
    dict
        By part: its structure as it is in the interface.
    """
    whole = Structure.from_dict(interface) if isinstance(interface, dict) else interface
    found = {}
    for part in PARTS:
        alone = parts[part.name]
        alone = Structure.from_dict(alone) if isinstance(alone, dict) else alone
        names = part.components if components is None else components[part.name]
        found[part.name] = moved_into(alone, select(whole, *names), step).as_dict()
    return found


def moved_into(alone: Structure, piece: Structure, step: float = EDGE_STEP) -> Structure:
    """Give a part in isolation the geometry that it has in an interface, in its own cell.

    Parameters
    ----------
    alone
        The part in isolation.
    piece
        The same sites as they are in the interface.
    step
        As of `cut`.
    """
    if any(alone.lattice.pbc):
        # a wire stands elsewhere in the cell of the interface; a slab stands where it is
        shift = -np.array(piece.properties.get("placement", {}).get("substrate_shift", [0.0, 0.0, 0.0]))
        moved = alone.copy()
        for site, position in enumerate(piece.cart_coords + shift):
            moved[site].coords = position
        return moved
    return boxed(symbols_of(alone), piece.cart_coords, alone.site_properties["component"], alone.properties, step)


class Again(NamedTuple):
    """All parts relaxed once more, from what they are together.

    Attributes
    ----------
    jobs
        All of them.
    relaxations, statics
        The outputs of the relaxations, and the single points among the jobs, by role.
    """

    jobs: list[Job]
    relaxations: dict[str, OutputReference]
    statics: dict[str, Job]


def relaxed_again(
    maker_of: Callable[[Part], ResultMaker],
    shared: Mapping[str, OutputReference],
    whole: OutputReference,
    like: Mapping[str, OutputReference] | None = None,
    parts: Sequence[Part] = PARTS,
    pieces: Job | None = None,
    **cutting: Any,
) -> Again:
    """Relax all parts also from what they are in AB, and calculate the energies of those that come out elsewhere.

    Parameters
    ----------
    maker_of
        Gives the engines of a part.
    shared
        By part: the output of its relaxation as it was built.
    whole
        Where the structure of AB is.
    like
        By part: settings that its single point follows.
    parts
        Which, where they are not two.
    pieces
        The job that cuts them out of AB; by default `cut`.
    **cutting
        See `cut`.
    """
    if pieces is None:
        pieces = cut(whole, {name: relaxed.structure for name, relaxed in shared.items()}, **cutting)
    pieces.name = f"cut {WHOLE}"
    makers = {part.name: maker_of(part) for part in parts}
    relaxations = {
        part.name: makers[part.name].relaxation(from_whole(part)).make(pieces.output[part.name]) for part in parts
    }
    cheap = any(maker.geometry_engine.engine_name != maker.engine.engine_name for maker in makers.values())
    compared = lower(shared, {name: each.output for name, each in relaxations.items()}, cheap=cheap)
    compared.name = "compare references"
    statics = {}
    for part in parts:
        role = from_whole(part)
        statics[role] = makers[part.name].engine.static(
            compared.output[part.name], like=(like or {}).get(part.name), role=role, name=f"static {role}"
        )
    outputs = {from_whole(part): relaxations[part.name].output for part in parts}
    return Again([pieces, *relaxations.values(), compared, *statics.values()], outputs, statics)


@job
def lower(
    shared: Mapping[str, CalculationDocument], own: Mapping[str, CalculationDocument], cheap: bool
) -> dict[str, dict[str, Any]]:
    """Say of which geometry of each part the energy is worth calculating beside that of the shared reference.

    Parameters
    ----------
    shared, own
        By part: its relaxation as it was built, and from what it is in AB.
    cheap
        Whether another engine gives the energies, which may put two minima into another order.

    Returns
    -------
    dict
        By part: the structure from AB, or, where that is the same minimum or certainly a higher one, the shared one, whose
        energy is known.
    """
    found = {}
    for name, reference in shared.items():
        other = own[name]
        above = np.inf if other.energy is None else other.energy - (reference.energy or 0.0)
        worth = above < -SAME or (cheap and SAME < above < HOPELESS)
        found[name] = (other if worth else reference).structure
    return found


def lowest(
    calculations: Mapping[str, CalculationDocument],
    relaxations: Mapping[str, CalculationDocument],
    parts: Sequence[Part] = PARTS,
) -> tuple[dict[str, CalculationDocument], dict[str, CalculationDocument], dict[str, str]]:
    """Take the lower of the two references of each part.

    Parameters
    ----------
    calculations, relaxations
        By role, those `from_whole` among them.
    parts
        Which, where they are not two.

    Returns
    -------
    tuple
        Both without the references that are not taken, those taken under the names of the parts; and by part the role of
        the one that was taken.
    """
    statics, relaxed = dict(calculations), dict(relaxations)
    taken = {}
    for part in parts:
        role = from_whole(part)
        other, relaxation = statics.pop(role, None), relaxed.pop(role, None)
        if other is None:
            continue
        shared = statics[part.name]
        taken[part.name] = part.name
        usable = other.converged and other.energy is not None and shared.energy is not None
        if usable and other.energy < shared.energy - _ROUNDING:  # type: ignore[operator]
            statics[part.name], taken[part.name] = other, role
            if relaxation is not None:
                relaxed[part.name] = relaxation
    return statics, relaxed, taken
