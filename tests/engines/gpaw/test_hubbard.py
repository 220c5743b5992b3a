"""U in GPAW: which atoms get it, what it does to energies, and what is refused."""

from __future__ import annotations

import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.engines import registry
from iface_wf.engines.gpaw.run import calculator_parameters
from iface_wf.errors import InputError

WATER = Structure(
    Lattice(Lattice.cubic(8.0).matrix, pbc=(False, False, False)),
    ["O", "H", "H"],
    [[4.0, 4.0, 4.0], [4.76, 4.0, 4.59], [3.24, 4.0, 4.59]],
    coords_are_cartesian=True,
    site_properties={"component": ["polymer"] * 3},
)
COARSE = {"grid_spacing": 0.25, "dispersion": "none"}


def engine(**overrides):
    return registry.create("gpaw", level="fast", overrides=COARSE | overrides, processes=1)


def energy(folder, **overrides):
    request = engine(**overrides).request(WATER, [])
    folder.mkdir()
    document = engine(**overrides).calculate(request, folder)
    assert document.converged
    return document.energy


@pytest.mark.slow
def test_u_costs_energy_and_only_its_difference_to_j_counts(tmp_path):
    """Dudarev's term is (U - J)/2 Tr(n - n n) >= 0 for every density, so the minimum rises with U - J."""
    none = energy(tmp_path / "none")
    four = energy(tmp_path / "four", hubbard={"O": [1, 4.0, 0.0]})
    same = energy(tmp_path / "same", hubbard={"O": [1, 5.0, 1.0]})
    eight = energy(tmp_path / "eight", hubbard={"O": [1, 8.0, 0.0]})
    assert none < four < eight
    assert eight - four < four - none + 1e-3  # concave: the minimum over densities of what is linear in U
    assert same == pytest.approx(four, abs=1e-6)


def test_only_real_atoms_of_the_element_get_it():
    settings = engine(hubbard={"O": [1, 4.0, 1.0], "Ti": [2, 3.0, 0.0]}).request(WATER, []).settings
    assert settings["hubbard"] == {"O": [1, 4.0, 1.0]}
    assert calculator_parameters(settings, [], [False] * 3)["setups"] == {"O": ":p,3"}
    ghost = engine(hubbard={"O": [1, 4.0, 1.0]}).request(WATER, [0]).settings
    assert "hubbard" not in ghost
    assert calculator_parameters(ghost, [0], [False] * 3)["setups"] == {0: "ghost"}


def test_it_is_part_of_the_key_where_its_element_is():
    plain, with_u, elsewhere = (
        engine(**changes).request(WATER, []).key()
        for changes in ({}, {"hubbard": {"O": [1, 4.0, 0.0]}}, {"hubbard": {"Ti": [2, 3.0, 0.0]}})
    )
    assert plain != with_u
    assert plain == elsewhere


@pytest.mark.parametrize(
    ("value", "told"),
    [({"Ti": [4, 3.0, 0.0]}, "0, 1, 2 or 3"), ({"Qq": [2, 3.0, 0.0]}, "no element"), ({"Ti": [2, 3.0]}, "at least 3"),
     ({"Ti": [2, 30.0, 0.0]}, "less than or equal to 20")],
)  # fmt: skip
def test_what_is_no_u_is_refused(value, told):
    with pytest.raises(InputError, match=told):
        engine(hubbard=value).defaults()
