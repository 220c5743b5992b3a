"""Folders of others: what does not belong together is refused or marked, everything else is read, and right."""

import shutil

import numpy as np
import pytest

from iface_wf.engines.vasp.folders import read_foreign_folder
from iface_wf.engines.vasp.methods import UNNAMED
from iface_wf.errors import CalculationError, MismatchError
from iface_wf.flows.run import run_flow
from iface_wf.quantities.binding.document import BindingDocument
from iface_wf.quantities.binding.folders import collect_foreign
from iface_wf.store.settings import open_store
from tests.engines.vasp.foreign import (
    BOX,
    CELL,
    HF,
    HF_ENERGY,
    METHANOL,
    METHANOL_ENERGY,
    SLAB,
    calculate,
    edited,
    ordered,
    shifted,
    stand_in,
    with_tag,
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Calculate, once for each name."""
    root = tmp_path_factory.mktemp("foreign")
    program = stand_in(root)

    def calculated(name, *arguments, **options):
        folder = root / name
        return folder if folder.exists() else calculate(program, folder, *arguments, **options)

    return calculated


@pytest.fixture(scope="module")
def slab(run):
    return run("slab", CELL, SLAB)


@pytest.fixture(scope="module")
def molecule(run):
    return run("molecule", BOX, shifted(HF, (2.4, 2.4, -5.9)))


@pytest.fixture(scope="module")
def whole(run):
    return run("whole", CELL, ordered(SLAB + HF, "Li", "H", "F"))


def collect(folder, **folders):
    """Return the document of folders by role, with the names of Python."""
    roles = {{"a": "A", "b": "B", "ab": "AB", "a_frozen": "A*", "b_frozen": "B*"}[k]: v for k, v in folders.items()}
    store = open_store(str(folder / "store"))
    flow = collect_foreign(roles, {"filler": "LiF", "polymer": "HF"})
    run_flow(flow, store, folder)
    return BindingDocument.model_validate(store.get_output(flow.output.uuid, load=True))


# ---- atoms and charges ---------------------------------------------------------------------------------------------


def test_what_belongs_together_is_unmarked(slab, molecule, whole, tmp_path):
    document = collect(tmp_path, a=slab, b=molecule, ab=whole)
    assert document.binding_energy == pytest.approx(HF_ENERGY, abs=1e-7)
    assert document.flags == []


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


@pytest.fixture(scope="module")
def frozen(run):
    folders = {"a_frozen": run("A*", CELL, SLAB, densities=True), "b_frozen": run("B*", CELL, HF, densities=True)}
    return folders | {"ab": run("dense", CELL, ordered(SLAB + HF, "Li", "H", "F"), densities=True)}


def test_frozen_parts_give_the_interaction(slab, molecule, frozen, tmp_path):
    document = collect(tmp_path, a=slab, b=molecule, **frozen)
    assert document.interaction_energy == pytest.approx(-0.33198374, abs=1e-7)
    assert document.density_difference.displaced_charge == pytest.approx(0.0102, abs=1e-3)
    assert document.charge_transfer["slab"] == pytest.approx(0.0105, abs=2e-3)
    assert [flag for flag in document.flags if "grid" not in flag] == []


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


def test_frozen_parts_that_are_rounded_are_marked_and_images_are_the_same_place(run, slab, molecule, frozen, tmp_path):
    near = run("near", CELL, shifted(SLAB, (4.8, 0.0, 0.004)), densities=True)
    document = collect(tmp_path, a=slab, b=molecule, **frozen | {"a_frozen": near})
    assert "frozen_part_moved (A*: 0.004 A)" in document.flags


# ---- order of the POSCAR, and blocks -------------------------------------------------------------------------------


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
    assert document.flags == []


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
    (flag,) = collect(tmp_path, a=tmp_path / "A2", b=molecule, ab=whole).flags
    assert flag.startswith("kpoints_differ (KPOINTS of A 1x1x2")  # along the vacuum


# ---- comments, and bytes of any encoding ---------------------------------------------------------------------------


@pytest.mark.parametrize("written", [" PE    ! PBE", "pe # as in the paper", "PE ; LASPH = T", "'PE'"])
def test_comments_behind_a_tag(written, slab, molecule, whole, tmp_path):
    edited(whole, tmp_path / "AB", "vasprun.xml", r'name="GGA">PE</i>', f'name="GGA">{written}</i>')
    document = collect(tmp_path, a=slab, b=molecule, ab=tmp_path / "AB")
    assert (document.functional, document.flags) == ("PBE", [])
    assert document.binding_energy == pytest.approx(HF_ENERGY, abs=1e-7)


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
