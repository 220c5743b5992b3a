"""Overrides are checked by name, type and range before anything runs: else a slip gives another calculation's number."""

import math

import pytest

from iface_wf.api import calculate
from iface_wf.engines.profile import ENGINES, LEVEL_NAMES, EngineProfile
from iface_wf.engines.settings import check
from iface_wf.errors import InputError
from iface_wf.library import Library

NAN, INF = float("nan"), float("inf")
ODD_NUMBERS = (NAN, INF, -INF, -1.0, 1e20, 10**400, "0.1", True, None, [0.1], {"a": 1})
WRONG = {
    "xtb": [
        *({"fmax": odd} for odd in (*ODD_NUMBERS, 0, 1000)),
        *({"max_steps": odd} for odd in (*ODD_NUMBERS, 0, 1.5)),
        *({"accuracy": odd} for odd in ODD_NUMBERS),
        *({"mixer_damping": 2.0}, {"electronic_temperature": 0.0}, {"max_iterations": 10**9}, {"method": "GFN9"}, {"guess": "gfn"}),
        *({"dispersion": "D4"}, {"dispersion": "none"}, {"method": "GFN2-xTB", "dispersion": "D3(BJ)"}),
    ],
    "gpaw": [
        *({name: odd} for odd in ODD_NUMBERS for name in ("grid_spacing", "kpoint_length", "smearing", "fmax")),
        *({"mode": "pw"}, {"mode": "lcaoo"}, {"mode": "pw", "cutoff": 1e20}, {"cutoff": 400.0}, {"cutoff": NAN}),
        *({"xc": "PBEE"}, {"xc": None}, {"xc": 1}, {"xc": "GGA_X_PBE+"}, {"xc": "M06-L"}, {"dispersion": "D5"}, {"xc": "WC", "dispersion": "D4"}),
        *({"grid": [1, 2]}, {"grid": [8, 8, 10**9]}, {"grid": "abc"}, {"kpoints": [0, 1, 1]}, {"kpoints": [1, 1, 1.5]}),
        *({"magmoms": {"Xx": 1.0}}, {"magmoms": {"Gd": "7"}}, {"magmoms": {"Gd": NAN}}, {"magmoms": [7.0]}),
        *({"convergence": {"energie": 1e-5}}, {"convergence": {"energy": 0.0}}, {"convergence": {}}),
        *({"mixer": {"bakend": "pulay"}}, {"start": "hunt"}, {"basis": "../../dzp"}, {"basis": None}),
        *({"spin_polarized": 1}, {"spin_polarized": "yes"}, {"magnetic_moments": [INF]}, {"checkpoint_every": -1.0}),
    ],
    "vasp": [
        *({"ENCUT": odd} for odd in (*ODD_NUMBERS, 0, 10)),
        *({name: odd} for odd in ODD_NUMBERS for name in ("kpoint_length", "bader_spacing", "fmax")),
        *({"EDIFF": 0}, {"EDIFF": None}, {"ISPIN": 3}, {"ISPIN": 2.0}, {"NGX": 10**9}, {"SIGMA": -0.1}, {"NSW": 1e9}),
        *({"ALGO": "Quick"}, {"PREC": "Acurate"}, {"METAGGA": "SCANN"}, {"LREAL": "maybe"}, {"LDIPOL": 1}),
        *({"SYSTEM": "x\nENCUT = 1"}, {"ALGO": "Fast ; ENCUT = 1"}, {"ALGO": "Fast # x"}, {"SYSTEM": "x" * 1000}),
        *({"MAGMOM": [INF]}, {"MAGMOM": []}, {"MAGMOM": {"Li": 1}}, {"LDAUU": [[[[[[[[1.0]]]]]]]]}),
        *({"potcars": {"Li": "../Li"}}, {"potcars": {"Lx": "Li"}}, {"potcars": "Li_sv"}),
        *({"hubbard": {"La": [3, 11.0]}}, {"hubbard": {"La": [3, 1e9, 0.0]}}, {"hubbard": {"La": "f"}}),
        *({"real_space": "no"}, {"gadolinium": 1}, {"xc": ["PBE"]}),
    ],
    "mlip": [
        *({"fmax": odd} for odd in ODD_NUMBERS),
        *({"model": 1}, {"model": ""}, {"model": "x" * 5000}, {"calculator": 1}, {"calculator": {"a": NAN}}),
        *({"calculator": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": 1}}}}}}}}}, {"calculator": {"a": [0] * 20_000}}),
    ],
}  # fmt: skip
UNKNOWN = [
    *(("xtb", "fmx", "fmax"), ("xtb", "relaxed_by", "geometry"), ("xtb", "ENCUT", "known: accuracy")),
    *(("gpaw", "cutof", "cutoff"), ("gpaw", "zzz", "known: bader_spacing"), ("gpaw", "XC", "xc")),
    *(("vasp", "ENCUTT", "ENCUT"), ("vasp", "Encut", "known: bader_spacing"), ("vasp", "gadolinum", "gadolinium")),
    *(("mlip", "modl", "model"), ("mlip", "x" * 100_000, "known: calculator")),
]
RIGHT = [
    ("xtb", {"fmax": 1}),
    ("xtb", {"method": "IPEA1-xTB", "max_steps": 10, "electronic_temperature": 1000.0}),
    ("xtb", {"method": "GFN2-xTB", "dispersion": "D4"}),
    ("gpaw", {"mode": "pw", "cutoff": 400}),
    ("gpaw", {"xc": "AM05", "dispersion": "D4"}),
    ("gpaw", {"xc": "GGA_X_PBE+GGA_C_PBE", "dispersion": "none"}),
    ("gpaw", {"xc": "revPBE", "basis": {"H": "dzp", "Li": "szp(dzp)"}, "kpoints": (1, 1, 1), "grid": [8, 12, 60]}),
    ("gpaw", {"convergence": {"energy": 1e-4, "work function": 0.01, "bands": "all"}, "magmoms": {"Gd": 7}}),
    ("vasp", {"LREAL": False, "ISPIN": 2, "MAGMOM": "24*0.6", "LDAUU": [1.0, 2]}),
    ("vasp", {"METAGGA": "R2SCAN", "ISMEAR": -5, "SYSTEM": "two words", "IVDW": None, "PREC": "Acc"}),
    ("vasp", {"hubbard": {"La": (3, 11.0, 0.68)}, "potcars": {"Li": "Li"}, "NCORE": 4, "fmax": 0.02}),
    ("mlip", {"model": "MACE-MP-0", "calculator": {"model": "folder/weights.model", "head": None}}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("engine", "overrides"), [(engine, each) for engine, all_of in WRONG.items() for each in all_of]
)
def test_a_wrong_value_is_refused_by_the_setting_s_name(engine, overrides):
    with pytest.raises(InputError) as refused:
        ENGINES.load(engine).settings("fast", overrides)
    text = str(refused.value)
    assert any(name in text for name in overrides)
    assert engine in text
    assert len(text) < 500
    assert "\n" not in text


@pytest.mark.parametrize(("engine", "name", "hint"), UNKNOWN)
def test_an_unknown_setting_is_refused_with_the_nearest_one(engine, name, hint):
    with pytest.raises(InputError, match=hint):
        ENGINES.load(engine).settings("fast", {name: 1})


@pytest.mark.parametrize(("engine", "overrides"), RIGHT)
def test_a_right_value_is_taken_as_it_was_given(engine, overrides):
    settings = ENGINES.load(engine).settings("fast", overrides)
    assert {name: settings[name] for name in overrides} == overrides
    assert all(type(settings[name]) is type(value) for name, value in overrides.items())


@pytest.mark.parametrize("engine", ["gpaw", "vasp", "xtb", "mlip"])
@pytest.mark.parametrize("level", LEVEL_NAMES)
def test_the_levels_fit_their_own_table(engine, level):
    profile = ENGINES.load(engine)
    settings = {**profile.common, **profile.level(level)}
    settings.pop("relaxed_by", None)
    check(engine, settings, profile.table)


def test_an_engine_without_a_table_takes_the_types_of_its_levels():
    levels = {level: {"cutoff": 5.0, "model": "a", "relaxed_by": "xtb"} for level in LEVEL_NAMES}
    profile = EngineProfile("toy", "toy:Toy", levels, common={"deep": {}}, options=frozenset({"free"}))
    assert profile.settings("fast", {"cutoff": 6, "free": [1]})["cutoff"] == 6
    for wrong in ({"cutoff": "6"}, {"cutoff": math.inf}, {"model": 1}, {"free": math.nan}, {"deep": 1}, {"fre": 1}):
        with pytest.raises(InputError, match=f"{next(iter(wrong))}.* of toy|of toy.*{next(iter(wrong))}"):
            profile.settings("fast", wrong)


@pytest.mark.parametrize(
    ("engine", "overrides"), [("xtb", {"fmx": 1e-4}), ("xtb", {"fmax": 1000}), ("gpaw", {"cutof": 1, "hubbard": {}})]
)
def test_a_request_refuses_them_before_anything_is_built(engine, overrides):
    with pytest.raises(InputError, match=f"of {engine}"):
        calculate.make_request(filler="no-such-filler", polymer="PEO", engine=engine, overrides=overrides)


@pytest.mark.parametrize(
    ("engine", "entry"),
    [("gpaw", {"magmom": {"Gd": 7.0}}), ("gpaw", {"magmoms": {"Gb": 7.0}}), ("vasp", {"potcar": {"Gd": 3}})],
)
def test_a_record_s_wrong_treatment_is_refused_by_its_name(engine, entry):
    record = Library().filler("GdOOH").model_copy(update={"engines": {engine: entry}})
    request = calculate.make_request(filler="GdOOH", polymer="PEO", engine=engine)
    with pytest.raises(
        InputError, match=f"record of the filler GdOOH.*of {engine}|record of the filler GdOOH.*potcars"
    ):
        request.main_engine(record)
