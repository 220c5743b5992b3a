"""Adhesion of two solids: which translations are distinct, what must not matter, closed cycles, and whole runs by xTB and CHGNet."""

import json
import re

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.api import calculate
from iface_wf.builders.edges import area_of
from iface_wf.builders.solids.stacks import Layer, build_stack
from iface_wf.builders.solids.translations import distinct_translations, halves, laid
from iface_wf.cli.main import main
from iface_wf.documents.kinds import get_kind
from iface_wf.engines.mlip.engine import MlipEngine
from iface_wf.engines.walks import Walk, Walkers
from iface_wf.errors import InputError
from iface_wf.flows.search.translations import TranslationSearch, find_translation
from iface_wf.library.library import Library
from iface_wf.quantities.adhesion.collect import gap_of
from iface_wf.quantities.adhesion.document import JOULE
from iface_wf.quantities.surface.faces import crystal_of
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.store.results import find_result
from iface_wf.store.settings import open_store
from tests.tiny_library import write_library, write_rock_salt

ASKED = {"quantities": ("work_of_adhesion",)}


@pytest.mark.parametrize(
    ("lower", "upper", "cell_of_sums"),
    [
        ([[1, 0], [0, 1]], [[1, 0], [0, 1]], 1.0),
        ([[2, 0], [0, 2]], [[3, 0], [0, 3]], 1 / 36),
        ([[1, 2], [-2, 1]], [[2, 2], [-2, 2]], 1 / 40),
        ([[2, 0], [0, 1]], [[4, 0], [0, 1]], 1 / 4),
        ([[1, 0], [0, 1]], [[-3, 1], [-1, -3]], 1 / 10),
    ],
)
def test_translations_span_the_sums_of_both_lattices(lower, upper, cell_of_sums):
    cell = np.array([[9.0, 0.0], [1.0, 8.0]])
    grid = np.array(distinct_translations(cell, lower, upper, 4))
    assert len(grid) == 16
    assert grid[0] == pytest.approx([0, 0])
    first = grid[4] if np.linalg.norm(grid[4]) else grid[1]
    assert np.linalg.norm(first) > 0
    own = np.vstack([np.linalg.inv(lower), np.linalg.inv(upper)])  # vectors of both solids, in fractions
    basis = 4.0 * np.array([_small(grid[4], 4), _small(grid[1], 4)])
    assert abs(np.linalg.det(basis)) == pytest.approx(cell_of_sums)
    whole = own @ np.linalg.inv(basis)
    assert whole == pytest.approx(np.rint(whole), abs=1e-9)  # each of them is a sum of basis vectors


def _small(fractions, count):
    """Undo the wrapping of a grid step into the cell."""
    return fractions - np.rint(fractions)


@pytest.fixture(scope="module")
def iodide():
    """Two slabs of lithium iodide, three layers each, in one cell."""
    layers = [Layer(Library().filler("LiI"), None, 6.0)] * 2
    stack = build_stack(layers)
    repeats = [layer["repeats"] for layer in stack.properties["layers"]]
    lower, upper = halves(stack, 2.5)
    return lower, upper, distinct_translations(stack.lattice.matrix[:2, :2], *repeats, 2)


@pytest.fixture(scope="module")
def cohesion(iodide):
    lower, upper, translations = iodide
    return find_translation(lower, upper, TranslationSearch(MlipEngine(), translations))


@pytest.mark.slow
def test_taking_a_crystal_apart_costs_two_surface_energies(iodide, cohesion):
    lower, _, _ = iodide
    crystal = crystal_of(Library().filler("LiI"), 0)
    walks = [Walk(lower), Walk(crystal)]
    Walkers(MlipEngine()).take(walks, [0, 0], 0.05, lambda index, stand: None)
    slab, bulk = (walk.stand.energy for walk in walks)
    surface = (slab - len(lower) / len(crystal) * bulk) / (2 * area_of(lower))
    best = cohesion.ranking[0]
    assert best["translation"] == pytest.approx([0.5, 0.5])  # anions over cations
    assert best["work"] == pytest.approx(2 * surface, rel=0.05)
    assert 0.1 < JOULE * surface < 0.5
    assert best["gap"] == pytest.approx(3.0, abs=0.3)  # half the lattice constant


