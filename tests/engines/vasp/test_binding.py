"""Binding energies with VASP: the whole flow, folders calculated by hand, other people's folders, GPAW's densities."""

import json
import subprocess

import numpy as np
import pytest
from pymatgen.core import Structure

from iface_wf.analysis.bader import bader_charges
from iface_wf.analysis.density import difference, difference_profile, unpack, unpack_grid
from iface_wf.analysis.grid import Grid
from iface_wf.analysis.hirshfeld import hirshfeld_charges
from iface_wf.builders.components import select
from iface_wf.cli.main import main
from iface_wf.documents.labels import FRAGMENT_PARTS, SLAB_PARTS
from iface_wf.engines.free_atoms import SOURCE, free_atoms
from iface_wf.engines.vasp.choices import CELL_TAGS, METHOD_TAGS
from iface_wf.engines.vasp.engine import VaspEngine, read_document
from iface_wf.engines.vasp.folders import matching_atoms, read_folder, read_request, write_project
from iface_wf.errors import InputError, MismatchError
from iface_wf.flows.placements import RankedPlacements
from iface_wf.flows.run import run_flow
from iface_wf.library import Library
from iface_wf.quantities.binding.collect import binding_document
from iface_wf.quantities.binding.document import BindingDocument
from iface_wf.quantities.binding.folders import collect_foreign, collect_project
from iface_wf.quantities.binding.maker import BindingEnergyMaker
from iface_wf.quantities.binding.request import BindingRequest
from iface_wf.store.checksum import sealed
from tests.engines.vasp.vasp_fixtures import COARSE, hydrogen_fluoride, interface, lithium_fluoride_slab, third_party

ABOUT = {"key": "k", "filler": "LiF", "surface": "001", "polymer": "HF"}


def frozen_slab():
    """The stand-in's forces would take the slab apart."""
    slab = lithium_fluoride_slab()
    slab.add_site_property("selective_dynamics", [[False] * 3] * 4)
    return slab


def flow():
    engine = VaspEngine(level="moderate", overrides=COARSE)
    maker = BindingEnergyMaker(engine, engine, placements=1)
    return maker.make(frozen_slab(), hydrogen_fluoride(8.0), ABOUT)


def loaded(store, uuid):
    return BindingDocument.model_validate(store.get_output(uuid, load=True))


@pytest.mark.slow
def test_a_flow_gives_all_terms_and_a_second_run_calculates_nothing(vasp, job_store):
    first = flow()
    run_flow(first, job_store, vasp / "work")
    document = loaded(job_store, first.output.uuid)
    assert document.converged, document.flags
    assert (document.engine, document.energy_type) == ("vasp", "extrapolated to zero smearing (e_0_energy)")
    assert document.geometry_engine == "vasp PBE (moderate)"
    assert document.bsse_energy is None  # plane waves
    assert document.binding_energy == document.binding_energy_raw
    total = document.interaction_energy + sum(document.deformation_energy.values())
    assert document.binding_energy == pytest.approx(total, abs=1e-8)
    assert document.binding_energy < 0
    assert document.dispersion_energy < 0
    assert sum(document.charge_transfer.values()) == pytest.approx(0.0, abs=1e-3)
    assert document.density_difference.basis_superposition == "none needed"
    assert abs(document.density_difference.integral) < 1e-3
    assert document.density_difference.displaced_charge > 1e-3  # the stand-in moves some

    # what each run finally used: the parts are as the whole, tag by tag
    used = {d["output"]["role"]: d["output"]["settings"] for d in job_store.query({"name": {"$regex": "^static"}})}
    for name in (*METHOD_TAGS, *CELL_TAGS, "kpoints", "grid"):
        assert len({str(used[role].get(name)) for role in ("AB", "A*", "B*")}) == 1, name

    # three relaxations, five single points, and B relaxed again from what it is in AB: the stand-in leaves A as it was built
    assert len(list((vasp / "work").glob("calc-*"))) == 9
    events = []
    run_flow(flow(), job_store, vasp / "again", events.append)
    assert [e.state for e in events if e.step.startswith(("relax", "static")) and e.state != "started"] == [
        "found"
    ] * 12
    assert not list((vasp / "again").glob("calc-*"))


