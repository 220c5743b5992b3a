"""Folders of others: what does not belong together is refused or marked, everything else is read, and right."""

import numpy as np
import pytest

from iface_wf.engines.vasp.folders import read_foreign_folder
from iface_wf.engines.vasp.methods import UNNAMED
from iface_wf.errors import CalculationError, MismatchError
from iface_wf.store.results import find_result, stored_result
from iface_wf.store.settings import open_store
from tests.engines.vasp.foreign import (
    BOX,
    CELL,
    HF,
    HF_ENERGY,
    METHANOL,
    METHANOL_ENERGY,
    SLAB,
    collect,
    edited,
    ordered,
    shifted,
    with_tag,
)  # fmt: skip

# ---- atoms and charges ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_belongs_together_is_unmarked(slab, molecule, whole, tmp_path):
    document = collect(tmp_path, a=slab, b=molecule, ab=whole)
    assert document.binding_energy == pytest.approx(HF_ENERGY, abs=1e-7)
    assert document.flags == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "blocks", "words"),
    [
        ("OH", [("H", [(4.8, 4.8, 5.75)]), ("O", [(4.8, 4.8, 4.8)])], r"Li2F2 \+ H1O1 is not Li2H1F3"),
        ("F2", [("F", [(4.8, 4.8, 4.1), (4.8, 4.8, 5.5)])], r"Li2F2 \+ F2 is not Li2H1F3"),
        ("H2F2", [("H", [(4.8, 4.8, 5.3), (2.8, 2.8, 5.3)]), ("F", [(4.8, 4.8, 4.3), (2.8, 2.8, 4.3)])], "Li2H1F3"),
        ("LiF", [("Li", [(4.8, 4.8, 4)]), ("F", [(4.8, 4.8, 5.6)])], r"Li2F2 \+ Li1F1 is not"),
    ],
)
def test_another_molecule_is_refused(name, blocks, words, run, slab, whole, tmp_path):
    with pytest.raises(MismatchError, match=words):
        collect(tmp_path, a=slab, b=run(name, BOX, blocks), ab=whole)


def test_charges_must_add_up(run, slab, molecule, whole, tmp_path):
    for name in ("vasprun.xml", "OUTCAR"):  # one file alone is a run of two minds, both are an ion
        source = whole if name == "vasprun.xml" else tmp_path / "vasprun.xml"
        edited(source, tmp_path / name, name, r'(NELECT(?:">| =)\s*)28\.0', r"\g<1>29.0")
        with pytest.raises(CalculationError, match="NELECT"):
            collect(tmp_path, a=slab, b=molecule, ab=tmp_path / name)


# ---- frozen parts --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_frozen_parts_give_the_interaction(slab, molecule, frozen, tmp_path):
    document = collect(tmp_path, a=slab, b=molecule, **frozen)
    assert document.interaction_energy == pytest.approx(-0.33198374, abs=1e-7)
    assert document.density_difference.displaced_charge == pytest.approx(0.0102, abs=1e-3)
    assert document.charge_transfer["slab"] == pytest.approx(0.0105, abs=2e-3)
    assert [flag for flag in document.flags if "grid" not in flag] == []


