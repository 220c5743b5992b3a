"""Modules under their former names are the modules of today, and only those that have moved."""

import importlib
import subprocess
import sys

import pytest

from iface_wf._moved import FOR_SCRIPTS, MOVED
from iface_wf.former import FormerNameWarning


@pytest.mark.parametrize("former", MOVED)
def test_a_former_name_is_the_module_of_today(former):
    assert importlib.import_module(former) is importlib.import_module(MOVED[former])


@pytest.mark.slow
def test_a_class_under_its_former_name_is_the_same_in_a_new_process():
    code = (
        "from iface_wf.build.targets import Target as former; "
        "from iface_wf.builders.placing.targets import Target; print(former is Target)"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found.split() == ["True"]


@pytest.mark.slow
def test_a_job_that_began_before_the_update_starts_gpaw(tmp_path):
    """Its process holds the former name, and reads calculation.json, which is not here."""
    command = [sys.executable, "-m", "iface_wf.engines.gpaw_run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("FileNotFoundError")
    assert "calculation.json" in done.stderr


@pytest.mark.parametrize("name", ["iface_wf.nothing", "iface_wf.build.nothing"])
def test_other_names_are_unknown(name):
    with pytest.raises(ModuleNotFoundError, match=name):
        importlib.import_module(name)


@pytest.mark.parametrize("former", FOR_SCRIPTS)
def test_scripts_of_users_get_a_hint(former):
    sys.modules.pop(former, None)
    with pytest.warns(FormerNameWarning, match=f"{former} is called {FOR_SCRIPTS[former]} now"):
        module = importlib.import_module(former)
    assert module is importlib.import_module(FOR_SCRIPTS[former])
