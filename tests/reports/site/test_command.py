"""The command on a page asks for what made the result."""

import shlex

import pytest
import typer

from iface_wf.cli.main import app
from iface_wf.cli.request import read
from iface_wf.quantities.binding.request import BindingRequest
from iface_wf.reports.site.command import more_commands, run_command
from tests.examples import document

REQUESTS = [
    {"filler": "SiO2", "polymer": "PEO", "units": 2, "engine": "xtb"},
    {"filler": "my own.cif", "surface": "1 0 -1", "salt": "LiTFSI", "engine": "xtb", "seed": 3},
    {"filler": "$(rm -rf x)", "polymer": "*CC'O*", "engine": "gpaw", "overrides": {"fmax": 0.05, "dispersion": "D3(BJ)"}},
    {"filler": "SiO2", "polymer": "PEO", "target": {"group": "[OX2]", "surface": "H-O-Si"}, "clearance": 1.0, "engine": "xtb"},
    {"filler": "", "interface": "my AB.xyz", "split": "48-66,3", "engine": "xtb"},
    {"filler": "SiO2", "polymer": "PEO", "caps": {"head": "C*", "tail": "*CC"}, "in_plane": (12.0, 9.0), "engine": "xtb"},
]  # fmt: skip


@pytest.mark.parametrize("asked", REQUESTS, ids=lambda asked: asked["filler"])
def test_the_command_says_the_same_request(asked):
    request = BindingRequest(**asked).model_dump(mode="json")
    command, left = run_command(document(provenance={"request": request}))
    assert left == []
    words = shlex.split(command)
    assert words[:2] == ["iface-wf", "run"]
    run = typer.main.get_command(app).commands["run"]
    given = run.make_context("run", words[2:]).params
    names = set(BindingRequest.model_fields)
    again = read({name: value for name, value in given.items() if name in names and value is not None})
    assert BindingRequest(**again) == BindingRequest(**asked)


def test_what_no_option_says_is_told():
    request = BindingRequest(filler="SiO2", polymer="PEO", engine="xtb", n_conformers=3).model_dump(mode="json")
    assert run_command(document(provenance={"request": request}))[1] == ["n_conformers"]


def test_results_of_folders_have_no_command():
    assert run_command(document()) == ("", [])
    assert [command.split()[1] for _, command in more_commands(document(), True)] == [
        "show",
        "provenance",
        "export",
        "export",
    ]
