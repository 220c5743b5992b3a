"""The schedulers, a row each: what they can be told, how a job asks them for resources, and what a worker needs.

A scheduler that jobflow-remote (qtoolkit) knows joins by a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from qtoolkit.core.data_objects import ProcessPlacement, QResources

from iface_wf.errors import InputError, unknown_name
from iface_wf.queues.resources import Resources

Options = Mapping[str, str]
#: Before the end of the wall time Grid Engine sends this signal; without the trap nothing would tell that time ran out.
SGE_WARNING, SGE_TRAP = 30, "trap 'echo exceeded soft wallclock time >&2' USR1"
#: PBS lists in this file a line for each process; Torque sets the variable by itself.
PBS_CORES = 'export PBS_NP=$(wc -l < "${PBS_NODEFILE:-/dev/null}")'


@dataclass(frozen=True)
class Scheduler:
    """A scheduler.

    Attributes
    ----------
    name
        As in qtoolkit.
    knows
        What it can be told: ``queue``, ``account``, ``qos``, ``parallel_environment``, ``directives``. What it does not
        know is refused, not dropped.
    commands
        What the runner calls on a worker.
    question
        A command that it must answer.
    ask
        Says in its words what a job asks for.
    lines
        Beginning of its jobs' scripts. Engines learn the granted cores from ``IFACE_WF_CORES``, or from the variables of
        schedulers that `iface_wf.engines.gpaw.execute` knows.
    by_user
        Whether it can be asked for the jobs of a user only, not for jobs by number.
    """

    name: str
    knows: frozenset[str]
    commands: tuple[str, ...]
    question: str
    ask: Callable[[Resources, Options], QResources | dict[str, Any]]
    lines: tuple[str, ...] = ()
    by_user: bool = False


def _by_qtoolkit(wanted: Resources, options: Options) -> QResources:
    further = options.get("directives")
    return QResources(
        queue_name=options.get("queue"),
        account=options.get("account"),
        qos=options.get("qos"),
        processes=wanted.cores,
        process_placement=ProcessPlacement.SAME_NODE,  # type: ignore[arg-type]  # an enumeration of its own kind
        time_limit=wanted.time,
        memory_per_thread=_per_core(wanted),
        scheduler_kwargs={"qverbatim": further} if further else None,
    )


def _by_grid_engine(wanted: Resources, options: Options) -> dict[str, Any]:
    """Fill in qtoolkit's template for Grid Engine by its own names: from QResources it would write words of PBS."""
    slots = f"{options.get('parallel_environment', 'smp')} {wanted.cores}"
    memory = _per_core(wanted)
    filled = {
        "queue": options.get("queue"),
        "device": options.get("account"),  # -P
        "model": slots if wanted.cores > 1 else None,  # -pe
        "walltime": wanted.time,  # h_rt
        "soft_walltime": wanted.time - SGE_WARNING,  # s_rt
        "select": None if memory is None else f"h_vmem={memory}M",  # for each slot
        "qverbatim": "\n".join(filter(None, ("#$ -S /bin/bash", options.get("directives")))),
    }
    return {name: value for name, value in filled.items() if value is not None}


def _per_core(wanted: Resources) -> int | None:
    return None if wanted.memory_mb is None else max(1, wanted.memory_mb // wanted.cores)


_QUEUE = ("qsub", "qstat", "qdel")
SCHEDULERS = {
    scheduler.name: scheduler
    for scheduler in (
        Scheduler(
            "slurm",
            frozenset({"queue", "account", "qos", "directives"}),
            ("sbatch", "squeue", "scancel"),
            'squeue -h -u "$(id -un)"',
            _by_qtoolkit,
        ),
        Scheduler(
            "pbs", frozenset({"queue", "account", "directives"}), _QUEUE, "qstat", _by_qtoolkit, lines=(PBS_CORES,)
        ),
        Scheduler(
            "sge",
            frozenset({"queue", "account", "parallel_environment", "directives"}),
            _QUEUE,
            "qstat",
            _by_grid_engine,
            lines=(SGE_TRAP,),
            by_user=True,
        ),
        # no queue at all: nothing is asked for
        Scheduler("shell", frozenset(), ("nohup", "ps"), "true", lambda wanted, options: {}),
    )
}


def scheduler(name: str) -> Scheduler:
    """Return a scheduler by its name.

    Raises
    ------
    InputError
        For an unknown one.
    """
    if name not in SCHEDULERS:
        raise unknown_name("scheduler", name, SCHEDULERS)
    return SCHEDULERS[name]


def known_scheduler(name: str) -> str:
    """Accept the name of a scheduler, inside a pydantic model (ValueError)."""
    try:
        return scheduler(name).name
    except InputError as error:
        raise ValueError(str(error)) from error
