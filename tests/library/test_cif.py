"""CIFs: atoms are those of the file's own formula, Z and space group, or the file is refused in one sentence."""

from __future__ import annotations

import numpy as np
import pytest
import spglib
from pymatgen.core import Lattice, Structure, SymmOp

from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.library.cif import parse_cif
from iface_wf.library.cif_symmetry import named
from iface_wf.library.cif_text import Block
from iface_wf.library.crystals import read_crystal
from iface_wf.library.library import builtin_folder

SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def cif(sites, cell=(5.64, 5.64, 5.64, 90, 90, 90), group="'F m -3 m'", more="", columns="label type_symbol x y z"):
    """A small CIF; ``columns`` are of the sites' loop."""
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    tags = [f"_atom_site_{'fract_' if c in 'xyz' else ''}{c}" for c in columns.split()]
    return "\n".join([
        "data_x", *(f"_cell_{n} {v}" for n, v in zip(names, cell, strict=True)),
        *([f"_symmetry_space_group_name_H-M {group}"] if group else []), more, "loop_", *tags, *sites, "",
    ])  # fmt: skip


NACL = ["Na1 Na 0 0 0", "Cl1 Cl 0.5 0.5 0.5"]


def occupied(*values):
    """Rock salt with these occupancies as text."""
    return cif([f"{row} {value}" for row, value in zip(NACL, values, strict=True)],
               columns="label type_symbol x y z occupancy", more="_chemical_formula_sum 'Na Cl'")  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        cif(NACL),
        "\ufeff" + cif(NACL),
        cif(NACL).partition("\n")[2],
        cif(NACL, group="'FM-3M'", more="_cell_formula_units_Z 4.0\n_chemical_formula_sum 'Na1. Cl'"),
        cif(NACL, more="_atom_type_symbol Na\nloop_\n_atom_site_aniso_label\n_atom_site_aniso_U_11\nNa1 0.01\nCl1 0.02"),
        cif(NACL).replace("\n", "\r\n"),
        cif(NACL).replace("data_x", "DATA_x").replace("loop_", "LOOP_").replace("_atom_site_label", "_ATOM_SITE_LABEL"),
        cif(NACL).replace("_atom_site_", "_atom_site.").replace("_cell_", "_cell."),
        "data_global\n_journal_year 2020\n_publ_section_title\n;\nOn data_x\nloop_\n_cell_length_a 3\n;\n" + cif(NACL),
        "# comment\n" + cif(NACL) + "\ndata_pattern\nloop_\n_pd_meas_counts_total\n1 2 3\n",
        cif(NACL, more="_publ_author_name\n;\nO'Brien; A. \"B\" #1\n;\n_chemical_name 'L'aimant'"),
        cif(["Na1 ? 0 0 0", "Cl1 . 0.5 0.5 0.5"]),
        cif(["Na1+ Na1+ 0 0 0", "Cl1- Cl1- 0.5 0.5 0.5"]),
        cif(["A NA 0 0 0", "B cl 0.5 0.5 0.5"]),
        cif(["Na1 0 0 0", "Cl1 0.5 0.5 0.5"], columns="label x y z"),
        cif(["NA1 0 0 0", "CL1 0.5 0.5 0.5"], columns="label x y z", more="_chemical_formula_sum 'Cl Na'"),
        cif(["Na1 Na . . .", "Cl1 Cl .5 .5 .5"]),
        cif(["Na1 Na 0.(0) -0.0 0", "Cl1 Cl 1/2 0.50000(3) 5.0e-1"]),
        cif(NACL, cell=("5.64(2)", 5.64, 5.64, "?", ".", 90)),
        cif(NACL, group="F m -3 m"),
        cif(NACL, group="Fm3m"),
        cif(NACL, group="'F 4/m -3 2/m'"),
        cif(NACL, group="", more="_space_group_IT_number 225"),
        cif(NACL, group="", more="_space_group_name_Hall '-F 4 2 3'"),
        cif(NACL, more="_chemical_formula_sum 'Na4 Cl4'\n_cell_formula_units_Z 4"),
        cif(NACL, more="_chemical_formula_sum 'Cl1 Na1'\n_cell_formula_units_Z 4\n_cell_volume 179.41(3)"),
        occupied("1.0000", "1.0002"),
        occupied("0.9995(8)", "1.02(1)"),
        occupied("?", "."),
        cif([*NACL, "X1 Na 0.25 0.25 0.25"], columns="label type_symbol x y z").replace("X1 Na 0.25 0.25 0.25\n", ""),
        cif([row + " 1 Uani" for row in NACL] + ["X Cl 0.3 0.3 0.3 1 dum"],
            columns="label type_symbol x y z occupancy calc_flag"),
        cif([*NACL, "Li1 Li 0.25 0.25 0.25"], columns="label type_symbol x y z occupancy").replace(
            "Na1 Na 0 0 0", "Na1 Na 0 0 0 1").replace("0.5 0.5 0.5", "0.5 0.5 0.5 1").replace("0.25 0.25 0.25", "0.25 0.25 0.25 0"),
    ],
)  # fmt: skip
def test_a_good_cif_is_read_however_it_is_written(tmp_path, text):
    path = tmp_path / "x.cif"
    path.write_text(text, encoding="utf-8")
    read = read_crystal(path)
    assert read.is_ordered
    assert read.matches(SALT)
    assert len(read) == 8
    assert Library().filler(path).name == "NaCl"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (occupied("?", "1"), "occupancy of Na1: taken as 1"),
        (occupied(".", "?"), "occupancy of Na1, Cl1: taken as 1"),
        (occupied("1", "1.03"), "scaled to 1"),
        (cif(NACL, group=""), "names no space group"),
        (cif(NACL, more="_chemical_formula_sum 'Na Cl * n'"), "could not be read"),
        (cif(["D1 D 0 0 0", "Li1 Li 0.5 0.5 0.5"]), "isotopes"),
        (cif(["CA1 0 0 0", "O1 0.5 0.5 0.5"], columns="label x y z"), "read as Ca, it could also mean C"),
        (cif([f"{NACL[0]} 0.9", f"{NACL[1]} 0.8"], columns="label type_symbol x y z occupancy",
             more="_chemical_formula_sum 'Na Cl'"), "does not agree with itself"),
        (cif([f"{NACL[0]} 8", f"{NACL[1]} 4"], columns="label type_symbol x y z symmetry_multiplicity"), "multiplicity of Na1"),
    ],
)  # fmt: skip
def test_what_was_assumed_is_said(tmp_path, text, said):
    path = tmp_path / "x.cif"
    path.write_text(text, encoding="utf-8")
    assert any(said in warning for warning in read_crystal(path).properties["warnings"])


