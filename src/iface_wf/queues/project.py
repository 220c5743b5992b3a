"""The jobflow-remote project: queue, stores and workers, written from a few answers and read back."""

from __future__ import annotations

import getpass
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from jobflow import JobStore
from jobflow_remote import SETTINGS
from jobflow_remote.config.base import ConfigError, Project
from jobflow_remote.jobs.jobcontroller import JobController
from monty.json import jsanitize
from pymongo.errors import PyMongoError
from qtoolkit.core.data_objects import QResources

from iface_wf.errors import InputError, unknown_name, validate
from iface_wf.library.files import read_yaml
from iface_wf.queues.answers import DEFAULT_NAME, ProjectSettings, work_folder
from iface_wf.queues.resources import Resources, ResourceTable
from iface_wf.queues.schedulers import scheduler
from iface_wf.store.address import parse_address
from iface_wf.store.login import LoginGridFSStore, LoginMongoStore
from iface_wf.store.settings import open_store

#: Short intervals: with jobflow-remote's own half a minute a chain of eight steps would wait for minutes.
RUNNER = {
    "delay_checkout": 1,
    "delay_check_run_status": 1,
    "delay_advance_status": 1,
    "delay_update_batch": 2,
    "delta_retry": [5, 15, 60],
    "max_step_attempts": 10,
}


@dataclass(frozen=True)
class QueueWorker:
    """A worker of a project.

    Attributes
    ----------
    name
        Its name.
    scheduler
        ``slurm``, ``pbs``, ``sge`` or ``shell``.
    options
        ``queue``, ``account``, ``qos``, ``parallel_environment`` and further ``directives`` of its jobs.
    """

    name: str
    scheduler: str
    options: dict[str, str] = field(default_factory=dict)

    def queue_resources(self, wanted: Resources) -> QResources | dict[str, Any]:
        """Say in the scheduler's words what a job asks for; without a scheduler nothing is asked."""
        return scheduler(self.scheduler).ask(wanted, self.options)

    def stored_resources(self, wanted: Resources) -> dict[str, Any]:
        """Return the same as it is kept in the queue's database."""
        stored: dict[str, Any] = jsanitize(self.queue_resources(wanted), strict=True, enum_values=True)
        return stored


@dataclass
class QueueProject:
    """A project that has been read.

    Attributes
    ----------
    config
        jobflow-remote's own description.
    resources
        The table of what jobs ask for.
    """

    config: Project
    resources: ResourceTable

    @property
    def name(self) -> str:
        """Name of the project."""
        return str(self.config.name)

    @property
    def runner_claim(self) -> str:
        """Name of the claim that the one runner of this project holds."""
        return f"runner of {self.name}"

    @property
    def address(self) -> str:
        """Address of the MongoDB server, as it stands in the project's file."""
        return str(self.config.queue.store["address"])

    @property
    def shown_address(self) -> str:
        """The same for messages: user, hosts and database."""
        return parse_address(self.address).shown

    @cached_property
    def _store(self) -> JobStore:
        return open_store(self.address)

    def store(self) -> JobStore:
        """Return the store of the results, connected."""
        return self._store

    def controller(self) -> JobController:
        """Return jobflow-remote's access to the queue; to be closed.

        Raises
        ------
        InputError
            When the server does not answer or refuses the user; never with the password in the text.
        """
        self.store()  # says in one sentence what is wrong with server or login
        return JobController.from_project(self.config)

    def worker(self, name: str | None = None) -> QueueWorker:
        """Return a worker; None: the first one.

        Raises
        ------
        InputError
            For an unknown name.
        """
        workers = self.config.workers
        if name is None:
            name = next(iter(workers))
        if name not in workers:
            raise unknown_name("worker", name, workers)
        own = (self.config.metadata or {}).get("workers", {}).get(name, {})
        return QueueWorker(name, str(workers[name].scheduler_type), own)


def require_scheduler(project: QueueProject, worker: str | None = None) -> None:
    """Refuse a worker on this machine whose scheduler's commands are not on the PATH: no job would ever be handed over.

    Raises
    ------
    InputError
        Naming the commands; also for an unknown worker.
    """
    chosen = project.worker(worker)
    if project.config.workers[chosen.name].type != "local":
        return  # only a login there could tell; iface-wf doctor asks
    missing = [each for each in scheduler(chosen.scheduler).commands if shutil.which(each) is None]
    if missing:
        raise InputError(
            f"The worker {chosen.name} hands its jobs to {chosen.scheduler}, but {', '.join(missing)} is not on the PATH here: "
            "bring it there, or choose another worker (iface-wf doctor looks at all of them)."
        )


def projects_folder() -> Path:
    """Return the folder in which jobflow-remote looks for projects."""
    return Path(SETTINGS.projects_folder).expanduser()


def names() -> list[str]:
    """List the projects that `iface-wf queue init` wrote."""
    return sorted(path.name.removesuffix(".resources.yaml") for path in projects_folder().glob("*.resources.yaml"))


def load(name: str | None = None) -> QueueProject:
    """Read a project.

    Parameters
    ----------
    name
        Its name; None: ``iface-wf``, or the only one that there is.

    Raises
    ------
    InputError
        When there is none of this name, or it cannot be read.
    """
    folder, own = projects_folder(), names()
    if not own:
        raise InputError(f"There is no project of a queue in {folder}: make one with iface-wf queue init.")
    if name is None:
        name = own[0] if len(own) == 1 else DEFAULT_NAME
    if name not in own:
        raise unknown_name("project", name, own)
    path = folder / f"{name}.yaml"
    where = f"The project {path} cannot be read"
    try:
        config = validate(read_yaml(path), Project, where)
    except (ConfigError, KeyError, TypeError) as error:  # its own checks stumble over what is missing
        raise InputError(f"{where}: {type(error).__name__}: {error}.") from error
    for worker in config.workers.values():
        try:
            work_folder(Path(worker.work_dir))
        except ValueError as error:
            raise InputError(f"{where}: {error}.") from error
    return QueueProject(config, ResourceTable.read(folder / f"{name}.resources.yaml"))


