"""POSCARs are read as VASP reads them, or refused with the line that is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.errors import InputError
from iface_wf.library import Library
from iface_wf.library.crystals import read_crystal
from iface_wf.library.poscar import parse_poscar

SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
HEAD = ["NaCl", "1.0", "5.64 0 0", "0 5.64 0", "0 0 5.64", "Na Cl", "4 4", "Direct"]
ROWS = ["0 0 0", "0 .5 .5", ".5 0 .5", ".5 .5 0", ".5 .5 .5", ".5 0 0", "0 .5 0", "0 0 .5"]


def text(changes=None, rows=ROWS, after=()):
    """The POSCAR of rock salt with some lines (numbered from 1) changed."""
    head = HEAD.copy()
    for line, value in (changes or {}).items():
        head[line - 1] = value
    return "\n".join([*head, *rows, *after]) + "\n"


@pytest.mark.parametrize(
    "poscar",
    [
        text({2: "1.0 1.0 1.0"}),
        text({2: "2.0 1.0 0.5", 3: "2.82 0 0", 5: "0 0 11.28"}),
        text({2: "-179.406144"}),
        text({2: "1.d0", 3: "5.64D0 2*0.0", 4: "0.0,5.64,0.0"}),
        text({2: "5.64 ! lattice constant", 3: "1 0 0 a", 4: "0 1 0 b", 5: "0 0 1 c"}),
        text({6: "Na_pv/4a2f Cl/9d13"}),
        text({6: "na CL"}),
        text({6: "Na\nCl", 7: "4\n4"}),
        text({7: "4 4 ! atoms", 8: "  direct lattice"}),
        text({8: ""}),
        text({8: "Selective dynamics\nDirect"}, [row + " T .FALSE. t" for row in ROWS]),
        text({8: "cartesian"}, [" ".join(str(5.64 * float(x)) for x in row.split()) for row in ROWS]),
        text({2: "5.64", 3: "1 0 0", 4: "0 1 0", 5: "0 0 1", 8: "K"}, ROWS),
        text({2: "-179.406144", 3: "1 0 0", 4: "0 1 0", 5: "0 0 1", 8: "C"}, ROWS),
        text(
            {6: "4 4", 7: "Direct", 8: ROWS[0] + " Na"}, [r + " Na" for r in ROWS[1:4]] + [r + " Cl" for r in ROWS[4:]]
        ),
        text(rows=[row.replace(" ", ",") for row in ROWS]),
        text(rows=[row + " 0.1 F F" for row in ROWS]),
        text(after=["", *["*** *** ***"] * 8]),
        text(after=["", *["0.1E-02 0 0"] * 8, "", "1", "0.5E+00"]),
        text(after=["", "Lattice velocities and vectors", " 1"]),
        text().replace("\n", "\r\n"),
        "\ufeff" + text(),
    ],
)
def test_what_vasp_reads_is_read(tmp_path, poscar):
    path = tmp_path / "POSCAR"
    path.write_bytes(poscar.encode())
    read = read_crystal(path)
    assert read.matches(SALT)
    assert read.volume == pytest.approx(5.64**3, rel=1e-9)
    assert Library().filler(path).name == "NaCl"


@pytest.mark.parametrize(
    ("poscar", "message"),
    [
        (text({6: "4 4", 7: "Direct", 8: ROWS[0]}, ROWS[1:]), "names no elements"),
        (text({1: "Na Cl", 6: "4 4", 7: "Selective", 8: "Direct"}, [r + " T T T" for r in ROWS]), "names no elements"),
        (text({6: "4 4", 7: "Direct", 8: "0 0 0 Na"}, [r + " Cl" for r in ROWS[1:]]), "do not follow its counts"),
        (text({6: "Na Xx"}), "unknown element 'Xx'"),
        (text({6: "Na H.5"}), "unknown element 'H.5'"),
        (text({6: "Na Cl O"}), "names 3 elements and gives 2 counts"),
        (text({2: "1.0 1.0"}), "one scale factor, three"),
        (text({2: "1.0 -1.0 1.0"}), "one scale factor, three"),
        (text({2: "0"}), "one scale factor, three"),
        (text({3: "5.64 0"}), "line 3 must hold 3 numbers"),
        (text({3: "nan 0 0"}), "line 3 must hold 3 numbers"),
        (text(rows=ROWS[:-1]), "add up to 8 atoms, it holds the positions of 7"),
        (text(rows=ROWS[:-2], after=["", "0.1 0.1 0.1", "0.2 0.2 0.2"]), "holds the positions of 6"),
        (text(rows=["0 0 *****", *ROWS[1:]]), "line 9 must hold 3 numbers"),
        (text({8: "Selective\nDirect"}, [row + " T T" for row in ROWS]), "three T or F"),
        (text({7: "4 -4"}), "how many atoms"),
        (text({7: "99999999999 1"}), "how many atoms"),
    ],
)
def test_what_vasp_would_not_read_is_refused(tmp_path, poscar, message):
    path = tmp_path / "POSCAR"
    path.write_text(poscar, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read_crystal(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig", "cp1252"])
def test_any_encoding_is_read(tmp_path, encoding):
    path = tmp_path / "POSCAR"
    path.write_bytes(text({1: "Kochsalz von Jürgen, a = 5.64 Å"}).encode(encoding))
    assert read_crystal(path).matches(SALT)


def test_held_atoms_are_kept_and_velocities_named():
    rows = [f"{row} {'T T F' if k < 4 else 'F F F'}" for k, row in enumerate(ROWS)]
    read = parse_poscar(text({8: "S\nD"}, rows, ["", *["0.001 0 0"] * 8]))
    assert read.site_properties["selective_dynamics"] == [[True, True, False]] * 4 + [[False] * 3] * 4
    assert "velocities" in read.properties["warnings"][0]


def test_blocks_keep_their_order_and_zeros_are_no_velocities():
    blocks = text({6: "Na Cl Na", 7: "2 4 2"}, after=["", *["0.00000000E+00 0 0"] * 8])
    read = parse_poscar(blocks)
    assert [site.specie.symbol for site in read] == ["Na"] * 2 + ["Cl"] * 4 + ["Na"] * 2
    assert "warnings" not in read.properties


def test_deuterium_is_hydrogen_and_said():
    read = parse_poscar(text({6: "Na D"}))
    assert [site.specie.symbol for site in read] == ["Na"] * 4 + ["H"] * 4
    assert "isotopes" in read.properties["warnings"][0]


def test_columns_that_touch_are_told_apart_by_their_signs():
    read = parse_poscar(text(rows=["-0.500000-0.500000-0.500000", *ROWS[1:4], "0 0 0", *ROWS[5:]]))
    assert read.frac_coords[0] == pytest.approx(np.full(3, -0.5))


def test_a_position_beyond_the_counts_is_no_velocity():
    with pytest.raises(ValueError, match=r"7 atoms, but line 16 holds one more position"):
        parse_poscar(text({7: "4 3"}))