def test_warnings_of_the_file_reach_the_record(tmp_path):
    path = tmp_path / "x.cif"
    path.write_text(occupied("?", "?"), encoding="utf-8")
    assert any("taken as 1" in warning for warning in Library().filler(path).warnings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (cif(["Gd1 Gd3+ 0 0 0", "O1 O2- 0.5 0.5 0.5"], more="_chemical_formula_sum 'Gd O H'"), "has H, its sites have none"),
        (cif([NACL[0] + " 0", NACL[1].replace("Cl", "O") + " 1"], more="",
             columns="label type_symbol x y z attached_hydrogens"), "hydrogen is missing"),
        (cif(NACL[:1], more="_chemical_formula_sum 'Na Cl'"), "Cl has no site"),
        (cif([*NACL, "O1 O 0.25 0.25 0.25"], more="_chemical_formula_sum 'Na Cl'"), "O is not in it"),
        (cif([*NACL, "Na2 Na 0.25 0.25 0.25"], more="_chemical_formula_sum 'Na Cl'"), "differs by"),
        (cif(NACL, group="'P 1'", more="_chemical_formula_sum 'Na Cl'\n_cell_formula_units_Z 4"), "but Z is 4"),
        (cif(NACL, more="_cell_volume 300.1"), "volume"),
        (cif(NACL, group="'Q m 3 m'"), "not known"),
        (cif(NACL, cell=(5, 5, 7, 90, 90, 120)), "does not fit its cell"),
        (cif(NACL, more="_space_group_IT_number 221"), "225.* by name, but 221 by number"),
        (cif(NACL, more="_space_group_IT_number 999"), "no number of a space group"),
        (cif(["Na1 Na 0 0 ?", NACL[1]]), "no coordinate along z"),
        (cif(["Na1 Na 0 0 .", NACL[1]], group="'P 1'"), "no coordinate along z"),
        (cif(["Na1 Na 0 0 0,1", NACL[1]]), "no number"),
        (cif(["M1 M 0 0 0", NACL[1]]), "unknown element 'M'"),
        (cif(["T1 T 0 0 0", NACL[1]]), "unknown element 'T'"),
        (cif(["T1 0 0 0", "Cl1 0.5 0.5 0.5"], columns="label x y z"), "unknown element 'T1'"),
        (cif(["N1 NH4 0 0 0", NACL[1]]), "unknown element 'NH4'"),
        (cif(["O1 OH 0 0 0", NACL[1]]), "unknown element 'OH'"),
        (cif(["B1 0 0 0", "Cl1 0.5 0.5 0.5"], columns="label x y z", more="_chemical_formula_sum 'Na Cl'"), "Na has no site"),
        (cif(["Q1 ? 0 0 0", NACL[1]]), "unknown element 'Q1'"),
        (occupied("1.5", "1"), "occupancy of Na1 is 1.5"),
        (occupied("-0.2", "1"), "occupancy of Na1 is -0.2"),
        (occupied("one", "1"), "occupancy of Na1"),
        (cif([NACL[0], "Cl1 Cl 0 0 0"]), "add up to 2"),
        (cif([NACL[0], "Cl1 Cl 0.5 0.5"]), "number of rows"),
        (cif(NACL, cell=("?", 5.64, 5.64, 90, 90, 90)), "does not give the length a"),
        (cif(NACL, more="_cell_modulation_dimension 1"), "modulated"),
        (cif([f"Na{k} Na 0.0{k} 0.{k:03} 0.4{k:02}" for k in range(90)]), "more than 4000 sites"),
        (cif(NACL) + cif(NACL).replace("data_x", "data_y"), "2 structures"),
        (cif(NACL, group="", more="loop_\n_symmetry_equiv_pos_as_xyz\n'x,y,w'"), "operation cannot be read"),
        (cif(NACL, cell=(5, 6, 7, 90, 90, 90), group="", more="loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n'y,x,z'"), "do not fit"),
    ],
)  # fmt: skip
def test_a_cif_that_is_not_what_it_says_is_refused(tmp_path, text, message):
    path = tmp_path / "x.cif"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read_crystal(path)
    assert "\n" not in str(caught.value)


