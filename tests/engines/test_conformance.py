"""Every engine keeps the same promises: what energies, forces, keys and flags must do whatever the code.

A new engine gets a `Subject` here. Where a fact does not hold for a code, its subject says why.
"""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import molecule
from pymatgen.core import Lattice, Structure

from iface_wf.engines import registry
from iface_wf.engines.profile import ENGINES
from iface_wf.errors import InputError
from tests.engines.conftest import boxed
from tests.engines.vasp.vasp_fixtures import COARSE
from tests.entry_points import install, on_the_path

TOY = Path(__file__).parents[1] / "toy_engine" / "emt_engine.py"


def water(edge):
    """A water molecule, its bonds stretched, in a box of its own."""
    atoms = molecule("H2O")
    atoms.positions[1:] = atoms.positions[0] + 1.06 * (atoms.positions[1:] - atoms.positions[0])
    return boxed(atoms, edge)


@dataclass
class Subject:
    """How an engine is examined.

    Attributes
    ----------
    overrides
        What makes it quick.
    edge
        Of the box of a water molecule, A: a copy one edge away must be out of reach.
    step
        Translations by multiples of it, A, leave the energy alone; grids know others than their own steps by meV only.
    energy, force
        Tolerances, eV and eV/A, with their reason in ``why``.
    unconverged
        Environment in which a relaxation of one step is not mended; a code that corrects itself would go on.
    """

    overrides: dict[str, Any] = field(default_factory=dict)
    edge: float = 12.0
    step: float = 0.01
    energy: float = 1e-6
    force: float = 1e-3
    why: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    unconverged: dict[str, str] = field(default_factory=dict)


SUBJECTS = {
    "xtb": Subject(edge=60.0, energy=1e-5, why="the dipoles of two molecules: 1e-3 eV at 12 A"),
    "mlip": Subject(edge=16.0, energy=2e-4, force=0.02, why="single precision; D3 reaches farther than a box"),
    "emt": Subject(why="double precision, a cutoff of 6 A"),
    "gpaw": Subject(
        overrides={"dispersion": "none", "grid_spacing": 0.2, "convergence": {"density": 1e-6, "energy": 1e-7}},
        edge=8.0, step=0.2, energy=2e-3, force=0.05, options={"processes": 1},
        why="tails of the density at the walls; forces of LCAO on a coarse grid",
    ),
    "vasp": Subject(
        overrides=COARSE | {"dispersion": None}, edge=9.6, energy=1e-5, force=0.02, unconverged={"STANDIN": "stuck", "IFACE_WF_VASP_MAX_ERRORS": "1"},
        why="the stand-in prints so many digits; its forces are of its pair potential alone, without dispersion",
    ),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def toy(tmp_path_factory):
    """Let the toy engine of another package be found."""
    folder = install(tmp_path_factory.mktemp("site"), TOY, "iface_wf.engines", "emt", "PROFILE")
    with on_the_path(folder, ENGINES):
        yield folder


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.slow] * (name == "gpaw")) for name in SUBJECTS])
def name(request):
    """Each engine; the one that needs minutes is slow, VASP is a stand-in that knows how VASP talks."""
    if request.param == "vasp":
        request.getfixturevalue("vasp")
    return request.param


@pytest.fixture
def subject(name):
    return SUBJECTS[name]


@pytest.fixture
def calculate(name, subject, tmp_path):
    """Return a function that calculates a structure and gives the document."""

    def run(structure, kind="static", **overrides):
        engine = make(name, kind=kind, **overrides)
        folder = tmp_path / f"calculation-{len(list(tmp_path.glob('calculation-*')))}"
        folder.mkdir()
        return engine.calculate(engine.request(structure, []), folder)

    return run


def make(name, kind="static", **overrides):
    subject = SUBJECTS[name]
    return registry.create(name, kind=kind, overrides=subject.overrides | overrides, **subject.options)


def max_force(calculate, structure):
    """Return the largest force, eV/A; codes that give none with a single point give it with a relaxation of no step."""
    document = calculate(structure)
    if document.max_force is None:
        document = calculate(structure, "relax", max_steps=0)
    return document.max_force


def hydrogen(length, edge):
    atoms = molecule("H2")
    atoms.positions[:] = [[0, 0, 0], [0, 0, length]]
    return boxed(atoms, edge)


def test_there_is_no_engine_that_is_not_examined():
    assert set(registry.names()) == set(SUBJECTS)


def test_two_copies_far_apart_have_twice_the_energy(calculate, subject):
    one = water(subject.edge)
    matrix = np.diag([2 * subject.edge, subject.edge, subject.edge])
    sites = np.vstack([one.cart_coords, one.cart_coords + [subject.edge, 0, 0]])
    two = Structure(
        Lattice(matrix, pbc=one.lattice.pbc),
        one.species * 2,
        sites,
        coords_are_cartesian=True,
        site_properties={"component": ["polymer"] * 6},
    )
    assert calculate(two).energy == pytest.approx(2 * calculate(one).energy, abs=2 * subject.energy), subject.why


