"""Checkpoints that nobody can go on from are set aside: the calculation starts anew, and its document says so."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule
from ase.io.trajectory import Trajectory

from iface_wf.engines import registry
from iface_wf.engines.checkpoints import readable
from iface_wf.engines.gpaw.execute import command, environment
from iface_wf.engines.gpaw.files import CHECKPOINT, INPUT, TRAJECTORY
from iface_wf.engines.relaxation import CHECKPOINT as POSITIONS
from iface_wf.engines.vasp import run
from iface_wf.engines.vasp.engine import VaspEngine
from iface_wf.engines.vasp.folders import read_request
from iface_wf.engines.vasp.run import INPUTS
from iface_wf.engines.vasp.wavecar import whole_wavecar
from iface_wf.errors import CalculationError
from tests.engines.conftest import boxed
from tests.engines.vasp.vasp_fixtures import COARSE, lithium_fluoride_slab

DAMAGES = {
    "truncated": lambda data: data[: len(data) * 2 // 3],
    "empty": lambda data: b"",
    "zeros": lambda data: bytes(len(data)),
    "random": lambda data: np.random.default_rng(0).bytes(len(data)),
    "random after its head": lambda data: data[:32] + np.random.default_rng(1).bytes(max(0, len(data) - 32)),
}


@pytest.fixture(params=DAMAGES)
def damage(request):
    def spoil(path):
        path.write_bytes(DAMAGES[request.param](path.read_bytes()))

    return spoil


def stretched():
    atoms = molecule("H2O")
    atoms.positions[1:] = atoms.positions[0] + 1.1 * (atoms.positions[1:] - atoms.positions[0])
    return boxed(atoms, 6.4)


def folder_of(engine, structure, here):
    """Return the folder in which a calculation will run, made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(engine), "calculate", lambda self, request, directory: places.append(directory) or 1 / 0)
        places = []
        with pytest.raises(ZeroDivisionError):
            engine.make.original(engine, structure)
    return places[0]


@pytest.mark.parametrize("nonsense", ["bytes", "nan", "another molecule"])
def test_positions_of_xtb_that_are_none(run_here, damage, nonsense):
    engine = registry.create("xtb", kind="relax", overrides={"fmax": 0.1})
    structure = stretched()
    folder = folder_of(engine, structure, run_here)
    checkpoint = folder / POSITIONS
    np.save(checkpoint, structure.cart_coords)
    if nonsense == "bytes":
        damage(checkpoint)
    else:
        np.save(checkpoint, np.full((3, 3), np.nan) if nonsense == "nan" else np.zeros((4, 3)))
    document = engine.make.original(engine, structure)
    assert document.converged
    assert [(c.handler, c.errors) for c in document.corrections] == [("checkpoint", [f"{POSITIONS} could not be read"])]
    assert document.corrections[0].actions == [{"continue_from": ["start"]}]
    assert not list(folder.glob("*.unreadable"))


def test_held_atoms_of_a_checkpoint_that_have_moved_belong_to_another_relaxation(run_here):
    engine = registry.create("xtb", kind="relax", overrides={"fmax": 0.1})
    structure = stretched()
    structure.add_site_property("selective_dynamics", [[False] * 3, [True] * 3, [True] * 3])
    folder = folder_of(engine, structure, run_here)
    np.save(folder / POSITIONS, structure.cart_coords + 0.5)
    document = engine.make.original(engine, structure)
    assert document.atoms_structure[0].coords == pytest.approx(structure[0].coords, abs=1e-9)
    assert document.corrections[0].errors == [f"{POSITIONS} could not be read"]


