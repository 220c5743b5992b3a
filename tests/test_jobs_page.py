"""The commands, files and Python of docs/jobs.md run as they stand, one after the other, on a tiny slab."""

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
BLOCK = re.compile(r"^```(bash|yaml|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPEC = "fillers: [slab.xyz]\nmolecules: [water, mine.xyz]\nengine: mlip\nplacements: 1\nquantities: [binding_energy]\n"


def blocks():
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def commands(text):
    return [shlex.split(line, comments=True) for line in text.splitlines()]


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
    every = [words for language, text in blocks() if language == "bash" for words in commands(text)]
    assert len(every) > 40
    assert {words[0] for words in every} == {"iface-wf"}


def test_there_are_sixteen_jobs_and_each_has_a_command():
    sections = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    assert len(sections) == 16
    assert all("```bash" in section for section in sections)


@pytest.mark.slow
def test_all_of_them_work_in_this_order(folder, capfd):
    from jobflow_remote import SETTINGS

    module: dict[str, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SETTINGS, "projects_folder", str(folder / "projects"))
        key = ""
        for language, text in blocks():
            if language == "yaml":
                name = re.match(r"# (\w+\.yaml)\n", text)[1]
                (folder / name).write_text(text, encoding="utf-8")
            elif language == "python":
                exec(compile(text, "a block of docs/jobs.md", "exec"), module)
            for words in commands(text) if language == "bash" else ():
                if "3fa2" in words and not key:
                    known = results()
                    key = known["key"][known["title"] == "my first"].iloc[0][:8]  # it gets another title on the way
                code = main([key if word == "3fa2" else word for word in words[1:]])
                assert code == 0, (words, capfd.readouterr().err[-1000:])
    assert {"AB.vasp", "table.tex", "table.csv", "water.zip", "parts", "built", "layer", "electrolyte", "by-hand"} <= {
        p.name for p in folder.iterdir()
    }
    assert len(results(str(folder / "again.sqlite"))) >= 1
    table = results()
    assert {"as I built it", "water on the terrace"} <= set(table["title"])
    assert table["binding_energy_per_molecule"].notna().sum() == 1  # run, screened and asked for in Python: one result
