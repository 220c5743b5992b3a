"""What is asked for a queue stands in scripts and commands: it is quoted there, or refused in one sentence."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jobflow_remote import SETTINGS
from jobflow_remote.config.base import scheduler_mapping
from jobflow_remote.remote.host import LocalHost
from jobflow_remote.remote.queue import QueueManager
from pydantic import ValidationError

from iface_wf.cli.main import main
from iface_wf.errors import InputError
from iface_wf.queues import project as projects
from iface_wf.queues.answers import ProjectSettings

ADDRESS = "mongodb://alice@db.example.org:27017/screening"
ODD = ["a b", "a'b", 'a"b', "a$HOME", "a$(touch hacked)", "a`touch hacked`", "a;touch hacked", "a\ntouch hacked", "a\\b",
       "a&touch hacked", "a|touch hacked", "a>hacked", "a#b", "a*b", "a\rb", "a\x1b[31mb", "a\u202eb", "~a b"]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SETTINGS, "projects_folder", str(tmp_path / "projects"))
    monkeypatch.setattr(projects, "prepare_database", lambda project: None)
    return tmp_path / "projects"


def init(*arguments):
    common = ["--store", ADDRESS, "--scheduler", "slurm"]
    given = [] if "--workdir" in arguments else ["--workdir", "/scratch/me"]
    return main(["queue", "init", *common, *given, *arguments])


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("option", ["--workdir", "--queue", "--account", "--qos", "--host", "--name", "--worker"])
def test_odd_words_are_refused(folder, capfd, option, odd):
    if option in ("--queue", "--account", "--qos") and odd == "a*b":
        odd = "a *"  # Grid Engine's patterns are words
    assert init(option, f"/{odd}" if option == "--workdir" else odd) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("iface-wf: ")
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert not folder.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--directive", "#SBATCH --constraint=cpu\ntouch hacked"),
        ("--directive", "#SBATCH --x\rtouch hacked"),
        ("--module", "gcc\ntouch hacked"),
        ("--module", "-f"),
        ("--module", " "),
        ("--activate", "true\ntouch hacked"),
        ("--activate", "true \x1b[2J"),
        ("--vasp", "srun 'vasp_std"),
        ("--vasp", " "),
        ("--vasp", "vasp\ntouch hacked"),
        ("--export", "A;touch hacked=1"),
        ("--export", "Ä=1"),
        ("--export", "A=1\ntouch hacked"),
        ("--export", "IFACE_WF_MONGO_PASSWORD=x"),
        ("--export", "AWS_SECRET_ACCESS_KEY=x"),
        ("--export", "PROXY=http://me:secret@host:3128"),
        ("--host", "-oProxyCommand=touch hacked"),
        ("--queue", "-x"),
        ("--workdir", "/a:b"),
        ("--workdir", "/a%j"),
    ],
)
def test_what_would_run_or_get_lost_is_refused(folder, capfd, option, value):
    assert init(option, value) == 2
    assert capfd.readouterr().err.count("\n") == 1
    assert not folder.exists()


@pytest.mark.parametrize("option", ["--activate", "--vasp", "--module", "--directive"])
def test_the_password_in_another_answer_is_refused(folder, capfd, monkeypatch, option):
    monkeypatch.setenv("IFACE_WF_MONGO_PASSWORD", "s3cret-word")
    assert init(option, "#SBATCH s3cret-word") == 2
    assert "s3cret" not in capfd.readouterr().err


@pytest.mark.parametrize("path", ["/scratch/me/runs", "/lustre/work+1/a=b/c,d/e@f", "/home/jürgen/läufe", "/a.b-c_d/"])
def test_usual_folders_are_taken(folder, path):
    assert init("--workdir", path) == 0


@pytest.mark.parametrize("odd", [text for text in ODD if text.isprintable()])
def test_values_of_modules_and_exports_arrive_as_they_were_given(tmp_path, odd):
    settings = ProjectSettings(
        store=ADDRESS, workdir=tmp_path, scheduler="shell", modules=[odd], exports={"ODD": odd},
        activate=f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH",
        vasp_command=shlex.join(["srun", odd]),
    )  # fmt: skip
    worker = projects.describe(settings)["workers"]["main"]
    manager = QueueManager(scheduler_mapping["shell"](), LocalHost())
    told = "import json, os; print(json.dumps([os.environ['ODD'], os.environ['IFACE_WF_VASP_COMMAND']]))"
    script = manager.get_submission_script(
        [f"python -c {shlex.quote(told)}"], work_dir=tmp_path, pre_run=worker["pre_run"]
    )
    before = 'module() { printf "%s" "$2" > loaded; }\n'
    ran = subprocess.run(
        ["bash", "-c", before + script], cwd=tmp_path, env={"PATH": os.environ["PATH"], "HOME": "/"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    odd_value, command = json.loads(ran.stdout)
    assert odd_value == odd
    assert shlex.split(command) == ["srun", odd]
    assert (tmp_path / "loaded").read_text() == odd
    assert not (tmp_path / "hacked").exists()


def test_a_project_with_such_a_folder_is_not_run(folder):
    assert init() == 0
    path = folder / "iface-wf.yaml"
    described = yaml.safe_load(path.read_text())
    described["workers"]["main"]["work_dir"] = "/tmp/a; touch hacked"
    path.write_text(yaml.safe_dump(described))
    with pytest.raises(InputError, match="work folder") as caught:
        projects.load()
    assert str(path) in str(caught.value)


def test_names_from_python_are_checked_too():
    with pytest.raises(ValidationError, match="no name of a variable"):
        ProjectSettings(store=ADDRESS, workdir="/x", exports={"A;touch hacked": "1"})


def test_files_of_a_project_are_for_its_owner_only(folder):
    assert init() == 0
    path = folder / "iface-wf.yaml"
    path.chmod(0o644)
    assert init("--worker", "second") == 0
    assert path.stat().st_mode & 0o077 == 0