LTP = [
    "Li1 Li 0 0 0",
    "Ti1 Ti 0 0 0.1416",
    "P1 P 0.2884 0 0.25",
    "O1 O 0.1905 0.9998 0.1912",
    "O2 O 0.1634 0.1916 0.0831",
]
HEXAGONAL = (8.512, 8.512, 20.858, 90, 90, 120)


@pytest.mark.parametrize(
    ("group", "more"),
    [
        ("'R -3 c :H'", ""), ("'R -3 c H'", ""), ("R-3cH", ""), ("'R -3 c'", ""), ("'R -3 2/c'", ""), ("'R_-3_c:h'", ""),
        ("", "_space_group_name_Hall '-R 3 2\"c'"), ("", "_space_group_IT_number 167"),
        ("?", "_symmetry_Int_Tables_number 167"), ("'R -3 c HR'", ""),
    ],
)  # fmt: skip
def test_a_hexagonal_setting_is_resolved(group, more):
    read = parse_cif(cif(LTP, HEXAGONAL, group, "_chemical_formula_sum 'Li Ti2 P3 O12'\n" + more))
    assert read.composition.formula == "Li6 Ti12 P18 O72"
    assert read.get_space_group_info(symprec=0.01)[1] == 167


@pytest.mark.slow
def test_settings_of_the_tables_are_known_by_its_name_and_its_hall_symbol():
    def key(operations):
        return frozenset(tuple(np.round([*op.rotation_matrix.ravel(), *np.mod(op.translation_vector + 1e-6, 1)], 3).tolist())
                         for op in operations)  # fmt: skip

    for number in range(1, 531, 3):
        about, found = spglib.get_spacegroup_type(number), spglib.get_symmetry_from_database(number)
        wanted = key(map(SymmOp.from_rotation_and_translation, found["rotations"], found["translations"]))
        name = about.international.rpartition("=")[2] + (f" :{about.choice}" if about.choice in {*"12HR"} else "")
        for tag, text in (("_space_group_name_h-m_alt", name), ("_space_group_name_hall", about.hall_symbol)):
            settings = named(Block("", {tag: text, "_space_group_it_number": str(about.number)}), Lattice.cubic(5))[1]
            if about.number < 143 or about.number > 194:  # trigonal and hexagonal groups do not fit a cubic cell
                assert any(key(setting.operations) == wanted for setting in settings), (tag, text)


