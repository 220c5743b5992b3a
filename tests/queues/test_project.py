"""Projects of a queue: what is written down, what is read back, and what each scheduler is told."""

import os
import signal
import subprocess
import time
from dataclasses import replace

import pytest
import yaml
from jobflow import Job
from jobflow_remote import SETTINGS
from jobflow_remote.config.base import Project, scheduler_mapping
from jobflow_remote.jobs.data import get_initial_job_doc_dict
from jobflow_remote.remote.host import LocalHost
from jobflow_remote.remote.queue import QueueManager, set_name_out
from monty.json import MontyDecoder

from iface_wf.cli.main import main
from iface_wf.engines.cores import granted_cores
from iface_wf.errors import InputError
from iface_wf.queues import project as projects
from iface_wf.queues.diagnosis import diagnose
from iface_wf.queues.project import ProjectSettings, QueueWorker
from iface_wf.queues.resources import Resources

ADDRESS = "mongodb://alice@db.example.org:27017/screening?tls=true"
EIGHT = Resources(cores=8, time=5400, memory_mb=16000)
ONE = Resources(cores=1, time=900)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Folder of the projects; nothing asks for a server."""
    monkeypatch.setattr(SETTINGS, "projects_folder", str(tmp_path / "projects"))
    monkeypatch.setattr(projects, "prepare_database", lambda project: None)
    return tmp_path / "projects"


def settings(**options):
    return ProjectSettings.model_validate({"store": ADDRESS, "workdir": "/scratch/me/runs"} | options)


def script(scheduler, wanted=EIGHT, command="true", **options):
    """Render the submission script as jobflow-remote does, from what lies in its database."""
    asked = QueueWorker("main", scheduler, options).queue_resources(wanted)
    job = Job(print)
    job.config = replace(job.config, manager_config={"resources": asked})
    stored = get_initial_job_doc_dict(job, None, "1", "main", None, None, 0)["resources"]
    resources = MontyDecoder().process_decoded(stored) or {}
    set_name_out(resources, "static A*", "/run/queue.out", "/run/queue.err")
    manager = QueueManager(scheduler_mapping[scheduler](), LocalHost())
    return manager.get_submission_script([command], options=resources, work_dir="/", pre_run="export X=1")


@pytest.mark.parametrize("scheduler", ["slurm", "pbs", "sge", "shell"])
def test_recovery_stores_what_submission_stores(scheduler):
    again = QueueWorker("main", scheduler).stored_resources(EIGHT)
    set_name_out(asked := MontyDecoder().process_decoded(again) or {}, "static A*", "/run/queue.out", "/run/queue.err")
    manager = QueueManager(scheduler_mapping[scheduler](), LocalHost())
    assert manager.get_submission_script(["true"], options=asked, work_dir="/", pre_run="export X=1") == script(
        scheduler
    )


def directives(text):
    return {line for line in text.splitlines() if line.startswith("#") and not line.startswith("#!")}


def test_slurm_is_told_everything():
    found = directives(script("slurm", queue="long", account="chem", qos="high", directives="#SBATCH --constraint=cpu"))
    assert found == {
        "#SBATCH --partition=long",
        "#SBATCH --account=chem",
        "#SBATCH --qos=high",
        "#SBATCH --nodes=1",
        "#SBATCH --ntasks=8",
        "#SBATCH --ntasks-per-node=8",
        "#SBATCH --mem-per-cpu=2000",
        "#SBATCH --time=0-1:30:0",
        "#SBATCH --job-name=static_A*",
        "#SBATCH --output=/run/queue.out",
        "#SBATCH --error=/run/queue.err",
        "#SBATCH --constraint=cpu",
    }


def test_pbs_is_told_everything():
    found = directives(script("pbs", queue="long", account="chem", directives="#PBS -l filesystems=home"))
    assert found == {
        "#PBS -q long",
        "#PBS -A chem",
        "#PBS -l select=1:ncpus=8:mpiprocs=8:mem=16000mb",
        "#PBS -l place=pack",
        "#PBS -l walltime=1:30:0",
        "#PBS -N static_A_",
        "#PBS -o /run/queue.out",
        "#PBS -e /run/queue.err",
        "#PBS -l filesystems=home",
    }


def test_grid_engine_is_told_everything_in_its_own_words():
    found = directives(script("sge", queue="all.q", account="chem", parallel_environment="mpi"))
    assert found == {
        "#$ -q all.q",
        "#$ -P chem",
        "#$ -pe mpi 8",
        "#$ -l h_vmem=2000M",
        "#$ -l h_rt=5400",
        "#$ -l s_rt=5370",
        "#$ -S /bin/bash",
        "#$ -N static_A_",
        "#$ -o /run/queue.out",
        "#$ -e /run/queue.err",
    }


def test_what_is_not_wanted_is_not_asked_for():
    assert not any("mem" in line for line in directives(script("slurm", ONE)))
    assert "#PBS -l select=1:ncpus=1:mpiprocs=1" in directives(script("pbs", ONE))
    assert not any("vmem" in line or "-pe" in line for line in directives(script("sge", ONE)))
    assert "#$ -pe smp 8" in directives(script("sge"))


def test_without_a_scheduler_nothing_is_asked_for():
    text = script("shell", queue="long", account="chem")
    assert directives(text) == set()
    assert text.endswith("export X=1\ntrue")


def worker(**options):
    return projects.describe(settings(**options))["workers"]["main"]


def test_jobs_of_pbs_know_their_cores(tmp_path, monkeypatch):
    """OpenPBS names the granted processes in a file only."""
    (tmp_path / "nodes").write_text("node1\n" * 8)
    lines = worker(scheduler="pbs", activate="true")["pre_run"]
    environment = {"PATH": os.environ["PATH"], "PBS_NODEFILE": str(tmp_path / "nodes")}
    found = subprocess.run(["bash", "-c", f"{lines}\nenv"], env=environment, capture_output=True, text=True, check=True)
    monkeypatch.setenv("PBS_NP", dict(line.split("=", 1) for line in found.stdout.splitlines())["PBS_NP"])
    assert granted_cores() == 8


def test_a_job_that_runs_out_of_time_on_grid_engine_says_so(tmp_path):
    """It sends SIGUSR1 to the job's processes, which ends all but the shell."""
    described = worker(scheduler="sge", activate="true")
    assert described["scheduler_username"]
    ready = tmp_path / "ready"
    text = script("sge", command=f"touch {ready}; sleep 20").replace("export X=1", described["pre_run"])
    job = subprocess.Popen(["bash", "-c", text], stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not ready.exists():
        time.sleep(0.02)
    time.sleep(0.2)
    os.killpg(job.pid, signal.SIGUSR1)
    said = job.communicate(timeout=10)[1]
    assert diagnose({"state": "FAILED", "error": None, "remote": {"queue_err": said}}).kind == "time limit"


def test_several_jobs_on_a_workstation_can_share_its_cores(monkeypatch):
    assert "export NSLOTS=4" in worker(scheduler="shell", exports={"NSLOTS": "4"}, max_jobs=2)["pre_run"]
    for name in ("SLURM_NTASKS", "PBS_NP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NSLOTS", "4")
    assert granted_cores() == 4


def test_a_description_is_a_project_without_password(folder, monkeypatch):
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", "s3cret")
    described = projects.describe(
        settings(modules=["gcc", "my mpi"], vasp_command="srun vasp_std", exports={"NAME": "a b"}, max_jobs=5)
    )
    text = yaml.safe_dump(described)
    assert "s3cret" not in text
    assert "password" not in text
    project = Project.model_validate(yaml.safe_load(text))
    assert project.workers["main"].max_jobs == 5
    lines = project.workers["main"].pre_run.splitlines()
    assert lines[:2] == ["module load gcc", "module load 'my mpi'"]
    assert "export IFACE_WF_VASP_COMMAND='srun vasp_std'" in lines
    assert "export IFACE_WF_SHELF=/scratch/me/runs/shelf" in lines
    assert "export NAME='a b'" in lines
    assert "s3cret" not in str(project.get_queue_store().as_dict())


def test_a_worker_elsewhere_is_reached_by_name():
    remote = worker(host="me@login.example.org", scheduler="sge")
    assert (remote["type"], remote["host"], remote["user"]) == ("remote", "login.example.org", "me")
    assert remote["scheduler_username"] == "me"
    assert "PATH" not in remote["pre_run"]  # this machine's Python is not there


def test_a_project_is_read_back(folder):
    path = projects.write_project(settings(queue="long", qos="high", caps={"cores": 4, "hours": 2, "memory_gb": 8}))
    assert path.stat().st_mode & 0o077 == 0
    read = projects.load()
    assert (read.name, read.address) == ("iface-wf", ADDRESS)
    assert read.worker() == QueueWorker("main", "slurm", {"queue": "long", "qos": "high"})
    assert read.resources.caps.cores == 4
    assert projects.names() == ["iface-wf"]
    with pytest.raises(InputError, match="main"):
        read.worker("mian")
    with pytest.raises(InputError, match="iface-wf"):
        projects.load("iface-fw")


def test_a_second_worker_is_added_and_an_existing_one_is_kept(folder):
    path = projects.write_project(settings(queue="long"))
    table = folder / "iface-wf.resources.yaml"
    table.write_text(table.read_text() + "# mine\n")
    projects.write_project(settings(worker="here", scheduler="shell"))
    read = projects.load()
    assert list(read.config.workers) == ["main", "here"]
    assert read.worker("here") == QueueWorker("here", "shell", {})
    assert read.worker("main").options == {"queue": "long"}
    assert "# mine" in table.read_text()

    before = path.read_text()
    with pytest.raises(InputError, match="--force"):
        projects.write_project(settings(queue="short"))
    with pytest.raises(InputError, match="--name"):
        projects.write_project(settings(store="mongodb://elsewhere/x"), force=True)
    assert path.read_text() == before
    projects.write_project(settings(queue="short"), force=True)
    assert projects.load().worker("main").options == {"queue": "short"}
    assert projects.load().worker("here").scheduler == "shell"


def test_no_project_and_a_damaged_one(folder):
    with pytest.raises(InputError, match="iface-wf queue init"):
        projects.load()
    path = projects.write_project(settings())
    for text, word in (("workers: 3\n", "name"), ("[]", "YAML"), (path.read_text() + "wrkers: {}\n", "workers")):
        path.write_text(text)
        with pytest.raises(InputError, match=word) as caught:
            projects.load()
        assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--workdir", "relative"), "absolute"),
        (("--scheduler", "lsf"), "slurm"),
        (("--store", "mongodb://alice:s3cret@127.0.0.1/x"), "IFACE_WF_MONGO_PASSWORD"),
        (("--store", "results.sqlite"), "MongoDB"),
        (("--export", "NAME"), "NAME=VALUE"),
        (("--export", "1X=2"), "NAME=VALUE"),
        (("--name", "../x"), "name"),
        (("--max-jobs", "0"), "max_jobs"),
        (("--scheduler", "pbs", "--qos", "high"), "qos"),
        (("--scheduler", "shell", "--queue", "long"), "queue"),
        (("--directive", "--constraint=cpu"), "directives"),
    ],
)
def test_answers_that_cannot_be_used(folder, capfd, arguments, word):
    common = ["queue", "init", "--store", ADDRESS, "--workdir", "/scratch/me", "--scheduler", "slurm"]
    assert main([*common, *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("iface-wf: ")
    assert err.count("\n") == 1
    assert word in err
    assert "s3cret" not in err
    assert not folder.exists()


def test_a_dry_run_prints_the_project_and_writes_nothing(folder, capfd):
    arguments = ["queue", "init", "--store", ADDRESS, "--workdir", "/scratch/me", "--scheduler", "sge", "--pe", "mpi"]
    assert main([*arguments, "--dry-run"]) == 0
    printed = yaml.safe_load(capfd.readouterr().out)
    assert printed["metadata"]["workers"]["main"] == {"parallel_environment": "mpi"}
    assert not folder.exists()


def test_a_scheduler_that_is_not_there_is_noticed_before_submission(folder, monkeypatch, tmp_path):
    projects.write_project(settings(scheduler="slurm"))
    projects.write_project(settings(scheduler="slurm", worker="far", host="me@login.example.org"))
    read = projects.load()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"hands its jobs to slurm, but .*sbatch.* not on the PATH"):
        projects.require_scheduler(read)
    projects.require_scheduler(read, "far")  # only a login there could tell
    for name in ("sbatch", "scancel", "sinfo", "squeue", "scontrol", "sacct"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    projects.require_scheduler(read)
