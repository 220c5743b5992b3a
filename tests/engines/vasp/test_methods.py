"""Names of methods, and INCAR tags as text."""

import pytest

from iface_wf.engines.vasp.incar import canonical, parse_incar, same_value
from iface_wf.engines.vasp.methods import dispersion, functional
from iface_wf.engines.vasp.outcar import read_outcar
from tests.engines.vasp.test_outputs import OUTCAR_541

HYBRID = {"LHFCALC": True, "AEXX": 0.25}


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"GGA": "PE"}, "PBE"),
        ({"GGA": "PS"}, "PBEsol"),
        ({"METAGGA": "R2SCAN"}, "r2SCAN"),
        ({"METAGGA": "SCAN", "GGA": "PE"}, "SCAN"),
        ({"GGA": "PE", **HYBRID}, "PBE0"),
        ({"GGA": "PE", **HYBRID, "HFSCREEN": 0.2}, "HSE06"),
        ({"GGA": "PE", **HYBRID, "HFSCREEN": 0.207}, "HSE06"),
        ({"GGA": "PE", **HYBRID, "HFSCREEN": 0.3}, "HSE03"),
        ({"GGA": "PS", **HYBRID, "HFSCREEN": 0.2}, "HSEsol"),
        ({"GGA": "PE", "LHFCALC": True}, "PBE0"),  # AEXX is 0.25 by default
        ({"GGA": "PE", "LHFCALC": True, "AEXX": 0.3, "HFSCREEN": 0.2}, "PBE hybrid (AEXX 0.3, HFSCREEN 0.2)"),
        ({"GGA": "PE", **HYBRID, "HFSCREEN": 0.1}, "PBE hybrid (AEXX 0.25, HFSCREEN 0.1)"),
        ({"METAGGA": "SCAN", **HYBRID}, "SCAN hybrid (AEXX 0.25)"),
        ({"GGA": "B3", "LHFCALC": True, "AEXX": 0.2}, "B3LYP"),
        ({"GGA": "PE", "LHFCALC": True, "AEXX": 1.0, "AGGAC": 0.0, "ALDAC": 0.0}, "HF"),
    ],
)
def test_functionals_have_their_names(tags, name):
    assert functional(tags, {}, ["PAW_PBE Li_sv 10Sep2004"]) == name


def test_a_functional_that_the_potcars_decide():
    for title, name in (("PAW_PBE O 08Apr2002", "PBE"), ("PAW O 22Mar2012", "LDA"), ("PAW_GGA O 04May1998", "PW91")):
        assert functional({}, {"GGA": "--"}, [title]) == name


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({}, None),
        ({"IVDW": 10}, "D2"),
        ({"IVDW": 11}, "D3(0)"),
        ({"IVDW": 12}, "D3(BJ)"),
        ({"IVDW": 13}, "D4"),
        ({"IVDW": 20}, "TS"),
        ({"IVDW": 20, "LVDWSCS": True}, "TS+SCS"),
        ({"IVDW": 21}, "TS/HI"),  # Tkatchenko-Scheffler with iterative Hirshfeld charges
        ({"IVDW": 202}, "MBD@rSC"),
        ({"IVDW": 263}, "MBD@rSC/FI"),
        ({"IVDW": 4}, "dDsC"),
        ({"IVDW": 99}, "IVDW=99"),
        ({"LUSE_VDW": True, "METAGGA": "R2SCAN", "BPARAM": 11.95}, "rVV10"),
        ({"LUSE_VDW": True, "GGA": "ML", "BPARAM": 6.3}, "rVV10"),
        ({"LUSE_VDW": True, "GGA": "RE"}, "vdW-DF"),
        ({"LUSE_VDW": True, "GGA": "ML", "ZAB_VDW": -1.8867}, "vdW-DF2"),
        ({"LUSE_VDW": True, "GGA": "BO"}, "optB88-vdW"),
        ({"LUSE_VDW": True, "GGA": "MK", "ZAB_VDW": -1.8867}, "rev-vdW-DF2"),
    ],
)
def test_dispersions_have_their_names(tags, name):
    assert dispersion(tags) == name


def test_an_incar_is_read_as_vasp_reads_it():
    text = """SYSTEM = LiF ! a title
    ENCUT = 5.2d2   # eV
    ISMEAR = 0 ; SIGMA = .05; LREAL = Auto
    MAGMOM = 2*0.0 \\
      3*-1.5
    lasph = .TRUE.
    GGA = PE ! PBE
    # IVDW = 12
    LDAUL = -1 2
    IVDW = 2
    """
    tags = parse_incar(text)
    assert tags == {
        "SYSTEM": "LiF", "ENCUT": 520.0, "ISMEAR": 0, "SIGMA": 0.05, "LREAL": "Auto",
        "MAGMOM": [0.0, 0.0, -1.5, -1.5, -1.5], "LASPH": True, "GGA": "PE", "LDAUL": [-1, 2], "IVDW": 2,
    }  # fmt: skip
    assert canonical("IVDW", 2) == canonical("IVDW", 20) == 20
    assert canonical("PREC", "acc ! urate") == "Accurate"
    assert canonical("METAGGA", " None") is None
    assert same_value(0.2, 0.20000000001)
    assert not same_value(True, 1)
    assert not same_value([1, 2], [1, 2, 3])


@pytest.mark.parametrize(
    ("written", "moment"),
    [("", 0.0), ("  1.9999999", 2.0), ("  -1.0000000", -1.0), ("  1.0000000  -2.0000000  2.0000000", 3.0)],
)
def test_the_moment_of_a_non_collinear_run_is_the_length_of_its_vector(written, moment, tmp_path):
    line = " number of electron       6.0000000 magnetization"
    (tmp_path / "OUTCAR").write_text(OUTCAR_541.replace(line, line + written))
    assert read_outcar(tmp_path / "OUTCAR").moment == pytest.approx(moment, abs=1e-6)