def test_ions_over_like_ions_stick_least(cohesion):
    assert {tuple(entry["translation"]): entry["work"] for entry in cohesion.ranking}[(0.0, 0.0)] == min(
        entry["work"] for entry in cohesion.ranking
    )


def _upside_down(slab):
    turned = slab.copy()
    height = slab.lattice.c
    for site in turned:
        x, y, z = site.coords
        site.coords = (x, y, height - z)
    return turned


def test_upside_down_and_elsewhere_in_the_plane_is_the_same(iodide, cohesion):
    lower, upper, translations = iodide
    turned = find_translation(
        _upside_down(upper), _upside_down(lower), TranslationSearch(MlipEngine(), [translations[3]])
    )
    (best,) = (entry for entry in cohesion.ranking if entry["placement"] == 3)
    assert turned.ranking[0]["work"] == pytest.approx(best["work"], abs=2e-4)
    moved = [part.copy() for part in (lower, upper)]
    for part in moved:
        part.translate_sites(range(len(part)), [0.3, 0.2, 0.0], frac_coords=True, to_unit_cell=False)
    search = TranslationSearch(MlipEngine(), translations)
    assert search.key(*moved) == search.key(lower, upper)
    assert search.key(lower, moved[1]) != search.key(lower, upper)  # one of them alone moves against the other
    again = find_translation(*moved, TranslationSearch(MlipEngine(), [translations[3]]))
    assert again.ranking[0]["work"] == pytest.approx(best["work"], abs=2e-4)


def test_laid_on_each_other_both_keep_their_shape_and_labels():
    lattice = Lattice(np.diag([3.0, 4.0, 32.0]), pbc=(True, True, False))
    lower = Structure(lattice, ["Li", "F"], [[0, 0, 6], [1, 1, 8]], coords_are_cartesian=True)
    upper = Structure(lattice, ["Li"], [[0, 0, 20]], coords_are_cartesian=True)
    stack = laid(lower, upper, (0.5, 0.25), 2.0)
    assert stack.site_properties["component"] == ["slab", "slab", "partner"]
    assert stack[2].coords == pytest.approx([1.5, 1.0, 10.0])
    assert gap_of(stack) == pytest.approx(2.0)


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """Two layers of small molecules on each other by xTB: the whole flow in seconds."""
    folder = tmp_path_factory.mktemp("adhesion")
    library = Library(write_library(folder / "library"))
    store = open_store(str(folder / "s.sqlite"))
    request = calculate.make_request(
        filler="water-layer", partner="HF-layer", engine="xtb", geometry="xtb", vacuum=6.0, shifts=2,
        overrides={"fmax": 0.1}, max_strain=0.06, **ASKED,
    )  # fmt: skip
    plan = calculate.plan(request, store, library)
    document, uuid = calculate.run_stored(request, store, folder / "runs", library)
    return document, uuid, store, folder, plan, library, request


@pytest.mark.slow
def test_the_cycle_closes(layers):
    document, uuid, store, *_ = layers
    energies = {term.role: term.energy for term in document.terms}
    work = JOULE * (energies["A"] + energies["B"] - energies["AB"]) / document.area
    rigid = JOULE * (energies["A*"] + energies["B*"] - energies["AB"]) / document.area
    assert document.work_of_adhesion == pytest.approx(work, abs=1e-9)
    assert document.work_of_separation_rigid == pytest.approx(rigid, abs=1e-9)
    gained = sum(document.deformation_energy.values())
    assert (rigid - work) * document.area / JOULE == pytest.approx(gained, abs=1e-6)
    assert document.work_of_adhesion_ev * JOULE == pytest.approx(document.work_of_adhesion)
    assert 0 < document.work_of_adhesion <= document.work_of_separation_rigid
    assert document.trustworthy
    stored = find_result(store, uuid).document
    assert stored.model_dump(mode="json") == document.model_dump(mode="json")


def test_all_translations_are_kept_and_the_lowest_is_taken(layers):
    document = layers[0]
    energies = [each.energy for each in document.translations]
    assert len(energies) == 4
    assert energies[0] == 0
    assert energies == sorted(energies)
    assert energies[-1] > 0
    works = [each.work for each in document.translations]
    assert works == sorted(works, reverse=True)
    # what is relaxed cannot stick less than what is rigid, but for what the slabs apart are
    assert document.work_of_separation_rigid > works[0] - 0.02


