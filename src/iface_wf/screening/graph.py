"""The graph of a screening: N fillers and M fragments are calculated once, N x M interfaces refer to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from jobflow import Flow, Job, Maker
from pymatgen.core import Structure

from iface_wf.builders.interface import build_fragment, build_interface
from iface_wf.engines.base import EngineMaker
from iface_wf.errors import InputError
from iface_wf.flows.binding import BindingEnergyMaker, ReferenceOutputs
from iface_wf.flows.interfaces import binding_maker, describe
from iface_wf.flows.request import BindingRequest
from iface_wf.library.library import Library
from iface_wf.screening.cells import shared_slab
from iface_wf.screening.spec import FillerChoice, ScreeningSpec
from iface_wf.store.canonical import structure_digest


@dataclass(frozen=True)
class Reference:
    """A part in isolation, calculated once for all interfaces that contain it.

    Attributes
    ----------
    key
        What it is and how it is calculated, SHA-256.
    name
        For people.
    part
        ``A``: a slab, ``B``: a fragment.
    structure, digest
        As built, and its digest.
    """

    key: str
    name: str
    part: Literal["A", "B"]
    structure: Structure
    digest: str


@dataclass(frozen=True)
class Pair:
    """One interface of a screening.

    Attributes
    ----------
    key
        Content key of the interface; the same for a single interface with the same slab and fragment.
    name
        For people.
    slab, fragment
        Keys of its references.
    about
        What its document says about it, see `iface_wf.flows.interfaces.describe`.
    """

    key: str
    name: str
    slab: str
    fragment: str
    about: dict[str, Any]


@dataclass
class Screening:
    """All that is to be known before anything is calculated.

    Attributes
    ----------
    maker
        Makes the jobs of all interfaces.
    references, pairs
        By key, in the order of the spec.
    refused
        Names of the interfaces that cannot be built, and why.
    """

    maker: BindingEnergyMaker
    references: dict[str, Reference] = field(default_factory=dict)
    pairs: dict[str, Pair] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def only(self, keys: Iterable[str]) -> Screening:
        """Return the same with some of the interfaces, and the references that they need."""
        pairs = {key: self.pairs[key] for key in keys}
        needed = {part for pair in pairs.values() for part in (pair.slab, pair.fragment)}
        references = {key: reference for key, reference in self.references.items() if key in needed}
        return Screening(self.maker, references, pairs, self.refused)


def single_interface(request: BindingRequest, library: Library, here: bool = True) -> Screening:
    """Return one interface as a screening of its own; its key is that of `iface_wf.flows.run.run_binding`.

    Parameters
    ----------
    request
        What to calculate.
    library
        Where names are looked up.
    here
        As for `build_screening`.
    """
    built = build_interface(request, library)
    maker = binding_maker(request, library.filler(request.filler), here=here)
    about = describe(request, built.slab, built.fragment, built.report)
    filler, _, fragment = request.label.partition(" + ")
    a = _reference(maker, built.slab, "A", filler)
    b = _reference(maker, built.fragment, "B", fragment)
    pair = Pair(about["key"], request.label, a.key, b.key, about)
    return Screening(maker, {a.key: a, b.key: b}, {pair.key: pair})


def build_screening(spec: ScreeningSpec, library: Library, here: bool = True) -> Screening:
    """Build all slabs and fragments of a spec and say which interfaces they make.

    Parameters
    ----------
    spec
        The screening; of a funnel only the last stage, see `ScreeningSpec.cheap`.
    library
        Where names are looked up.
    here
        False when a queue on another machine will calculate: programs are not looked for on this one.

    Returns
    -------
    Screening
        An interface that cannot be built is among ``refused``, and stops no other.

    Raises
    ------
    InputError
        For unknown names, and when not a single interface can be built.
    """
    choices = spec.fragments()
    requests = [[spec.request(filler, *choice, library) for choice in choices] for filler in spec.fillers]
    records = [library.filler(filler.name) for filler in spec.fillers]
    screening = Screening(binding_maker(requests[0][0], *records, here=here))
    fragments: dict[int, Reference] = {}
    for index, request in enumerate(requests[0]):
        try:
            fragment = build_fragment(request, library)
            fragments[index] = _reference(screening.maker, fragment, "B", request.label.partition(" + ")[2])
        except InputError as error:
            screening.refused += [(row[index].label, str(error)) for row in requests]
    for filler, row in zip(spec.fillers, requests, strict=True):
        _add_filler(screening, spec, filler, row, fragments, library)
    if not screening.pairs:
        name, cause = screening.refused[0]
        raise InputError(f"No interface of the screening can be built; {name}: {cause}")
    return screening


def _add_filler(
    screening: Screening,
    spec: ScreeningSpec,
    filler: FillerChoice,
    requests: list[BindingRequest],
    fragments: dict[int, Reference],
    library: Library,
) -> None:
    """Add one filler with all of its interfaces."""
    as_given = requests[0].model_copy(update={"filler": filler.name})  # a file is found by its path, not its name
    indices = sorted(fragments)
    try:
        slab, refused = shared_slab(as_given, library, [fragments[i].structure for i in indices], spec.in_plane)
    except InputError as error:
        screening.refused += [(requests[i].label, str(error)) for i in indices]
        return
    surface = str(slab.properties.get("surface", ""))
    a = _reference(screening.maker, slab, "A", f"{requests[0].filler} {surface}".strip())
    for position, index in enumerate(indices):
        request, b = requests[index], fragments[index]
        if position in refused:
            screening.refused.append((request.label, refused[position]))
            continue
        try:
            report = _report(slab, b.structure, spec)
            about = describe(request, slab, b.structure, report, (a.digest, b.digest))
        except InputError as error:
            screening.refused.append((request.label, str(error)))
            continue
        screening.references |= {a.key: a, b.key: b}
        screening.pairs[about["key"]] = Pair(about["key"], request.label, a.key, b.key, about)


def _reference(maker: BindingEnergyMaker, structure: Structure, part: Literal["A", "B"], name: str) -> Reference:
    """Give a reference its key: that of its relaxation, and the settings of the single point after it."""
    relax, *static = maker.reference(structure, part)
    assert isinstance(relax.maker, EngineMaker)
    content: list[Any] = [str(relax.maker.request(structure, [], None).key())]
    for job in static:
        assert isinstance(job.maker, EngineMaker)
        settings = job.maker.request(structure, [], None).settings
        content += [job.maker.engine_name, job.maker.level, settings]
    key = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
    return Reference(key, name, part, structure, structure_digest(structure))


def _report(slab: Structure, fragment: Structure, spec: ScreeningSpec) -> dict[str, Any]:
    a, b, _ = slab.lattice.abc
    return {
        "formula": slab.composition.formula.replace(" ", ""),
        "fragment_formula": fragment.properties.get("formula"),
        "atoms": {"slab": len(slab), "fragment": len(fragment), "total": len(slab) + len(fragment)},
        "cell": [a, b],
        "screening": spec.model_dump(mode="json", include={"in_plane", "seed", "vacuum", "placements"}),
    }


@dataclass
class ScreeningMaker(Maker):
    """Flow of a whole screening, for a queue: every reference is one pair of jobs, however many interfaces use it.

    Parameters
    ----------
    name
        Name of the flow.
    """

    name: str = "screening"

    def make(self, screening: Screening) -> Flow:
        """Wire all jobs.

        Parameters
        ----------
        screening
            What to calculate; see `Screening.only` for a part of it.

        Returns
        -------
        Flow
            Of the flows of all references and all interfaces.
        """
        parts: dict[str, list[Job]] = {}
        for key, reference in screening.references.items():
            parts[key] = screening.maker.reference(reference.structure, reference.part)
        outputs = {key: ReferenceOutputs.of(jobs) for key, jobs in parts.items()}
        flows = [Flow(jobs, output=jobs[-1].output, name=screening.references[key].name) for key, jobs in parts.items()]
        flows += [
            pair_flow(screening, pair, outputs[pair.slab], outputs[pair.fragment]) for pair in screening.pairs.values()
        ]
        return Flow(flows, name=self.name)


def pair_flow(screening: Screening, pair: Pair, slab: ReferenceOutputs, fragment: ReferenceOutputs) -> Flow:
    """Wire the jobs of one interface; each carries the interface's key, so that a half-finished one can be counted."""
    jobs = screening.maker.pair(slab, fragment, pair.about)
    for job in jobs:
        job.metadata["interface"] = pair.key
    return Flow(jobs, output=jobs[-1].output, name=pair.name)