def test_forces_are_the_slope_of_the_energy(calculate, subject):
    """Of a diatomic molecule, on whose atoms there is one and the same force."""
    length, step = 0.9, 0.02
    # five points: the error is of the order of step^4
    near, far = (
        calculate(hydrogen(length + n * step, subject.edge)).energy
        - calculate(hydrogen(length - n * step, subject.edge)).energy
        for n in (1, 2)
    )
    slope = (8 * near - far) / (12 * step)
    assert abs(slope) > 0.1
    assert max_force(calculate, hydrogen(length, subject.edge)) == pytest.approx(abs(slope), abs=subject.force), (
        subject.why
    )


def test_neither_place_nor_order_of_the_sites_changes_energy_and_key(name, calculate, subject):
    one = water(subject.edge)
    other = one.copy()
    other.translate_sites(range(3), [3 * subject.step, -2 * subject.step, subject.step], frac_coords=False)
    other = Structure.from_sites([other[i] for i in (2, 0, 1)])
    assert make(name).request(one, []).key() == make(name).request(other, []).key()
    assert calculate(other).energy == pytest.approx(calculate(one).energy, abs=subject.energy), subject.why


def test_a_relaxation_goes_downhill_and_leaves_frozen_atoms(calculate, subject):
    start = water(subject.edge)
    start.add_site_property("selective_dynamics", [[False] * 3, [False] * 3, [True] * 3])
    before, after = calculate(start), calculate(start, "relax", fmax=0.1)
    end = Structure.from_dict(after.structure)
    assert after.converged
    assert after.flags == []
    assert after.energy < before.energy
    assert after.max_force < 0.1  # eV/A; of the free atom
    assert end.cart_coords[:2] == pytest.approx(start.cart_coords[:2], abs=1e-6)
    assert np.linalg.norm(end.cart_coords[2] - start.cart_coords[2]) > 1e-3
    assert end.lattice == start.lattice
    assert end.site_properties["component"] == ["polymer"] * 3


def test_what_did_not_converge_is_flagged_and_not_trusted(calculate, subject, monkeypatch):
    for variable, value in subject.unconverged.items():
        monkeypatch.setenv(variable, value)
    document = calculate(water(subject.edge), "relax", max_steps=1, fmax=1e-4)
    assert not document.converged
    assert document.flags == ["geometry_unconverged"]
    assert not document.trustworthy


def test_a_document_says_what_was_calculated_and_how(name, calculate, subject):
    structure = water(subject.edge)
    document = calculate(structure)
    profile = registry.profile(name)
    assert (document.engine, document.level, document.kind, document.n_atoms) == (name, "fast", "static", 3)
    assert document.key == make(name).request(structure, []).key()
    assert document.functional
    assert document.engine_version
    assert document.directory
    assert document.completed_at
    assert {"iface-wf", *profile.packages} <= set(document.versions)
    for setting in profile.comparison.method:  # a comparison of what no document has would compare nothing
        assert (
            setting in document.settings or setting in profile.options or setting.isupper() or setting in _OTHER_MODES
        )
    assert document.trustworthy


#: Settings of a level that has another basis, of molecules without a surface, of weights in files, and of a version before.
_OTHER_MODES = {"cutoff", "energy_shift", "sha256", "wide_edge"}


def test_settings_of_every_level_are_complete(name):
    for level in registry.profile(name).levels:
        engine = registry.create(name, level=level)
        written = engine.defaults()
        assert written["fmax"] > 0
        assert json.loads(json.dumps(written)) == written
        written.clear()  # a copy: nobody changes what a level means
        assert engine.defaults()


@pytest.mark.parametrize("wrong", [{"level": "fsat"}, {"overrides": {"fmaxx": 0.1}}])
def test_what_is_not_known_is_refused_in_one_sentence(name, subject, wrong):
    with pytest.raises(InputError, match="did you mean f") as caught:
        registry.create(name, **wrong).request(water(subject.edge), [])
    assert str(caught.value).count("\n") == 0


def test_engines_survive_the_way_through_a_queue(name):
    engine = make(name, kind="relax", fmax=0.2)
    assert type(engine).from_dict(json.loads(json.dumps(engine.as_dict()))) == engine
    assert engine.elsewhere() == type(engine).from_dict(engine.as_dict() | {"here": False})


def test_what_is_offered_can_be_made(name, subject):
    """Cheap engines have no densities, which ranking does not need; the others make those that they offer."""
    profile = registry.profile(name)
    engine = registry.create(name, densities=list(profile.densities), overrides=dict(subject.overrides))
    assert engine.request(water(subject.edge), []).densities == list(profile.densities)
    if not engine.counterpoise:
        with pytest.raises(InputError, match="ghost"):
            engine.request(water(subject.edge), [0])


KEYS = """
import json, sys
from iface_wf.engines import registry
from tests.engines.test_conformance import SUBJECTS, make, water
print(json.dumps({n: str(make(n).request(water(s.edge), []).key()) for n, s in SUBJECTS.items()}))
"""


@pytest.mark.slow
def test_keys_are_the_same_in_another_process(toy):
    environment = {
        "PYTHONPATH": f"{Path(__file__).parents[2]}:{_source()}:{toy}",
        "PYTHONHASHSEED": "7",
        "PATH": "/bin",
    }
    done = subprocess.run([sys.executable, "-c", KEYS], env=environment, capture_output=True, text=True, check=True)
    here = {n: str(make(n).request(water(s.edge), []).key()) for n, s in SUBJECTS.items()}
    assert json.loads(done.stdout.splitlines()[-1]) == here


def _source():
    import iface_wf

    return Path(iface_wf.__file__).parents[1]