def describe(settings: ProjectSettings) -> dict[str, Any]:
    """Return the project that some answers mean, in jobflow-remote's own words."""

    def store(cls: type, collection: str) -> dict[str, Any]:
        return {
            "@module": cls.__module__,
            "@class": cls.__name__,
            "address": settings.store,
            "collection_name": collection,
        }

    return {
        "name": settings.name,
        "log_level": "info",
        "runner": dict(RUNNER),
        "queue": {"store": store(LoginMongoStore, "jobs")},
        "jobstore": {
            "@module": "jobflow.core.store",
            "@class": "JobStore",
            "docs_store": store(LoginMongoStore, "outputs"),
            "additional_stores": {"data": store(LoginGridFSStore, "blobs")},
        },
        # base64 text of MBs: a whole file in one go, without indexes in memory
        "remote_jobstore": {"store": "orjson"},
        "workers": {settings.worker: _worker(settings)},
        "metadata": {"workers": {settings.worker: _options(settings)}},
    }


def _options(settings: ProjectSettings) -> dict[str, str]:
    given = {name: getattr(settings, name) for name in ("queue", "account", "qos", "parallel_environment")}
    given["directives"] = "\n".join(settings.directives)
    return {name: value for name, value in given.items() if value}


def _worker(settings: ProjectSettings) -> dict[str, Any]:
    exports = {"IFACE_WF_SHELF": str(settings.workdir / "shelf"), "OMP_NUM_THREADS": "1"}
    if settings.vasp_command:
        exports["IFACE_WF_VASP_COMMAND"] = settings.vasp_command
    exports |= settings.exports
    local = settings.host == "local"
    activate = settings.activate
    if activate is None and local:  # the environment that this very program runs in
        activate = f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"'
    lines = [f"module load {shlex.quote(module)}" for module in settings.modules]
    lines += [activate] if activate else []
    lines += scheduler(settings.scheduler).lines
    lines += [f"export {name}={shlex.quote(value)}" for name, value in exports.items()]
    worker: dict[str, Any] = {
        "type": "local" if local else "remote",
        "scheduler_type": settings.scheduler,
        "work_dir": str(settings.workdir),
        "timeout_execute": 60,
        "pre_run": "\n".join(lines),
        "execution_cmd": "python -m iface_wf.queues.execute {}",
    }
    if settings.max_jobs is not None:
        worker["max_jobs"] = settings.max_jobs
    user, _, host = settings.host.rpartition("@")
    if scheduler(settings.scheduler).by_user:
        worker["scheduler_username"] = user or getpass.getuser()
    if not local:
        worker |= {"host": host} | ({"user": user} if user else {})
    return worker


def write_project(settings: ProjectSettings, force: bool = False) -> Path:
    """Write a project for jobflow-remote and prepare its database, or add a worker to an existing one.

    What the database holds is never touched.

    Parameters
    ----------
    settings
        The answers.
    force
        Replace a worker of the same name.

    Returns
    -------
    Path
        The project's file; the table of resources lies beside it.

    Raises
    ------
    InputError
        When the worker exists, the folder cannot be written, or the server cannot be used.
    """
    folder = projects_folder()
    path, table = folder / f"{settings.name}.yaml", folder / f"{settings.name}.resources.yaml"
    description = describe(settings)
    if path.exists():
        before = load(settings.name)
        if before.address != settings.store:
            raise InputError(
                f"The project {settings.name} keeps its results at {before.shown_address}: choose another --name."
            )
        if settings.worker in before.config.workers and not force:
            raise InputError(f"The project {path} has a worker {settings.worker!r} already: --force replaces it.")
        old = yaml.safe_load(path.read_text(encoding="utf-8"))
        description["workers"] = old["workers"] | description["workers"]
        description["metadata"]["workers"] = old["metadata"]["workers"] | description["metadata"]["workers"]
    config = Project.model_validate(description)
    prepare_database(QueueProject(config, ResourceTable()))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(yaml.safe_dump(description, sort_keys=False), encoding="utf-8")
        if not table.exists():
            ResourceTable(caps=settings.caps).write(table)
    except OSError as error:
        raise InputError(f"The project {path} cannot be written: {error.strerror}.") from error
    return path


def prepare_database(project: QueueProject) -> None:
    """Make the queue's collections and indexes, unless they are there.

    Raises
    ------
    InputError
        When the database refuses, or holds jobs without the counter that numbers them.
    """
    controller = project.controller()
    try:
        if controller.auxiliary.find_one({"next_id": {"$exists": True}}) is None:
            if controller.jobs.count_documents({}, limit=1):
                raise InputError(f"The database at {project.shown_address} holds jobs but no counter: see jf admin.")
            controller.reset(max_limit=1)
        controller.jobs.create_index("job.metadata.interface")
        controller.jobs.create_index("job.metadata.label")
    except PyMongoError as error:
        raise InputError(
            f"The database at {project.shown_address} cannot be prepared: {type(error).__name__}."
        ) from error
    finally:
        controller.close()
