"""Numbers of papers as they were computed, and what becomes of the trends that were claimed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from jobflow import JobStore

from iface_wf.analysis.uncertainty import combined, of_difference
from iface_wf.documents.trust import is_trustworthy
from iface_wf.errors import CalculationError, InputError
from iface_wf.flows.events import Event
from iface_wf.flows.kinds import flow_kind_of
from iface_wf.library.library import Library
from iface_wf.library.volumes import volume_ratio
from iface_wf.screening.finished import finished_results
from iface_wf.screening.papers import Paper, PaperQuantity, PaperTrend, columns_of, requests_of
from iface_wf.screening.single import run_request
from iface_wf.store.fields import value_at
from iface_wf.store.results import stored_result

#: Parts of the uncertainty with one cause and one sign in results of one level: of a difference their difference is left.
COMMON = ("basis", "dispersion")
#: A trend is as good as the worst of its steps; in this order.
Verdict = Literal[
    "not computed",
    "not reproduced",
    "not reproduced, but within the uncertainty",
    "reproduced, but within the uncertainty",
    "reproduced",
]
NOT_COMPUTED = "not computed yet"


class Outcome(NamedTuple):
    """One number of a paper as it was computed.

    Attributes
    ----------
    quantity
        What it is.
    document
        The result that it is read from; None where there is none.
    problem
        Why there is no number.
    unit
        Of the number.
    number
        In its unit; None where there is none.
    parts
        Of its uncertainty, by source, in its unit; empty where nothing is known of it.
    trustworthy
        Whether it may be quoted.
    made_of
        Of a number that is no result's own: what it is made of, in words.
    doubt
        Of such a number: why it may not be quoted.
    """

    quantity: PaperQuantity
    document: Any = None
    problem: str = ""
    unit: str = "eV"
    number: float | None = None
    parts: Mapping[str, float] = {}
    trustworthy: bool = True
    made_of: str = ""
    doubt: str = ""

    @property
    def value(self) -> float | None:
        """The number, in its unit, where it may be quoted."""
        return self.number if self.trustworthy else None

    @property
    def failed(self) -> bool:
        """Whether it could not be computed, and not only has not been yet."""
        return bool(self.problem) and not self.problem.startswith(NOT_COMPUTED)

    @property
    def uncertainty(self) -> float | None:
        """Of the number, in its unit; None where nothing is known of it."""
        return combined(self.parts.values())


def outcomes(
    paper: Paper,
    store: JobStore,
    library: Library,
    workdir: Path | None,
    on_event: Callable[[Event], None] | None = None,
    solids: bool = True,
) -> Iterator[Outcome]:
    """Return the numbers of a paper, one after the other; one that fails stops no other.

    Parameters
    ----------
    paper
        What is wanted.
    store
        Where results are looked for and kept.
    library
        Where names are looked up.
    workdir
        Folder of the calculations; None: nothing is calculated, what is stored is told.
    on_event
        Is told about every step.
    solids
        Whether slabs and crystals are calculated, too; else of these is told what is stored.
    """
    requests = requests_of(paper)  # all are checked first
    columns = columns_of(paper, requests)
    found: dict[str, Outcome] = {}
    for quantity in paper.quantities:
        name = quantity.name
        unit = columns[name].unit.split()[0].rstrip(",") if name in columns else "%"
        try:
            if quantity.volume_ratio is not None:
                ratio = volume_ratio(quantity.volume_ratio.products, quantity.volume_ratio.reactants, library)
                told = Outcome(quantity, unit=unit, number=100.0 * ratio.ratio, made_of=ratio.sentence)
            elif quantity.difference is not None:
                told = _difference(quantity, *(found[each] for each in quantity.difference))
            else:
                calculated = workdir if solids or not quantity.in_solids else None
                document = _document(requests[name], store, library, calculated, on_event)
                told = read(quantity, document, columns[name].field)._replace(unit=unit)
        except (CalculationError, InputError) as error:
            told = Outcome(quantity, problem=str(error), unit=unit)
        found[name] = told
        yield told


def read(quantity: PaperQuantity, document: Any, field: str) -> Outcome:
    """Read a number from a result.

    Parameters
    ----------
    quantity
        What it is.
    document
        The result; None: there is none.
    field
        Where the document has it, for example ``charge_transfer.slab``.
    """
    if document is None:
        return Outcome(quantity, problem=NOT_COMPUTED)
    number = value_at(document.model_dump(include={field.split(".")[0]}), field)
    parts = {} if quantity.column else getattr(document, "uncertainty_parts", None) or {}
    flags = [flag for flag in document.flags if flag not in quantity.meant]
    trusted = is_trustworthy(document.converged, document.number, flags) and number is not None
    return Outcome(quantity, document, number=number, parts=parts, trustworthy=trusted)


def _document(
    request: Any, store: JobStore, library: Library, workdir: Path | None, on_event: Callable[[Event], None] | None
) -> Any:
    """Return the result of a request, calculated where it may be; None where it is not stored."""
    if workdir is not None:
        return run_request(request, store, library, workdir, on_event=on_event).document
    return stored_document(request, store, library)


def stored_document(request: Any, store: JobStore, library: Library) -> Any:
    """Return the stored result of a request; None where there is none."""
    graph = flow_kind_of(request.quantities).graph(request, library, here=False)
    found = stored_result(store, next(iter(graph.items))) if finished_results(store, graph.items) else None
    return None if found is None else found.document


def _difference(quantity: PaperQuantity, first: Outcome, second: Outcome) -> Outcome:
    lacking = [each.quantity.name for each in (first, second) if each.number is None]
    if lacking:
        return Outcome(quantity, problem=f"{NOT_COMPUTED}: lacks {', '.join(lacking)}", unit=first.unit)
    if first.unit != second.unit:
        raise InputError(f"The difference {quantity.name!r} is of {first.unit} and {second.unit}.")
    spread = of_difference(first.parts, second.parts, COMMON)
    doubtful = [each.quantity.name for each in (first, second) if not each.trustworthy]
    return Outcome(
        quantity,
        unit=first.unit,
        number=(first.number or 0.0) - (second.number or 0.0),
        parts={} if spread is None else {"difference": spread},
        trustworthy=not doubtful,
        doubt=f"rests on {', '.join(doubtful)}" if doubtful else "",
        made_of=f"{first.quantity.name} - {second.quantity.name}",
    )


def verdict(trend: PaperTrend, found: Mapping[str, Outcome]) -> tuple[Verdict, str]:
    """Say whether an order is reproduced, and by which differences.

    Parameters
    ----------
    trend
        What is claimed.
    found
        Outcomes by the names of their quantities.

    Returns
    -------
    tuple
        The verdict, and in words what it rests on.
    """
    values = {name: found[name].value for name in trend.falling}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        return "not computed", f"lacks {', '.join(missing)}"
    units = list(dict.fromkeys(found[name].unit for name in trend.falling))
    if len(units) > 1:
        return "not computed", f"compares {' with '.join(units)}"
    said: list[str] = []
    steps: list[Verdict] = []
    for upper, lower in zip(trend.falling, trend.falling[1:], strict=False):
        step = (values[upper] or 0.0) - (values[lower] or 0.0)
        spread = of_difference(found[upper].parts, found[lower].parts, COMMON)
        told = "" if spread is None else f" +- {spread:.2f}"
        said.append(f"{upper} - {lower} = {step:+.2f}{told} {units[0]}")
        within = spread is not None and abs(step) < spread
        if step > 0:
            steps.append("reproduced, but within the uncertainty" if within else "reproduced")
        else:
            steps.append("not reproduced, but within the uncertainty" if within else "not reproduced")
    return min(steps, key=get_args(Verdict).index), "; ".join(said)
