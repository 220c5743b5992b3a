"""Programs that an engine starts get no secrets, and no record beside a calculation holds an environment."""

import json
import os
import sys
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.cli.main import main
from iface_wf.engines.gpaw import execute as gpaw
from iface_wf.engines.gpaw.engine import GpawEngine
from iface_wf.engines.records import look_through
from iface_wf.engines.vasp.engine import VaspEngine
from tests.engines.vasp.vasp_fixtures import COARSE, lithium_fluoride_slab

SECRETS = {
    "IFACE_WF_MONGO_PASSWORD": "s3cret-of-the-database",
    "IFACE_WF_STORE": "mongodb://alice:s3cret-of-the-store@127.0.0.1:1/x",
    "AWS_SESSION_TOKEN": "s3cret-of-the-cloud",
}
SPY = "import json, os; json.dump(dict(os.environ), open('seen.json', 'w')); "


@pytest.fixture
def with_secrets(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def check_folder(folder):
    """Look at what a child saw and at everything that lies in its folder."""
    seen = json.loads((folder / "seen.json").read_text())
    assert seen["PATH"] == os.environ["PATH"]
    assert not SECRETS.keys() & seen.keys()
    record = (folder / "custodian.json").read_text()
    assert "environment" not in record
    assert os.environ["PATH"] not in record
    for path in folder.rglob("*"):
        assert path.is_dir() or b"s3cret" not in path.read_bytes(), path
    assert {name: os.environ[name] for name in SECRETS} == SECRETS  # this process keeps them


def test_gpaw_gets_no_secrets_and_custodian_records_no_environment(with_secrets, monkeypatch, tmp_path):
    result = {"scf_converged": True, "geometry_converged": True, "energy": -1.0}
    told = SPY + f"json.dump({result!r}, open('result.json', 'w'))"
    monkeypatch.setattr(gpaw, "command", lambda processes: [sys.executable, "-c", told])
    box = Structure(Lattice.cubic(8.0, pbc=(False,) * 3), ["He"], [[0.5, 0.5, 0.5]])
    request = GpawEngine(kind="static", level="fast").request(box, [])
    assert gpaw.execute(request, tmp_path, 1, 0.0)[0] == result
    check_folder(tmp_path)


def test_vasp_gets_no_secrets(with_secrets, vasp, monkeypatch):
    wrapper = vasp / "bin2" / "vasp_std"
    wrapper.parent.mkdir()
    standin = Path(__file__).with_name("vasp_std")
    wrapper.write_text(f'#!/bin/sh\n{sys.executable} -c "{SPY}"\nexec {sys.executable} {standin} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    maker = VaspEngine(kind="static", level="moderate", overrides=COARSE)
    (vasp / "run").mkdir()
    assert maker.calculate(maker.request(lithium_fluoride_slab(), []), vasp / "run").converged
    check_folder(vasp / "run")


def old_record(folder, environment):
    """Write custodian.json as the version before did."""
    folder.mkdir(parents=True)
    job = {"@module": "iface_wf.engines.gpaw.handlers", "@class": "GpawJob", "command": ["gpaw"]}
    job |= {"environment": environment}
    correction = {
        "errors": ["SCF did not converge"],
        "actions": [{"smearing": 0.2}],
        "handler": {"@class": "ScfHandler"},
    }
    (folder / "custodian.json").write_text(json.dumps([{"job": job, "corrections": [correction]}]))
    (folder / "custodian.json").chmod(0o640)
    return folder / "custodian.json"


def test_the_doctor_finds_and_cleans_what_earlier_versions_wrote(tmp_path, capfd):
    leaking = old_record(tmp_path / "calc-1", SECRETS | {"PATH": "/bin"})
    plain = old_record(tmp_path / "deep" / "er" / "calc-2", {"PATH": "/bin"})
    torn = old_record(tmp_path / "calc-3", SECRETS)
    torn.write_text(torn.read_text()[:250])
    other = tmp_path / "calc-4" / "custodian.json"
    other.parent.mkdir()
    other.write_text('[{"job": {"@class": "VaspJob", "vasp_cmd": ["vasp_std"]}, "corrections": []}]')
    before = other.read_bytes()

    assert main(["doctor", "--workdir", str(tmp_path), "--json"]) == 1
    out, err = capfd.readouterr()
    assert "s3cret" not in out + err
    (check,) = [check for check in json.loads(out)["checks"] if check["name"] == "records of calculations"]
    assert not check["ok"]
    assert check["detail"].startswith("3 records of calculations with environment variables")
    assert "IFACE_WF_MONGO_PASSWORD" in check["detail"]
    assert "--clean" in check["remedy"]
    assert b"s3cret" in leaking.read_bytes()  # looking changes nothing

    main(["doctor", "--workdir", str(tmp_path), "--clean"])
    assert "s3cret" not in "".join(capfd.readouterr())
    assert look_through(tmp_path).number == 0
    assert not torn.exists()
    assert other.read_bytes() == before
    for path in (leaking, plain):
        (entry,) = json.loads(path.read_text())
        assert entry["job"]["command"] == ["gpaw"]
        assert entry["corrections"][0]["errors"] == ["SCF did not converge"]
        assert path.stat().st_mode & 0o777 == 0o640


def test_the_doctor_is_content_with_a_folder_of_today(tmp_path, capfd):
    (tmp_path / "calc-1").mkdir()
    main(["doctor", "--workdir", str(tmp_path), "--json"])
    (check,) = [c for c in json.loads(capfd.readouterr().out)["checks"] if c["name"] == "records of calculations"]
    assert check["ok"]
