"""Records are found by any spelling; whatever is wrong with a file is one sentence naming file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from iface_wf.errors import InputError
from iface_wf.library import FillerRecord, Library, MoleculeRecord, PolymerRecord, SaltRecord
from iface_wf.library.library import LIBRARY_VARIABLE, builtin_folder

PEO = "name: My-PEO\ntitle: ether\nsource: own\npsmiles: '*CCO*'\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("fillers", "polymers", "salts", "crystals"):
        (tmp_path / kind).mkdir()
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_every_builtin_record_is_found_by_its_name_and_aliases():
    library = Library()
    kinds = {"filler": FillerRecord, "polymer": PolymerRecord, "molecule": MoleculeRecord, "salt": SaltRecord}
    for kind, model in kinds.items():
        names = library.names(kind)
        assert names
        for name in names:
            record = getattr(library, kind)(name.swapcase())
            assert isinstance(record, model)
            assert record.name == name
            assert all(getattr(library, kind)(alias) is record for alias in record.aliases)


def test_every_builtin_file_names_a_source_that_can_be_looked_up():
    library = Library()
    for kind in ("filler", "polymer", "molecule", "salt"):
        for name in library.names(kind):
            assert any(c.isdigit() for c in getattr(library, kind)(name).source), name
    for path in (builtin_folder() / "crystals").glob("*.cif"):
        assert path.read_text(encoding="utf-8").startswith("#"), path


@pytest.mark.parametrize(("kind", "near"), [("filler", "SiO2"), ("polymer", "PEO"), ("salt", "LiTFSI")])
def test_an_unknown_name_is_answered_with_the_nearest(kind, near):
    with pytest.raises(InputError, match=near):
        getattr(Library(), kind)(near + "x")
    with pytest.raises(InputError, match="kind of record"):
        Library().names("solvent")


def test_own_folder_by_argument_or_environment(folder, monkeypatch):
    write(folder / "polymers" / "x.yaml", PEO)
    assert Library(folder).polymer("MY-peo").psmiles == "*CCO*"
    monkeypatch.setenv(LIBRARY_VARIABLE, str(folder))
    assert "My-PEO" in Library().names("polymer")
    assert "PEO" in Library().names("polymer")


def test_a_folder_that_was_asked_for_must_exist(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        Library(tmp_path / "none")


def test_a_name_cannot_be_given_a_second_meaning(folder):
    path = write(folder / "polymers" / "x.yaml", PEO.replace("My-PEO", "peo"))
    with pytest.raises(InputError, match="both define") as caught:
        Library(folder).polymer("PEO")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("psmiles", "psmile"), "unknown key 'psmile', did you mean 'psmiles'"),
        (("title: ether\n", ""), "the key 'title' is missing"),
        (("'*CCO*'", "'CCO*'"), "'psmiles': .* must have 2"),
        (("'*CCO*'", "'*C(C)(C)(C)(C)C*'"), "RDKit"),
        (("psmiles: '*CCO*'", "units: {A: '*CCO*'}"), "psmiles.*units.*sequence"),
        (("psmiles: '*CCO*'", "units: {A: '*CCO*'}\nsequence: AB"), "'B'"),
        (("psmiles: '*CCO*'", "psmiles: '*CCO*'\ntitle: again"), "written twice"),
        (("psmiles: '*CCO*'", "psmiles: '*CCO*'\ncaps: {heads: 'C*'}"), "did you mean 'head'"),
        (("psmiles: '*CCO*'", "psmiles: '*CCO*'\ndefault_units: 0"), "default_units"),
        (("psmiles: '*CCO*'", "psmiles: '*CCO*'\ncounter_ion: '[Cl-]'"), "cation"),
        (("psmiles: '*CCO*'", "psmiles: '*CCO*'\nfunctional_groups: {ether: '('}"), "SMARTS"),
        (("psmiles: '*CCO*'", "psmiles: !!python/object/apply:os.system ['true']"), "not valid YAML"),
        (("psmiles: '*CCO*'", "psmiles: [unclosed"), "not valid YAML"),
        ((PEO, "- a list"), "mapping"),
        ((PEO, ""), "mapping"),
        (("My-PEO", "../../etc/passwd"), "name"),
    ],
)
def test_a_wrong_file_is_refused_naming_file_and_key(folder, change, message):
    path = write(folder / "polymers" / "x.yaml", PEO.replace(*change))
    with pytest.raises(InputError, match=message) as caught:
        Library(folder).polymer("x")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_files_are_refused(folder):
    path = folder / "polymers" / "x.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        Library(folder).polymer("x")
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="larger"):
        Library(folder).polymer("x")


def test_a_salt_must_be_neutral(folder):
    write(folder / "salts" / "x.yaml", "name: X\ntitle: x\nsource: own\ncation: '[Mg+2]'\nanion: '[Cl-]'\n")
    with pytest.raises(InputError, match="opposite charges"):
        Library(folder).salt("x")


@pytest.mark.parametrize("text", ["", "- list", "name: [", "name: MINE\ntitle: t\nsource: me\npsmiles: CCO\n"])
def test_a_wrong_file_stops_only_those_who_ask_for_it(folder, text):
    path = write(folder / "polymers" / "broken.yaml", text)
    (folder / "polymers" / "folder.yaml").mkdir()
    library = Library(folder)
    assert library.polymer("PEO").psmiles == Library().polymer("PEO").psmiles
    assert "PEO" in library.names("polymer")
    assert library.filler("SiO2").name == "SiO2"
    assert set(library.problems("polymer")) == {"broken", "folder"}
    for name in ("broken", "MINE"):  # the name within the file may be unreadable, so any unknown name tells of it
        with pytest.raises(InputError, match=str(path)):
            library.polymer(name)


def test_a_second_meaning_stops_only_that_name(folder):
    write(folder / "polymers" / "x.yaml", PEO.replace("My-PEO", "peo"))
    assert Library(folder).polymer("PVDF").name == "PVDF"


def test_length_of_a_copolymer_follows_its_sequence(folder):
    text = "name: X\ntitle: x\nsource: own\nunits: {A: '*CC*', B: '*CO*'}\nsequence: AABAB\n"
    write(folder / "polymers" / "x.yaml", text)
    assert Library(folder).polymer("X").default_units == 5
