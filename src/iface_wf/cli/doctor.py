"""``iface-wf doctor``: what works on this machine, and what to do about the rest."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import plain_table, print_json, stdout
from iface_wf.engines import registry
from iface_wf.engines.checks import AbsentError, Check
from iface_wf.engines.profile import ENGINES
from iface_wf.errors import IfaceError, InputError
from iface_wf.secrets import scrub


class Finding(NamedTuple):
    """What one check found: whether it works, whether it must, details, and the remedy."""

    name: str
    ok: bool
    needed: bool
    detail: str
    remedy: str


#: What the check of old records is called.
RECORDS = "records of calculations"
#: How long to look for damaged pages in the file of a store, s; all of it is the task of iface-wf store check.
LOOK_SECONDS = 2.0


def doctor(
    store: opt.Store = None,
    workdir: Annotated[
        list[Path] | None,
        typer.Option(
            "--workdir",
            help="Folder of calculations to look through for passwords; repeatable. Default: ./iface-wf-runs.",
        ),
    ] = None,
    clean: Annotated[
        bool,
        typer.Option(
            "--clean", help="Remove the environment variables that earlier versions wrote into custodian.json."
        ),
    ] = False,
    json: opt.Json = False,
) -> None:
    """Check what is usable on this machine.

    Engines, store and queues with their workers, and whether earlier versions left passwords beside calculations; the
    exit code is 1 when something is missing that every calculation needs, or that a queue which has been set up needs,
    and when a password was found.
    """
    checks = [_run(check) for check in _checks(store)]
    from iface_wf.documents.kinds import KINDS  # brings pydantic, which --help does without

    problems = {"engine": ENGINES.problems(), "kind of result": KINDS.problems()}
    checks += [
        Finding(f"{what} {name}", False, False, told, "") for what in problems for name, told in problems[what].items()
    ]
    checks += [_records(folder, clean) for folder in workdir or [Path("iface-wf-runs")] if workdir or folder.is_dir()]
    checks += _queue(clean)
    healthy = all(check.ok for check in checks if check.needed)
    if json:
        print_json({"ok": healthy, "checks": [check._asdict() for check in checks]})
    else:
        table = plain_table("what", "state", "detail", "what to do")
        for check in checks:
            state, style = ("ok", "green") if check.ok else ("MISSING", "red") if check.needed else ("absent", "yellow")
            if check.name == RECORDS and not check.ok:
                state = "UNSAFE"
            table.add_row(check.name, state, check.detail, "" if check.ok else check.remedy, style=style)
        stdout().print(table)
    if not healthy:
        raise typer.Exit(1)


def _checks(store: str | None) -> list[Check]:
    return [
        *(check for name, profile in ENGINES.usable().items() for check in profile.checks or [_importable(name)]),
        Check(
            "store", lambda: _store(store), "give a writable --store file or a reachable mongodb:// URI", needed=True
        ),
    ]


def _importable(engine: str) -> Check:
    """Check an engine that tells nothing of what it needs."""

    def find() -> str:
        found = registry.get(engine)
        return f"{found.__module__}.{found.__qualname__}"

    return Check(f"engine {engine}", find, "see the documentation of the package that brings it")


def _run(check: Check) -> Finding:
    try:
        return Finding(check.name, True, check.needed, check.find(), check.remedy)
    except (AbsentError, IfaceError, ImportError, OSError) as problem:
        return Finding(check.name, False, check.needed, scrub(" ".join(str(problem).split()))[:200], check.remedy)


def _store(given: str | None) -> str:
    from iface_wf.documents.kinds import kind_names
    from iface_wf.store.check import bad_pages
    from iface_wf.store.embedded import SqliteStore
    from iface_wf.store.settings import open_store

    job_store = open_store(given)
    docs = job_store.docs_store
    if isinstance(docs, SqliteStore) and (bad := bad_pages(docs, LOOK_SECONDS)):
        raise InputError(f"{docs.path} is damaged ({bad[0]}): see iface-wf store check, then iface-wf store repair.")
    where = getattr(docs, "path", docs.name)  # neither shows a password
    n = job_store.count({"output.document_type": {"$in": kind_names()}})
    return f"{where}, {n} result{'s' if n != 1 else ''}"


def _records(folder: Path, clean: bool) -> Finding:
    """Look for what earlier versions wrote of their environment, and clean it where that is wanted."""
    from iface_wf.engines.records import look_through

    if not folder.is_dir():
        return Finding(RECORDS, False, True, f"there is no folder {folder}", "give another --workdir")
    try:
        found = look_through(folder, clean)
    except OSError as error:
        return Finding(RECORDS, False, True, f"{folder}: {error.strerror} ({error.filename})", "ask who owns the file")
    told = found.in_words()
    if not told:
        incomplete = "" if found.complete else "; not all folders were looked through"
        return Finding(RECORDS, True, False, f"no passwords in {folder}{incomplete}", "")
    if clean:
        return Finding(RECORDS, True, False, f"cleaned: {told}; change those passwords", "")
    remedy = "iface-wf doctor --clean removes them"
    return Finding(
        RECORDS, False, bool(found.secrets), told, remedy + "; then change those passwords" * bool(found.secrets)
    )


def _queue(clean: bool) -> list[Finding]:
    """Check the projects of the queue and their workers."""
    if find_spec("jobflow_remote") is None:
        remedy = "pip install '.[queue]' in the clone, then: iface-wf queue init"
        return [Finding("queue", False, False, "jobflow-remote is not installed", remedy)]
    from iface_wf.queues.health import check_queue

    found = [Finding(*finding._replace(detail=" ".join(finding.detail.split()))) for finding in check_queue(clean)]
    return found or [Finding("queue", False, False, "there is no project", "iface-wf queue init")]
