"""Files of papers: one per paper says what is computed, what stands for what, and which trends are claimed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from iface_wf.documents.kinds import Column
from iface_wf.documents.trust import FATAL_FLAGS
from iface_wf.errors import InputError, shown, unknown_name, validate
from iface_wf.flows.kinds import flow_kind_of
from iface_wf.library.files import read_yaml
from iface_wf.library.volumes import MOST_UNITS


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


_Amount = Annotated[float, Field(gt=0, le=MOST_UNITS)]


class Conversion(_Told):
    """Crystals that others are made into, by names of the library, and how many formula units of each.

    Attributes
    ----------
    products, reactants
        What comes from outside, such as lithium through an electrolyte, is left out.
    """

    products: dict[str, _Amount] = Field(min_length=1)
    reactants: dict[str, _Amount] = Field(min_length=1)


class PaperQuantity(_Told):
    """A number of a paper that is computed in one of three ways: by a request, as the difference of two others, or as a ratio of volumes.

    Attributes
    ----------
    name
        What the paper calls it.
    published
        The paper's number, in the unit of the quantity (mostly eV); None where it shows it in a figure only, or not at all.
    request
        Fields of the request, ``quantities`` among them; those of the paper's ``options`` are added.
    column
        Which number of the request's result is meant, by its name in tables; by default the one that the result is about.
    difference
        Instead of a request: names of two quantities before this one, the first minus the second.
    volume_ratio
        Instead of a request: the volume of some crystals over that of what they are made from, %. Needs no calculation.
    meant
        Flags of the result that say what the number is about, though they forbid quoting others, each with why: ``dissociated`` of an
        acid that gives its proton to a base. A flag is meant as it is written, so ``dissociated (relax B)`` is another one.
    model
        What stands for the paper's system, where that is another.
    remark
        What is to be known when both numbers are compared.
    """

    name: str
    published: float | None = Field(default=None, allow_inf_nan=False)
    request: dict[str, Any] | None = None
    column: str = ""
    difference: tuple[str, str] | None = None
    volume_ratio: Conversion | None = None
    meant: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    model: str = ""
    remark: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = (self.request, self.difference, self.volume_ratio)
        if sum(way is not None for way in ways) != 1:
            raise ValueError(f"the quantity {self.name!r} needs one of 'request', 'difference' and 'volume_ratio'")
        for flag in self.meant:
            if flag.split(" ")[0] not in FATAL_FLAGS:
                raise ValueError(
                    f"the quantity {self.name!r} means the flag {shown(flag)}, which forbids nothing: those that do are "
                    f"{', '.join(sorted(FATAL_FLAGS))}"
                )
        for name in ("column", "meant"):
            if getattr(self, name) and self.request is None:
                raise ValueError(f"the quantity {self.name!r} has a {name!r} but no 'request'")
        return self

    @property
    def in_solids(self) -> bool:
        """Whether a slab or crystal is calculated for it."""
        return self.request is not None and "filler" in self.request


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
        Fields that all requests share, as far as their kind of result has them.
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
        for position, quantity in enumerate(self.quantities):
            for name in quantity.difference or ():
                if name not in known[:position]:
                    raise ValueError(f"the difference {quantity.name!r} names {name!r}, which is no quantity before it")
        for trend in self.trends:
            for name in trend.falling:
                if name not in known:
                    raise ValueError(f"the trend {trend.says!r} names {name!r}, which is no quantity of the file")
        return self


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
    return {stem: _read(path) for stem, path in chosen.items()}


def _read(path: Path) -> Paper:
    """Read a paper's file, with what its requests ask for."""
    paper = validate(read_yaml(path), Paper, str(path))
    try:
        requests = requests_of(paper)
        known = {name for request in requests.values() for name in type(request).model_fields}
        for name in paper.options:
            if requests and name not in known:
                raise unknown_name("option of all quantities", name, known)
        columns_of(paper, requests)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return paper


def request_of(paper: Paper, quantity: PaperQuantity) -> Any:
    """Return the checked request of a quantity: with those of the paper's options that its kind of result has.

    Raises
    ------
    InputError
        Naming the quantity and what is wrong.
    """
    told = quantity.request or {}
    names = told.get("quantities", ())
    if not isinstance(names, list) or not names:
        raise InputError(f"The quantity {quantity.name!r} does not say its 'quantities'.")
    kind = flow_kind_of([str(each) for each in names]).request
    options = {name: value for name, value in paper.options.items() if name in kind.model_fields}
    return validate(options | told, kind, f"The quantity {quantity.name!r}")


def requests_of(paper: Paper) -> dict[str, Any]:
    """Return the checked requests of a paper by the names of their quantities.

    Raises
    ------
    InputError
        Naming the quantity and what is wrong.
    """
    return {each.name: request_of(paper, each) for each in paper.quantities if each.request is not None}


def columns_of(paper: Paper, requests: Mapping[str, Any]) -> dict[str, Column]:
    """Return which column of its result each quantity with a request is; errors as of `column_of`."""
    asked = [quantity for quantity in paper.quantities if quantity.name in requests]
    return {quantity.name: column_of(quantity, requests[quantity.name]) for quantity in asked}


def column_of(quantity: PaperQuantity, request: Any) -> Column:
    """Return the column of a request's result that a quantity is.

    Raises
    ------
    InputError
        For a column that results of this kind do not have, or that is no number.
    """
    kind = flow_kind_of(request.quantities)
    numbers = {column.name: column for column in kind.columns if column.unit}
    name = quantity.column or kind.headline
    if name not in numbers:
        raise unknown_name(f"column of the quantity {quantity.name!r}", name, numbers)
    return numbers[name]