SETTINGS = {
    "P b n m": ("Pnma", [1, 2, 0]), "P n m a": ("Pnma", [0, 1, 2]), "P m c n": ("Pnma", [1, 0, 2]),
    "P n a m": ("Pnma", [0, 2, 1]),
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_one_group_give_one_crystal(name):
    """LiFePO4-like sites, whose axes are renamed with the setting."""
    standard = [("Fe", (0.282, 0.25, 0.975)), ("P", (0.095, 0.25, 0.418)), ("O", (0.165, 0.046, 0.285))]
    lengths = (10.33, 6.01, 4.69)
    usual = Structure.from_spacegroup("Pnma", Lattice.orthorhombic(*lengths), *zip(*standard, strict=True))
    # b n m is c a b: its a, b, c are the standard c, a, b; and so on for the others
    order = {"P b n m": (2, 0, 1), "P n m a": (0, 1, 2), "P m c n": (1, 2, 0), "P n a m": (0, 2, 1)}[name]
    rows = [f"{e}1 {e} " + " ".join(str(place[k]) for k in order) for e, place in standard]
    read = parse_cif(
        cif(rows, (*(lengths[k] for k in order), 90, 90, 90), f"'{name}'", "_chemical_formula_sum 'Fe P O2'")
    )
    assert len(read) == len(usual) == 16
    assert read.get_space_group_info(symprec=0.01)[1] == 62
    assert np.sort(read.distance_matrix, axis=None) == pytest.approx(
        np.sort(usual.distance_matrix, axis=None), abs=1e-6
    )


MONOCLINIC = (6.06, 3.71, 4.34, 90, 108.6, 90)
GDOOH = ["Gd1 Gd 0.2004 0.25 0.3558", "O1 O 0.0472 0.25 0.7875", "O2 O 0.5822 0.25 0.7743", "H1 H 0.66 0.25 0.60"]


@pytest.mark.parametrize("group", ["'P 21/m'", "P2_1/m", "'P 1 21/m 1'", "P2(1)/m", "'P 1 2_1/m 1'"])
def test_the_unique_axis_follows_from_the_cell(group):
    read = parse_cif(cif(GDOOH, MONOCLINIC, group, "_chemical_formula_sum 'Gd H O2'\n_cell_formula_units_Z 2"))
    assert read.composition.formula == "Gd2 H2 O4"
    turned = [
        f"{r.split()[0]} {r.split()[1]} {r.split()[4]} {r.split()[2]} 0.25" for r in GDOOH
    ]  # a, b, c: old c, a, b
    moved = parse_cif(cif(turned, (4.34, 6.06, 3.71, 90, 90, 108.6), group.replace("1 21/m 1", "1 1 21/m")
                          .replace("1 2_1/m 1", "1 1 2_1/m")))  # fmt: skip
    assert np.sort(moved.distance_matrix, axis=None) == pytest.approx(
        np.sort(read.distance_matrix, axis=None), abs=1e-6
    )


SPINEL = {1: ["Mg1 Mg 0 0 0", "Al1 Al 0.625 0.625 0.625", "O1 O 0.387 0.387 0.387"],
          2: ["Mg1 Mg 0.125 0.125 0.125", "Al1 Al 0.5 0.5 0.5", "O1 O 0.262 0.262 0.262"]}  # fmt: skip


@pytest.mark.parametrize("origin", [1, 2])
@pytest.mark.parametrize("group", ["'F d -3 m'", "'F d -3 m :{}'", "'F d -3 m {}'", "Fd3m"])
def test_the_origin_is_the_one_that_gives_the_formula(origin, group):
    text = cif(SPINEL[origin], (8.08, 8.08, 8.08, 90, 90, 90),
               group.format(origin if ":" in group else "SZ"[origin - 1]), "_chemical_formula_sum 'Al2 Mg O4'")  # fmt: skip
    read = parse_cif(text)
    assert read.composition.formula == "Mg8 Al16 O32"
    assert read.get_space_group_info(symprec=0.01)[1] == 227
    nearest = min(d for d in read.get_distance.__self__.distance_matrix[0] if d > 0)
    assert 1.8 < nearest < 2.0  # A; Mg-O and Al-O of spinel


def test_an_origin_that_makes_atoms_overlap_is_not_the_one():
    read = parse_cif(cif(SPINEL[1], (8.08, 8.08, 8.08, 90, 90, 90), "'F d -3 m'"))
    assert read.composition.formula == "Mg8 Al16 O32"


def test_an_origin_that_nothing_tells_is_refused():
    silicon = cif(["Si1 Si 0 0 0"], (5.43, 5.43, 5.43, 90, 90, 90), "'F d -3 m'")
    with pytest.raises(ValueError, match="which give different crystals"):
        parse_cif(silicon)
    known = silicon.replace("'F d -3 m'", "'F d -3 m'\n_chemical_formula_sum Si\n_cell_formula_units_Z 8")
    assert len(parse_cif(known)) == 8
    assert len(parse_cif(silicon.replace("m'", "m :1'"))) == 8


OPERATIONS = "loop_\n_symmetry_equiv_pos_as_xyz\n"


def test_operations_without_quotes_are_read():
    listed = OPERATIONS + "x, y, z\n-x, -y, -z\n-x, y+1/2, -z\nx, -y+1/2, z"
    read = parse_cif(cif(GDOOH, MONOCLINIC, "'P 21/m'", listed + "\n_chemical_formula_sum 'Gd H O2'"))
    assert read.composition.formula == "Gd2 H2 O4"
    numbered = "loop_\n_space_group_symop_id\n_space_group_symop_operation_xyz\n1 x, y, z\n2 -x, -y, -z\n3 -x, 1/2+y, -z\n4 x, 1/2-y, z"
    assert len(parse_cif(cif(GDOOH, MONOCLINIC, "'P 21/m'", numbered))) == 8


def test_operations_that_lack_the_centring_are_held_against_formula_and_z():
    short = OPERATIONS + "'x,y,z'\n'-x,-y,z'\n'-x,y,-z'\n'x,-y,-z'"
    more = "\n_chemical_formula_sum 'Na Cl'\n_cell_formula_units_Z 4"
    read = parse_cif(cif(NACL, more=short + more))
    assert read.composition.formula == "Na4 Cl4"
    assert any("are not those of its space group" in w for w in read.properties["warnings"])
    with pytest.raises(ValueError, match="which give different crystals"):
        parse_cif(cif(NACL, more=short))


def test_all_atoms_listed_under_the_name_of_their_group_are_not_doubled():
    rows = [f"{s.specie.symbol}{k} {s.specie.symbol} {s.a} {s.b} {s.c}" for k, s in enumerate(SALT)]
    read = parse_cif(cif(rows, more=OPERATIONS + "'x,y,z'\n_chemical_formula_sum 'Na Cl'\n_cell_formula_units_Z 4"))
    assert read.composition.formula == "Na4 Cl4"


@pytest.mark.parametrize("digits", [3, 4, 6])
def test_rounded_coordinates_stay_on_their_special_positions(digits):
    """Sodium and oxygen of NaCoO2-like sites at 1/3, 2/3, written with few digits."""
    third, two = (f"{x:.{digits}f}" for x in (1 / 3, 2 / 3))
    rows = [f"Na1 Na {third} {two} 0.25", "Co1 Co 0 0 0", f"O1 O {two} {third} 0.0900"]
    read = parse_cif(cif(rows, (2.84, 2.84, 10.8, 90, 90, 120), "'P 63/m m c'", "_chemical_formula_sum 'Na Co O2'"))
    assert read.composition.formula == "Na2 Co2 O4"
    assert read.get_space_group_info(symprec=1e-4)[1] == 194


def test_partners_of_a_site_that_were_rounded_differently_share_it():
    rows = ["Ge1 Ge 0 0 0.142 0.75", "Al1 Al 0 0 0.1420 0.25", "Li1 Li 0 0 0 1"]
    read = parse_cif(cif(rows, HEXAGONAL, "'R -3 c'", columns="label type_symbol x y z occupancy"))
    assert sorted(len(site.species) for site in read) == [1] * 6 + [2] * 12
    rows[1] = "Al1 Al 0 0 0.1423 0.25"
    assert len(parse_cif(cif(rows, HEXAGONAL, "'R -3 c'", columns="label type_symbol x y z occupancy"))) == 18


def test_mixed_sites_of_data_bases_are_read():
    read = parse_cif(cif(["M1 '0.8Nb + 0.2Zr' 0 0 0"], (3.3, 3.3, 3.3, 90, 90, 90), "'I m -3 m'"))
    assert read.composition.formula == "Zr0.4 Nb1.6"


@pytest.mark.parametrize("path", sorted((builtin_folder() / "crystals").glob("*.cif")), ids=lambda path: path.stem)
def test_the_crystals_of_the_library_are_read_without_a_word(path):
    assert "warnings" not in read_crystal(path).properties


def _salt(name, rows, more=""):
    cell = "".join(f"_cell_length_{axis} 5.64\n" for axis in "abc")
    tags = "".join(f"_atom_site_{tag}\n" for tag in ("label", "type_symbol", "fract_x", "fract_y", "fract_z"))
    return f"data_x\n{cell}_symmetry_space_group_name_H-M '{name}'\n{more}loop_\n{tags}{rows}"


def test_operations_that_are_no_group_are_refused():
    listed = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,-y,z\n-y,x,z\n"  # the inverse of the last is missing
    with pytest.raises(ValueError, match="no group"):
        parse_cif(_salt("P 4", "O O 0.1 0.2 0.3\n", listed))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("_chemical_formula_structural NaCl\n", "no site is Cl"),
        ("_chemical_formula_moiety 'Na +, Cl -'\n", "no site is Cl"),
        ("_chemical_formula_weight 58.44\n_cell_formula_units_Z 4\n", "weight of the formula"),
        ("_exptl_crystal_density_diffrn 2.165\n", "density"),
    ],
)
def test_a_file_without_a_sum_formula_is_held_against_what_else_it_says(more, told):
    lone = parse_cif(_salt("F m -3 m", "Na Na 0 0 0\n", more))
    assert told in " ".join(lone.properties["warnings"])
    whole = parse_cif(_salt("F m -3 m", "Na Na 0 0 0\nCl Cl .5 .5 .5\n", more))
    assert "warnings" not in whole.properties