@pytest.mark.slow
def test_what_has_lost_its_densities_counts_as_not_stored_and_is_collected_again(slab, molecule, frozen, tmp_path):
    """As after a kill between a result's document and its density."""
    first = collect(tmp_path, a=slab, b=molecule, **frozen)
    with open_store(str(tmp_path / "store")) as store:
        store.additional_stores["data"].remove_docs({})
        assert stored_result(store, first.key) is None
    again = collect(tmp_path, a=slab, b=molecule, **frozen)
    with open_store(str(tmp_path / "store")) as store:
        found = find_result(store, stored_result(store, first.key).uuid, load=True).document
    assert found.density_difference.density == again.density_difference.density
    assert found.density_difference.density.sha256 == first.density_difference.density.sha256


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "name", "cell", "blocks", "words"),
    [
        ("a_frozen", "rumpled", CELL, shifted(SLAB[:1], (0, 0, 0.4)) + SLAB[1:], r"A\* is not as it is in AB: atom"),
        ("a_frozen", "lifted", CELL, shifted(SLAB, (0, 0, 0.5)), r"A\* is not as it is in AB: atom"),
        ("b_frozen", "turned", CELL, [("H", HF[1][1]), ("F", HF[0][1])], r"B\* is not as it is in AB: atom 1 \(H\)"),
        ("b_frozen", "aside", CELL, shifted(HF, (0.05, 0, 0)), r"B\* is not as it is in AB: atom 1 \(H\) is 0.05 A"),
        ("a_frozen", "taller", (4.8, 4.8, 20.4), SLAB, r"A\* is not in the cell of AB: a component differs by 1.2 A"),
    ],
)
def test_frozen_parts_elsewhere_are_refused(role, name, cell, blocks, words, run, slab, molecule, frozen, tmp_path):
    grid = {"NGZ": "60", "NGZF": "120"}
    folders = frozen | {role: run(name, cell, blocks, grid, densities=True)}
    with pytest.raises(MismatchError, match=words):
        collect(tmp_path, a=slab, b=molecule, **folders)


@pytest.mark.slow
def test_frozen_parts_that_are_rounded_are_marked_and_images_are_the_same_place(run, slab, molecule, frozen, tmp_path):
    near = run("near", CELL, shifted(SLAB, (4.8, 0.0, 0.004)), densities=True)
    document = collect(tmp_path, a=slab, b=molecule, **frozen | {"a_frozen": near})
    assert "frozen_part_moved (A*: 0.004 A)" in document.flags


# ---- order of the POSCAR, and blocks -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("order", ["CHO", "HCO", "OHC"])
@pytest.mark.parametrize("blocks", ["LiFCHO", "LiHCOF", "twice apart", "twice side by side"])
def test_every_order_of_the_poscar_gives_the_same(order, blocks, run, slab, tmp_path):
    by = {"CHO": ("C", "H", "O"), "HCO": ("H", "C", "O"), "OHC": ("O", "H", "C")}[order]
    molecule = run(order, BOX, ordered(shifted(METHANOL, (2.4, 2.4, -6.5)), *by))
    hydrogen = METHANOL[1][1]
    wholes = {
        "LiFCHO": SLAB + METHANOL,
        "LiHCOF": ordered(SLAB + METHANOL, "Li", "H", "C", "O", "F"),
        "twice apart": [("H", hydrogen[:1]), *SLAB, METHANOL[0], ("H", hydrogen[1:]), METHANOL[2]],
        "twice side by side": [*SLAB, METHANOL[0], ("H", hydrogen[:2]), ("H", hydrogen[2:]), METHANOL[2]],
    }
    document = collect(tmp_path, a=slab, b=molecule, ab=run(f"AB {blocks}", CELL, wholes[blocks]))
    assert document.binding_energy == pytest.approx(METHANOL_ENERGY, abs=1e-7)
    (crowded,) = document.flags  # methanol in a cell of 4 A
    assert crowded.startswith("crowded")


@pytest.mark.slow
def test_valences_and_potcars_belong_to_the_block(run, tmp_path):
    """Two POTCARs of lithium: of 3 and of 1 valence electrons."""
    blocks = [("Li", SLAB[0][1][:1]), SLAB[1], ("Li_lo", SLAB[0][1][1:])]
    document = read_foreign_folder(run("mixed", CELL, blocks, densities=True), "A")
    plain = read_foreign_folder(run("A*", CELL, SLAB, densities=True), "A")
    assert (document.charge, document.n_electrons) == (0.0, 18.0)
    at = {
        tuple(np.round(s["xyz"], 6)): q
        for s, q in zip(document.structure["sites"], document.charges["bader"].net_charges, strict=True)
    }
    for site, charge in zip(plain.structure["sites"], plain.charges["bader"].net_charges, strict=True):
        assert at[tuple(np.round(site["xyz"], 6))] == pytest.approx(charge, abs=5e-3)  # a valence electron is 1 e
    assert [kind["potcar"].split()[1] for kind in document.settings["types"]] == ["Li", "F", "Li_lo"]


