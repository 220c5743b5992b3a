"""Make the store of an older version that the tests of migration read; run it with the code of commit 886b448.

    PYTHONPATH=<that version>/src:<this one> python tests/store/old/make_store.py <new folder>

It leaves ``store.sqlite.xz`` in the folder, within a minute. The library is `tests.tiny_library`, which both versions read.
"""

import lzma
import os
import shutil
import socket
import sqlite3
import sys
from pathlib import Path

folder = Path(sys.argv[1]).resolve()
folder.mkdir(parents=True)
os.chdir(folder)
socket.gethostname = lambda: "laptop"  # documents and claims name the machine

from iface_wf import run  # noqa: E402
from iface_wf.flows.screening import build_screening  # noqa: E402
from iface_wf.flows.screening_spec import read_spec  # noqa: E402
from iface_wf.library import Library  # noqa: E402
from iface_wf.queues.screen import run_screening  # noqa: E402
from iface_wf.queues.screen_state import record_failure  # noqa: E402
from iface_wf.store.settings import open_store  # noqa: E402
from tests.tiny_library import spec_text, write_crystal, write_library  # noqa: E402

own = write_library(folder / "library")
write_crystal(own)
os.environ["IFACE_WF_LIBRARY"] = str(own)
store = open_store("store.sqlite")
library = Library()


def screening(name, **options):
    """Write a spec and return it as that version reads it."""
    path = folder / f"{name}.yaml"
    path.write_text(spec_text(**options), encoding="utf-8")
    return read_spec(path)


# a screening with ready slabs, one whose slab is as large as the larger fragment needs, one with slabs of a given cell
run_screening(
    screening("ready", fillers=["HF-layer", "HCN-layer"], polymers=["methane", "water"]), store, library, folder
)
run_screening(screening("own", fillers=["LiF"], polymers=["water", "ethane"], placements=2), store, library, folder)
run_screening(screening("given", fillers=["LiF"], polymers=["ammonia"], cell=[8.0, 5.5]), store, library, folder)
# single interfaces: energies only, a relaxation cut short, one of a file that is gone later, one with charges and densities
quick = {"n_placements": 1, "vacuum": 6.0}
run("HF-layer", "ammonia", engine="xtb", quantities=("binding_energy",), store=store, workdir=folder, **quick)
run("HF-layer", "methanol", engine="xtb", overrides={"max_steps": 2}, store=store, workdir=folder, **quick)
mine = folder / "mine.vasp"
shutil.copy(own / "crystals" / "water-layer.vasp", mine)
run(str(mine), "methane", engine="xtb", store=store, workdir=folder, **quick)
coarse = {"grid_spacing": 0.2667, "convergence": {"energy": 1e-4, "density": 1e-3}, "kpoint_length": 1.0}
run("HF-layer", "water", engine="gpaw", overrides=coarse, processes=1, store=store, workdir=folder, **quick)
# an interface that failed twice, and is not stored
failed = build_screening(screening("failed", fillers=["HCN-layer"], polymers=["methanol"]), library)
for pair in failed.pairs.values():
    for _ in range(2):
        record_failure(store, pair.key, pair.name, "relax AB: CalculationError: made up for this store")

store.close()
with sqlite3.connect("store.sqlite") as connection:
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("VACUUM")
connection.close()
packed = folder / "store.sqlite.xz"
packed.write_bytes(lzma.compress(Path("store.sqlite").read_bytes(), preset=9))
print(f"{packed}: {packed.stat().st_size} bytes")
