"""Keys of calculations that lie in people's stores: they do not change, else what is stored is not found."""

import json
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.engines.gpaw.engine import GpawEngine
from iface_wf.engines.mlip.engine import MlipEngine
from iface_wf.engines.vasp.engine import VaspEngine
from iface_wf.engines.xtb.engine import XtbEngine

GOLDEN = Path(__file__).with_name("golden_keys.json")
LEVELS = ("fast", "moderate", "precise")


def slab():
    """Lithium fluoride, the lower layer frozen, and hydrogen fluoride on it."""
    return Structure(
        Lattice(np.diag([4.0, 4.0, 17.6]), pbc=(True, True, False)),
        ["Li", "F", "Li", "F", "F", "H"],
        [[0, 0, 6.0], [2, 2, 6.0], [2, 2, 8.0], [0, 0, 8.0], [2, 2, 10.2], [2, 2, 11.2]],
        coords_are_cartesian=True,
        site_properties={
            "component": ["slab"] * 4 + ["polymer"] * 2,
            "selective_dynamics": [[False] * 3] * 2 + [[True] * 3] * 4,
        },
    )


def molecule(*species):
    """Atoms one above the other, 1 A apart, in a box."""
    places = [[4.8, 4.8, 4.3 + i] for i in range(len(species))]
    cell = Lattice(np.eye(3) * 9.6, pbc=(False, False, False))
    labels = {"component": ["polymer"] * len(species)}
    return Structure(cell, list(species), places, coords_are_cartesian=True, site_properties=labels)


STRUCTURES = {"slab": slab(), "molecule": molecule("H", "F"), "radical": molecule("O", "H")}
DENSITIES = {GpawEngine: ["pseudo", "all_electron"], VaspEngine: ["valence", "all_electron"]}
OVERRIDES = {
    GpawEngine: [{"xc": "RPBE", "dispersion": "none"}, {"magmoms": {"Li": 1.0}}, {"bader_spacing": 0.05, "fmax": 0.2},
                 {"mixer": {"backend": "pulay"}, "max_scf_steps": 20, "checkpoint_every": 5.0, "start": "hund"}],
    VaspEngine: [{"xc": "r2SCAN"}, {"xc": "PBEsol", "dispersion": None, "SIGMA": 0.1}, {"hubbard": {}, "ALGO": "All"},
                 {"potcars": {"Li": "Li"}, "fmax": 0.2, "bader_spacing": 0.1}],
    XtbEngine: [{"method": "GFN2-xTB", "fmax": 0.1}],
    MlipEngine: [{"weights": "r2scan"}, {"dispersion": "none", "fmax": 0.1}],
}  # fmt: skip


def keys():
    """Give the keys of many calculations by name."""
    found = {}

    def add(engine, what, structure, ghosts=(), like=None, **options):
        name = f"{engine.__name__.removesuffix('Engine')} {what}"
        found[name] = str(engine(**options).request(structure, list(ghosts), like).key())

    for engine, variants in OVERRIDES.items():
        densities = DENSITIES.get(engine, [])
        for level in LEVELS:
            for kind in ("relax", "static"):
                for name, structure in STRUCTURES.items():
                    add(engine, f"{level} {kind} {name}", structure, level=level, kind=kind)
        for overrides in variants:
            for kind in ("relax", "static"):
                add(engine, f"{kind} {overrides}", slab(), kind=kind, overrides=overrides)
        if densities:
            add(engine, "densities", slab(), densities=densities)
            add(engine, "charge", molecule("Li"), charge=1.0)
            whole = engine().request(slab(), []).settings
            whole |= whole.get("technical", {}) | ({"smearing": 0.2} if engine is GpawEngine else {"SIGMA": 0.02})
            add(engine, "as the whole", Structure.from_sites(slab()[:4]), like=whole)
            if engine is GpawEngine:
                add(engine, "molecule on the steps of the whole", molecule("H", "F"), like=whole)
                add(engine, "with ghosts", slab(), ghosts=(4, 5), like=whole, densities=densities)
    return found


FOUND = keys()


def test_the_same_calculations_are_compared():
    assert set(json.loads(GOLDEN.read_text())) == set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_keys_of_what_is_stored_do_not_change(name):
    assert FOUND[name] == json.loads(GOLDEN.read_text())[name]


def test_a_changed_copy_of_a_request_has_a_key_of_its_own():
    request = XtbEngine().request(slab(), [])
    before, other = request.key(), slab()
    other.translate_sites([5], [0.0, 0.0, 0.1], frac_coords=False)
    changed = request.model_copy(update={"structure": other.as_dict()})
    assert changed.atoms_structure == other
    assert changed.key() == XtbEngine().request(other, []).key() != before


if __name__ == "__main__":  # only for calculations that are new
    GOLDEN.write_text(json.dumps(FOUND, indent=1) + "\n")
