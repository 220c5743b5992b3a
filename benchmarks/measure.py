"""How a row of `docs/performance.md` is measured: all sides in turn in one run, the least of several repeats.

A row is a script in this folder that says what it measures in a `Row` for each line of its table; `table` prints them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PEERS = Path(os.environ.get("IFACE_WF_PEERS", ROOT / "benchmarks" / ".peers"))
"""Where the environments of peers are that cannot be installed beside this program."""


@dataclass
class Figure:
    """What one side took.

    Attributes
    ----------
    cpu, wall
        Seconds; None where only a count was taken.
    mb
        Peak memory of the whole process, MB; None where it was not measured.
    count
        For rows that count something.
    cited
        Whether the figure was measured elsewhere before.
    """

    cpu: float | None = None
    wall: float | None = None
    mb: float | None = None
    count: float | None = None
    cited: bool = False


@dataclass
class Row:
    """One line of a table.

    Attributes
    ----------
    name
        What was done, on what.
    ours, peer
        The two figures; no peer where there is none to compare with.
    peer_name
        Who, with version.
    goal
        How many times less than the peer it should take, in ``by``; None without a goal.
    by
        ``"cpu"``, ``"wall"`` or ``"count"``.
    most
        Goal without a peer: at most so many CPU seconds, which a busy machine hardly changes.
    equal
        How the results compare.
    note
        What else must be known.
    """

    name: str
    ours: Figure
    peer: Figure | None = None
    peer_name: str = ""
    goal: float | None = None
    by: str = "cpu"
    most: float | None = None
    equal: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times what we take the peer takes."""
        if self.peer is None:
            return None
        ours, theirs = getattr(self.ours, self.by), getattr(self.peer, self.by)
        return None if not ours or theirs is None else theirs / ours

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.most is not None:
            return self.ours.cpu is not None and self.ours.cpu <= self.most
        return None if self.goal is None or self.ratio is None else self.ratio >= self.goal


@dataclass
class Section:
    """What a script measured."""

    title: str
    rows: list[Row] = field(default_factory=list)
    text: str = ""


def cpu_seconds() -> float:
    """Return the CPU seconds of this process with all its threads, and of children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def interleaved(works: Mapping[str, Callable[[], Any]], repeats: int = 3) -> tuple[dict[str, Figure], dict[str, Any]]:
    """Do some pieces of work in turn, several times; return the least that each took, and what it returned last.

    CPU seconds are those of `cpu_seconds`.
    """
    figures: dict[str, Figure] = {}
    results: dict[str, Any] = {}
    for _ in range(repeats):
        for name, work in works.items():
            results.pop(name, None)
            before, started = cpu_seconds(), time.perf_counter()
            results[name] = work()
            wall, cpu = time.perf_counter() - started, cpu_seconds() - before
            if isinstance(results[name], Told):
                cpu, wall = results[name].cpu, results[name].wall
            old = figures.setdefault(name, Figure(cpu, wall))
            figures[name] = Figure(min(old.cpu or cpu, cpu), min(old.wall or wall, wall))
    return figures, results


def sides_at(
    sides: Mapping[str, Callable[[int], Any]], size: int, options: argparse.Namespace, alone: str
) -> tuple[dict[str, Figure], dict[str, Any]]:
    """Let all sides do one size in turn, as `interleaved` does, and each once more by itself for its memory (``alone``: the code)."""
    figures, results = interleaved({side: partial(work, size) for side, work in sides.items()}, options.repeats)
    if not options.quick:
        for side in sides:
            figures[side].mb = peak_memory(alone.format(side=side, size=size))
    return figures, results


@dataclass
class Told:
    """What another process says that a piece of work took there, and the result."""

    cpu: float
    wall: float
    result: Any


def peak_memory(code: str, **environment: str) -> float:
    """Run Python code in a process of its own; return the most memory that it held, MB."""
    # what getrusage says begins with the memory of the parent
    ending = "\nprint(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    done = subprocess.run(
        [sys.executable, "-c", code + ending], capture_output=True, text=True, check=True, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )  # fmt: skip
    return float(done.stdout.split()[-1]) / 1024


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [
        "| what | ours: CPU s | wall s | MB | peer | peer: CPU s | wall s | MB | times less | goal | equal |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        peer = [row.peer_name or "none", *_figure(row.peer)]
        cells = [row.name, *_figure(row.ours), *peer, _number(row.ratio), _goal(row), row.equal]
        lines.append(f"| {' | '.join(cells)} |")
    return lines + [f"\n{row.name}: {row.note}" for row in rows if row.note]


def _figure(figure: Figure | None) -> list[str]:
    if figure is None:
        return ["", "", ""]
    if figure.count is not None:
        return [f"{figure.count:g} (count)", "", ""]
    mark = " (cited)" if figure.cited else ""
    memory = "" if figure.mb is None else f"{figure.mb:.0f}"
    return [_number(figure.cpu) + mark, _number(figure.wall), memory]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}" if value >= 0.001 else f"{value:.1g}"


def _goal(row: Row) -> str:
    if row.most is None and row.goal is None:
        return ""
    said = f"at most {row.most:g} CPU s" if row.most is not None else f"{row.goal:g} x"
    return f"{said}{f' {row.by}' if row.most is None and row.by != 'cpu' else ''}: {'met' if row.met else 'missed'}"


def script(measure: Callable[[argparse.Namespace], Section], description: str, **more: Any) -> None:
    """Run one row as a command: print its table, or write it as JSON.

    Parameters
    ----------
    measure
        Does it; gets the options.
    description
        Help text.
    **more
        Further options with their defaults.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="the small case alone, as the test of regressions does")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    for name, default in more.items():
        if isinstance(default, list):
            parser.add_argument(f"--{name}", nargs="*", type=type(default[0]), default=default)
        else:
            parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    section = measure(options)
    print("\n".join([section.title, "", *table(section.rows), "", section.text]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(asdict(section)), encoding="utf-8")
