"""Whether the queue can work: server, login, runner and locks of a project; folder, scheduler and Python of its workers."""

from __future__ import annotations

import datetime as dt
import json
import shlex
from contextlib import suppress
from typing import Any, NamedTuple

from jobflow_remote.remote.host import BaseHost
from pymongo.errors import PyMongoError

from iface_wf import __version__
from iface_wf.engines.records import OldRecords
from iface_wf.errors import IfaceError, InputError
from iface_wf.queues import daemon
from iface_wf.queues import project as projects
from iface_wf.queues.probe import MARK
from iface_wf.queues.project import QueueProject
from iface_wf.queues.recover import locks
from iface_wf.queues.schedulers import SCHEDULERS
from iface_wf.secrets import away
from iface_wf.store.address import parse_address
from iface_wf.store.processes import started_at

#: Seconds that a connection, each question to a worker, and cleaning its work folder may take.
CONNECT_SECONDS, ANSWER_SECONDS, CLEAN_SECONDS = 10, 60, 3600


class Finding(NamedTuple):
    """What was found about a project or a worker.

    Attributes
    ----------
    name
        What it is about.
    ok
        Whether all is well.
    needed
        Whether the queue cannot work otherwise.
    detail
        What was seen.
    remedy
        What to do about it.
    """

    name: str
    ok: bool
    needed: bool
    detail: str
    remedy: str


def check_queue(clean: bool = False) -> list[Finding]:
    """Check all projects and their workers; nothing is found where there is no project.

    Parameters
    ----------
    clean
        Also remove the environments that earlier versions wrote into the records of calculations.
    """
    found = []
    for name in projects.names():
        title = f"queue {name}"
        try:
            project = projects.load(name)
        except InputError as error:
            found.append(
                Finding(title, False, True, str(error), "edit that file, or write it anew: iface-wf queue init")
            )
            continue
        found.append(check_project(project))
        found += [check_worker(project, worker, clean) for worker in project.config.workers]
    return found


def check_project(project: QueueProject) -> Finding:
    """Check server and login, and look for the runner and for locks that nobody releases."""
    title = f"queue {project.name}"
    path = projects.projects_folder() / f"{project.name}.yaml"
    try:
        if secrets := parse_address(project.address).secrets:
            detail = f"the address in {path} holds a secret ({', '.join(secrets)})"
            remedy = "take it out of that file, export it instead (docs/mongodb.md), and change it"
            return Finding(title, False, True, detail, remedy)
        runner = daemon.living_runner(project)
        controller = project.controller()
    except IfaceError as error:
        return Finding(title, False, True, str(error), "start the server, or give it the right login: docs/mongodb.md")
    try:
        jobs, held = controller.jobs.count_documents({}), len(locks(controller))
    except PyMongoError as error:
        return Finding(
            title, False, True, f"{project.shown_address} fails: {type(error).__name__}", "look at the server's log"
        )
    finally:
        controller.close()
    server = f"{jobs} jobs at {project.shown_address}"
    if runner is None:
        detail = f"{server}; no runner at work" + (f", {held} jobs or flows are locked" if held else "")
        return Finding(title, False, False, detail, "iface-wf queue start" + ", which also unlocks them" * bool(held))
    detail = f"{server}; runner {runner.owner}"
    if (born := started_at(runner.process)) is not None:
        detail += f" since {dt.datetime.fromtimestamp(born).astimezone():%Y-%m-%d %H:%M}"
    return Finding(title, True, True, detail, "")


def check_worker(project: QueueProject, name: str, clean: bool = False) -> Finding:
    """Check a worker as the runner and its jobs would meet it: by the same host, commands and first lines."""
    config, scheduler = project.config.workers[name], project.worker(name).scheduler
    title, where = f"worker {project.name}/{name}", f"{scheduler}, {config.work_dir}"
    if config.type != "local":
        where += f" on {config.host}"
        if config.interactive_login:
            return Finding(title, True, False, f"{where}; not checked: its login asks questions", "")
        config = config.model_copy(update={"connect_timeout": CONNECT_SECONDS})
    host = config.get_host()
    try:
        with away():
            host.connect()  # type: ignore[no-untyped-call]
            problems = _scheduler_problems(host, scheduler) + _job_problems(host, config, clean)
    except Exception as error:  # noqa: BLE001 - whatever fabric, paramiko and the network come up with
        problem = f"{where}: it cannot be reached ({_one_line(str(error)) or type(error).__name__})"
        return Finding(title, False, True, problem, "ssh must get there without a password or question")
    finally:
        with suppress(Exception):
            host.close()
    if not problems:
        return Finding(title, True, True, where, "")
    detail, remedies = zip(*problems, strict=True)
    return Finding(title, False, True, f"{where}: {'; '.join(detail)}", "; ".join(dict.fromkeys(remedies)))


def _scheduler_problems(host: BaseHost, scheduler: str) -> list[tuple[str, str]]:
    """Look for the scheduler's commands where the runner calls them: without the lines that begin a job."""
    row = SCHEDULERS[scheduler]
    commands, question = row.commands, row.question
    look = f"for c in {' '.join(commands)}; do command -v $c >/dev/null || echo {MARK} $c; done"
    answer, said, code = _execute(host, look)
    if code:
        return [(f"no command can be run ({_one_line(said)})", "look at the shell's start-up files there")]
    if missing := _marked(answer):
        return [
            (f"no {', '.join(missing)} on the PATH", f"bring {scheduler} onto the PATH, or choose another scheduler")
        ]
    answer, said, code = _execute(host, question)
    if code:
        return [(f"{question.split()[0]} fails ({_one_line(said)})", f"ask who runs {scheduler}")]
    return []


def _job_problems(host: BaseHost, config: Any, clean: bool) -> list[tuple[str, str]]:
    """Ask the worker's Python, readied by the lines that begin a job, about itself and the work folder."""
    probe = f"python -m iface_wf.queues.probe {shlex.quote(str(config.work_dir))}{' --clean' * clean}"
    answer, said, code = _execute(host, f"{config.pre_run or ''}\n{probe}", CLEAN_SECONDS if clean else ANSWER_SECONDS)
    answers = _marked(answer)
    if not answers:
        why = "no answer in time" if code == 124 else _one_line(said) or "it said nothing"
        return [
            (
                f"its Python cannot run iface-wf ({why})",
                "install iface-wf with its extra queue there; --activate makes it known to jobs",
            )
        ]
    found = json.loads(answers[-1])
    problems = [(problem, "another --workdir; on Lustre, mount it with -o flock") for problem in found["problems"]]
    if found["version"] != __version__:
        problems.append((f"iface-wf {found['version']} there, {__version__} here", "install the same version there"))
    if told := OldRecords(**found.get("records", {})).in_words():
        words, remedy = ("cleaned: ", "") if clean else ("", "iface-wf doctor --clean removes them; then ")
        problems.append((words + told, remedy + "change those passwords"))
    return problems


def _execute(host: BaseHost, script: str, seconds: int = ANSWER_SECONDS) -> tuple[str, str, int]:
    """Run lines of bash within a time limit."""
    limited = ["timeout", str(seconds), "bash", "-c", script]
    stdout, stderr, code = host.execute(shlex.join(limited), timeout=seconds + 10)
    return str(stdout), str(stderr), int(code)


def _marked(answer: str) -> list[str]:
    return [line.removeprefix(MARK).strip() for line in answer.splitlines() if line.startswith(MARK)]


def _one_line(text: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
