"""Published numbers beside ours: one file per paper says what is computed, what stands for what, and which trends are claimed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from jobflow import JobStore
from pydantic import BaseModel, ConfigDict, Field, model_validator

from iface_wf.analysis.uncertainty import of_difference
from iface_wf.errors import CalculationError, InputError, unknown_name, validate
from iface_wf.flows.events import Event
from iface_wf.flows.kinds import flow_kind_of
from iface_wf.library.files import read_yaml
from iface_wf.library.library import Library
from iface_wf.library.volumes import VolumeRatio, volume_ratio
from iface_wf.screening.finished import finished_results
from iface_wf.screening.single import run_request
from iface_wf.store.results import stored_result

#: Parts of the uncertainty with one cause and one sign in results of one level: of a difference their difference is left.
_COMMON = ("basis", "dispersion")
Verdict = Literal["reproduced", "reproduced, but within the uncertainty", "not reproduced", "not computed"]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Conversion(_Told):
    """Crystals that others are made into, by names of the library, and how many formula units of each.

    Attributes
    ----------
    products, reactants
        What comes from outside, such as lithium through an electrolyte, is left out.
    """

    products: dict[str, float] = Field(min_length=1)
    reactants: dict[str, float] = Field(min_length=1)


class PaperQuantity(_Told):
    """A number of a paper that is computed: by a request, or a ratio of volumes, which needs no calculation.

    Attributes
    ----------
    name
        What the paper calls it.
    published
        The paper's number, in the unit of the quantity (mostly eV); None where it shows it in a figure only, or not at all.
    request
        Fields of the request, ``quantities`` among them; those of the paper's ``options`` are added.
    volume_ratio
        Instead of a request: the volume of some crystals over that of what they are made from, %.
    model
        What stands for the paper's system, where that is another.
    remark
        What is to be known when both numbers are compared.
    """

    name: str
    published: float | None = None
    request: dict[str, Any] | None = None
    volume_ratio: Conversion | None = None
    model: str = ""
    remark: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.request is None) == (self.volume_ratio is None):
            raise ValueError(f"the quantity {self.name!r} needs either a 'request' or a 'volume_ratio'")
        return self


class PaperTrend(_Told):
    """An order that a paper claims.

    Attributes
    ----------
    says
        In words.
    falling
        Names of quantities, the largest number first.
    remark
        Why it may come out otherwise.
    """

    says: str
    falling: list[str] = Field(min_length=2)
    remark: str = ""


class NotComputed(_Told):
    """A number of a paper that its file does not compute, and why."""

    name: str
    published: str = ""
    why: str


class Paper(_Told):
    """What one paper published.

    Attributes
    ----------
    title, doi
        Of the paper; without a DOI where none is known.
    note
        What is to be known of all of its numbers.
    options
        Fields that all requests share.
    quantities, trends, not_computed
        Its numbers and claims.
    """

    title: str
    doi: str = Field("", pattern=r"^(10\.\d{4,9}/[A-Za-z0-9./()_;:-]+)?$")
    note: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    quantities: list[PaperQuantity] = Field(default_factory=list)
    trends: list[PaperTrend] = Field(default_factory=list)
    not_computed: list[NotComputed] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names(self) -> Self:
        known = [quantity.name for quantity in self.quantities]
        for name in known:
            if known.count(name) > 1:
                raise ValueError(f"the quantity {name!r} is given twice")
        for trend in self.trends:
            for name in trend.falling:
                if name not in known:
                    raise ValueError(f"the trend {trend.says!r} names {name!r}, which is no quantity of the file")
        return self


class Outcome(NamedTuple):
    """One number of a paper as it was computed.

    Attributes
    ----------
    quantity
        What it is.
    document
        The result; None where there is none.
    problem
        Why there is none.
    unit
        Of the number.
    volumes
        Of a ratio of volumes: what it is made of.
    """

    quantity: PaperQuantity
    document: Any = None
    problem: str = ""
    unit: str = "eV"
    volumes: VolumeRatio | None = None

    @property
    def value(self) -> float | None:
        """The number, in its unit, where it may be quoted."""
        if self.volumes is not None:
            return 100.0 * self.volumes.ratio
        return None if self.document is None or not self.document.trustworthy else self.document.number


def papers_folder() -> Path:
    """Folder of the papers that come with the package (its installed data, else the source checkout)."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "data" / "workflows" / "papers"
    return installed if installed.is_dir() else package.parents[1] / "workflows" / "papers"