def test_the_strain_of_the_upper_one_is_told_and_flagged(layers):
    document = layers[0]
    lower, upper = document.solids["A"], document.solids["B"]
    assert lower.strains == (0.0, 0.0)
    strain = 5.6 / 5.5 - 1
    assert max(map(abs, upper.strains)) == pytest.approx(strain, abs=1e-6)
    assert document.max_strain == pytest.approx(strain, abs=1e-6)
    assert not [flag for flag in document.flags if flag.startswith("strained")]  # 1.8 %, less than what is flagged
    assert (lower.name, upper.name, document.partner) == ("water-layer", "HF-layer", "HF-layer")


def test_the_plan_lists_what_ran_and_is_empty_afterwards(layers):
    _, _, store, _, plan, library, request = layers
    names = [step["step"] for step in plan]
    assert names[:6] == ["relax A", "relax B", "static A", "static B", "search AB", "relax AB"]
    assert {"static A*", "static B*", "relax A from AB", "relax B from AB"} <= set(names)
    assert all(step["core_hours"] is None or step["core_hours"] > 0 for step in plan)
    assert calculate.plan(request, store, library) == []
    other = request.model_copy(update={"shifts": 1})
    assert calculate.plan(other, store, library)


@pytest.mark.slow
def test_tables_pages_and_commands_show_it(layers, capsys, monkeypatch):
    document, _, _, folder, *_ = layers
    where = ["--store", str(folder / "s.sqlite")]
    assert main(["results", "--kind", "adhesion", "--json", *where]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["work_of_adhesion"] == pytest.approx(document.work_of_adhesion)
    assert main(["best", "--kind", "adhesion", "--figure", str(folder / "best.png"), *where]) == 0
    assert main(["show", document.key[:8], *where]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "positive = sticks" in text
    assert "rigid work of separation" in text
    assert main(["report", document.key[:8], "--out", str(folder), *where]) == 0
    page = next(folder.glob("*.html")).read_text(encoding="utf-8")
    assert "Translations of B over A" in page
    assert "data:image/png;base64" in page
    assert main(["report", "--kind", "adhesion", "--out", str(folder / "pages"), *where]) == 0
    capsys.readouterr()
    kind = get_kind("adhesion")
    assert kind.title_of(document) == "water-layer | HF-layer"
    assert kind.figure(document) is not None
    assert kind.figure(document.model_copy(update={"translations": document.translations[:1]})) is None


def test_the_best_stick_most(layers):
    from iface_wf.screening.state import ranked_keys

    document, uuid, store, *_ = layers
    worse = document.model_copy(update={"key": "e" * 64, "work_of_adhesion": document.work_of_adhesion / 2})
    entry = store.query_one({"uuid": uuid})
    store.update([{**entry, "uuid": "made-up", "output": worse.model_dump(mode="json")}], key=["uuid", "index"])
    try:
        keys = [worse.key, document.key]
        assert ranked_keys(store, get_kind("adhesion"), keys) == [document.key, worse.key]
        from iface_wf.store.results import result_table

        assert list(result_table(store, get_kind("adhesion"))["key"]) == [document.key, worse.key]
    finally:
        store.remove_docs({"uuid": "made-up"})


def test_a_screening_lays_each_partner_on_each_filler(layers, tmp_path, monkeypatch, capsys):
    _, _, _, folder, *_ = layers
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(folder / "library"))
    spec = {
        "fillers": ["water-layer"], "partners": ["HF-layer", "water-layer"], "quantities": ["work_of_adhesion"],
        "engine": "xtb", "geometry": "xtb", "vacuum": 6.0, "shifts": 2, "overrides": {"fmax": 0.1}, "max_strain": 0.06,
    }  # fmt: skip
    checked = ScreeningSpec.model_validate(spec)
    assert checked.n_pairs == 2
    path = tmp_path / "spec.yaml"
    path.write_text(json.dumps(spec))
    assert main(["screen", str(path), "--store", str(folder / "s.sqlite"), "--workdir", str(folder / "runs")]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "1 found in the store" in told  # the same result as that of `run`
    assert "water-layer on water-layer is one crystal" in told
    with pytest.raises(ValueError, match="no partners"):
        ScreeningSpec.model_validate(spec | {"partners": []})


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"filler": "LiI", "partner": "lithium iodide"}, "LiI on LiI is one crystal"),
        ({"filler": "LiI", "partner": "PEO"}, "PEO is a polymer, and adhesion is between two solids"),
        ({"filler": "LiTFSI", "partner": "LiI"}, "LiTFSI is a salt"),
        ({"filler": "LiI", "partner": "Lii2"}, "Lii2"),
        ({"filler": "LiI", "partner": "Li", "max_strain": 0.001}, "LiI | Li: No common cell up to 400"),
        ({"filler": "LiI", "partner": "Li", "max_atoms": 20}, "atoms, at most 20 are allowed"),
        ({"filler": "LiI", "partner": "Li", "surface": "nonsense"}, "'nonsense' are not Miller indices"),
        ({"filler": "LiI", "partner": "Li", "partner_surface": "000"}, "are no plane"),
        ({"filler": "LiI", "partner": "Li", "max_strain": 0.5}, "max_strain"),
        ({"filler": "LiI", "partner": "Li", "shifts": 0}, "shifts"),
        ({"filler": "LiI", "partner": "Li", "geometry": "gpaw"}, "gpaw"),
        ({"filler": "LiI", "partner": "Li", "polymer": "PEO"}, "polymer"),
        ({"filler": "LiI"}, "partner"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, options, text):
    with pytest.raises(InputError) as raised:
        calculate.plan(calculate.make_request(**options, **ASKED), open_store(str(tmp_path / "s.sqlite")))
    assert re.search(re.escape(text), str(raised.value))
    assert "\n" not in str(raised.value)


