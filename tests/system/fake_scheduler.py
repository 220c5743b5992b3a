"""Stands in for qsub, qstat and qdel of PBS and Grid Engine: their words and their answers, with processes as jobs.

Called as ``fake_scheduler.py KIND FOLDER COMMAND ARGUMENTS...``.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

PBS_JOB = """Job Id: {number}
    Job_Name = job
    Job_Owner = {user}@here
    job_state = R
    queue = workq
    Resource_List.mem = 1gb
    Resource_List.ncpus = 1
    Resource_List.nodect = 1
    Resource_List.walltime = 01:00:00
"""
SGE_JOB = """<job_list state="running"><JB_job_number>{number}</JB_job_number><JB_name>job</JB_name>
<JB_owner>{user}</JB_owner><state>r</state><queue_name>all.q@here</queue_name><slots>1</slots></job_list>
"""


def install(folder: Path, kind: str) -> Path:
    """Write the commands and return their folder, to be put on the PATH."""
    commands = folder / "bin"
    commands.mkdir(parents=True)
    (folder / "jobs").mkdir()
    for name in ("qsub", "qstat", "qdel"):
        line = f'exec {sys.executable} {Path(__file__).resolve()} {kind} {folder / "jobs"} {name} "$@"'
        (commands / name).write_text(f"#!/bin/sh\n{line}\n")
        (commands / name).chmod(0o755)
    return commands


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main(kind: str, folder: Path, command: str, *arguments: str) -> int:
    """Do what the command does, as far as jobflow-remote uses it."""
    number = len(list(folder.iterdir())) + 1
    if command == "qsub":
        script = Path(arguments[-1]).read_text()
        said = dict(line.split(None, 2)[1:3] for line in script.splitlines() if line.startswith(("#PBS -", "#$ -")))
        environment = dict(os.environ)
        if kind == "pbs":
            nodes = folder.parent / "nodes"
            nodes.write_text("here\n")
            environment["PBS_NODEFILE"] = str(nodes)
        with Path(said["-o"]).open("w") as out, Path(said["-e"]).open("w") as err:
            job = subprocess.Popen(
                ["bash", "-c", script], stdout=out, stderr=err, env=environment, start_new_session=True
            )
        (folder / str(number)).write_text(str(job.pid))
        print(f"{number}.here" if kind == "pbs" else f'Your job {number} ("job") has been submitted')
        return 0
    if command == "qdel":
        os.killpg(int((folder / arguments[-1].partition(".")[0]).read_text()), signal.SIGKILL)
        if kind == "sge":
            print(f"qdel: job {arguments[-1]} deleted", file=sys.stderr)
        return 0
    living = [path.name for path in folder.iterdir() if _alive(int(path.read_text()))]
    user = os.environ.get("USER", "root")
    if kind == "sge":
        jobs = "".join(SGE_JOB.format(number=name, user=user) for name in living)
        print(f"<?xml version='1.0'?><job_info><queue_info>{jobs}</queue_info></job_info>")
        return 0
    asked = [word.partition(".")[0] for word in arguments if word[0].isdigit()]
    for name in asked or living:
        if name in living:
            print(PBS_JOB.format(number=f"{name}.here", user=user))
        else:
            print(f"qstat: Unknown Job Id {name}.here", file=sys.stderr)
    return 153 if set(asked) - set(living) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