def test_a_correction_of_one_part_only_is_a_mismatch_that_names_the_key(vasp, monkeypatch):
    """custodian takes the frozen slab, and only it, to projection in reciprocal space."""
    monkeypatch.setenv("STANDIN", "optlay=LiF")
    documents = {}
    for role, structure in (("AB", interface()), ("A*", lithium_fluoride_slab())):
        maker = VaspEngine(level="moderate", overrides=COARSE, role=role)
        like = documents["AB"].settings if role == "A*" else None
        (vasp / role).mkdir()
        documents[role] = maker.calculate(maker.request(structure, [], like), vasp / role)
    assert [c.actions for c in documents["A*"].corrections] == [[{"LREAL": False}]]
    everything = documents | {"A": documents["AB"], "B": documents["AB"], "B*": documents["AB"]}
    placements = RankedPlacements(structure=documents["AB"].structure, placement=0, engine="none")
    with pytest.raises(MismatchError, match=r"LREAL of A\* is False, of AB 'Auto'"):
        binding_document(everything, {}, {}, placements, ABOUT)


@pytest.mark.parametrize(
    ("key", "value"), [("potcar_titles", {"F": "PAW_PBE F_h 07Sep2000"}), ("hubbard", {"F": [1, 4, 0]})]
)
def test_an_element_treated_in_two_ways_is_a_mismatch(vasp, key, value):
    maker = VaspEngine(level="moderate", overrides=COARSE)
    document = maker.calculate(maker.request(hydrogen_fluoride(6.4), []), vasp)
    other = document.model_copy(update={"settings": document.settings | {key: value}})
    placements = RankedPlacements(structure=document.structure, placement=0, engine="none")
    with pytest.raises(MismatchError, match=rf"{key} of F of B\* is"):
        binding_document(dict.fromkeys(("AB", "A", "B", "A*"), document) | {"B*": other}, {}, {}, placements, ABOUT)


def test_request_and_engine_are_one_word(vasp):
    request = BindingRequest(filler="SiO2", polymer="PEO", units=2, engine="vasp", level="moderate")
    engine = request.geometry_engine()
    assert (request.main_engine().engine_name, engine.engine_name, engine.level) == ("vasp", "vasp", "moderate")
    gadolinium = request.main_engine(Library().filler("GdOOH"))
    assert gadolinium.overrides == {"potcars": {"Gd": "Gd_3"}}  # as its record says
    cheap = request.model_copy(update={"level": "fast"}).geometry_engine()
    assert cheap.engine_name == "xtb"


def test_a_flow_is_not_even_built_without_the_potcars(vasp, potcars):
    (potcars / "POT_PAW_PBE_64" / "F" / "POTCAR").unlink()
    with pytest.raises(InputError, match="POTCAR F of release PBE_64 is missing"):
        flow()


# ---- folders -------------------------------------------------------------------------------------------------------


def test_three_folders_of_others_give_their_adsorption_energy(tmp_path, job_store):
    """E(Au16 O) - E(Au16) - E(O) = -39.66260995 + 35.98701212 + 1.57792469 eV (VASP 6.3.2, RPBE)."""
    folders = {
        "A": third_party("slab_static"),
        "B": third_party("mol_static"),
        "AB": third_party("ads_static_1_3"),
    }
    collected = collect_foreign(folders, {"filler": "Au", "surface": "001", "polymer": "O"})
    run_flow(collected, job_store, tmp_path)
    document = loaded(job_store, collected.output.uuid)
    assert document.binding_energy == pytest.approx(-2.09767, abs=1e-4)
    assert document.energy_type == "extrapolated to zero smearing (e_0_energy)"
    assert document.functional == "RPBE"
    assert document.dispersion is None
    assert document.interaction_energy is None
    assert document.deformation_energy == {}
    assert document.area == pytest.approx(8.39735**2, abs=1e-3)
    assert {t.role: t.corrections for t in document.terms} == {"A": 0, "B": 2, "AB": 0}
    # custodian took the atom from the tetrahedron method to Gaussian smearing: told, not hidden
    assert [flag for flag in document.flags if flag.startswith("smearing_differs (B: ISMEAR 0, AB: -5)")]
    assert document.converged


