"""Quantities of papers calculated side by side: small molecules use one core better than several.

A single point of ten atoms takes two processes three quarters of the time of one. So each quantity is a process of its own, with its share of the
cores; what it stores is found afterwards.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from jobflow import JobStore

from iface_wf.engines.cores import granted_cores
from iface_wf.errors import CalculationError, InputError, unknown_name
from iface_wf.library import Library
from iface_wf.screening.papers import Paper, requests_of
from iface_wf.screening.papers_outcomes import stored_document

#: Seconds between two looks at the processes.
PAUSE = 0.2
#: Seconds that processes have to end after an interrupt, until they are told again: a GPAW of theirs ends with them.
PATIENCE = 20.0


class _Running(NamedTuple):
    name: str
    process: subprocess.Popen[str]
    said: IO[str]
    started: float


def waiting(papers: Mapping[str, Paper], store: JobStore, library: Library) -> list[tuple[str, str]]:
    """Return paper and name of the quantities of molecules alone that are not stored, what takes longest first."""
    found = []
    for name, paper in papers.items():
        requests = requests_of(paper)
        for quantity in paper.quantities:
            request = requests.get(quantity.name)
            if request is None or quantity.in_solids:
                continue
            try:
                there = stored_document(request, store, library) is not None
            except (CalculationError, InputError):  # told where its number is asked for
                continue
            if not there:
                parts = [getattr(request, field, None) for field in ("salt", "polymer", "molecule")]
                learned = getattr(request, "engine", "") == "mlip"  # whose search relaxes by the same model
                found.append((name, quantity.name, -sum(part is not None for part in parts) - 10 * learned))
    return [(name, quantity) for name, quantity, _ in sorted(found, key=lambda each: each[2])]


def calculate_side_by_side(
    quantities: Sequence[tuple[str, str]], options: Sequence[str], tell: Callable[[str], None]
) -> None:
    """Calculate quantities in processes of their own; one that fails says why, and is tried again by whoever asks for it next.

    Parameters
    ----------
    quantities
        Paper (a name or a file) and name of each; with one core or one quantity nothing is done.
    options
        Further options of ``iface-wf papers``: store and working folder.
    tell
        Is told a line about each quantity that has ended.
    """
    cores = granted_cores()
    places = min(cores, len(quantities))
    if places < 2:
        return
    left, running, ended = list(quantities), list[_Running](), 0
    share = str(cores // places)
    # threads of ML potentials that wait for a core which another has take ten times as long as one thread
    environment = os.environ | {"IFACE_WF_CORES": share, "OMP_NUM_THREADS": share}
    tell(f"{len(quantities)} quantities, {places} at a time")
    try:
        while left or running:
            while left and len(running) < places:
                paper, name = left.pop(0)
                command = [sys.executable, "-m", "iface_wf", "papers", paper, "--only", name, "--json", *options]
                said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - a pipe that nobody reads would stop who says much
                process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said, text=True)
                running.append(_Running(name, process, said, time.monotonic()))
            time.sleep(PAUSE)
            for each in [one for one in running if one.process.poll() is not None]:
                running.remove(each)
                ended += 1
                last = _last_line(each.said)
                how = "done" if each.process.returncode == 0 else f"failed: {last}"
                tell(f"[{ended}/{len(quantities)}] {each.name}: {how}, {time.monotonic() - each.started:.0f} s")
    finally:  # also on Ctrl-C, which those that share the terminal have heard already
        _end([each.process for each in running])
        for each in running:
            each.said.close()


def _end(processes: Sequence[subprocess.Popen[str]]) -> None:
    """Interrupt processes, and again those that go on: an interrupt that arrives while a library calls back is lost.

    What they have finished is stored, so one that hears nothing at all may be killed.
    """
    for ending in (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        left = [process for process in processes if process.poll() is None]
        for process in left:
            process.send_signal(ending)
        deadline = time.monotonic() + PATIENCE
        while any(process.poll() is None for process in left) and time.monotonic() < deadline:
            time.sleep(PAUSE)


def _last_line(file: IO[str]) -> str:
    with file:
        file.seek(0)
        return (file.read().strip().splitlines() or ["it said nothing"])[-1]


def only(papers: Mapping[str, Paper], name: str) -> dict[str, Paper]:
    """Return what papers say of one quantity, with those that it is the difference of.

    Raises
    ------
    InputError
        For a name that no paper has, with the nearest known ones.
    """
    chosen: dict[str, Paper] = {}
    for key, paper in papers.items():
        wanted = {name, *next((q.difference for q in paper.quantities if q.name == name and q.difference), ())}
        kept = [quantity for quantity in paper.quantities if quantity.name in wanted]
        if any(quantity.name == name for quantity in kept):
            names = {quantity.name for quantity in kept}
            trends = [trend for trend in paper.trends if names.issuperset(trend.falling)]
            chosen[key] = paper.model_copy(update={"quantities": kept, "trends": trends, "not_computed": []})
    if not chosen:
        known = [quantity.name for paper in papers.values() for quantity in paper.quantities]
        raise unknown_name("quantity", name, known)
    return chosen


def as_options(store: str | None, workdir: Path | None) -> list[str]:
    """Return the options by which a process finds the same store and working folder."""
    given = {"--store": store, "--workdir": None if workdir is None else str(workdir)}
    return ["--gas-phase", *(word for option, value in given.items() if value is not None for word in (option, value))]
