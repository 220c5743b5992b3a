"""Outputs that are cut, or of which one byte is another: an error, a mark, or the same numbers.

Of some numbers VASP's files hold one copy, and one digit of it cannot be told from another: `ALONE` lists them. A wrong
digit in a density or potential moves one of thousands of points: what follows may change by no more than `LIMITS` says.
"""

import gzip
import random
import re
import shutil

import numpy as np
import pytest

from iface_wf.analysis.density import unpack
from iface_wf.engines.vasp.folders import read_foreign_folder
from iface_wf.errors import IfaceError
from tests.engines.vasp.foreign import CELL, SLAB, calculate, stand_in
from tests.engines.vasp.vasp_fixtures import third_party

OURS = ("OUTCAR", "vasprun.xml", "CHGCAR", "AECCAR0", "AECCAR2", "LOCPOT", "INCAR")
THEIRS = ("OUTCAR", "vasprun.xml")
#: Fields of a document that one digit in OUTCAR changes unseen: there is no second place that tells them.
ALONE = {
    "OUTCAR": {
        "fermi_level",
        "work_function",
        "magnetic_moment",
        "engine_version",
        "wall_time",
        "cpu_time",
        "n_processes",
    }
}
#: How far numbers may be off: energies (eV) and places (A) as far as files round; and where one value of a grid is wrong,
#: electrons of an atom (e), of a point of the density (e), vacuum levels and work functions (eV), the planar average of the
#: potential (eV) and the dipole (e A).
LIMITS = {
    "energy": 2e-5,
    "structure": 1e-4,
    "charges": 5e-3,
    "density": 1e-3,
    "level": 2e-3,
    "potential_z": 0.5,
    "dipole": 2e-4,
}
#: Compared with those of the other calculations when energies are subtracted: there a wrong one is a refusal.
TAGS = {"incar", "parameters", "types", "potcars", "potcar_titles"}
NUMBERS = (
    "energy", "electronic_energy", "dispersion_energy", "free_energy", "fermi_level", "magnetic_moment", "max_force",
    "n_electrons", "charge", "grid", "kpoints", "converged", "functional", "dispersion", "basis", "engine_version",
    "wall_time", "cpu_time", "n_processes", "formula",
)  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A slab of ours with everything that is read, and a run of others, unpacked."""
    root = tmp_path_factory.mktemp("whole")
    tags = {"LVHAR": "T", "IVDW": "12"}
    ours = calculate(stand_in(root), root / "ours", CELL, SLAB, tags, kpoints=(2, 2, 1), densities=True)
    theirs = root / "theirs"
    theirs.mkdir()
    for name in THEIRS:
        (theirs / name).write_bytes(gzip.decompress((third_party("mol_static") / f"{name}.gz").read_bytes()))
    return {"ours": (ours, OURS, "A"), "theirs": (theirs, THEIRS, "B")}


def damaged(content, chance):
    """Cut a file, or change one byte of it: any, or a digit."""
    place = chance.randrange(len(content.rstrip()))
    how = chance.choice(("cut", "bit", "digit", "digit"))
    if how == "cut":
        return how, place, content[:place]
    if how == "digit":
        digits = [match.start() for match in re.finditer(rb"\d", content[place : place + 4000])]
        if digits:
            place += digits[0]
            other = chance.choice([d for d in b"0123456789" if d != content[place]])
            return how, place, content[:place] + bytes([other]) + content[place + 1 :]
    flipped = content[place] ^ (1 << chance.randrange(8))
    return "bit", place, content[:place] + bytes([flipped]) + content[place + 1 :]


def changes(document, expected):
    """Name the fields of a document that are others than expected, beyond what one value of a grid may do."""
    found = []
    for name in NUMBERS:
        one, other = getattr(document, name), getattr(expected, name)
        close = isinstance(one, float) and isinstance(other, float) and abs(one - other) <= LIMITS["energy"]
        found += [] if one == other or close else [name]
    cells = [np.array(d.structure["lattice"]["matrix"]) for d in (document, expected)]
    places = [
        np.array([site["abc"] for site in d.structure["sites"]]) @ c
        for d, c in zip((document, expected), cells, strict=True)
    ]
    shift = (places[0] - places[1]) @ np.linalg.inv(cells[1])  # an image of an atom is the same place
    moved = max(np.abs((shift - np.round(shift)) @ cells[1]).max(), np.abs(cells[0] - cells[1]).max())
    found += ["structure"] if moved > LIMITS["structure"] else []
    one, other = (d.charges.get("bader") for d in (document, expected))
    if one is not None and other is not None:
        found += (
            ["charges"] if np.abs(np.subtract(one.net_charges, other.net_charges)).max() > LIMITS["charges"] else []
        )
    if document.densities and expected.densities:
        shift = np.abs(unpack(document.densities["valence"]) - unpack(expected.densities["valence"])).max()
        cell = np.linalg.det(np.array(expected.densities["valence"].cell)) / np.prod(expected.grid)
        found += ["density"] if shift * cell > LIMITS["density"] else []
    for name in ("vacuum_level", "work_function"):
        pairs = [(getattr(d, name).get(side) for d in (document, expected)) for side in ("below", "above")]
        for a, b in pairs:
            found += [name] if (a is None) != (b is None) or (a is not None and abs(a - b) > LIMITS["level"]) else []
    if document.dipole is not None and expected.dipole is not None:
        found += ["dipole"] if abs(document.dipole - expected.dipole) > LIMITS["dipole"] else []
    if document.potential_z and expected.potential_z:
        shift = np.abs(np.subtract(document.potential_z, expected.potential_z)).max()
        found += ["potential_z"] if shift > LIMITS["potential_z"] else []
    for name in ("densities", "charges", "potential_z"):
        found += [f"no {name}"] if bool(getattr(document, name)) != bool(getattr(expected, name)) else []
    keys = sorted((set(document.settings) | set(expected.settings)) - TAGS)
    return found + [f"settings {k}" for k in keys if document.settings.get(k) != expected.settings.get(k)]


def unseen(folders, root, count, seed):
    """Damage files at random places; return what was read without an error, a mark, or the same numbers."""
    chance, missed, outcomes = random.Random(seed), [], {"error": 0, "marked": 0, "same": 0}
    expected = {name: read_foreign_folder(folder, role) for name, (folder, _, role) in folders.items()}
    for number in range(count):
        which = chance.choice(("ours", "ours", "theirs"))
        folder, names, role = folders[which]
        name = chance.choice(names)
        how, place, content = damaged((folder / name).read_bytes(), chance)
        broken = root / str(number)
        broken.mkdir()
        for path in folder.iterdir():
            (broken / path.name).symlink_to(path)
        (broken / name).unlink()
        (broken / name).write_bytes(content)
        try:
            document = read_foreign_folder(broken, role)
        except IfaceError:
            outcomes["error"] += 1
            continue
        finally:
            shutil.rmtree(broken)
        if set(document.flags) - set(expected[which].flags):
            outcomes["marked"] += 1
            continue
        found = set(changes(document, expected[which])) - ALONE.get(name, set())
        outcomes["same"] += not found
        if found:
            missed.append(f"{which}/{name}: {how} at {place}: {sorted(found)}")
    return missed, outcomes


@pytest.mark.slow
def test_a_slice_of_damaged_outputs_is_seen(folders, tmp_path):
    missed, _ = unseen(folders, tmp_path, 60, seed=13)
    assert missed == []


@pytest.mark.slow
def test_four_hundred_damaged_outputs_are_seen(folders, tmp_path):
    missed, outcomes = unseen(folders, tmp_path, 400, seed=2024)
    assert missed == []
    assert min(outcomes.values()) > 0, outcomes
