"""Folders of others as they are written: comments, encodings, slabs on the border of the cell, and how runs end."""

import re
import shutil

import numpy as np
import pytest

from iface_wf.engines.vasp.folders import read_foreign_folder
from tests.engines.vasp.foreign import (
    BOX,
    CELL,
    HF,
    HF_ENERGY,
    SLAB,
    collect,
    edited,
    ordered,
    shifted,
)  # fmt: skip

# ---- comments, and bytes of any encoding ---------------------------------------------------------------------------


@pytest.mark.parametrize("written", [" PE    ! PBE", "pe # as in the paper", "PE ; LASPH = T", "'PE'"])
def test_comments_behind_a_tag(written, slab, molecule, whole, tmp_path):
    edited(whole, tmp_path / "AB", "vasprun.xml", r'name="GGA">PE</i>', f'name="GGA">{written}</i>')
    document = collect(tmp_path, a=slab, b=molecule, ab=tmp_path / "AB")
    assert (document.functional, document.flags) == ("PBE", [])
    assert document.binding_energy == pytest.approx(HF_ENERGY, abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("CHGCAR", "stand-in\n", "Oberfl\xe4che LiF\n"),
        ("AECCAR0", "stand-in\n", "\xff\xfe\n"),
        ("AECCAR2", "stand-in\n", "d\xfcnne Schicht\n"),
        ("OUTCAR", r" running ", " POSCAR =  Oberfl\xe4che LiF\n running "),
        ("INCAR", "ENCUT", "# gr\xf6\xdfer\nENCUT"),
        ("vasprun.xml", "<incar>\n", '<incar>\n  <i type="string" name="SYSTEM">Oberfl\xe4che</i>\n'),
    ],
)
def test_bytes_of_any_encoding_are_read(name, old, new, run, tmp_path):
    source = run("A*", CELL, SLAB, densities=True)
    document = read_foreign_folder(edited(source, tmp_path / "run", name, old, new), "A")
    expected = read_foreign_folder(source, "A")
    assert (document.energy, document.flags) == (expected.energy, expected.flags)
    assert document.charges["bader"].net_charges == expected.charges["bader"].net_charges


# ---- the border of the cell ----------------------------------------------------------------------------------------


def across(blocks, down, height):
    """Move down, and into the cell again as files have it."""
    return [(name, [(x, y, (z - down) % height) for x, y, z in positions]) for name, positions in blocks]


@pytest.mark.slow
@pytest.mark.parametrize("down", [6.05, 7.0, 8.0, 6.0])
def test_a_slab_on_or_across_the_border_has_its_charges(down, run):
    """On the grid points of 0.16 A and between them; the charges hang on that a little."""
    middle = read_foreign_folder(run("A*", CELL, SLAB, densities=True), "A")
    moved = read_foreign_folder(run(f"down {down}", CELL, across(SLAB, down, 19.2), densities=True), "A")
    assert not [flag for flag in moved.flags if "failed" in flag]
    for one, other in zip(moved.charges["bader"].net_charges, middle.charges["bader"].net_charges, strict=True):
        assert one == pytest.approx(other, abs=2e-3)
    heights = np.array([site["xyz"][2] for site in moved.structure["sites"]])
    assert np.ptp(heights) == pytest.approx(2.0, abs=1e-6)  # together, not on both ends


@pytest.mark.slow
def test_an_interface_across_the_border_is_as_one_in_the_middle(run, slab, molecule, frozen, tmp_path):
    """A multiple of the grid's step down: the same densities, moved; and A in another, taller cell."""
    down = 7.04
    blocks = {"AB": ordered(SLAB + HF, "Li", "H", "F"), "A*": SLAB, "B*": HF}
    at = {role: run(f"{role} across", CELL, across(b, down, 19.2), densities=True) for role, b in blocks.items()}
    taller = run("A taller", (4.8, 4.8, 24.0), across(SLAB, down, 24.0))
    (tmp_path / "one").mkdir()
    moved = collect(tmp_path / "one", a=taller, b=molecule, ab=at["AB"], a_frozen=at["A*"], b_frozen=at["B*"])
    (tmp_path / "two").mkdir()
    middle = collect(tmp_path / "two", a=slab, b=molecule, **frozen)
    assert moved.binding_energy == pytest.approx(middle.binding_energy, abs=1e-6)
    assert moved.interaction_energy == pytest.approx(middle.interaction_energy, abs=1e-6)
    assert moved.charge_transfer["slab"] == pytest.approx(middle.charge_transfer["slab"], abs=1e-4)
    one, two = moved.density_difference, middle.density_difference
    assert one.displaced_charge == pytest.approx(two.displaced_charge, abs=1e-6)
    assert max(np.abs(one.delta_q_z)) == pytest.approx(max(np.abs(two.delta_q_z)), abs=1e-5)
    assert one.z == sorted(one.z)
    peak, other = (d.z[int(np.argmax(np.abs(d.delta_q_z)))] for d in (one, two))
    assert peak == pytest.approx(other - down, abs=1e-6)
    assert moved.flags == middle.flags


