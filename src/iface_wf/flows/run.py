"""Run flows on this machine, with progress, on any job store."""

from __future__ import annotations

import logging
import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobflow import Flow, JobStore, run_locally

from iface_wf.builders.interface import build_interface
from iface_wf.documents.binding import BindingDocument
from iface_wf.errors import CalculationError
from iface_wf.flows.events import Event
from iface_wf.flows.interfaces import binding_maker, describe
from iface_wf.flows.plan import plan_flow
from iface_wf.flows.request import BindingRequest
from iface_wf.library.library import Library

Listener = Callable[[Event], None]
_MESSAGE = re.compile(r"(Starting|Finished) job - .* \(([0-9a-f-]{36})(?:, \d+)?\)")


class _Progress(logging.Handler):
    """Turns jobflow's own log into events: it announces the start and the end of every job by its uuid."""

    def __init__(self, flow: Flow, store: JobStore, listener: Listener) -> None:
        super().__init__(logging.INFO)
        jobs = [job for job, _ in flow.iterflow()]
        self.steps = {job.uuid: (i, job.name) for i, job in enumerate(jobs, start=1)}
        self.store, self.listener = store, listener
        self.current: str | None = None
        self.started = 0.0
        self.failures: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        match = _MESSAGE.search(text)
        if match:
            self._announce(match.group(1), match.group(2))
        elif "failed with exception" in text and self.current:
            # the last line of a traceback that is not indented names the exception
            cause = [line for line in text.splitlines() if line and not line[0].isspace()][-1]
            cause = re.sub(r"^iface_wf\.errors\.\w+: ", "", cause)  # our own errors speak for themselves
            self.failures.append(f"{self.steps[self.current][1]}: {cause}")
            self._tell("failed", cause)

    def _announce(self, verb: str, uuid: str) -> None:
        if uuid not in self.steps:
            return
        if verb == "Starting":
            self.current, self.started = uuid, time.monotonic()
            self._tell("started", "")
            return
        output = (self.store.query_one({"uuid": uuid}, properties=["output"], load=False) or {}).get("output") or {}
        corrections = output.get("corrections") or []
        detail = "; ".join([*(f"corrected: {c['errors'][0]}" for c in corrections), *(output.get("flags") or [])])
        self._tell("found" if output.get("reused_from") else "finished", detail)

    def _tell(self, state: Any, detail: str) -> None:
        assert self.current is not None
        index, name = self.steps[self.current]
        self.listener(Event(name, index, len(self.steps), state, time.monotonic() - self.started, detail))


@contextmanager
def _listening(handler: logging.Handler) -> Iterator[None]:
    """Attach a handler to jobflow's logger, and keep its lines off the terminal."""
    logger = logging.getLogger("jobflow")
    # libraries that configure logging, such as jobflow-remote's runner, disable the loggers that exist
    below = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.startswith("jobflow.")]
    disabled = {each: each.disabled for each in (logger, *below)}
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for each in disabled:
        each.disabled = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
        for each, before in disabled.items():
            each.disabled = before


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
    CalculationError
        Naming the steps that failed and why.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    progress = _Progress(flow, store, listener or (lambda event: None))
    with _listening(progress), warnings.catch_warnings():
        # jobflow calls a helper that monty will remove in 2028: nothing a user could act on
        warnings.filterwarnings("ignore", message="cd is deprecated", category=FutureWarning)
        responses = run_locally(flow, log=False, store=store, root_dir=workdir, allow_external_references=True)
    uuid = flow.output.uuid
    if uuid not in responses:
        raise CalculationError("; ".join(progress.failures) or f"Flow {flow.name} ended without its output.")
    return store.get_output(uuid, load=False)


def binding_flow(request: BindingRequest, library: Library) -> tuple[str, Flow]:
    """Build the interface of a request and wire its flow.

    Returns
    -------
    tuple
        The content key of the interface calculation, and the flow.
    """
    built = build_interface(request, library)
    about = describe(request, built.slab, built.fragment, built.report)
    return about["key"], binding_maker(request, library.filler(request.filler)).make(built.slab, built.fragment, about)


def plan_binding(request: BindingRequest, store: JobStore, library: Library) -> list[dict[str, Any]]:
    """List the calculations that a request would need; none when its result is stored. See `plan_flow`."""
    key, flow = binding_flow(request, library)
    return [] if stored_binding(key, store) is not None else plan_flow(flow, store)


def stored_binding(key: str, store: JobStore) -> dict[str, Any] | None:
    """Return the newest stored interface document of a key, without large data, or None."""
    criteria = {"output.document_type": "binding", "output.key": key}
    found: dict[str, Any] | None = store.query_one(criteria, sort={"completed_at": -1}, load=False)
    return found


def run_binding(
    request: BindingRequest,
    store: JobStore,
    library: Library,
    workdir: Path,
    force: bool = False,
    on_event: Listener | None = None,
) -> tuple[BindingDocument, str]:
    """Return the binding document of an interface, calculated now or found in the store.

    Parameters
    ----------
    request
        What to calculate.
    store
        Where results are looked for and kept.
    library
        Where names are looked up.
    workdir
        Folder of the calculations.
    force
        Collect again even when the finished document is stored; single calculations are still found.
    on_event
        Is told about every step.

    Returns
    -------
    tuple
        The document and the uuid of the job that holds it.

    Raises
    ------
    InputError
        For unknown names, levels and unusable structures.
    CalculationError
        When a step failed.
    """
    key, flow = binding_flow(request, library)
    stored = None if force else stored_binding(key, store)
    if stored is not None and on_event is not None:
        on_event(Event("collect", 1, 1, "found", detail="finished result in the store"))
    if stored is None:
        run_flow(flow, store, workdir, on_event)
        stored = stored_binding(key, store)
        if stored is None:
            raise CalculationError(f"The result of {flow.name} was calculated but is not in the store.")
    return BindingDocument.model_validate(stored["output"]), str(stored["uuid"])
