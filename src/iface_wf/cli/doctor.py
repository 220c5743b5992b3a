"""``iface-wf doctor``: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, stdout
from iface_wf.errors import IfaceError


class Check(NamedTuple):
    """What one check found: whether it works, whether it must, details, and the remedy."""

    name: str
    ok: bool
    needed: bool
    detail: str
    remedy: str


def doctor(store: opt.Store = None, json: opt.Json = False) -> None:
    """Check what is usable on this machine.

    Engines, store and queues with their workers; the exit code is 1 when something is missing that every calculation
    needs, or that a queue which has been set up needs.
    """
    checks = [_run(name, needed, check, remedy) for name, needed, check, remedy in _checks(store)]
    checks += _queue()
    healthy = all(check.ok for check in checks if check.needed)
    if json:
        print_json({"ok": healthy, "checks": [check._asdict() for check in checks]})
    else:
        table = plain_table("what", "state", "detail", "what to do")
        for check in checks:
            state, style = ("ok", "green") if check.ok else ("MISSING", "red") if check.needed else ("absent", "yellow")
            table.add_row(check.name, state, check.detail, "" if check.ok else check.remedy, style=style)
        stdout().print(table)
    if not healthy:
        raise typer.Exit(1)


class _AbsentError(Exception):
    """A check found that something does not work."""


def _checks(store: str | None) -> list[tuple[str, bool, Callable[[], str], str]]:
    return [
        ("GPAW", True, _gpaw, "pip install 'iface-wf[gpaw]' (needs libxc-dev, libopenblas-dev, a C++ compiler)"),
        ("GPAW setups", True, _setups, "pip install gpaw-data, or set GPAW_SETUP_PATH"),
        ("MPI", False, _mpi, "apt install openmpi-bin libopenmpi-dev, then build GPAW again; else one core is used"),
        ("tblite (xTB)", True, lambda: _version("tblite"), "pip install tblite"),
        ("ML potential", False, lambda: f"CHGNet, chgnet {_version('chgnet')}", "pip install 'iface-wf[mlip]'"),
        ("DFT-D3", True, lambda: _version("dftd3"), "pip install dftd3"),
        ("store", True, lambda: _store(store), "give a writable --store file or a reachable mongodb:// URI"),
        ("VASP", False, _vasp, "put vasp_std on PATH or set IFACE_WF_VASP_COMMAND (you need a licence)"),
        ("VASP potentials", False, _potentials, "set IFACE_WF_VASP_POTCARS, or pymatgen's PMG_VASP_PSP_DIR"),
    ]


def _run(name: str, needed: bool, check: Callable[[], str], remedy: str) -> Check:
    try:
        return Check(name, True, needed, check(), remedy)
    except (_AbsentError, IfaceError, ImportError, OSError) as problem:
        return Check(name, False, needed, " ".join(str(problem).split())[:200], remedy)


def _gpaw() -> str:
    from gpaw import cgpaw

    if not hasattr(cgpaw, "lxcXCFunctional"):
        raise _AbsentError("built without libxc")
    return f"{_version('gpaw')}, libxc {getattr(cgpaw, 'libxc_version', '?')}"


def _setups() -> str:
    from gpaw.setup_data import search_for_file

    try:
        return str(search_for_file("Si.PBE")[0])
    except (FileNotFoundError, RuntimeError) as error:
        raise _AbsentError("the PAW setup of Si was not found") from error


def _mpi() -> str:
    from gpaw import cgpaw

    if not getattr(cgpaw, "have_mpi", False):
        raise _AbsentError("GPAW was built without MPI")
    return _program("mpirun")


def _store(given: str | None) -> str:
    from iface_wf.documents.kinds import kind_names
    from iface_wf.store.settings import open_store

    job_store = open_store(given)
    docs = job_store.docs_store
    where = getattr(docs, "path", docs.name)  # neither shows a password
    n = job_store.count({"output.document_type": {"$in": kind_names()}})
    return f"{where}, {n} result{'s' if n != 1 else ''}"


def _vasp() -> str:
    from iface_wf.engines.vasp.installation import VaspSettings, check_executable

    command = VaspSettings().command
    check_executable(command)
    return command


def _potentials() -> str:
    from iface_wf.engines.vasp.installation import VaspSettings, potcar_folder

    folder = potcar_folder(VaspSettings())
    if folder is None or not folder.is_dir():
        raise _AbsentError("no folder with POTCARs is known" if folder is None else f"{folder} does not exist")
    return str(folder)


def _queue() -> list[Check]:
    """Check the projects of the queue and their workers."""
    if find_spec("jobflow_remote") is None:
        remedy = "pip install 'iface-wf[queue]', then: iface-wf queue init"
        return [Check("queue", False, False, "jobflow-remote is not installed", remedy)]
    from iface_wf.queues.health import check_queue

    found = [Check(*finding._replace(detail=" ".join(finding.detail.split()))) for finding in check_queue()]
    return found or [Check("queue", False, False, "there is no project", "iface-wf queue init")]


def _program(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if path is None:
        raise _AbsentError(f"no program {name!r} on PATH")
    return path


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError as error:
        raise _AbsentError(f"{name} is not installed") from error
