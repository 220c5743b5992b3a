"""The store that an older version filled, unpacked for a test, and the library that it was filled from."""

import lzma
from functools import cache
from pathlib import Path

from iface_wf.engines.gpaw import profile as gpaw
from iface_wf.engines.xtb.engine import XtbEngine
from iface_wf.engines.xtb.profile import COMMON
from iface_wf.quantities.binding import rekey
from tests.tiny_library import write_crystal, write_library


def unpack_store(folder: Path) -> Path:
    """Write the store into a folder and return the file."""
    path = folder / "old.sqlite"
    path.write_bytes(_store())
    return path


@cache
def _store() -> bytes:
    return lzma.decompress(Path(__file__).with_name("store.sqlite.xz").read_bytes())


def library_of_the_store(folder: Path) -> Path:
    """Write the files of the library and return their folder."""
    write_library(folder)
    write_crystal(folder)
    return folder


def methods_of_the_store(monkeypatch) -> None:
    """Let every method mean what it meant: xTB put slabs into a cell of 60 A, GPAW's dispersion was D3(BJ), nothing was searched for.

    Nothing is calculated by it: only so do keys of today belong to what is stored, whose way to them is tested.
    """
    monkeypatch.setattr(rekey, "SEARCHED_SINCE", 0)
    now = XtbEngine.defaults
    monkeypatch.setitem(gpaw.COMMON, "dispersion", "D3(BJ)")
    monkeypatch.delitem(COMMON, "electronic_temperature")
    monkeypatch.setattr(XtbEngine, "defaults", lambda self, elements=None: now(self, elements) | {"wide_edge": 60.0})
