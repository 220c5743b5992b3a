"""Reaction energies: reading a reaction, balance, sums over real calculations of molecules and slabs, and what is refused."""

import json

import numpy as np
import pytest

from iface_wf.api import calculate, files
from iface_wf.cli.main import main
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.errors import InputError, MismatchError
from iface_wf.flows.placements import RankedPlacements
from iface_wf.library.library import Library
from iface_wf.quantities.reactions.collect import reaction_document
from iface_wf.quantities.reactions.equation import MOST_TERMS, parse, unbalanced, written
from iface_wf.quantities.reactions.graph import reaction_graph
from iface_wf.quantities.reactions.request import ReactionRequest
from iface_wf.reports.site.command import run_command
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.store.results import calculation_of
from iface_wf.store.settings import open_store
from tests.tiny_library import write_library

HYDRATION = "C=C + O -> CCO"


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store.sqlite"))


@pytest.fixture
def tiny(tmp_path):
    return Library(write_library(tmp_path / "library"))


def run(reaction, store, tmp_path, **options):
    options = {"engine": "xtb", "search": 0} | options
    return calculate.run(reaction=reaction, store=store, workdir=tmp_path / "runs", **options)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("A + 2 B -> C", [("L1", -1, "A", None), ("L2", -2, "B", None), ("R1", 1, "C", None)]),
        ("  A  \u2192  3   PEO x 2 ", [("L1", -1, "A", None), ("R1", 3, "PEO", 2)]),
        ("[Na+].[Cl-] -> [Na]Cl", [("L1", -1, "[Na+].[Cl-]", None), ("R1", 1, "[Na]Cl", None)]),
        # a bond of charges has plus, minus and arrow signs of its own, without spaces around them
        ("C[N+](C)(C)[O-] -> CN(C)(C)=O", [("L1", -1, "C[N+](C)(C)[O-]", None), ("R1", 1, "CN(C)(C)=O", None)]),
    ],
)
def test_a_reaction_is_read_as_it_is_written(text, read):
    terms = parse(text)
    assert [(term.role, term.factor, term.name, term.units) for term in terms] == read
    assert parse(written(terms)) == terms


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("water", "two sides with an arrow"),
        ("A -> B -> C", "two sides with an arrow"),
        ("A->B", "two sides with an arrow"),
        ("A + -> B", "is empty"),
        ("A + + C -> B", "is empty"),
        (" -> B", "two sides with an arrow"),
        ("0 A -> B", "the number 0 before it, allowed are 1 to 100"),
        ("101 A -> B", "the number 101 before it"),
        ("A -> B + a", "'a' stands on both sides"),
        ("A + a -> B", "'a' stands twice on one side"),
        ("1.5 O -> H", "'1.5 O': before a name stands a whole number from 1 to 100"),
        ("-1 O -> H", "before a name stands a whole number"),
        ("", "two sides with an arrow"),
        ("O\0 -> H", "can be printed"),
        (" + ".join(map(str, "abcdefghijklm")) + " -> n", f"at most {MOST_TERMS} terms"),
    ],
)
def test_what_is_no_reaction_is_said(text, told):
    with pytest.raises(ValueError, match=told):
        parse(text)


def test_balance_counts_numbers_before_terms():
    terms = parse("2 A + B -> C")
    contents = {"L1": {"H": 2.0}, "L2": {"O": 2.0}, "R1": {"H": 4.0, "O": 2.0}}
    assert unbalanced(terms, contents) == {}
    contents["R1"]["O"] = 1.0
    assert unbalanced(terms, contents) == {"O": -1.0}


