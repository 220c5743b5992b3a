"""What the pages are told: plain numbers and text, checked here, written once as JSON, read by their scripts."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

#: HTML has no control characters but white space; some would steer the terminal of whoever looks into the file.
CONTROLS = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}
#: Would end the script element, or begin another one.
_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _clean(value: Any) -> Any:
    return value.translate(CONTROLS) if isinstance(value, str) else value


Number = Annotated[float | None, BeforeValidator(_finite)]
Text = Annotated[str, BeforeValidator(_clean)]
Cell = Annotated[bool | int | float | str | None, BeforeValidator(_finite), BeforeValidator(_clean)]


class PageModel(BaseModel):
    """Base of what pages are told: no unknown fields."""

    model_config = ConfigDict(extra="forbid")

    def script_json(self) -> str:
        """Return the data as JSON that can stand in a script element: in ASCII, without ``<``, ``>`` and ``&``."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=True, allow_nan=False).translate(_ESCAPED)


class ColumnData(PageModel):
    """A column of the table of results."""

    name: str
    unit: str = Field("", description="Unit and sign; empty for names and marks")
    digits: int = 3
    numeric: bool
    shown: bool = Field(description="Whether the table shows it at first")
    uncertainty: str = Field("", description="Name of the column with its uncertainty")


class RowData(PageModel):
    """A result in the table: its cells in the order of the columns, and where its page is."""

    cells: list[Cell]
    flags: list[Text]
    trustworthy: bool
    page: str = Field(description="Relative path")


class StateData(PageModel):
    """How a part or an interface stands that is not finished."""

    name: Text
    part: str = Field(description="reference, interface, or ranking for an interface of a funnel's cheap engine")
    state: str = Field(description="running, queued, ready, waiting, failed or cancelled")
    detail: Text = Field("", description="What it is at, where, and why it failed")
    since: str = Field("", description="When it came into this state, where that is known")


class StatesData(PageModel):
    """How a screening or a queue stands."""

    title: Text
    counts: dict[str, int] = Field(description="How many there are in each state")
    rows: list[StateData] = Field(description="Those that are not finished, the worst first")
    hidden: int = Field(0, description="How many more there are of them")
    remark: Text = ""


class IndexData(PageModel):
    """What the page with the table is told."""

    title: Text
    made: str
    headline: str = Field(description="Column that the results are about")
    columns: list[ColumnData]
    rows: list[RowData]
    states: list[StatesData] = Field(
        default_factory=list, description="What runs, waits and failed; of live pages only"
    )


class TableData(PageModel):
    """A small table of a result's page."""

    title: Text
    headings: list[Text]
    rows: list[list[Cell]]


class QuantityData(PageModel):
    """A number of a result, with unit and meaning."""

    name: Text
    value: Number
    uncertainty: Number = None
    unit: Text
    meaning: Text = ""


class AtomData(PageModel):
    """Atoms of the interactive view: those of the cell, then neighbours beyond its edges that a bond reaches."""

    elements: list[str]
    positions: list[tuple[float, float, float]] = Field(description="A")
    bonds: list[tuple[int, int]]
    in_cell: int = Field(description="How many of them are the cell's own")
    cell: list[tuple[float, float, float]] = Field(description="Vectors as rows, A")
    pbc: tuple[bool, bool, bool]


class VolumeData(PageModel):
    """A density of the interactive view: whole numbers times a scale, in base64, last index fastest."""

    shape: tuple[int, int, int]
    origin: tuple[float, float, float] = Field(description="Of the first point, A")
    steps: list[tuple[float, float, float]] = Field(description="From point to point along each axis, A")
    scale: float = Field(description="e/A^3 for 1")
    values: str = Field(description="Little-endian int16")
    levels: tuple[float, float, float] = Field(description="Lowest, first and highest isovalue, e/A^3")
    spacing: float = Field(description="Largest distance of two neighbouring points, A")
    full_shape: tuple[int, int, int] = Field(description="Of the grid in the store")
    moved: float = Field(description="95 % of each surface lies within this of where the full grid has it, A")


class CurveData(PageModel):
    """A quantity along the normal of the interface."""

    title: Text
    label: Text = Field(description="Quantity and unit of the horizontal axis")
    z: list[float] = Field(description="A")
    values: list[float]
    filled: bool = False
    marks: dict[str, float] = Field(default_factory=dict, description="Heights worth a line, A, by name")


class FileData(PageModel):
    """A file beside the page."""

    name: str
    what: Text


class ResultData(PageModel):
    """What the page of one result is told."""

    title: Text
    method: Text
    key: str
    trustworthy: bool
    flags: list[Text]
    quantities: list[QuantityData]
    tables: list[TableData]
    atoms: AtomData | None
    volume: VolumeData | None
    curves: list[CurveData]
    charges: TableData | None
    picture: str | None = Field(None, description="File with a still picture")
    picture_text: Text = ""
    files: list[FileData]
    commands: list[TableData]
    provenance: Text
