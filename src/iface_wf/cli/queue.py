"""``iface-wf queue``: the project of the job queue and its runner."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli import runner
from iface_wf.cli.output import plain_table, print_json, say, stdout

app = typer.Typer(no_args_is_help=True, help="Set up the job queue and run it.", rich_markup_mode=None)
app.command("run")(runner.run)
app.command("start")(runner.start)
app.command("stop")(runner.stop)


@app.command("init")
def init(
    store: Annotated[
        str, typer.Option("--store", prompt="MongoDB address (without password)", help="mongodb://user@host/database")
    ],
    workdir: Annotated[
        Path, typer.Option("--workdir", prompt="Work folder on the worker (absolute)", help="Shared by its nodes.")
    ],
    scheduler: Annotated[
        str, typer.Option("--scheduler", prompt="Scheduler (slurm, pbs, sge, shell)", help="slurm, pbs, sge or shell.")
    ],
    name: Annotated[str, typer.Option("--name", help="Name of the project.")] = "iface-wf",
    worker: Annotated[str, typer.Option("--worker", help="Name of the worker.")] = "main",
    host: Annotated[str, typer.Option("--host", help="local, or user@host, reached with ssh.")] = "local",
    queue: Annotated[str | None, typer.Option("--queue", help="Partition or queue.")] = None,
    account: Annotated[str | None, typer.Option("--account", help="Account to be charged.")] = None,
    qos: Annotated[str | None, typer.Option("--qos", help="Quality of service.")] = None,
    parallel_environment: Annotated[
        str | None, typer.Option("--pe", help="Parallel environment of Grid Engine; default: smp.")
    ] = None,
    directive: Annotated[
        list[str] | None,
        typer.Option("--directive", help="Further line for the scheduler: '#SBATCH --constraint=cpu'; repeatable."),
    ] = None,
    module: Annotated[list[str] | None, typer.Option("--module", help="Module to load; may be repeated.")] = None,
    activate: Annotated[
        str | None, typer.Option("--activate", help="Line that makes iface-wf's Python available on the worker.")
    ] = None,
    vasp_command: Annotated[str | None, typer.Option("--vasp", help="Command line of VASP.")] = None,
    export: Annotated[list[str] | None, typer.Option("--export", help="NAME=VALUE; may be repeated.")] = None,
    max_jobs: Annotated[int | None, typer.Option("--max-jobs", help="Most jobs in the scheduler at a time.")] = None,
    max_cores: Annotated[int, typer.Option("--max-cores", help="Most cores of one job.")] = 32,
    max_hours: Annotated[float, typer.Option("--max-hours", help="Longest wall time of one job, h.")] = 24.0,
    max_memory: Annotated[float, typer.Option("--max-memory", help="Most memory of one job, GB.")] = 128.0,
    force: Annotated[bool, typer.Option("--force", help="Replace a worker of the same name.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the project; write nothing.")] = False,
) -> None:
    """Write the project of a queue: its stores, and a worker. A second call with another --worker adds it."""
    from iface_wf.errors import InputError, validate
    from iface_wf.queues import project
    from iface_wf.queues.answers import ProjectSettings

    pairs = [entry.partition("=") for entry in export or []]
    if wrong := [
        name for name, separator, _ in pairs if not separator or not name.isidentifier() or not name.isascii()
    ]:
        raise InputError(f"--export wants NAME=VALUE, not {wrong[0]!r}.")
    given: dict[str, Any] = {
        "name": name,
        "store": store,
        "worker": worker,
        "scheduler": scheduler,
        "host": host,
        "workdir": str(workdir),
        "queue": queue,
        "account": account,
        "qos": qos,
        "parallel_environment": parallel_environment,
        "directives": directive or [],
        "modules": module or [],
        "activate": activate,
        "vasp_command": vasp_command,
        "exports": {key: value for key, _, value in pairs},
        "max_jobs": max_jobs,
        "caps": {"cores": max_cores, "hours": max_hours, "memory_gb": max_memory},
    }
    settings = validate(given, ProjectSettings, "The project")
    if dry_run:
        import yaml

        stdout().print(yaml.safe_dump(project.describe(settings), sort_keys=False))
        return
    path = project.write_project(settings, force)
    say(f"Wrote {path}; what jobs ask for stands in {path.with_suffix('.resources.yaml')}.")


@app.command("resources")
def resources(project: opt.Project = None, json: opt.Json = False) -> None:
    """Show what each calculation asks the queue for."""
    from iface_wf.queues import project as projects

    table = projects.load(project).resources
    if json:
        print_json(table.model_dump(mode="json"))
        return
    sizes = (50, 100, 200, 400)
    shown = plain_table("engine", "level", "kind", "cores", *(f"{n} atoms" for n in sizes))
    for row in table.rows:
        cells = []
        for atoms in sizes:
            asked = table.resources_for(row.engine, row.level, row.kind, atoms)
            memory = "" if asked.memory_mb is None else f", {asked.memory_mb / 1000:.3g} GB"
            cells.append(f"{asked.time / 3600:.3g} h{memory}")
        shown.add_row(row.engine, row.level, row.kind, str(min(row.cores, table.caps.cores)), *cells)
    stdout().print(shown)
