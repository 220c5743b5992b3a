"""The whole chain with nothing replaced: real GPAW, a real MongoDB or an embedded store, one process after another."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase.io.cube import read_cube_data
from pymatgen.core import Lattice, Structure

pytestmark = pytest.mark.slow

CALCULATE = """
import json, sys
import iface_wf
filler, store, workdir = sys.argv[1:]
document = iface_wf.run(
    filler=filler, molecule="O", store=store, workdir=workdir, engine="gpaw", level="fast",
    placements=2, in_plane=(5.6, 5.6), processes=1, overrides={"grid_spacing": 0.2, "kpoint_length": 1.0},
)
print(json.dumps({"key": document.key, "energy": document.binding_energy.hex(),
                  "terms": {t.role: t.energy.hex() for t in document.terms},
                  "sha256": document.density_difference.density.sha256}))
"""
READ = """
import hashlib, base64, json, sys
from iface_wf.store.settings import open_store
from iface_wf.quantities.binding.document import BindingDocument
store = open_store(sys.argv[1])
found = store.query_one({"output.document_type": "binding"}, load=True)
document = BindingDocument.model_validate(found["output"])
record = document.density_difference.density
print(json.dumps({"key": document.key, "energy": document.binding_energy.hex(),
                  "terms": {t.role: t.energy.hex() for t in document.terms},
                  "sha256": hashlib.sha256(base64.b64decode(record.blob)).hexdigest()}))
"""


@pytest.fixture
def slab_file(tmp_path):
    """A user's own ready slab: a dilute layer of water molecules."""
    positions = np.array([[0.0, 0.0, 0.0], [0.7632, 0.5963, 0.0], [-0.7632, 0.5963, 0.0]]) + [2.4, 2.4, 6.0]
    lattice = Lattice(np.diag([5.6, 5.6, 14.4]))
    slab = Structure(lattice, ["O", "H", "H"], positions, coords_are_cartesian=True).get_sorted_structure()
    slab.to(str(tmp_path / "layer.vasp"), fmt="poscar")
    return tmp_path / "layer.vasp"


@pytest.fixture(params=["embedded", "mongod"])
def address(request, tmp_path):
    if request.param == "embedded":
        return str(tmp_path / "store.sqlite")
    server = request.getfixturevalue("mongod")
    return f"mongodb://{server.host}:{server.port}/chain"


def python(code, *arguments, log=None):
    environment = dict(os.environ) | ({"IFACE_WF_CALC_LOG": str(log)} if log else {})
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_one_process_calculates_and_others_read_the_same_bits(slab_file, address, tmp_path):
    log = tmp_path / "calculations.log"
    written = python(CALCULATE, slab_file, address, tmp_path / "runs", log=log)
    first = log.read_text().splitlines()
    assert sum('"start"' in line for line in first) == sum('"end"' in line for line in first) >= 9
    assert python(READ, address) == written
    assert python(CALCULATE, slab_file, address, tmp_path / "elsewhere", log=log) == written
    assert log.read_text().splitlines() == first  # the second run calculated nothing

    command = [str(Path(sys.executable).with_name("iface-wf")), "export", written["key"][:12], "--store", address]
    cube = tmp_path / "cdd.cube"
    subprocess.run([*command, "--what", "density_difference", "--format", "cube", "--out", str(cube)], check=True)
    values, atoms = read_cube_data(str(cube))
    assert len(atoms) == 6
    assert np.abs(values).max() > 0
    assert abs(values.mean() * atoms.get_volume()) < 2e-3  # e; the file has five digits