@pytest.mark.parametrize(
    ("reaction", "told"),
    [
        ("C=C -> CCO", r"not balanced, right minus left is \+2 H, \+1 O: C=C is H4C2, CCO is H6C2O1"),
        ("LiTFSI -> [Li+] + EC", r"'\[Li\+\]' carries a charge of \+1 e.*neutral.*dissociation_energy"),
        ("watre -> O", "did you mean water"),
        ("2 [H][H] + O=O -> 2 O", "'O=O' has 2 unpaired electrons, which xtb would leave out: more than one cannot"),
        ("2 [CH3] -> CC", r"'\[CH3\]' has an unpaired electron, which xtb would leave out: gpaw and vasp treat one"),
        ("EC x 2 -> DMC", "'EC' is a molecule and has no repeat units"),
        ("LiTFSI x 2 -> DMC", "LiTFSI is a salt and has no repeat units"),
        ("SiO2 x 2 -> DMC", "SiO2 is a filler and has no repeat units"),
        ("PEO x 51 -> DMC", "51|50"),
        ("nowhere.xyz -> O", "nowhere.xyz"),
        ("PEO x 20 -> DMC", "more than|at most"),
    ],
)
def test_what_cannot_be_is_one_sentence(reaction, told, capsys):
    assert main(["run", "--reaction", reaction, "--engine", "xtb", "--max-atoms", "100", "--dry-run"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    with pytest.raises(InputError, match=told):
        calculate.run(reaction=reaction, engine="xtb", max_atoms=100, dry_run=True)


def test_options_of_interfaces_are_refused(capsys):
    assert main(["run", "--reaction", HYDRATION, "--filler", "SiO2", "--dry-run"]) == 2
    assert "filler" in capsys.readouterr().err
    assert main(["run", "--reaction", HYDRATION, "--quantities", "binding_energy", "--dry-run"]) == 2
    assert "A reaction has the quantity reaction_energy, not binding_energy." in capsys.readouterr().err
    assert main(["run", "--quantities", "reaction_energy", "--dry-run"]) == 2
    assert "reaction" in capsys.readouterr().err


def test_the_sum_is_that_of_its_terms_and_its_reverse_the_negative(store, tmp_path):
    found = run(HYDRATION, store, tmp_path)
    energies = {term.role: term.energy for term in found.terms}
    assert found.reaction_energy == pytest.approx(energies["R1"] - energies["L1"] - energies["L2"], abs=1e-9)
    # gas phase, 298 K, enthalpies of formation (NIST): -234.8 - 52.5 + 241.8 kJ/mol = -0.47 eV; GFN1-xTB lies far below
    assert -3.0 < found.reaction_energy < 0.0
    assert found.trustworthy
    assert found.uncertainty_parts["geometry"] > 0
    back = run("CCO -> O + C=C", store, tmp_path)
    assert back.reaction_energy == pytest.approx(-found.reaction_energy, abs=1e-6)
    double = run("2 C=C + 2 water -> 2 ethanol", store, tmp_path)
    assert double.reaction_energy == pytest.approx(2 * found.reaction_energy, abs=1e-6)
    assert {piece.key for piece in double.pieces} == {piece.key for piece in found.pieces}, "calculated once for all"


def test_a_cycle_closes(store, tmp_path):
    steps = ["C=C + O -> CCO", "CCO -> COC", "COC -> C=C + O"]
    assert sum(run(each, store, tmp_path).reaction_energy for each in steps) == pytest.approx(0.0, abs=1e-6)


def test_a_second_run_finds_it_and_names_do_not_count(store, tmp_path):
    first = run(HYDRATION, store, tmp_path)
    again = run("C=C   +  water ->  ethanol", store, tmp_path)
    assert again.key == first.key


def test_a_slab_evaporates(store, tiny, tmp_path):
    found = run("water-layer -> 2 O", store, tmp_path, library=tiny, overrides={"fmax": 0.1})
    (slab, gas) = found.pieces
    assert (slab.slab, gas.slab, slab.n_atoms, gas.n_atoms) == (True, False, 6, 3)
    assert found.reaction_energy == pytest.approx(2 * gas.energy - slab.energy, abs=1e-9)
    assert abs(found.reaction_energy) < 1.0, (
        "a layer of parallel molecules of which some are held: a few hydrogen bonds"
    )
    assert found.area == pytest.approx(5.6 * 5.2)


def test_molecules_alone_have_functions_that_reach_farther_and_beside_a_slab_those_of_the_slab(tiny):
    def basis(reaction, library):
        request = ReactionRequest(reaction=reaction, engine="gpaw")
        (item,) = reaction_graph(request, library).items.values()
        return item.maker.engine.defaults().get("energy_shift")

    assert basis(HYDRATION, Library()) == pytest.approx(0.02)
    assert basis("water-layer -> 2 O", tiny) is None


def test_pages_figures_and_files(store, tmp_path, capsys):
    found = run(HYDRATION, store, tmp_path)
    address = str(tmp_path / "store.sqlite")
    text = files.report(found.key, tmp_path / "page", store=store).page.read_text(encoding="utf-8")
    assert "C=C + O -&gt; CCO" in text
    words = "iface-wf run --reaction 'C=C + O -> CCO' --engine xtb --level fast"
    assert run_command(found)[0].startswith(words)
    folder = files.export(found.key, tmp_path / "all", what="all", store=store)
    assert {each.name for each in folder.iterdir()} == {"L1.vasp", "L2.vasp", "R1.vasp"}
    assert main(["best", "--kind", "reaction", "--store", address, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["reaction"] == HYDRATION


def test_screenings_have_reactions(tmp_path, capsys):
    spec = ScreeningSpec(reactions=[HYDRATION, "CCO -> COC"], quantities=("reaction_energy",), engine="xtb")
    (kind,) = spec.kinds()
    assert [request.reaction for request in spec.requests(kind, Library())] == spec.reactions
    for text, told in (
        ("quantities: [reaction_energy]\nengine: xtb\n", "has no reactions"),
        (f"reactions: ['{HYDRATION}']\nfillers: [SiO2]\npolymers: [PEO]\nengine: xtb\n", "reaction_energy among them"),
        (f"reactions: ['{HYDRATION}']\nfillers: [SiO2]\nquantities: [reaction_energy]\n", "'fillers' mean nothing"),
        ("reactions: ['C=C']\nquantities: [reaction_energy]\nengine: xtb\n", "two sides with an arrow"),
    ):
        path = tmp_path / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        assert main(["screen", str(path), "--dry-run", "--store", str(tmp_path / "s.sqlite")]) == 2
        said = capsys.readouterr().err
        assert told in said
        assert "line" in said


def test_a_molecule_that_was_taken_apart_is_found_out(store, tmp_path):
    found = run(HYDRATION, store, tmp_path)
    calculations = {term.role: calculation_of(store, found, term.role) for term in found.terms}
    water = calculations["L2"].atoms_structure
    apart = water.copy()
    apart[[site.specie.symbol for site in apart].index("H")].coords += [2.0, 2.0, 0.0]
    moved = CalculationDocument.model_validate(calculations["L2"].model_dump() | {"structure": apart.as_dict()})
    relaxed = calculations | {"L2": moved}
    built = water.as_dict()
    search = RankedPlacements(structure=apart.as_dict(), built=built, placement=0, ranking=[], engine="none")
    told = {"key": "a" * 64, "reaction": HYDRATION, "pieces": pieces_of(found)}
    whole = reaction_document(calculations, calculations, {}, {}, told)
    assert (whole.reaction_energy, whole.flags) == (pytest.approx(found.reaction_energy), [])
    broken = reaction_document(calculations, relaxed, {}, {"L2": search}, told)
    assert broken.flags == ["dissociated (relax L2)"]
    assert not broken.trustworthy


def test_unlike_settings_are_not_subtracted(store, tmp_path):
    found = run(HYDRATION, store, tmp_path)
    calculations = {term.role: calculation_of(store, found, term.role) for term in found.terms}
    other = calculations["R1"].model_copy(update={"settings": calculations["R1"].settings | {"method": "GFN2-xTB"}})
    told = {"key": "a" * 64, "reaction": HYDRATION, "pieces": pieces_of(found)}
    with pytest.raises(MismatchError, match="method of R1 is 'GFN2-xTB', of L1 'GFN1-xTB'"):
        reaction_document(calculations | {"R1": other}, calculations, {}, {}, told)


def pieces_of(document):
    names = ("role", "name", "units", "factor", "slab")
    return [each.model_dump(include=set(names)) for each in document.pieces]


@pytest.mark.slow
def test_real_gpaw_puts_molecules_on_the_grid_of_the_slab(store, tiny, tmp_path):
    quick = {"engine": "gpaw", "overrides": {"convergence": {"energy": 1e-4, "density": 1e-3}}, "processes": 1}
    found = run("water-layer -> 2 O", store, tmp_path, library=tiny, **quick)
    assert found.converged
    assert abs(found.reaction_energy) < 1.0, (
        "a layer of parallel molecules of which some are held: a few hydrogen bonds"
    )
    steps = [store.query_one({"output.key": term.key})["output"]["settings"]["grid_steps"] for term in found.terms]
    assert np.allclose(steps[0], steps[1], atol=1e-4)
    assert found.uncertainty_parts["basis"] > 0
    assert np.isfinite(found.dispersion_energy)
    molecules = run("O + C -> methanol + [H][H]", store, tmp_path, **quick)
    # CH4 + H2O -> CH3OH + H2: +1.2 eV (enthalpies of formation at 298 K, NIST: -201 + 74.6 + 241.8 kJ/mol)
    assert molecules.reaction_energy == pytest.approx(1.2, abs=0.4)
