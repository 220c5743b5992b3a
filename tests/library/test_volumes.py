"""Molar volumes of the library's crystals against handbook densities, ratios of them, and what has none."""

import pytest
from pymatgen.core import Composition

from iface_wf.errors import InputError
from iface_wf.library.library import Library
from iface_wf.library.volumes import molar_volume, volume_ratio


@pytest.fixture(scope="module")
def library():
    return Library()


@pytest.mark.slow
# densities, g/cm^3: CRC Handbook of Chemistry and Physics; LLZO 10.1002/anie.200701144 (theoretical 5.1)
@pytest.mark.parametrize(
    ("name", "formula", "density"),
    [
        ("LiI", "LiI", 4.06),
        ("I2", "I2", 4.93),
        ("Li", "Li", 0.534),
        ("SiO2", "SiO2", 2.65),
        ("LLZO", "Li7La3Zr2O12", 5.1),
        ("LAGP", "Li1.5Al0.5Ge1.5P3O12", 3.5),
    ],
)
def test_molar_volumes_are_those_of_measured_densities(library, name, formula, density):
    found = molar_volume(library.filler(name))
    assert found.formula == formula
    assert Composition(found.formula).weight / found.volume == pytest.approx(density, rel=0.03)
    assert found.source


@pytest.mark.slow
def test_iodine_that_becomes_lithium_iodide_grows_by_a_quarter(library):
    found = volume_ratio({"LiI": 2}, {"iodine": 1}, library)
    assert 100 * found.ratio == pytest.approx(126, abs=1)  # 10.1016/j.ccl.2023.108846
    assert found.ratio * volume_ratio({"I2": 1}, {"LiI": 2}, library).ratio == pytest.approx(1)
    assert "2 x 32.5" in found.sentence
    # twice of everything is the same; another reactant takes room
    assert volume_ratio({"LiI": 4}, {"I2": 2}, library).ratio == pytest.approx(found.ratio)
    assert volume_ratio({"LiI": 2}, {"I2": 1, "Li": 2}, library).ratio < found.ratio


@pytest.mark.parametrize(
    ("products", "reactants", "text"),
    [
        ({"LiI": 2}, {}, "no reactants"),
        ({"LiI": 0}, {"I2": 1}, "The number of LiI in a volume ratio must lie between 0 and 1000, not 0"),
        ({"LiI": float("nan")}, {"I2": 1}, "not nan"),
        ({"LiJ": 2}, {"I2": 1}, "LiJ"),
        ({"SiO2-SO3Li": 1}, {"SiO2": 1}, "carries arms"),
    ],
)
def test_bad_ratios_are_refused_in_one_sentence(library, products, reactants, text):
    with pytest.raises(InputError, match=text) as raised:
        volume_ratio(products, reactants, library)
    assert "\n" not in str(raised.value)
