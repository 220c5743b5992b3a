"""Energies of charged pieces do not hang on their boxes."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.engines.gpaw.engine import GpawEngine
from iface_wf.errors import InputError


def lithium(edge, pbc=(False, False, False)):
    lattice = Lattice(np.eye(3) * edge, pbc=pbc)
    labels = {"component": ["salt_cation"]}
    return Structure(lattice, ["Li"], [[edge / 2] * 3], coords_are_cartesian=True, site_properties=labels)


def ion(**options):
    return GpawEngine(level="precise", charge=1.0, processes=1, overrides={"cutoff": 500.0, **options})


@pytest.mark.slow  # two runs of GPAW
def test_an_ion_in_plane_waves_has_one_energy_in_all_boxes(tmp_path):
    energies = []
    for edge in (7.2, 8.8):
        folder = tmp_path / str(edge)
        folder.mkdir()
        document = ion().calculate(ion().request(lithium(edge), []), folder)
        assert document.basis == "PW 500 eV, open box"
        energies.append(document.energy)
    # in a repeated box the two would be 0.5 eV apart: 14.4 x 2.837 / 2 (1 / 7.2 - 1 / 8.8)
    assert energies[0] == pytest.approx(energies[1], abs=2e-3)
    # repeated boxes of 10.4 to 16.8 A with 14.4 x 2.837 / 2L added give 5.302 to 5.304 eV
    assert energies[1] == pytest.approx(5.302, abs=5e-3)


def test_a_charged_cell_that_is_repeated_is_refused_in_one_sentence():
    for pbc in ((True, True, False), (True, False, False), (True, True, True)):
        for mode in ("fast", "precise"):
            engine = GpawEngine(level=mode, charge=-1.0)
            with pytest.raises(InputError, match=r"A cell that is repeated cannot carry a charge of -1 e"):
                engine.request(lithium(9.0, pbc), [])


def test_only_charged_pieces_in_plane_waves_have_other_keys():
    neutral = GpawEngine(level="precise").request(lithium(9.0), [])
    assert "boundary" not in neutral.settings
    assert "boundary" not in GpawEngine(level="fast", charge=1.0).request(lithium(9.0), []).settings
    assert ion().request(lithium(9.0), []).settings["boundary"] == "open"
