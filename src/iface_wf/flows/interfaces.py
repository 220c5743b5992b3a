"""From a request and its two built parts to the maker, the key and the description of one interface."""

from __future__ import annotations

from typing import Any

from pymatgen.core import Structure

from iface_wf.errors import InputError
from iface_wf.flows.binding import BindingEnergyMaker
from iface_wf.flows.request import BindingRequest
from iface_wf.library.records import FillerRecord
from iface_wf.store.canonical import structure_digest


def binding_maker(request: BindingRequest, *fillers: FillerRecord, here: bool = True) -> BindingEnergyMaker:
    """Return the maker of a request's flow.

    Parameters
    ----------
    request
        What is asked for.
    *fillers
        Their records say how the engine treats their elements.
    here
        False when a queue on another machine will calculate: programs are not looked for on this one.
    """
    geometry_engine, geometry_level = request.geometry_engine(*fillers)
    engine, ranking_engine = request.main_engine(*fillers), request.ranking_engine()
    if not here:
        engine, geometry_engine = engine.elsewhere(), geometry_engine.elsewhere()
        ranking_engine = ranking_engine.elsewhere()
    return BindingEnergyMaker(
        engine=engine,
        geometry_engine=geometry_engine,
        ranking_engine=ranking_engine,
        name=request.label,
        level=request.level,
        geometry_level=geometry_level,
        placements=request.placements,
        seed=request.seed,
        vacuum=request.vacuum,
        clearance=request.clearance,
        target=request.target,
        frozen="interaction_energy" in request.quantities,
        densities="charges" in request.quantities,
    )


def describe(
    request: BindingRequest,
    slab: Structure,
    fragment: Structure,
    report: dict[str, Any],
    digests: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Describe an interface for its document.

    Parameters
    ----------
    request
        What was asked for.
    slab, fragment
        The two parts as built.
    report
        What building them told, plain JSON, for the provenance.
    digests
        Digests of slab and fragment, where they are known already.

    Returns
    -------
    dict
        With ``key``, the content key of the whole interface calculation.

    Raises
    ------
    InputError
        When the interface carries a charge: a cell repeated in the plane cannot.
    """
    charge = sum(float(part.properties.get("charge", 0.0)) for part in (slab, fragment))
    if abs(charge) > 1e-6:
        raise InputError(
            f"The interface of {request.filler} carries a charge of {charge:+g} e, but a cell repeated in the plane must "
            "be neutral: give the whole salt, or cap the charge."
        )
    return {
        "key": request.key(*(digests or (structure_digest(slab), structure_digest(fragment)))),
        "filler": request.filler,
        "surface": str(slab.properties.get("surface", "")),
        "polymer": request.polymer or request.molecule,
        "units": request.units if request.polymer else None,
        "salt": request.salt,
        "provenance": {"request": request.model_dump(mode="json"), "build": report},
    }