def read_papers(name: str | None = None) -> dict[str, Paper]:
    """Read the files of all papers, or of one.

    Parameters
    ----------
    name
        Name of a paper that comes with the package, or the path of a file.

    Returns
    -------
    dict
        By name.

    Raises
    ------
    InputError
        For an unknown name, and naming file and key of what is wrong in one.
    """
    known = {path.stem: path for path in sorted(papers_folder().glob("*.yaml"))}
    if name is None:
        chosen = known
    elif name in known:
        chosen = {name: known[name]}
    elif name.endswith((".yaml", ".yml")):
        chosen = {Path(name).stem: Path(name)}
    else:
        raise unknown_name("paper", name, known)
    return {stem: validate(read_yaml(path), Paper, str(path)) for stem, path in chosen.items()}


def request_of(paper: Paper, quantity: PaperQuantity) -> Any:
    """Return the checked request of a quantity.

    Raises
    ------
    InputError
        Naming the quantity and what is wrong.
    """
    told = paper.options | (quantity.request or {})
    names = told.get("quantities", ())
    if not isinstance(names, list) or not names:
        raise InputError(f"The quantity {quantity.name!r} does not say its 'quantities'.")
    return validate(told, flow_kind_of([str(each) for each in names]).request, f"The quantity {quantity.name!r}")


def outcomes(
    paper: Paper,
    store: JobStore,
    library: Library,
    workdir: Path | None,
    on_event: Callable[[Event], None] | None = None,
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
    """
    requests = [
        (quantity, None if quantity.volume_ratio else request_of(paper, quantity)) for quantity in paper.quantities
    ]  # all are checked first
    for quantity, request in requests:
        unit = unit_of(quantity, request)
        try:
            if quantity.volume_ratio is not None:
                ratio = volume_ratio(quantity.volume_ratio.products, quantity.volume_ratio.reactants, library)
                yield Outcome(quantity, unit=unit, volumes=ratio)
            elif workdir is None:
                yield _stored(quantity, request, store, library)._replace(unit=unit)
            else:
                found = run_request(request, store, library, workdir, on_event=on_event)
                yield Outcome(quantity, found.document, unit=unit)
        except (CalculationError, InputError) as error:
            yield Outcome(quantity, problem=str(error), unit=unit)


def unit_of(quantity: PaperQuantity, request: Any) -> str:
    """Return the unit of a quantity, without its sign."""
    if quantity.volume_ratio is not None:
        return "%"
    kind = flow_kind_of(request.quantities)
    return next(column.unit for column in kind.columns if column.name == kind.headline).split()[0].rstrip(",")


def _stored(quantity: PaperQuantity, request: Any, store: JobStore, library: Library) -> Outcome:
    graph = flow_kind_of(request.quantities).graph(request, library, here=False)
    found = stored_result(store, next(iter(graph.items))) if finished_results(store, graph.items) else None
    return Outcome(quantity, problem="not computed yet") if found is None else Outcome(quantity, found.document)


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
    worst: Verdict = "reproduced"
    for upper, lower in zip(trend.falling, trend.falling[1:], strict=False):
        step = (values[upper] or 0.0) - (values[lower] or 0.0)
        parts = [getattr(found[name].document, "uncertainty_parts", {}) for name in (upper, lower)]
        spread = of_difference(parts[0], parts[1], _COMMON)
        told = "" if spread is None else f" +- {spread:.2f}"
        said.append(f"{upper} - {lower} = {step:+.2f}{told} {units[0]}")
        if step <= 0:
            worst = "not reproduced"
        elif spread is not None and step < spread and worst == "reproduced":
            worst = "reproduced, but within the uncertainty"
    return worst, "; ".join(said)
