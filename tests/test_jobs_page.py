"""The commands of docs/jobs.md run as they stand, one after the other, on a tiny slab."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from ase.build import bulk, molecule, surface
from ase.constraints import FixAtoms
from ase.io import write

from iface_wf.api.stored import results
from iface_wf.cli.main import main

PAGE = Path(__file__).parents[1] / "docs" / "jobs.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPEC = "fillers: [slab.xyz]\nmolecules: [water, mine.xyz]\nengine: mlip\nplacements: 1\nquantities: [binding_energy]\n"


def commands():
    return [
        shlex.split(line, comments=True)
        for block in BLOCK.findall(PAGE.read_text(encoding="utf-8"))
        for line in block.splitlines()
    ]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of somebody who has a slab of eight atoms, a molecule, and a spec."""
    slab = surface(bulk("MgO", "rocksalt", a=4.21, cubic=True), (0, 0, 1), 1, vacuum=7.0)
    slab.pbc = (True, True, False)
    slab.set_constraint(FixAtoms([atom.index for atom in slab if atom.z < 8.0]))
    write(tmp_path / "slab.xyz", slab, format="extxyz")
    guest = molecule("H2O")
    guest.rotate(180, "x")
    guest.translate(max(slab.positions, key=lambda r: (round(r[2], 3), r[0])) + [0, 0, 2.2] - guest.positions[0])
    write(tmp_path / "AB.xyz", slab + guest, format="extxyz")
    (tmp_path / "mine.xyz").write_text("3\n\nO 0 0 0\nH 0.76 0 0.59\nH -0.76 0 0.59\n", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IFACE_WF_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.setenv("JFREMOTE_PROJECTS_FOLDER", str(tmp_path / "projects"))
    return tmp_path


def test_every_line_is_a_command_of_ours():
    assert len(commands()) > 20
    assert {words[0] for words in commands()} == {"iface-wf"}


@pytest.mark.slow
def test_all_of_them_work_in_this_order(folder, capfd):
    from jobflow_remote import SETTINGS

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SETTINGS, "projects_folder", str(folder / "projects"))
        key = ""
        for words in commands():
            if "3fa2" in words and not key:
                key = results()["key"][0][:8]
            code = main([key if word == "3fa2" else word for word in words[1:]])
            assert code == 0, (words, capfd.readouterr().err[-1000:])
    assert {"AB.vasp", "table.tex", "table.csv", "water.zip", "parts", "built"} <= {p.name for p in folder.iterdir()}
    assert len(results(str(folder / "again.sqlite"))) >= 1