def test_an_oxygen_of_water_without_hydrogen_is_told():
    read = parse_cif(_salt("P 1", "Na1 Na 0 0 0\nO1W O .5 .5 .5\n"))
    assert any("O1W looks like the oxygen of water" in said for said in read.properties["warnings"])


@pytest.mark.parametrize(
    ("choice", "titanium", "oxygen"), [(1, "0 0 0", "0 0 0.2081"), (2, "0 0.75 0.125", "0 0.75 0.3331")]
)
def test_a_choice_of_origin_in_words(choice, titanium, oxygen):
    text = _salt(f"I 41/a m d (origin choice {choice})", f"Ti Ti {titanium}\nO O {oxygen}\n")
    text = text.replace("length_c 5.64", "length_c 9.51").replace("5.64", "3.784")
    assert parse_cif(text).composition.formula == "Ti4 O8"


@pytest.mark.parametrize(
    ("cell", "volume", "told"),
    [
        ((5.64, 5.64, 5.64, 90, 90, 90), "179.406144", False),
        ((5.64, 5.64, 5.64, 90, 90, 90), "179.5(2)", False),  # lengths are rounded to 0.01 A
        ((5.64, 5.64, 5.64, 90, 90, 90), "181.2", True),
        (("5.64000", "5.64000", "5.64000", 90, 90, 90), "179.51", True),  # a digit of the volume
        (("5.64300", "5.64300", "5.64300", 90, 90, 90), "179.41", True),  # a digit of the lengths
    ],
)
def test_the_volume_in_a_file_tells_of_a_changed_digit(cell, volume, told):
    read = parse_cif(cif(NACL, cell=cell, more=f"_chemical_formula_sum 'Na Cl'\n_cell_volume {volume}"))
    assert ["volume" in said for said in read.properties.get("warnings", [])] == [True] * told


def test_a_rounded_monoclinic_cell_has_its_volume():
    lattice = Lattice.from_parameters(9.0412, 7.0568, 16.3861, 90, 126.1234, 90)
    cell = (9.041, 7.057, 16.386, 90, 126.12, 90)
    more = f"_chemical_formula_sum 'Na'\n_cell_volume {lattice.volume:.1f}"
    read = parse_cif(cif([NACL[0]], cell=cell, group="'P 2_1/c'", more=more))
    assert "warnings" not in read.properties


def test_atoms_that_no_formula_is_there_for_are_told():
    assert parse_cif(cif(NACL)).properties["warnings"] == [
        "The file gives no formula, so its atoms could not be compared with one."
    ]
    assert "warnings" not in parse_cif(cif(NACL, more="_chemical_formula_sum NaCl")).properties