GPAW = {"grid_spacing": 0.3, "dispersion": "none", "fmax": 0.5, "convergence": {"energy": 1e-3, "density": 1e-3}}


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A relaxation by GPAW that was stopped after its first step, as bytes of its files."""
    folder = tmp_path_factory.mktemp("interrupted")
    engine = registry.create("gpaw", kind="relax", overrides=GPAW, processes=1)
    task = engine.request(boxed(molecule("H2"), 5.6), []).model_dump(mode="json")
    task["settings"] |= {"fmax": 1e-4, "max_steps": 1}
    (folder / INPUT).write_text(json.dumps(task))
    subprocess.run(command(1), cwd=folder, env=environment(), check=True, capture_output=True, timeout=120)
    return {name: (folder / name).read_bytes() for name in (CHECKPOINT, TRAJECTORY)}


def spoil(folder, files, damaged):
    for name, data in files.items():
        (folder / name).write_bytes(DAMAGES[damaged[name]](data) if name in damaged else data)


@pytest.mark.slow
@pytest.mark.parametrize("kind", DAMAGES)
def test_density_and_trajectory_of_gpaw_that_are_none(run_here, interrupted, kind):
    from iface_wf.engines.gpaw.checkpoint import last_positions, read_arrays

    atoms = molecule("H2")
    spoil(run_here, interrupted, {})
    reached = last_positions(atoms)
    assert np.abs(reached - atoms.positions).max() > 1e-3
    assert readable(Path(CHECKPOINT), read_arrays) is not None
    spoil(run_here, interrupted, {TRAJECTORY: kind})
    assert last_positions(atoms) == pytest.approx(reached, abs=1e-9)  # the density's checkpoint has them too
    spoil(run_here, interrupted, {CHECKPOINT: kind})
    assert last_positions(atoms) == pytest.approx(reached, abs=1e-9)
    assert not Path(CHECKPOINT).exists()
    spoil(run_here, interrupted, {CHECKPOINT: kind, TRAJECTORY: kind})
    assert last_positions(atoms) == pytest.approx(atoms.positions, abs=1e-9)
    emptied = [TRAJECTORY] * (kind == "empty")  # ASE creates it so, before there is anything to lose
    assert sorted(path.name for path in run_here.glob("*.unreadable")) == [
        f"{name}.unreadable" for name in (CHECKPOINT, TRAJECTORY) if name not in emptied
    ]


@pytest.mark.slow
@pytest.mark.parametrize("damaged", [{TRAJECTORY: "truncated"}, {CHECKPOINT: "random", TRAJECTORY: "zeros"}])
def test_gpaw_starts_anew_where_nobody_can_go_on(run_here, interrupted, damaged):
    engine = registry.create("gpaw", kind="relax", overrides=GPAW, processes=1)
    structure = boxed(molecule("H2"), 5.6)
    spoil(folder_of(engine, structure, run_here), interrupted, damaged)
    document = engine.make.original(engine, structure)
    assert document.converged
    told = [(c.handler, *c.errors) for c in document.corrections]  # no try was lost
    assert sorted(told) == [("checkpoint", f"{name} could not be read") for name in sorted(damaged)]


@pytest.fixture
def stopped(vasp, monkeypatch):
    """A relaxation by VASP that was stopped before the wall time: its folder, and a function that goes on there."""
    engine = VaspEngine(kind="relax", level="moderate", overrides=COARSE)
    structure = lithium_fluoride_slab()
    with monkeypatch.context() as stopping:
        stopping.setenv("STANDIN", "slow=0.3 stuck")
        stopping.setenv("IFACE_WF_VASP_WALL_TIME", "100")
        stopping.setenv("IFACE_WF_VASP_STOP_BEFORE", "99.5")
        with pytest.raises(CalculationError, match="was stopped before the wall time"):
            engine.make.original(engine, structure)
    (folder,) = vasp.glob("calc-*")
    return folder, lambda: engine.make.original(engine, structure)


def test_files_of_a_stopped_run_of_vasp_that_are_none(stopped):
    """Whatever nobody can go on from, VASP starts anew, from inputs that are whole."""
    folder, go_on = stopped
    files = {name: (folder / name).read_bytes() for name in ("CONTCAR", "WAVECAR", "unfinished.json", *INPUTS)}
    request = read_request(folder)
    assert [c.actions for c in run._continuation(request, folder)][-1] == [{"continue_from": ["CONTCAR", "WAVECAR"]}]
    for name in files:
        for kind, spoil in DAMAGES.items():
            if spoil(files[name]) == files[name]:
                continue  # shorter than what is left of it
            for each, data in files.items():
                (folder / each).write_bytes(data)
            (folder / name).write_bytes(spoil(files[name]))
            found = run._continuation(request, folder)
            used = found[-1].actions[0]["continue_from"] if found else None
            left = [path.name for path in folder.glob("*.unreadable")]
            if name == "CONTCAR":
                assert used == ["WAVECAR"]
                assert left == [f"{name}.unreadable"] * (kind != "empty")  # VASP itself creates it empty
            elif name == "WAVECAR":
                assert used == ["CONTCAR"]
                assert left == [f"{name}.unreadable"]
            elif name == "unfinished.json":
                assert used is None
                assert left == [f"{name}.unreadable"]
            elif kind in ("empty", "zeros"):
                assert used is None  # inputs are written anew
            for path in folder.glob("*.unreadable"):
                path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(bytes(len(data)))
    document = go_on()
    assert document.converged
    assert [(c.handler, c.errors) for c in document.corrections] == [
        ("checkpoint", ["unfinished.json could not be read"])
    ]


def test_a_wavecar_is_known_by_its_head_and_length(tmp_path):
    length = 256
    records = [np.array([length, 2, 45210.0]), np.array([3, 4, 500.0, *np.eye(3).ravel()])] + [np.ones(8)] * 2 * 3 * 5
    data = b"".join(record.tobytes().ljust(length, b"\0") for record in records)
    path = tmp_path / "WAVECAR"
    path.write_bytes(data)
    assert whole_wavecar(path)
    for spoilt in (data[:-length], data[:-length] + bytes(length), data + data, b"", bytes(len(data)), data[:24]):
        path.write_bytes(spoilt)
        assert not whole_wavecar(path)


def test_a_trajectory_of_ase_is_what_is_meant(tmp_path):
    """The damages above are those of the format that the engine reads."""
    with Trajectory(tmp_path / TRAJECTORY, "w") as trajectory:
        trajectory.write(molecule("H2"))
    assert (tmp_path / TRAJECTORY).read_bytes().startswith(b"- of Ulm")