@pytest.mark.slow
def test_atoms_with_unlike_potcars_are_refused(run, molecule, tmp_path):
    """A and AB both hold both POTCARs of lithium, but not for as many atoms."""
    slabs = {
        n: [("Li", SLAB[0][1][:1] if n else SLAB[0][1]), SLAB[1], *([("Li_lo", SLAB[0][1][1:])] if n else [])]
        for n in (0, 1)
    }
    whole = run("mixed AB", CELL, slabs[1] + HF)
    document = collect(tmp_path, a=run("mixed A", CELL, slabs[1]), b=molecule, ab=whole)
    assert document.binding_energy == pytest.approx(HF_ENERGY, abs=1e-7)
    with pytest.raises(MismatchError, match=r"treated in unlike ways .*Li_lo"):
        collect(tmp_path, a=run("plain A", CELL, slabs[0]), b=molecule, ab=whole)


@pytest.mark.slow
def test_u_belongs_to_the_block(run):
    tags = {
        "LDAU": "T",
        "LDAUTYPE": "2",
        "LDAUL": "-1 1 1",
        "LDAUU": "0.0 4.0 2.0",
        "LDAUJ": "0.0 0.0 0.0",
        "LMAXMIX": "6",
    }
    blocks = [SLAB[0], ("F", SLAB[1][1][:1]), ("F", SLAB[1][1][1:])]
    settings = read_foreign_folder(run("U", CELL, blocks, tags), "A").settings
    assert [kind["hubbard"] for kind in settings["types"]] == [None, [1, 4.0, 0.0], [1, 2.0, 0.0]]
    assert settings["hubbard"] == {"F": [[1, 4.0, 0.0], [1, 2.0, 0.0]]}


# ---- dispersion ----------------------------------------------------------------------------------------------------

IVDW_LINE = r' *<i type="int" name="IVDW">.*</i>\n'


def old(run, name, cell, blocks, tags=None):
    """VASP 5.4 leaves IVDW out of vasprun.xml."""
    source = run(f"new {name}", cell, blocks, tags or {"IVDW": "12"}, version="5.4.4")
    target = source.with_name(f"old {name}")
    if not target.exists():
        edited(source, target, "vasprun.xml", IVDW_LINE, "")
    return target


@pytest.fixture(scope="module")
def old_folders(run):
    wholes = {"a": SLAB, "ab": ordered(SLAB + HF, "Li", "H", "F")}
    folders = {name: old(run, name, CELL, blocks) for name, blocks in wholes.items()}
    return folders | {"b": old(run, "b", BOX, shifted(HF, (2.4, 2.4, -5.9)))}


@pytest.mark.slow
def test_dispersion_that_vasprun_leaves_out_is_found(old_folders, tmp_path):
    document = collect(tmp_path, **old_folders)
    assert (document.functional, document.dispersion) == ("PBE", "D3(BJ)")
    assert document.binding_energy == pytest.approx(-0.35305769, abs=1e-7)
    assert document.dispersion_energy == pytest.approx(-0.02105, abs=1e-5)


def test_what_the_incar_beside_the_run_says_in_contradiction_is_marked(slab, molecule, whole, tmp_path):
    edited(slab, tmp_path / "A", "INCAR", "GGA = PE", "GGA = PS")
    edited(tmp_path / "A", tmp_path / "A2", "KPOINTS", "1 1 1", "3 3 1")
    document = collect(tmp_path, a=tmp_path / "A2", b=molecule, ab=whole)
    assert document.functional == "PBE"
    assert document.flags == [
        "incar_differs (the INCAR beside the run has GGA PS, used was PE) (A)",
        "kpoints_file_differs (the KPOINTS beside the run has [3, 3, 1], used was [1, 1, 1]) (A)",
    ]


