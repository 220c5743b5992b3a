"""What each calculation asks the queue for: one table of engine, level and kind, for 100 atoms, that users edit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from iface_wf.engines.profile import ENGINES
from iface_wf.errors import validate
from iface_wf.library.files import read_yaml

#: Wall times are asked for in steps of so many seconds, which is how exactly they are known; short ones in minutes.
TIME_STEP, SHORT_STEP, SHORT = 300, 60, 1800.0


class Resources(BaseModel):
    """What one job asks for.

    Attributes
    ----------
    cores
        On one node.
    time
        Wall time limit, s.
    memory_mb
        For all cores together, MB; None: what the queue gives.
    """

    model_config = ConfigDict(extra="forbid")

    cores: int = Field(ge=1)
    time: int = Field(ge=60)
    memory_mb: int | None = Field(default=None, ge=1)


class Row(BaseModel):
    """What calculations of 100 atoms need; more atoms need more time and memory.

    Attributes
    ----------
    engine, level, kind
        Which calculations; ``*`` means any. The first row that fits counts.
    cores
        Cores.
    hours
        Wall time for 100 atoms, h.
    memory_gb
        For 100 atoms, GB; None: what the queue gives.
    exponent
        How the time grows with the number of atoms.
    """

    model_config = ConfigDict(extra="forbid")

    engine: str = "*"
    level: str = "*"
    kind: str = "*"
    cores: int = Field(ge=1)
    hours: float = Field(gt=0)
    memory_gb: float | None = Field(default=None, gt=0)
    exponent: float = Field(default=2.0, ge=0, le=4)

    def fits(self, engine: str, level: str, kind: str) -> bool:
        """Say whether this row is about such a calculation.

        Parameters
        ----------
        engine, level, kind
            As for `ResourceTable.resources_for`.
        """
        asked = ((self.engine, engine), (self.level, level), (self.kind, kind))
        return all(mine in ("*", wanted) for mine, wanted in asked)


class Caps(BaseModel):
    """What is never exceeded.

    Attributes
    ----------
    cores
        Of one job.
    hours
        Longest wall time, h; a job that needs more goes on from its checkpoint.
    memory_gb
        Most memory of one job, GB.
    """

    model_config = ConfigDict(extra="forbid")

    cores: int = Field(default=32, ge=1)
    hours: float = Field(default=24.0, gt=0)
    memory_gb: float = Field(default=128.0, gt=0)


#: Steps that run no engine of their own: searches by the cheap engine (``place`` in jobs of before), and bookkeeping.
OWN_ROWS = (
    Row(engine="iface-wf", kind="place", cores=1, hours=0.5),
    Row(engine="iface-wf", kind="search AB", cores=2, hours=2.0),
    Row(engine="iface-wf", kind="search B", cores=2, hours=0.5),
    Row(engine="iface-wf", cores=1, hours=0.25, exponent=1.0),
)
#: Calculations of which nothing is known.
LAST_ROW = Row(cores=1, hours=1.0)


def default_rows() -> list[Row]:
    """Return what the engines think they need.

    Generous for one interface on today's nodes; what runs out of time goes on with twice as much.
    """
    rows = [Row(engine=name, **row) for name, profile in ENGINES.usable().items() for row in profile.resources]
    return [*OWN_ROWS, *rows, LAST_ROW]


class ResourceTable(BaseModel):
    """The table, and its caps.

    Attributes
    ----------
    caps
        What is never exceeded.
    rows
        The first row that fits a calculation counts.
    """

    model_config = ConfigDict(extra="forbid")

    caps: Caps = Field(default_factory=Caps)
    rows: list[Row] = Field(default_factory=default_rows, min_length=1)

    @classmethod
    def read(cls, path: Path) -> ResourceTable:
        """Read a table from YAML.

        Raises
        ------
        InputError
            Naming the file and the entry that cannot be used.
        """
        return validate(read_yaml(path), cls, str(path))

    def write(self, path: Path) -> None:
        """Write the table as YAML, to be edited."""
        head = (
            "# What each calculation asks the queue for. Times and memory are for 100 atoms; the time grows with the\n"
            "# number of atoms to the power of exponent, memory linearly. The first row that fits counts; * fits all.\n"
        )
        path.write_text(head + yaml.safe_dump(self.model_dump(mode="json", exclude_none=True), sort_keys=False))

    def resources_for(self, engine: str, level: str, kind: str, atoms: int) -> Resources:
        """Look up what a calculation asks for.

        Parameters
        ----------
        engine, level
            As in specs; ``iface-wf`` for steps that run no engine of their own.
        kind
            ``relax``, ``static``, ``place`` or ``collect``.
        atoms
            Number of atoms in its cell.

        Returns
        -------
        Resources
            Within the caps; never less than the row's own numbers for few atoms divided by ten.
        """
        row = next((r for r in self.rows if r.fits(engine, level, kind)), LAST_ROW)
        growth = max(0.1, (atoms / 100.0) ** row.exponent)
        seconds = min(row.hours * growth, self.caps.hours) * 3600.0
        memory = None
        if row.memory_gb is not None:
            memory = int(1000 * min(row.memory_gb * max(0.25, atoms / 100.0), self.caps.memory_gb))
        cores = min(row.cores, self.caps.cores)
        return Resources(cores=cores, time=_round(seconds, self.caps.hours * 3600.0), memory_mb=memory)

    def raised(self, now: Resources, what: Literal["time", "memory"]) -> Resources | None:
        """Return what a job asks for after it ran out of time or memory: twice as much; None if the cap is reached.

        Parameters
        ----------
        now
            What it asked for.
        what
            What it ran out of.
        """
        if what == "time":
            more = _round(min(2.0 * now.time, self.caps.hours * 3600.0), self.caps.hours * 3600.0)
            return now.model_copy(update={"time": more}) if more > now.time else None
        if now.memory_mb is None:  # the queue's own amount was too little: ask for the most
            return now.model_copy(update={"memory_mb": int(1000 * self.caps.memory_gb)})
        memory = min(2 * now.memory_mb, int(1000 * self.caps.memory_gb))
        return now.model_copy(update={"memory_mb": memory}) if memory > now.memory_mb else None


def _round(seconds: float, most: float) -> int:
    """Round a time up to whole steps, but not beyond the cap."""
    step = SHORT_STEP if seconds < SHORT else TIME_STEP
    return max(60, int(min(step * math.ceil(seconds / step), most)))
