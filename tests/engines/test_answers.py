"""A calculation that did not converge is no answer once more is allowed, and goes on from where it had to stop."""

import numpy as np
import pytest
from ase.build import molecule
from jobflow import run_locally
from maggma.stores import MemoryStore

from iface_wf.engines import registry
from iface_wf.engines.answers import is_answer
from iface_wf.engines.vasp.engine import VaspEngine
from tests.engines.conftest import boxed
from tests.engines.vasp.vasp_fixtures import COARSE, lithium_fluoride_slab


def stretched():
    atoms = molecule("CH3OH")
    atoms.positions[1:] = atoms.positions[0] + 1.15 * (atoms.positions[1:] - atoms.positions[0])
    return boxed(atoms, 12.0)


def relax(store, structure=None, **overrides):
    """Relax through a store, as flows do, and give the document."""
    engine = registry.create("xtb", kind="relax", overrides={"fmax": 0.02} | overrides)
    job = engine.make(structure or stretched())
    run_locally(job, store=store, log=False, ensure_success=True)
    output = store.get_output(job.uuid, load=True)
    return registry.create("xtb"), output


def test_more_steps_go_on_where_fewer_had_to_stop(run_here, job_store, monkeypatch):
    _, few = relax(job_store, max_steps=3)
    assert few["converged"] is False
    assert few["ionic_steps"] == 3
    for place in run_here.glob("calc-*/document.json"):
        place.unlink()  # another machine has the store only
    _, same = relax(job_store, max_steps=3)
    assert same["reused_from"]
    _, fewer = relax(job_store, max_steps=2)
    assert fewer["reused_from"]
    _, more = relax(job_store, max_steps=300)
    assert more["converged"] is True
    assert more["key"] == few["key"]
    assert [(c["handler"], c["actions"]) for c in more["corrections"]] == [
        ("continuation", [{"continue_from": ["final geometry"]}])
    ]
    _, again = relax(job_store, max_steps=3)
    assert again["reused_from"]
    assert again["converged"] is True
    with monkeypatch.context() as elsewhere:
        (run_here / "fresh").mkdir()
        elsewhere.chdir(run_here / "fresh")
        from jobflow import JobStore

        fresh = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
        fresh.connect()
        _, whole = relax(fresh, max_steps=300)
    assert more["ionic_steps"] < whole["ionic_steps"]
    assert more["energy"] == pytest.approx(whole["energy"], abs=1e-3)  # eV; both within 0.02 eV/A of the minimum


def test_on_the_shelf_too(run_here):
    few = registry.create("xtb", kind="relax", overrides={"fmax": 0.02, "max_steps": 3})
    many = registry.create("xtb", kind="relax", overrides={"fmax": 0.02, "max_steps": 300})
    before = few.make.original(few, stretched())
    document = many.make.original(many, stretched())
    assert (before.converged, document.converged) == (False, True)
    assert document.corrections[0].actions == [{"continue_from": ["final geometry"]}]
    assert np.abs(document.atoms_structure.cart_coords - before.atoms_structure.cart_coords).max() < 0.5


def test_vasp_goes_on_from_the_final_geometry(vasp, monkeypatch):
    def engine(steps):
        return VaspEngine(kind="relax", level="moderate", overrides=COARSE | {"max_steps": steps})

    monkeypatch.setenv("IFACE_WF_VASP_MAX_ERRORS", "1")
    with monkeypatch.context() as stuck:
        stuck.setenv("STANDIN", "stuck")
        before = engine(2).make.original(engine(2), lithium_fluoride_slab())
    assert not before.converged
    document = engine(50).make.original(engine(50), lithium_fluoride_slab())
    assert document.converged
    assert document.key == before.key
    assert document.corrections[0].actions == [{"continue_from": ["final geometry"]}]


@pytest.mark.parametrize(
    ("settings", "answers"),
    [
        ({"max_steps": 100}, True),
        ({"max_steps": 50}, True),
        ({"max_steps": 101}, False),
        ({"max_scf_steps": 300}, False),
        ({"mixer": {"backend": "pulay", "beta": 0.01}}, False),
        ({"checkpoint_every": 1.0}, True),
        ({"smearing": 0.5}, True),  # another key, if it matters
    ],
)
def test_what_promises_more(run_here, settings, answers):
    few = registry.create("xtb", kind="relax", overrides={"fmax": 0.02, "max_steps": 1})
    document = few.make.original(few, stretched()).model_copy(
        update={"engine": "gpaw", "settings": {"max_steps": 100, "max_scf_steps": 150, "mixer": None}}
    )
    assert is_answer(document, settings) is answers
    assert is_answer(document.model_copy(update={"converged": True}), settings)


def test_what_a_handler_has_changed_is_not_known_as_it_was(run_here):
    few = registry.create("xtb", kind="relax", overrides={"fmax": 0.02, "max_steps": 1})
    document = few.make.original(few, stretched()).model_copy(
        update={"engine": "gpaw", "settings": {"mixer": {"beta": 0.05}, "max_scf_steps": 333}}
    )
    corrected = document.with_note("ScfHandler", "SCF did not converge", mixer={"beta": 0.05}, max_scf_steps=333)
    assert is_answer(corrected, {"mixer": None, "max_scf_steps": 150})
    assert not is_answer(corrected, {"max_scf_steps": 500})