def test_one_part_without_dispersion_is_refused(run, old_folders, tmp_path):
    bare = run("bare", CELL, SLAB, version="5.4.4")
    with pytest.raises(MismatchError, match=r"dispersion of A is None, of AB 'D3\(BJ\)'"):
        collect(tmp_path, **old_folders | {"a": bare})
    # an INCAR that was changed after the run does not make it one with dispersion
    edited(bare, tmp_path / "changed", "INCAR", "GGA", "IVDW = 12\nGGA")
    with pytest.raises(MismatchError, match="dispersion of A is None"):
        collect(tmp_path, **old_folders | {"a": tmp_path / "changed"})


def test_outcar_names_the_dispersion_that_was_computed(old_folders, tmp_path):
    """With the lines that VASP 5.4 and 6 print; without them, and without an INCAR, nobody knows which it was."""
    (edited(old_folders["a"], tmp_path / "unnamed", "INCAR", "IVDW = 12", "") / "INCAR").unlink()
    assert read_foreign_folder(tmp_path / "unnamed", "A").dispersion == UNNAMED
    with pytest.raises(MismatchError, match="dispersion of A is 'pairwise, kind not told'"):
        collect(tmp_path, **old_folders | {"a": tmp_path / "unnamed"})
    for number, name in ((11, "D3(0)"), (12, "D3(BJ)"), (21, "TS/HI"), (13, "D4")):
        block = "  Edisp (eV)\n"
        told = f" IVDW         = {number}\n VDW_S6       =    1.0000\n"
        edited(tmp_path / "unnamed", tmp_path / name, "OUTCAR", r" +Edisp", told + block.split("\n")[0][:8])
        assert read_foreign_folder(tmp_path / name, "A").dispersion == name


def test_the_echoed_incar_counts(old_folders, tmp_path):
    (
        edited(
            old_folders["a"],
            tmp_path / "echo",
            "OUTCAR",
            r"(complex\n)",
            r"\1\n INCAR:\n   IVDW = 11   ! zero damping\n POTCAR:    PAW_PBE Li\n",
        )
        / "INCAR"
    ).unlink()
    assert read_foreign_folder(tmp_path / "echo", "A").dispersion == "D3(0)"


# ---- tags and k-points ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ['<i type="logical" name="LSOL"> T  </i>', '<i name="EB_K">     78.40000000</i>'],
            r"EB_K \(not given, 78.4\); LSOL",
        ),
        (['<i name="EFIELD">      0.10000000</i>'], r"EFIELD \(not given, 0.1\)"),
        (['<i type="logical" name="LSORBIT"> T  </i>'], "LSORBIT"),
        (['<i type="int" name="I_CONSTRAINED_M">     1</i>'], "I_CONSTRAINED_M"),
        (['<i type="logical" name="ML_LMLFF"> T  </i>'], "ML_LMLFF"),
        (['<i name="VDW_S8">      0.50000000</i>'], "VDW_S8"),
        (['<i type="string" name="METAGGA">R2SCAN</i>'], "METAGGA of A is None, of AB 'R2SCAN'"),
        (['<i type="string" name="LIBXC1">GGA_X_PBE</i>'], "LIBXC1"),
    ],
)
def test_a_tag_that_is_not_known_to_be_harmless_is_refused(lines, words, slab, molecule, whole, tmp_path):
    with_tag(whole, tmp_path / "AB", "\n".join(lines))
    with pytest.raises(MismatchError, match=words):
        collect(tmp_path, a=slab, b=molecule, ab=tmp_path / "AB")


def test_a_tag_in_the_incar_alone_is_seen_in_version_5(run, old_folders, tmp_path):
    edited(old_folders["ab"], tmp_path / "AB", "INCAR", "GGA", "LSOL = .TRUE. ; EB_K = 78.4 # water\nGGA")
    with pytest.raises(MismatchError, match=r"EB_K .* LSOL \(not given, True\)"):
        collect(tmp_path, **old_folders | {"ab": tmp_path / "AB"})


