"""Dissociation of salts and Li+ at molecules: closed cycles, coordination, and bad input, by real engines."""

import pytest

import iface_wf
from iface_wf.errors import InputError
from iface_wf.library.library import Library

XTB = {"engine": "xtb", "placements": 2, "search": 10, "isomers": 1, "processes": 1}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Results by xTB in one store; LiPF6 and water are rigid, so all of them take the same minima of the pieces."""
    folder = tmp_path_factory.mktemp("salts")

    def run(quantity, **options):
        given = XTB | {"store": str(folder / "s.sqlite"), "workdir": folder}
        return iface_wf.run(quantities=[quantity], **given, **options)

    return run


@pytest.mark.slow
def test_a_thermodynamic_cycle_closes(runs):
    bare = runs("dissociation_energy", salt="LiPF6")
    held = runs("dissociation_energy", salt="LiPF6", molecule="O")
    ion = runs("li_binding_energy", molecule="O")
    pair = runs("pair_binding_energy", molecule="O", salt="LiPF6")
    # bare: pair -> Li+ + PF6-. Round: bind the pair to water, take PF6- away, take Li+ off the water
    around = pair.binding_energy + held.dissociation_energy - ion.li_binding_energy
    assert around == pytest.approx(bare.dissociation_energy, abs=1e-6)
    assert held.dissociation_energy < bare.dissociation_energy  # water holds the ion better than the pair
    # pieces are those of one store: the anion has one energy in both
    assert held.pieces["B"].energy == pytest.approx(bare.pieces["B"].energy, abs=1e-9)
    assert [held.pieces[role].charge for role in "AB"] == [1.0, -1.0]
    assert held.charge == 0.0


def test_taking_apart_is_binding_with_the_other_sign(runs):
    bare = runs("dissociation_energy", salt="LiPF6")
    bound = runs("li_binding_energy", salt="LiPF6")
    assert bare.dissociation_energy == pytest.approx(-bound.li_binding_energy, abs=1e-6)
    assert set(bare.donors.split()) == {"F"}
    assert bare.isomers[0].donors == bare.donors
    assert len(bare.isomers[0].distances) == len(bare.donors.split())
    assert bare.trustworthy
    energies = {term.role: term.energy for term in bare.terms}
    assert energies["A"] + energies["B"] - energies["AB"] == pytest.approx(bare.dissociation_energy, abs=1e-9)


@pytest.mark.slow
def test_lithium_at_a_group_and_where_it_likes_best(runs):
    put = runs("li_binding_energy", molecule="COCCOC", group="[OX2]")
    free = runs("li_binding_energy", molecule="COCCOC")
    assert put.donors == "O"
    assert free.donors == "O O"  # chelate
    assert free.li_binding_energy < put.li_binding_energy - 0.2
    assert put.search is None
    assert free.search.tried > 1


def test_tables_and_titles(runs, capsys):
    from iface_wf.documents.kinds import get_kind

    bare = runs("dissociation_energy", salt="LiPF6")
    held = runs("dissociation_energy", salt="LiPF6", molecule="O")
    ion = runs("li_binding_energy", molecule="O")
    titles = [get_kind(each.document_type).title_of(each) for each in (bare, held, ion)]
    assert titles == ["Dissociation of LiPF6", "Dissociation of LiPF6 at O", "Li+ at O"]
    rows = {row.name: row.value for row in get_kind("dissociation").summary(held)}
    assert rows["dissociation energy"] == held.dissociation_energy


def test_a_spec_makes_salts_alone_and_at_each_molecule():
    from iface_wf.screening.graph import build_screening
    from iface_wf.screening.spec import ScreeningSpec

    spec = ScreeningSpec(
        molecules=["O", {"name": "COC", "group": "[OX2]"}],
        salts=["LiPF6"],
        engine="xtb",
        quantities=["dissociation_energy", "li_binding_energy"],
    )
    names = sorted(item.name for item in build_screening(spec, Library()).items.values())
    assert names == [
        "Li+ at COC ([OX2])",
        "Li+ at O",
        "Li+ at anion of LiPF6",
        "dissociation of LiPF6",
        "dissociation of LiPF6 at COC",
        "dissociation of LiPF6 at O",
    ]


@pytest.mark.parametrize(
    ("quantity", "options", "text"),
    [
        ("dissociation_energy", {}, "salt"),
        ("dissociation_energy", {"salt": "LiTFSX"}, "LiTFSX"),
        ("dissociation_energy", {"salt": "LiTFSI", "engine": "mlip"}, "ML potentials know nothing"),
        ("li_binding_energy", {}, "give what holds Li"),
        ("li_binding_energy", {"molecule": "O", "salt": "LiTFSI"}, "not both"),
        ("li_binding_energy", {"molecule": "O", "reference": "metal"}, "reference 'ion'"),
        ("li_binding_energy", {"molecule": "O", "reference": "atom"}, "reference 'ion'"),
        ("li_binding_energy", {"molecule": "COC", "group": "C#N"}, "matches nothing"),
        ("li_binding_energy", {"molecule": "COC", "group": "[[["}, "cannot be read"),
        ("li_binding_energy", {"salt": "LiTFSI", "group": "O"}, "'group' means nothing"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, quantity, options, text):
    with pytest.raises(InputError, match=text) as raised:
        iface_wf.run(quantities=[quantity], store=str(tmp_path / "s"), dry_run=True, **options)
    assert "\n" not in str(raised.value)
