"""The stand-in executable on PATH, POTCARs with invented contents, and small systems for it."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp.inputs import PotcarSingle

from iface_wf.engines.vasp import choices as choices

HERE = Path(__file__).parent
DATA = HERE / "data" / "vasp_adsorption_O_on_Au"

POTCAR = """  PAW_PBE {symbol} 01Jan2000
   {valence:.12f}
 parameters from PSCTR are:
   VRHFIN ={element}: invented for tests
   LEXCH  = PE
   EATOM  =    10.0000 eV,    1.0000 Ry

   TITEL  = PAW_PBE {symbol} 01Jan2000
   LULTRA =        F    use ultrasoft PP ?
   POMASS =    1.000; ZVAL   =    {valence:.3f}    mass and valenz
   ENMAX  =  {enmax:.3f}; ENMIN  =   80.000 eV
   END of PSCTR-controll parameters
 local part
   1.000000  2.000000  3.000000
 End of Dataset
"""


def write_potcars(folder, enmax=100.0):
    """Write invented POTCARs of all elements we know, laid out as pymatgen does."""
    for symbol, valence in {*choices.POTCARS.values(), choices.GD_VALENCE}:
        place = folder / PotcarSingle.functional_dir[choices.POTCAR_RELEASE] / symbol
        place.mkdir(parents=True)
        text = POTCAR.format(symbol=symbol, element=symbol.split("_")[0], valence=valence, enmax=enmax)
        (place / "POTCAR").write_text(text)
    return folder


@pytest.fixture
def potcars(tmp_path, monkeypatch):
    """A folder with POTCARs, named by the setting."""
    folder = write_potcars(tmp_path / "potcars")
    monkeypatch.setenv("IFACE_WF_VASP_POTCARS", str(folder))
    return folder


def put_on_path(folder, patch):
    """Make a folder the current one, with vasp_std in its bin and settings for short runs."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "vasp_std"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE.parent / "vasp_std"}" "$@"\n')
    program.chmod(0o755)
    patch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    patch.setenv("IFACE_WF_VASP_POLL_SECONDS", "0.02")
    patch.setenv("IFACE_WF_VASP_CHECK_SECONDS", "0.1")
    patch.delenv("CUSTODIAN_WALLTIME_START", raising=False)
    patch.delenv("STANDIN", raising=False)
    patch.chdir(folder)
    return folder


@pytest.fixture
def vasp(tmp_path, monkeypatch, potcars):
    """vasp_std on PATH; the temporary folder is the current one."""
    return put_on_path(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def module_vasp(tmp_path_factory):
    """The same for fixtures of a module."""
    folder = tmp_path_factory.mktemp("vasp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IFACE_WF_VASP_POTCARS", str(write_potcars(folder / "potcars")))
        yield put_on_path(folder, patch)


#: Coarse enough for grids of a few thousand points; the invented POTCARs ask for 100 eV.
#: With VASP's own dispersion: D4 of a build without it is put in its place when a run is read.
COARSE = {"dispersion": "D3(BJ)", "ENCUT": 110.0, "bader_spacing": 0.16, "kpoint_length": 4.0}


def lithium_fluoride_slab():
    """Four atoms, the lower two frozen."""
    cell = Lattice(np.diag([4.0, 4.0, 17.6]), pbc=(True, True, False))
    positions = [[0, 0, 6.0], [2, 2, 6.0], [2, 2, 8.0], [0, 0, 8.0]]
    return Structure(
        cell,
        ["Li", "F", "Li", "F"],
        positions,
        coords_are_cartesian=True,
        site_properties={
            "component": ["slab"] * 4,
            "selective_dynamics": [[False] * 3] * 2 + [[True] * 3] * 2,
        },
    )


def hydrogen_fluoride(edge=9.6):
    """A molecule in the middle of its box."""
    cell = Lattice(np.eye(3) * edge, pbc=(False, False, False))
    middle = edge / 2
    return Structure(
        cell,
        ["H", "F"],
        [[middle, middle, middle + 0.5], [middle, middle, middle - 0.5]],
        coords_are_cartesian=True,
        site_properties={"component": ["polymer"] * 2},
    )


def interface():
    """The molecule on the slab."""
    slab = lithium_fluoride_slab()
    for symbol, position in (("F", [2.0, 2.0, 10.2]), ("H", [2.0, 2.0, 11.2])):
        slab.append(
            symbol,
            position,
            coords_are_cartesian=True,
            properties={"component": "polymer", "selective_dynamics": [True] * 3},
        )
    return slab


def third_party(name):
    """Folder of a VASP 6.3.2 run by others."""
    folder = DATA / name / "outputs"
    assert folder.is_dir(), f"the third-party VASP outputs are missing: {folder}"
    return folder


def copy_run(source, target):
    """Copy a folder so that it may be spoilt."""
    shutil.copytree(source, target)
    return target