@pytest.mark.parametrize(
    "line",
    [
        '<i type="int" name="NCORE">     8</i>',
        '<i type="string" name="ALGO"> All  ! slow</i>',
        '<i type="int" name="LORBIT">    12</i>',
        '<i type="string" name="SYSTEM">LiF & HF, Oberfläche <1></i>',
        '<i type="logical" name="LSOL"> F  </i>',
        '<i type="string" name="METAGGA"> None</i>',
        '<i type="string" name="PREC">accurate # as ever</i>',
    ],
)
def test_harmless_tags_and_titles_are_no_difference(line, slab, molecule, whole, tmp_path):
    name = line.partition('name="')[2].partition('"')[0]
    if name == "PREC":
        edited(whole, tmp_path / "AB", "vasprun.xml", '<i type="string" name="PREC">Accurate</i>', line)
    else:
        with_tag(whole, tmp_path / "AB", f"  {line}")
    document = collect(tmp_path, a=slab, b=molecule, ab=tmp_path / "AB")
    assert document.binding_energy == pytest.approx(HF_ENERGY, abs=1e-7)
    assert document.flags == []


def test_what_may_differ_is_marked(run, slab, molecule, tmp_path):
    tags = {"ISPIN": "2", "MAGMOM": "6*0.0", "EDIFF": "1e-5"}
    whole = run("AB spin", CELL, ordered(SLAB + HF, "Li", "H", "F"), tags, version="6.3.2")
    flags = collect(tmp_path, a=slab, b=molecule, ab=whole).flags
    for words in (
        "settings_differ (A: ISPIN 1, AB: 2)",
        "settings_differ (B: EDIFF 1e-06, AB: 1e-05)",
        "versions_differ (A: vasp 6.4.2, AB: 6.3.2)",
    ):
        assert words in flags


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (r"       1       1       1 </v>", "       3       3       1 </v>", "KPOINTS of A 3x3x1, of AB 1x1x1"),
        (r"       1       1       1 </v>", "       1       2       1 </v>", "KPOINTS of A 1x2x1, of AB 1x1x1"),
        (r'"usershift"> 0.0 0.0', '"usershift"> 0.5 0.5', "of A 1x1x1 shifted by 0.5, 0.5, 0, of AB 1x1x1"),
    ],
)
def test_another_mesh_along_shared_axes_is_refused(old, new, words, slab, molecule, whole, tmp_path):
    edited(slab, tmp_path / "A", "vasprun.xml", old, new)
    with pytest.raises(MismatchError, match=words):
        collect(tmp_path, a=tmp_path / "A", b=molecule, ab=whole)


@pytest.mark.slow
def test_an_even_mesh_of_monkhorst_and_pack_is_not_the_one_at_gamma(run, slab, molecule, tmp_path):
    whole = run("AB 221", CELL, ordered(SLAB + HF, "Li", "H", "F"), kpoints=(2, 2, 1))
    part = run("A 221", CELL, SLAB, kpoints=(2, 2, 1))
    assert collect(tmp_path, a=part, b=molecule, ab=whole).flags == []
    edited(part, tmp_path / "A", "vasprun.xml", 'param="Gamma"', 'param="Monkhorst-Pack"')
    with pytest.raises(MismatchError, match=r"of A 2x2x1 shifted by 0.5, 0.5, 0, of AB 2x2x1"):
        collect(tmp_path, a=tmp_path / "A", b=molecule, ab=whole)


def test_k_points_that_cannot_be_compared_are_marked(slab, molecule, whole, tmp_path):
    edited(slab, tmp_path / "A", "vasprun.xml", r"(?s)<generation.*</generation>", "")
    flags = collect(tmp_path, a=tmp_path / "A", b=molecule, ab=whole).flags
    assert flags == ["kpoints_not_compared (A: KPOINTS of one is a list of points)"]
    edited(slab, tmp_path / "A2", "vasprun.xml", r"       1       1       1 </v>", "       1       1       2 </v>")
    _, flag = collect(tmp_path, a=tmp_path / "A2", b=molecule, ab=whole).flags  # and that the KPOINTS is not the run's
    assert flag.startswith("kpoints_differ (KPOINTS of A 1x1x2")  # along the vacuum
