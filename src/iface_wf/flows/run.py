"""Run flows on this machine: one job after the other, each told when it starts and how it ends."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from contextlib import chdir
from functools import partial
from pathlib import Path
from typing import Any

from jobflow import Flow, Job, JobStore
from jobflow.core.flow import get_flow

from iface_wf.engines.progress import progress_to
from iface_wf.errors import CalculationError, IfaceError, OutageError
from iface_wf.flows.events import Event, State
from iface_wf.flows.patience import patiently
from iface_wf.interrupts import end_if_interrupted
from iface_wf.store.job_store import require_writable
from iface_wf.store.presence import require_file

Listener = Callable[[Event], None]
_log = logging.getLogger(__name__)


def run_flow(flow: Flow, store: JobStore, workdir: Path, listener: Listener | None = None) -> Any:
    """Run a flow in this process and return its output.

    Every calculation first looks for its own result in the store, so that running a flow again after an
    interruption repeats nothing that was finished.

    Parameters
    ----------
    flow
        The flow, with an output.
    store
        Where outputs go.
    workdir
        Folder of the calculations; created on demand.
    listener
        Is told about every step.

    Returns
    -------
    dict
        The flow's output document, without large data.

    Raises
    ------
    InputError
        When the store can only be read.
    CalculationError
        Naming the steps that failed and why; other steps that do not need them have been done.
    OutageError
        When disk or server are away for longer than is waited for.
    """
    require_writable(store)
    workdir.mkdir(parents=True, exist_ok=True)
    steps = list(get_flow(flow, allow_external_references=True).iterflow())
    tell = _teller(len(steps), listener or (lambda event: None))
    failures: dict[str, Exception] = {}
    undone: set[str] = set()
    for index, (job, parents) in enumerate(steps, start=1):
        end_if_interrupted()
        if undone.intersection(parents):
            undone.add(job.uuid)
            tell(job.name, index, "skipped")
            continue
        started = time.monotonic()
        tell(job.name, index, "started")
        wait = partial(tell, job.name, index, "waiting", 0.0)
        try:
            with progress_to(_progress(tell, job.name, index, started)):
                output = patiently(partial(_run_job, job, store, workdir), store, workdir, wait)
        except OutageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever ends one step must not end those that do not need it
            _log.debug("%s failed", job.name, exc_info=True)
            undone.add(job.uuid)
            failures[job.name] = error
            tell(job.name, index, "failed", time.monotonic() - started, _cause(error))
        else:
            state, detail = _how_it_went(output)
            tell(job.name, index, state, time.monotonic() - started, detail)
    if flow.output.uuid in undone:
        causes = "; ".join(f"{step}: {_cause(error)}" for step, error in failures.items())
        raise CalculationError(causes) from next(iter(failures.values()))
    return patiently(lambda: store.get_output(flow.output.uuid, load=False), store, workdir, lambda cause: None)


def _teller(total: int, listener: Listener) -> Callable[..., None]:
    def tell(step: str, index: int, state: State, seconds: float = 0.0, detail: str = "") -> None:
        listener(Event(step, index, total, state, seconds, detail))

    return tell


def _progress(tell: Callable[..., None], step: str, index: int, started: float) -> Callable[[str], None]:
    return lambda words: tell(step, index, "running", time.monotonic() - started, words)


def _run_job(job: Job, store: JobStore, workdir: Path) -> Any:
    """Run one job in the working folder and return what its function returned."""
    require_file(store)
    workdir.mkdir(parents=True, exist_ok=True)  # it may have been deleted meanwhile
    with chdir(workdir), warnings.catch_warnings():
        # jobflow calls a helper that monty will remove in 2028: nothing a user could act on
        warnings.filterwarnings("ignore", message="cd is deprecated", category=FutureWarning)
        response = job.run(store=store)
    if response.replace or response.detour or response.addition or response.stop_jobflow:
        raise CalculationError(f"The step {job.name} asks for further jobs, which only a queue can run.")
    return response.output


def _cause(error: Exception) -> str:
    """Say what went wrong; our own errors speak for themselves."""
    text = str(error).strip()
    if isinstance(error, IfaceError):
        return text
    return f"{type(error).__name__}: {(text.splitlines() or [''])[0]}".removesuffix(": ")


def _how_it_went(output: Any) -> tuple[State, str]:
    """Say whether a step's result was found, which corrections were made, and which flags it has."""
    corrections = getattr(output, "corrections", None) or []
    detail = [f"corrected: {correction.errors[0]}" for correction in corrections]
    detail += getattr(output, "flags", None) or []
    return "found" if getattr(output, "reused_from", None) else "finished", "; ".join(detail)
