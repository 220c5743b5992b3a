"""Reactions where two solids touch, with measured enthalpies of formation as energies, and files that are no list of phases."""

import json

import pytest

from iface_wf.analysis.reactions import reactivity
from iface_wf.cli.main import main
from iface_wf.errors import InputError
from iface_wf.library.entries import PhaseEntry, read_entries
from iface_wf.library.library import Library
from iface_wf.library.volumes import formula_of

KJ = 96.48533  # kJ/mol in 1 eV
#: Enthalpies of formation at 298 K, kJ/mol: CRC Handbook of Chemistry and Physics, standard thermodynamic properties.
ENTHALPIES = {
    "Li": 0.0, "Zr": 0.0, "La": 0.0, "O2": 0.0, "I2": 0.0,
    "Li2O": -597.9, "ZrO2": -1100.6, "La2O3": -1793.7, "LiI": -270.4,
}  # fmt: skip


@pytest.fixture
def entries():
    return [PhaseEntry(composition=formula, energy=energy / KJ) for formula, energy in ENTHALPIES.items()]


@pytest.fixture
def file(tmp_path):
    from pymatgen.entries.computed_entries import ComputedEntry

    path = tmp_path / "entries.json"
    made = [ComputedEntry(formula, energy / KJ).as_dict() for formula, energy in ENTHALPIES.items()]
    path.write_text(json.dumps(made))
    return path


def test_lithium_reduces_zirconium_and_leaves_iodide_alone(entries):
    found = reactivity("ZrO2", "Li", entries)
    assert not found.stable
    assert found.strongest.share == pytest.approx(0.2)  # ZrO2 + 4 Li -> Zr + 2 Li2O
    by_hand = 2 * ENTHALPIES["Li2O"] - ENTHALPIES["ZrO2"]
    assert found.strongest.energy == pytest.approx(by_hand / KJ / 7)
    assert found.strongest.molar == pytest.approx(by_hand / 5, rel=1e-3)
    assert "Zr" in found.strongest.equation
    assert reactivity("LiI", "Li", entries).stable
    oxidised = reactivity("I2", "Li", entries)
    assert oxidised.strongest.energy == pytest.approx(ENTHALPIES["LiI"] / KJ / 2)


def test_which_comes_first_and_other_elements_play_no_part(entries):
    one, other = reactivity("ZrO2", "Li", entries), reactivity("Li", "ZrO2", entries)
    assert one.strongest.energy == pytest.approx(other.strongest.energy)
    assert one.strongest.share == pytest.approx(1 - other.strongest.share)
    assert one.entries == 5  # Li, Zr, O2 and their oxides
    # an element's energy is a zero that falls out
    shifted = [
        e.model_copy(update={"energy": e.energy + 3.0 * e.composition.get("Li", 0.0) - e.composition.get("O", 0.0)})
        for e in entries
    ]
    assert reactivity("ZrO2", "Li", shifted).strongest.energy == pytest.approx(one.strongest.energy)


def test_what_has_no_entry_is_named_and_not_guessed(entries):
    with pytest.raises(InputError, match=r"No entry of Li7La3Zr2O12: its energy is not guessed"):
        reactivity("Li7La3Zr2O12", "Li", entries)
    with pytest.raises(InputError, match="No entry of the element Zr"):
        reactivity("ZrO2", "Li", [e for e in entries if e.formula != "Zr"])
    with pytest.raises(InputError, match="Both solids are LiI"):
        reactivity("LiI", "Li2I2", entries)
    assert reactivity("ZrO2", "Li", entries).remarks == (
        "No compound of Li-Zr is among the entries: what has no entry cannot form here.",
    )
    mixed = [
        e.model_copy(update={"parameters": {"run_type": "GGA+U" if "O" in e.composition else "GGA"}}) for e in entries
    ]
    assert "unlike methods (GGA, GGA+U)" in reactivity("ZrO2", "Li", mixed).remarks[-1]


@pytest.mark.slow
def test_the_command(file, capsys):
    assert main(["reactions", "ZrO2", "lithium metal", "--entries", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["first"], told["second"], told["stable"]) == ("ZrO2", "Li", False)
    assert told["reactions"][0]["share"] == 1.0
    assert main(["reactions", "LiI", "Li", "--entries", str(file)]) == 0
    assert "stable against each other, by 3 entries" in " ".join(capsys.readouterr().out.split())
    assert main(["reactions", "LLZO", "Li", "--entries", str(file)]) == 2
    assert "No entry of Li7La3Zr2O12" in capsys.readouterr().err


def test_corrections_count_and_classes_do_not(tmp_path):
    path = tmp_path / "e.json"
    evil = {"@module": "os", "@class": "system", "composition": {"Li": 2}, "energy": -4.0, "correction": 0.5, "x": 1}
    path.write_text(json.dumps([evil]))
    (entry,) = read_entries(path)
    assert (entry.formula, entry.total) == ("Li", -3.5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no JSON"),
        ("{}", "must be a list"),
        ("[]", "must be a list"),
        ("[1]", "entry 1 must be a mapping"),
        ('[{"composition": "LiI"}]', "energy"),
        ('[{"composition": "LiI", "energy": NaN}]', "energy"),
        ('[{"composition": {"Xx": 1}, "energy": 1}]', "'Xx' is no element"),
        ('[{"composition": {"Li": -1}, "energy": 1}]', "positive numbers"),
        ('[{"composition": "no formula", "energy": 1}]', "composition"),
        ('[{"composition": "", "energy": 1}]', "no formula"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, text, told):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_entries(path)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_names_are_fillers_or_formulas():
    library = Library()
    assert formula_of("LLZO", library) == "Li7La3Zr2O12"
    assert formula_of("Li7La3Zr2O12", library) == "Li7La3Zr2O12"
    assert formula_of("Zr(IO3)4", library) == "ZrI4O12"
    for name in ("PEO", "x" * 500, "Zr(O", "Xx2", "", "../etc"):
        with pytest.raises(InputError) as raised:
            formula_of(name, library)
        assert "\n" not in str(raised.value)