def run_by_hand(folder):
    """What a person does."""
    done = subprocess.run(["vasp_std"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_folders_submitted_by_hand_end_in_the_same_document(vasp, job_store):
    project = vasp / "project"
    structures = {"A": lithium_fluoride_slab(), "B": hydrogen_fluoride(), "AB": interface()}
    folders = write_project(project, structures, "moderate", ABOUT, COARSE)
    assert [folder.name for folder in folders] == ["relax-A", "relax-B", "relax-AB"]
    assert [folder.name for folder in collect_project(project).waiting] == ["relax-A", "relax-B", "relax-AB"]
    for folder in folders:
        run_by_hand(folder)
    written = collect_project(project).written
    assert [f.name for f in written] == ["static-AB", "static-A", "static-B", "static-A-frozen", "static-B-frozen"]
    for folder in written[:4]:
        run_by_hand(folder)
    assert [folder.name for folder in collect_project(project).waiting] == ["static-B-frozen"]
    run_by_hand(written[4])
    state = collect_project(project)
    run_flow(state.flow, job_store, vasp / "store")
    document = loaded(job_store, state.flow.output.uuid)
    assert document.converged, document.flags
    assert (document.filler, document.polymer, document.level) == ("LiF", "HF", "moderate")
    total = document.interaction_energy + sum(document.deformation_energy.values())
    assert document.binding_energy == pytest.approx(total, abs=1e-8)
    assert sum(document.charge_transfer.values()) == pytest.approx(0.0, abs=1e-3)
    assert len(list(job_store.query({"output.document_type": "calculation"}))) == 8
    # what came out is compared with what was built, not with itself
    (collect,) = [job for job, _ in state.flow.iterflow() if job.name == "collect"]
    built = Structure.from_dict(collect.function_kwargs["placements"].built)
    assert np.allclose(built.cart_coords, interface().cart_coords, atol=1e-6)
    # by the same engine in a flow: the numbers of one folder
    flowed = VaspEngine(kind="relax", level="moderate", overrides=COARSE)
    request = flowed.request(structures["B"], [])
    (vasp / "flow").mkdir()
    assert flowed.calculate(request, vasp / "flow").energy == read_folder(project / "relax-B").energy


def test_the_commands_write_and_collect(vasp, capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    store = str(vasp / "store.sqlite")
    wanted = ["build", "--filler", "SiO2", "--polymer", "PEO", "--units", "1", "--write-inputs", "vasp", "project"]
    assert main(wanted) == 0
    assert capfd.readouterr().out.split() == ["project/relax-A", "project/relax-B", "project/relax-AB"]
    assert (vasp / "project" / "relax-AB" / "POTCAR").stat().st_size > 0
    assert main(["collect", "project", "--store", store, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["waiting"] == ["project/relax-A", "project/relax-B", "project/relax-AB"]
    named = [("--slab", "slab_static"), ("--molecule", "mol_static"), ("--interface", "ads_static_1_3")]
    arguments = [str(word) for option, name in named for word in (option, third_party(name))]
    assert main(["collect", *arguments, "--filler", "Au", "--polymer", "O", "--store", store, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["binding_energy"] == pytest.approx(-2.09767, abs=1e-4)
    assert main(["results", "--store", store, "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["rows"][0]["binding_energy"] == pytest.approx(-2.09767, abs=1e-4)
    for wrong, words in (
        (["collect"], "Give the folder of a project"),
        (["collect", "project", "--slab", "x"], "Give the folder of a project"),
        (["collect", str(vasp)], "was not written by iface-wf build --write-inputs"),
        ([*wanted[:-2], "vsap", "other"], "did you mean vasp"),
        (wanted, "is not empty"),
    ):
        assert main(wrong) == 2
        assert words in capfd.readouterr().err


def test_without_potcars_their_names_are_written(tmp_path, monkeypatch):
    monkeypatch.delenv("IFACE_WF_VASP_POTCARS", raising=False)
    monkeypatch.setattr("iface_wf.engines.vasp.installation.SETTINGS", {})
    structures = {"A": lithium_fluoride_slab(), "B": hydrogen_fluoride(), "AB": interface()}
    write_project(tmp_path / "project", structures, "precise", ABOUT)
    for name in ("relax-A", "relax-B", "relax-AB"):
        written = {path.name for path in (tmp_path / "project" / name).iterdir()}
        assert written == {"INCAR", "KPOINTS", "POSCAR", "POTCAR.spec", "iface-wf.json"}
    assert (tmp_path / "project" / "relax-AB" / "POTCAR.spec").read_text() == "Li_sv\nH\nF\n"
    with pytest.raises(InputError, match="is not empty"):
        write_project(tmp_path / "project", structures, "precise", ABOUT)


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    with pytest.raises(InputError, match="was not written by iface-wf build --write-inputs"):
        collect_project(tmp_path)


@pytest.mark.parametrize(("old", "new"), [(b'"role"', b'"r\xaele"'), (b'"role"', b'"rolf"'), (b"6", b"7"), (b"}", b"")])
def test_a_changed_byte_in_our_notes_is_seen(tmp_path, old, new):
    request = VaspEngine(level="moderate", overrides=COARSE).request(hydrogen_fluoride(8.0), [])
    path = tmp_path / "iface-wf.json"
    path.write_text(sealed(request.model_dump_json(indent=1)))
    assert read_request(tmp_path).settings == request.settings
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(InputError, match="is damaged"):
        read_request(tmp_path)


def test_a_slab_is_found_again_in_the_interface():
    whole, part = interface(), lithium_fluoride_slab()
    shuffled = Structure.from_sites([whole[i] for i in (5, 3, 0, 4, 2, 1)])
    shuffled.translate_sites(range(6), [0.0, 0.0, 0.3 / 17.6])
    found = matching_atoms(shuffled, part)
    assert sorted(shuffled.site_properties["component"][i] for i in found) == ["slab"] * 4
    with pytest.raises(MismatchError, match="is not a part of"):
        matching_atoms(part, whole)


# ---- densities of GPAW ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_densities_give_the_same_by_files_and_by_arrays(vasp):
    """The fast twin of the test below: densities of atoms and a little charge moved between them."""
    structures, arrays = {}, {}
    whole = interface()
    parts = {"AB": whole, "A*": select(whole, *SLAB_PARTS), "B*": select(whole, *FRAGMENT_PARTS)}
    requests = vasp_folders(vasp, parts, {})
    shape = requests["AB"].settings["grid"]
    for role, structure in parts.items():
        arrays[role] = invented_densities(structure, shape)
        structures[role] = structure
    compare_routes(vasp, requests, structures, arrays)


@pytest.mark.slow
def test_densities_of_gpaw_give_the_same_by_vasp_s_files_and_by_gpaw_s_arrays(vasp):
    """Water on hydrogen fluoride, as GPAW calculates them; the files hold its densities in VASP's formats."""
    from tests.engines.gpaw.gpaw_densities import densities, hydrogen_bond

    whole = hydrogen_bond()
    parts = {"AB": whole, "A*": select(whole, *SLAB_PARTS), "B*": select(whole, *FRAGMENT_PARTS)}
    found = {role: densities(structure) for role, structure in parts.items()}
    arrays = {role: fields for role, (fields, _) in found.items()}
    shape = arrays["AB"][0].shape
    fixed = {f"NG{axis}{fine}": n for axis, n in zip("XYZ", shape, strict=True) for fine in ("", "F")}
    requests = vasp_folders(vasp, parts, fixed)
    documents = compare_routes(vasp, requests, parts, arrays)
    for role, (_, by_gpaw) in found.items():
        # GPAW's route divides the density with core; what a 1s shell has outside of its own basin is below 1e-5 e
        assert documents[role].charges["bader"].net_charges == pytest.approx(by_gpaw.net_charges, abs=1e-5)
        # cores count for GPAW and not for VASP, and a grid of 0.1 A does not integrate them: 0.005 e seen
        valence, core = arrays[role]
        structure = parts[role]
        with_core = Grid(valence + core, structure.lattice.matrix, structure.lattice.pbc)
        own = hirshfeld_charges(with_core, structure, free_atoms(structure.symbol_set), SOURCE)
        found_by_files = documents[role].charges["hirshfeld"]
        assert found_by_files.net_charges == pytest.approx(own.net_charges, abs=0.01)
        assert sum(found_by_files.net_charges) == pytest.approx(0.0, abs=1e-3)
        assert found_by_files.free_atoms == SOURCE


def vasp_folders(root, parts, overrides):
    """Let the stand-in make complete folders, whose densities are replaced afterwards."""
    requests, like = {}, None
    for role, structure in parts.items():
        maker = VaspEngine(
            level="moderate", overrides=COARSE | overrides, densities=["valence", "all_electron"], role=role
        )
        requests[role] = maker.request(structure, [], like)
        folder = root / role.replace("*", "-frozen")
        folder.mkdir()
        document = maker.calculate(requests[role], folder)
        like = like or document.settings
    return requests


def invented_densities(structure, shape):
    """Return valence and core density, e/A^3, shape of the grid: Gaussians, some charge moved towards z."""
    valence, core = np.zeros(shape), np.zeros(shape)
    axes = [np.arange(n) / n for n in shape]
    volume = structure.volume / np.prod(shape)
    for site in structure:
        delta = np.stack(
            np.meshgrid(*[(x - f + 0.5) % 1 - 0.5 for x, f in zip(axes, site.frac_coords, strict=True)], indexing="ij"),
            -1,
        )
        r2 = ((delta @ structure.lattice.matrix) ** 2).sum(axis=-1)
        z = site.specie.Z
        for field, amount, width in (
            (valence, {1: 1, 3: 3, 9: 7}[z], 0.24 if z == 1 else 0.34),
            (core, max(z - 7, 0), 0.25),
        ):
            bell = np.exp(-r2 / (2 * width**2))
            field += amount * bell / (bell.sum() * volume)
    return valence * (
        1 + 0.02 * len(structure) * (valence / valence.max() - (valence**2).sum() / valence.sum() / valence.max())
    ), core


def compare_routes(root, requests, structures, arrays):
    """Write the densities as CHGCAR, AECCAR0 and AECCAR2, read the folders, and compare with the arrays."""
    documents, chargs = {}, {}
    for role, (valence, core) in arrays.items():
        folder = root / role.replace("*", "-frozen")
        write_density(folder / "CHGCAR", valence, occupancies=True)
        write_density(folder / "AECCAR0", core, occupancies=False)
        write_density(folder / "AECCAR2", valence, occupancies=False)
        documents[role] = read_document(folder, requests[role])
        grids = [
            Grid(a, structures[role].lattice.matrix, structures[role].lattice.pbc) for a in (valence, valence + core)
        ]
        chargs[role] = bader_charges(
            grids[0], structures[role], kind="valence", valence_electrons=valences(structures[role]), reference=grids[1]
        )
        largest = valence.max()
        stored = unpack(documents[role].densities["valence"])
        assert np.abs(stored - valence).max() < 1e-7 * largest  # float32: 6e-8 of each value
        # e: what the digits of the files leave, as the electrons of the file are those that count
        assert documents[role].charges["bader"].net_charges == pytest.approx(chargs[role].net_charges, abs=5e-6)
    direct = difference(
        *(Grid(arrays[r][0], structures["AB"].lattice.matrix, structures["AB"].lattice.pbc) for r in ("AB", "A*", "B*"))
    )
    isolated = {"A": documents["A*"], "B": documents["B*"]}  # stand for the relaxed parts
    document = binding_document(
        documents | isolated,
        {},
        {},
        RankedPlacements(structure=structures["AB"].as_dict(), placement=0, engine="none"),
        ABOUT,
    )
    stored = document.density_difference
    largest = max(float(valence.max()) for valence, _ in arrays.values())
    assert np.abs(unpack_grid(stored.density).values - direct.values).max() < 2e-7 * largest
    profile = difference_profile(direct)
    area = document.area
    assert np.abs(np.array(stored.delta_rho_z) - profile.delta_rho_z).max() < 2e-7 * largest * area
    assert stored.displaced_charge == pytest.approx(profile.displaced_charge, rel=1e-4, abs=1e-5)
    assert stored.displaced_charge > 1e-3
    labels = structures["AB"].site_properties["component"]
    for part, own in (("A", SLAB_PARTS), ("B", FRAGMENT_PARTS)):
        in_whole = sum(q for q, label in zip(chargs["AB"].net_charges, labels, strict=True) if label in own)
        transfer = in_whole - sum(chargs[f"{part}*"].net_charges)
        found = sum(document.charge_transfer.get(component, 0.0) for component in own)
        assert found == pytest.approx(transfer, abs=1e-5), part
    return documents


def valences(structure):
    return {symbol: {"H": 1, "Li": 3, "O": 6, "F": 7}[symbol] for symbol in {s.specie.symbol for s in structure}}


def write_density(path, values, occupancies):
    """Put a density, e/A^3, behind the header of a file that the stand-in wrote."""
    lines = path.read_text().split("\n")
    head = lines[: lines.index("") + 1]
    cell = np.array([[float(x) for x in line.split()] for line in lines[2:5]])
    flat = (values * abs(np.linalg.det(cell))).flatten(order="F")
    body = [" ".join(f"{x:.11E}" for x in flat[i : i + 5]) for i in range(0, len(flat), 5)]
    atoms = sum(int(n) for n in lines[6].split()) if occupancies else 0
    tail = [f"augmentation occupancies {i + 1} 1\n 0.1000000E+00" for i in range(atoms)]
    path.write_text("\n".join([*head, " ".join(str(n) for n in values.shape), *body, *tail]) + "\n")
