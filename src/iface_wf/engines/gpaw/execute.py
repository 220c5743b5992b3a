"""Start GPAW on a request under custodian, and bring home its results, final settings and corrections."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from custodian import Custodian

from iface_wf.documents.calculation import Correction
from iface_wf.engines.cores import granted_cores
from iface_wf.engines.gpaw.files import INPUT, RESULT
from iface_wf.engines.gpaw.handlers import MAX_SLICES, GpawJob, InterruptedHandler, ScfHandler, read_json
from iface_wf.engines.request import CalculationRequest
from iface_wf.errors import CalculationError
from iface_wf.secrets import environment_without_secrets


def execute(
    request: CalculationRequest, directory: Path, processes: int, max_seconds: float
) -> tuple[dict[str, Any], dict[str, Any], list[Correction]]:
    """Run a request under custodian.

    Parameters
    ----------
    request
        What to calculate.
    directory
        Its folder.
    processes
        MPI processes; 0 means as many as there are cores available.
    max_seconds
        Time slice of one process, s; 0 means no limit.

    Returns
    -------
    tuple
        result.json, the settings finally used, and the corrections made on the way.

    Raises
    ------
    CalculationError
        When GPAW failed for another reason than convergence or interruption, with its own last words.
    """
    task = request.model_dump(mode="json")
    task["max_seconds"] = max_seconds
    (directory / INPUT).write_text(json.dumps(task))
    custodian = Custodian(
        handlers=[ScfHandler(), InterruptedHandler()],
        jobs=[GpawJob(command(usable_processes(request.settings, processes)), environment())],
        max_errors=ScfHandler.max_num_corrections + InterruptedHandler.max_num_corrections,
        polling_time_step=0.2,
        monitor_freq=1_000_000,
        terminate_on_nonzero_returncode=False,
        directory=str(directory),
    )
    custodian.run()
    result = read_json(directory / RESULT)
    if result is None or result.get("failed") or result.get("out_of_time"):
        said = (result or {}).get("failed") or tail(directory / "stdout.txt")
        if result and result.get("out_of_time"):
            said = f"it is not finished after {MAX_SLICES} slices of {max_seconds:g} s"
        raise CalculationError(f"GPAW gave no result in {directory}: {last_words(said)}.")
    settings = json.loads((directory / INPUT).read_text())["settings"]
    log = json.loads((directory / "custodian.json").read_text())
    corrections = [
        Correction(
            handler=str(c["handler"].get("@class", "")),
            errors=list(c["errors"]),
            actions=list(c["actions"]),
        )
        for entry in log
        for c in entry["corrections"]
    ]
    return result, settings, corrections


def tail(path: Path, size: int = 20_000) -> str:
    """Return the end of a text file, empty when there is none."""
    return path.read_text(errors="replace")[-size:] if path.exists() else ""


def last_words(text: str) -> str:
    """Return the last line that names an error, else the last line: MPI's own farewell hides the cause."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\w+(Error|Exception)\b", line)]
    return (errors or lines or ["it said nothing"])[-1][:300]


def usable_processes(settings: dict[str, Any], processes: int) -> int:
    """Return how many MPI processes a calculation can use.

    Without ScaLAPACK, which the wheels of GPAW lack, plane waves and grids cannot be split over domains or bands,
    only over k-points, and time reversal leaves about half of those.
    """
    processes = processes or granted_cores()
    if settings["mode"] == "lcao":
        return processes
    return min(processes, (math.prod(int(n) for n in settings["kpoints"]) + 1) // 2)


def command(processes: int) -> list[str]:
    """Return the command line that runs one calculation in the current folder."""
    run = [str(Path(sys.executable).with_name("gpaw")), "python", "-m", "iface_wf.engines.gpaw.run"]
    if processes < 2 or shutil.which("mpirun") is None:
        return [sys.executable, "-m", "iface_wf.engines.gpaw.run"]
    return ["mpirun", "--oversubscribe", "-n", str(processes), *run]


def environment() -> dict[str, str]:
    """Return the environment of a run: no secrets, one thread per process, OpenMPI's consent where we are root."""
    variables = environment_without_secrets() | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if os.geteuid() == 0:
        variables |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    # kernels' busy waiting would starve the other ranks on an oversubscribed machine
    return variables | {"OMPI_MCA_mpi_yield_when_idle": "1"}