@pytest.mark.slow
def test_a_molecule_on_the_corner_of_its_box(run, slab, whole, tmp_path):
    """Half a box away, which is a multiple of the grid's step."""
    blocks = shifted(HF, (2.4, 2.4, -5.9))
    corner = [(name, [tuple(np.mod(np.subtract(p, 4.8), 9.6)) for p in positions]) for name, positions in blocks]
    folder = run("corner", BOX, corner, densities=True)
    charges = [read_foreign_folder(f, "B").charges["bader"] for f in (folder, run("box", BOX, blocks, densities=True))]
    assert charges[0].net_charges == pytest.approx(charges[1].net_charges, abs=1e-5)
    document = collect(tmp_path, a=slab, b=folder, ab=whole)
    assert document.binding_energy == pytest.approx(HF_ENERGY, abs=1e-6)


def test_a_slab_with_its_vacuum_along_another_axis_is_marked(run):
    lying = [(name, [(z, x, y) for x, y, z in positions]) for name, positions in SLAB]
    document = read_foreign_folder(run("lying", (19.2, 4.8, 4.8), lying), "A")
    assert document.flags == ["vacuum_along_a: area, profiles and potential are taken along c"]
    assert read_foreign_folder(run("slab", CELL, SLAB), "A").flags == []


# ---- convergence ---------------------------------------------------------------------------------------------------


def test_the_last_allowed_step_may_converge(run):
    """OUTCAR says that EDIFF is reached; four electronic steps of four."""
    document = read_foreign_folder(run("four", CELL, SLAB, {"NELM": "4"}), "A")
    assert (document.converged, document.flags) == (True, [])


@pytest.mark.parametrize("version", ["5.4.4", "6.1.0"])
def test_version_5_says_that_ediff_is_reached_whatever_it_reached(version, run, tmp_path):
    """After NELM steps VASP 5.4 prints the same words; the energies of the last two steps differ by 5 meV here."""
    source = run(f"four {version}", CELL, SLAB, {"NELM": "4"}, version=version)
    assert read_foreign_folder(source, "A").converged
    steps = (source / "vasprun.xml").read_text().split("<scstep>")
    number = steps[-2].partition('"e_fr_energy">')[2].partition("</i>")[0]
    steps[-2] = steps[-2].replace(number, f"{float(number) + 0.005:16.8f} ")
    shutil.copytree(source, tmp_path / "run")
    (tmp_path / "run" / "vasprun.xml").write_text("<scstep>".join(steps))
    document = read_foreign_folder(tmp_path / "run", "A")
    assert (document.converged, document.flags) == (False, ["scf_unconverged"])


def test_a_density_that_was_held_is_no_energy(slab, tmp_path):
    edited(
        slab,
        tmp_path / "run",
        "vasprun.xml",
        "<parameters>\n",
        '<parameters>\n  <i type="int" name="ICHARG">    11</i>\n',
    )
    document = read_foreign_folder(tmp_path / "run", "A")
    assert (document.converged, document.trustworthy) == (False, False)


@pytest.mark.parametrize(("number", "name"), [(2, "None"), (3, "Eigenval"), (4, "Subrot"), (90, "Exact")])
def test_an_algorithm_that_only_uses_the_density_is_no_energy(number, name, slab, tmp_path):
    old, new = r'(<parameters>(?:.|\n)*?name="IALGO">\s*)\d+', rf"\g<1>{number}"
    if "IALGO" not in (slab / "vasprun.xml").read_text():
        old, new = "<parameters>\n", f'<parameters>\n  <i type="int" name="IALGO"> {number} </i>\n'
    flags = read_foreign_folder(edited(slab, tmp_path / "run", "vasprun.xml", old, new), "A").flags
    assert f"scf_unconverged (ALGO {name}: the density was held)" in flags


def test_an_empty_density_is_none(run, slab, tmp_path):
    shutil.copytree(slab, tmp_path / "none")
    (tmp_path / "none" / "CHGCAR").write_bytes(b"")  # as VASP leaves it behind with LCHARG = F
    document = read_foreign_folder(tmp_path / "none", "A")
    assert (document.energy, document.densities) == (read_foreign_folder(slab, "A").energy, {})
    shutil.copytree(run("A*", CELL, SLAB, densities=True), tmp_path / "full")
    (tmp_path / "full" / "AECCAR0").write_bytes(b"")
    assert "density_missing (AECCAR0: empty)" in read_foreign_folder(tmp_path / "full", "A").flags


def charged(source, target, by):
    """Copy a folder, with another number of electrons in both of its logs."""
    shutil.copytree(source, target)
    for name in ("vasprun.xml", "OUTCAR"):
        text = (target / name).read_text()
        edit = re.sub(r'(NELECT(?:">|\s*=)\s*)(\d+)', lambda found: f"{found[1]}{int(found[2]) + by}", text)
        assert edit != text
        (target / name).write_text(edit)
    return target


def test_charges_that_add_up_are_no_trustworthy_energy(slab, molecule, whole, tmp_path):
    """A positive slab and a negative molecule are the atoms and electrons of AB, but each energy hangs on its cell."""
    parts = {"a": charged(slab, tmp_path / "A", -1), "b": charged(molecule, tmp_path / "B", 1)}
    document = collect(tmp_path, **parts, ab=whole)
    assert not document.trustworthy
    assert [flag.split(" ")[0] for flag in document.flags] == ["charge_uncorrected", "charged_cell"]
