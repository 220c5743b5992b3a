"""Slabs by xTB: what the version of tblite must do before it may be raised, and what becomes of results of other versions."""

from importlib import metadata

import numpy as np
import pytest
from ase.build import molecule
from pymatgen.core import Lattice, Structure

from iface_wf.engines.comparison import require_comparable
from iface_wf.engines.xtb.engine import REMEDIES, XtbEngine, calculator
from iface_wf.engines.xtb.profile import PROFILE
from iface_wf.errors import MismatchError

EDGE = 4.212  # A, of rock salt


def layer(height):
    """Return one layer of MgO (001) in a cell of some height, A."""
    square = [[x, y] for x in (0.0, 0.5) for y in (0.0, 0.5)]
    ions = [("Mg" if x == y else "O", [x, y, 0.5]) for x, y in square]
    other = [("O" if kind == "Mg" else "Mg", [x, y, 0.5 + EDGE / 2 / height]) for kind, (x, y, _) in ions]
    species, places = zip(*ions, *other, strict=True)
    cell = Lattice(np.diag([EDGE, EDGE, height]), pbc=(True, True, False))
    return Structure(cell, species, places, site_properties={"component": ["slab"] * len(species)})


def energy(structure):
    atoms = XtbEngine().atoms(structure)
    atoms.calc = calculator(PROFILE.settings("fast", {}))
    return atoms.get_potential_energy()


def test_the_energy_of_a_slab_does_not_hang_on_its_vacuum():
    """Else neither binding energies nor relaxations of slabs mean anything; the reason for the pin of tblite."""
    change = abs(energy(layer(32.0)) - energy(layer(16.0)))
    # eV: 0.7.0 gives 0.004, what is left of quadrupoles; 0.8.0 gives 0.67, and tens of eV for thick slabs
    assert change < 0.01, (
        f"tblite {metadata.version('tblite')} changes the energy of an MgO layer by {change:.3f} eV when its vacuum grows "
        "from 14 to 30 A: this version must not be used for slabs, take 0.7.0 (pyproject.toml says why)."
    )


def test_guess_and_mixing_come_before_warm_electrons():
    names = [set(remedy) for remedy in REMEDIES]
    assert names[0] >= {"guess", "mixer_damping"}
    assert names[-1] == {"electronic_temperature"}
    assert not set().union(*names[:-1]) - PROFILE.technical  # how it is reached, not what


@pytest.mark.parametrize("guess", ["eeq", "eeqbc"])
def test_the_guess_leads_to_the_same_energy_under_the_same_key(guess):
    plain, other = XtbEngine(), XtbEngine(overrides={"guess": guess})
    assert other.request(layer(16.0), []).key() == plain.request(layer(16.0), []).key()
    energies = []
    for engine in (plain, other):
        water = molecule("H2O")
        water.calc = calculator(engine.defaults())
        energies.append(water.get_potential_energy())
    assert energies[0] == pytest.approx(energies[1], abs=1e-4)  # eV; the threshold of accuracy 1


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """Return calculations of a layer, by role, as if it were an interface and its parts."""
    layers = layer(16.0)
    halves = [Structure.from_sites([s for s in layers if (s.frac_coords[2] > 0.51) == top]) for top in (False, True)]
    for structure, label in zip(halves, ("slab", "polymer"), strict=True):
        structure.add_site_property("component", [label] * len(structure))
    whole = Structure.from_sites([*halves[0], *halves[1]])
    engine = XtbEngine()
    made = {
        name: engine.calculate(engine.request(structure, []), tmp_path_factory.mktemp("xtb"))
        for name, structure in zip(("AB", "A", "B"), (whole, *halves), strict=True)
    }
    return {**made, "A*": made["A"], "B*": made["B"]}


def changed(document, **settings):
    return document.model_copy(update={"settings": document.settings | settings})


def test_slabs_in_the_wide_cell_of_before_are_another_method(documents):
    assert require_comparable(documents) == []
    with pytest.raises(MismatchError, match=r"wide_edge of A is 60\.0, of AB None"):
        require_comparable(documents | {"A": changed(documents["A"], wide_edge=60.0)})


def test_electrons_of_unlike_warmth_are_subtracted_but_not_unseen(documents):
    (flag,) = require_comparable(documents | {"A": changed(documents["A"], electronic_temperature=5000.0)})
    assert flag == "settings_differ (A: electronic_temperature 5000.0, AB: 300.0)"