def test_atom_centred_functions_get_ghosts_and_both_slabs_the_cell_of_the_whole(tmp_path):
    request = calculate.make_request(filler="LiI", partner="Li", engine="gpaw", thickness=3.0, partner_thickness=3.0,
                                     **ASKED)  # fmt: skip
    assert request.geometry == "mlip"
    graph = get_kind("adhesion").graph(request, Library(), here=False)
    lower, upper = (part.structure for part in graph.parts.values())
    assert np.array_equal(lower.lattice.matrix, upper.lattice.matrix)
    names = [job.name for job, _ in graph.flow("f").iterflow()]
    assert {"static A* in AB basis", "static B* in AB basis"} <= set(names)
    part = next(iter(graph.parts.values()))
    assert (part.relax.engine_name, part.static.engine_name) == ("mlip", "gpaw")
    # one metal makes both parts' k-points those of a metal
    meshes = {str(each.static.request(each.structure, [], None).settings["kpoints"]) for each in graph.parts.values()}
    assert len(meshes) == 1


@pytest.mark.slow  # single points of GPAW on eight atoms and on both halves, alone and with ghosts
def test_ions_over_counterions_by_gpaw_with_its_basis_corrected(tmp_path):
    library = Library(write_library(tmp_path / "library"))
    for name, length, anion in (("LiF", 4.03, "F"), ("LiH", 4.08, "H")):
        write_rock_salt(tmp_path / "library", name, length, anion)
    request = calculate.make_request(
        filler="LiF", partner="LiH", engine="gpaw", thickness=2.0, partner_thickness=2.0, vacuum=6.0, shifts=2,
        overrides={"kpoint_length": 3, "grid_spacing": 0.25}, processes=1, **ASKED,
    )  # fmt: skip
    document, _ = calculate.run_stored(request, open_store(str(tmp_path / "s.sqlite")), tmp_path / "runs", library)
    energies = {term.role: term.energy for term in document.terms}
    raw = JOULE * (energies["A"] + energies["B"] - energies["AB"]) / document.area
    assert document.bsse_work > 0
    assert document.work_of_adhesion == pytest.approx(raw - document.bsse_work)
    assert 0.2 < document.work_of_adhesion < 2.0
    # two layers of A end as B, which begins as A did, goes on
    assert document.translations[0].fractions == pytest.approx((0.0, 0.0))
    assert document.translations[-1].fractions == pytest.approx((0.5, 0.5))
    assert document.geometry_engine.startswith("mlip")
