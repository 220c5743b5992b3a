"""Real CHGNet: what its energies must not depend on, what it cannot do, and that its name is on everything."""

import numpy as np
import pytest
from ase.build import molecule
from pymatgen.core import Lattice, Structure

from iface_wf.builders.solids.disorder import order
from iface_wf.engines.dispersion import PAIRWISE
from iface_wf.engines.mlip import models as mlip_models
from iface_wf.engines.mlip.engine import MlipEngine
from iface_wf.engines.mlip.models import MODELS, known_model, model_name, model_settings, rank_orderings
from iface_wf.engines.walks import Stand, Walk, Walkers
from iface_wf.errors import CalculationError, InputError
from iface_wf.library import Library
from iface_wf.library.crystals import read_crystal
from tests.engines.conftest import boxed

#: eV: single precision of total energies of some hundred eV.
ROUNDING = 2e-4


def calculate(structure, directory, kind="static", **overrides):
    maker = MlipEngine(kind=kind, overrides=overrides)
    return maker.calculate(maker.request(structure, []), directory)


def energy(structure, directory, **overrides):
    return calculate(structure, directory, **overrides).energy


def oxide(height=14.0, bottom=4.0, frozen=0):
    """Two (001) layers of magnesium oxide, the lower atoms frozen where asked for."""
    places = np.array([[x, y, z] for z in (0.0, 2.12) for x, y in ((0, 0), (2.12, 0), (2.12, 2.12), (0, 2.12))])
    species = ["Mg", "O", "Mg", "O", "O", "Mg", "O", "Mg"]
    free = [[i >= frozen] * 3 for i in range(8)]
    return Structure(
        Lattice(np.diag([4.24, 4.24, height]), pbc=(True, True, False)),
        species,
        places + [0.1, 0.2, bottom],
        coords_are_cartesian=True,
        site_properties={"component": ["slab"] * 8, "selective_dynamics": free},
    )


def test_energy_depends_neither_on_order_nor_on_the_place_nor_on_a_rotation(tmp_path):
    slab = oxide()
    reference = energy(slab, tmp_path)
    turned = slab.copy()
    turned.translate_sites(range(8), [0.31, 0.17, 0.0])
    turned = Structure.from_sites(turned.sites[::-1])
    assert energy(turned, tmp_path) == pytest.approx(reference, abs=ROUNDING)
    first, second = boxed(molecule("CH3OH"), 12.0), boxed(molecule("CH3OH"), 12.0)
    for i, site in enumerate(second):
        second[i].coords = site.coords[[1, 2, 0]]
    assert energy(first, tmp_path) == pytest.approx(energy(second, tmp_path), abs=ROUNDING)


def test_energy_does_not_depend_on_the_vacuum(tmp_path):
    """Neither where it is narrower than the cutoff of 6 A, nor where it is wide; so A, B and AB are comparable."""
    slabs = [energy(oxide(height, bottom), tmp_path) for height, bottom in ((6.0, 1.0), (14.0, 4.0), (40.0, 30.0))]
    molecules = [energy(boxed(molecule("H2O"), edge), tmp_path) for edge in (4.0, 12.0, 50.0)]
    assert slabs == pytest.approx([slabs[0]] * 3, abs=ROUNDING)
    assert molecules == pytest.approx([molecules[0]] * 3, abs=ROUNDING)


def test_parts_far_apart_have_the_sum_of_their_energies(tmp_path):
    """In cells of unlike heights: what a binding energy is made of."""
    water = molecule("H2O")
    water.positions += [2.0, 2.0, 20.0]

    def with_water(structure):
        for symbol, position in zip(water.get_chemical_symbols(), water.positions, strict=True):
            free = {"component": "polymer", "selective_dynamics": [True] * 3}
            structure.append(symbol, position, coords_are_cartesian=True, properties=free)
        return structure

    both = with_water(oxide(height=40.0))
    layer = Structure.from_sites(both.sites[8:])  # in the slab's cell: the molecule sees its images
    parts = [energy(part, tmp_path, dispersion="none") for part in (both, oxide(), layer)]
    assert parts[0] == pytest.approx(parts[1] + parts[2], abs=ROUNDING)


def test_forces_are_the_slope_of_the_energy(tmp_path):
    maker = MlipEngine()
    slab = oxide()
    slab.translate_sites([4], [0.0, 0.0, 0.1], frac_coords=False)
    document = maker.calculate(maker.request(slab, []), tmp_path)
    step, energies = 0.01, []
    for sign in (1, -1):
        moved = slab.copy()
        moved.translate_sites([4], [0.0, 0.0, sign * step], frac_coords=False)
        energies.append(energy(moved, tmp_path))
    slope = (energies[0] - energies[1]) / (2 * step)
    assert abs(slope) > 0.1
    assert document.max_force >= abs(slope) - 0.02  # eV/A; rounding of energies and curvature over the step


def test_a_relaxation_lowers_energy_and_forces_and_leaves_frozen_atoms(tmp_path):
    slab = oxide(frozen=4)
    slab.translate_sites([4, 5], [0.0, 0.0, 0.15], frac_coords=False)
    before = calculate(slab, tmp_path)
    after = calculate(slab, tmp_path, kind="relax", fmax=0.05)
    assert after.converged
    assert after.energy < before.energy - 0.01
    assert after.max_force < 0.05 < before.max_force
    relaxed = Structure.from_dict(after.structure)
    assert relaxed.cart_coords[:4] == pytest.approx(slab.cart_coords[:4], abs=1e-9)
    assert relaxed.lattice == slab.lattice


@pytest.mark.slow
def test_the_lattice_of_magnesium_oxide_is_that_of_pbe(tmp_path):
    """PBE: 4.25 A (experiment 4.21 A)."""
    lengths = np.array([4.05, 4.15, 4.25, 4.35, 4.45])
    cells = [Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), ["Mg", "O"], [[0, 0, 0], [0.5] * 3]) for a in lengths]
    energies = [energy(cell, tmp_path, dispersion="none") for cell in cells]
    curve = np.polynomial.Polynomial.fit(lengths, energies, 3)
    minimum = [x.real for x in curve.deriv().roots() if 4.1 < x.real < 4.4]
    assert minimum[0] == pytest.approx(4.25, abs=0.04)


def test_every_document_names_the_model_its_weights_and_the_versions(water, tmp_path, capfd):
    document = calculate(water, tmp_path)
    assert (document.engine, document.functional, document.dispersion) == ("mlip", "CHGNet 0.3.0", "D3(BJ)")
    assert document.engine_version.startswith("chgnet ")
    assert {"chgnet", "torch", "atomate2"} <= set(document.versions)
    assert document.settings["model"] == "CHGNet"
    assert document.settings["weights"] == "0.3.0"
    assert document.energy == pytest.approx(document.electronic_energy + document.dispersion_energy, abs=1e-9)
    assert document.dispersion_energy < 0
    assert capfd.readouterr().out == ""  # the package announces itself there, where results belong
    bare = calculate(water, tmp_path, dispersion="none")
    assert (bare.dispersion, bare.dispersion_energy) == (None, 0.0)
    assert bare.energy == pytest.approx(document.electronic_energy, abs=ROUNDING)


def test_other_weights_are_another_calculation_with_another_name(water, tmp_path):
    keys = {
        MlipEngine(overrides=overrides).request(water, []).key()
        for overrides in ({}, {"weights": "r2scan"}, {"dispersion": "none"}, {"weights": "0.2.0"})
    }
    assert len(keys) == 4
    assert MlipEngine(overrides={"model": "chgnet"}).request(water, []).key() in keys
    document = calculate(water, tmp_path, weights="r2scan")
    assert document.functional == "CHGNet r2scan"
    assert abs(document.energy - energy(water, tmp_path)) > 0.1


def test_all_models_of_atomate2_are_known_and_no_others():
    from atomate2.forcefields.utils import MLFF

    assert set(MODELS) == {m.value for m in MLFF} - {"Forcefield", "MACE"}
    assert known_model("mace") == "MACE-MP-0"


def test_sevennet_is_a_second_model_with_the_weights_of_its_package(water, tmp_path):
    names = {"SevenNet": "7net-0", "sevennet-0": "7net-0", "7net-l3i5": "7net-l3i5", "SevenNet-l3i5": "7net-l3i5"}
    for name, weights in names.items():
        settings = model_settings("fast", {"model": name})
        assert (settings["model"], settings["weights"], settings["dispersion"]) == ("SevenNet", weights, "D3(BJ)")
    keys = {str(MlipEngine(overrides={"model": name}).request(water, []).key()) for name in names}
    assert len(keys) == 2
    document = calculate(water, tmp_path, model="7net-0")
    assert (document.functional, document.dispersion) == ("SevenNet 7net-0", "D3(BJ)")
    assert set(document.dispersion_energies) == set(PAIRWISE)
    # eV: both learned the totals of the same crystals
    assert document.electronic_energy == pytest.approx(calculate(water, tmp_path).electronic_energy, abs=1.0)


def test_arguments_of_other_models_are_written_out_and_named(tmp_path):
    settings = model_settings("fast", {"model": "UPET"})
    assert settings["calculator"] == {"model": "pet-mad-s", "version": "1.5.0"}
    assert "weights" not in settings
    assert model_name(settings) == "UPET pet-mad-s 1.5.0"
    own = model_settings("fast", {"model": "SevenNet", "calculator": {"model": "mine.pth"}})
    assert (model_name(own), own["dispersion"]) == ("SevenNet mine.pth", "none")
    assert model_name(model_settings("fast", {"model": "FAIRChem"})) == "FAIRChem uma-s-1p1"
    weights = tmp_path / "nep.txt"
    hashes = set()
    for content in ("one", "two"):
        weights.write_text(content)
        written = model_settings("fast", {"model": "NEP", "calculator": {"model_filename": str(weights)}})
        assert model_name(written) == "NEP nep.txt"
        hashes.add(written["sha256"]["model_filename"])
    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        ({"model": "CHGNett"}, "did you mean CHGNet"),
        ({"model": "xyzzy"}, "known: .*CHGNet"),
        ({"weights": "9.9"}, "known: 0.2.0, 0.3.0, r2scan"),
        ({"dispersion": "D9"}, "dispersion model 'D9'"),
        ({"model": "MatterSim", "dispersion": "D3(BJ)"}, "settings of CHGNet and SevenNet"),
        (
            {"model": "SevenNet", "calculator": {"model": "x.pth"}, "weights": "7net-0"},
            "settings of CHGNet and SevenNet",
        ),
        ({"model": "SevenNet", "weights": "7net-9"}, "weights of SevenNet.*7net-0"),
        ({"model": "7net-l3i5", "weights": "7net-0"}, "7net-l3i5 has no weights '7net-0'"),
    ],
)
def test_what_is_not_known_is_one_sentence(water, overrides, text):
    with pytest.raises(InputError, match=text):
        MlipEngine(overrides=overrides).request(water, [])


@pytest.mark.parametrize(("model", "install"), [("CHGNet", r"\.\[mlip\]"), ("SevenNet", r"\.\[sevennet\]")])
def test_a_model_whose_package_is_absent_says_what_to_install(water, monkeypatch, tmp_path, model, install):
    monkeypatch.setattr(mlip_models, "find_spec", lambda name: None)
    engine = MlipEngine(overrides={"model": model})
    with pytest.raises(InputError, match=f"not installed: pip install .*{install}"):
        engine.relax(water)
    assert engine.elsewhere().relax(water).maker.engine_name == "mlip"
    with pytest.raises(InputError, match=install):
        calculate(water, tmp_path, model=model)


def test_an_isolated_atom_is_a_flag(tmp_path):
    for kind in ("relax", "static"):
        document = calculate(boxed(molecule("Li"), 8.0), tmp_path, kind=kind)
        assert (document.energy, document.converged, document.trustworthy) == (None, False, False)
        assert document.flags == ["isolated_atoms"]


def test_another_failure_of_the_model_is_an_error_with_its_name(water, tmp_path):
    with pytest.raises(CalculationError, match=r"CHGNet 0\.3\.0 cannot be loaded: .*warp"):
        calculate(water, tmp_path, calculator={"use_device": "warp"})


def test_both_dispersion_energies_are_kept_whatever_was_chosen(water, tmp_path):
    chosen = {model: calculate(water, tmp_path, dispersion=model) for model in (*PAIRWISE, "none")}
    kept = chosen["none"].dispersion_energies
    assert set(kept) == set(PAIRWISE)
    assert chosen["none"].dispersion_energy == 0.0
    for model in PAIRWISE:
        assert chosen[model].dispersion_energies == kept
        assert chosen[model].dispersion_energy == pytest.approx(kept[model], abs=1e-9)  # eV; one place, two ways there


def test_ghosts_densities_and_charges_are_refused(water):
    with pytest.raises(InputError, match="ghost"):
        MlipEngine().request(water, [0])
    with pytest.raises(InputError, match="densities"):
        MlipEngine(densities=["pseudo"]).request(water, [])
    water.properties["charge"] = 1
    with pytest.raises(InputError, match="no charge"):
        MlipEngine().request(water, [])


def compared(walkers, *structures):
    """Relax structures by a step each."""
    stands = dict[int, Stand]()
    walkers.take([Walk(each) for each in structures], [1] * len(structures), 0.05, stands.__setitem__)
    return [stands[i] for i in range(len(structures))]


def test_either_cheap_engine_ranks(run_here):
    bent, straight = molecule("H2O"), molecule("H2O")
    straight.set_angle(1, 0, 2, 150)
    for name in ("xtb", "mlip"):
        walkers = Walkers(name)
        first, second = compared(walkers, boxed(bent, 8.0), boxed(straight, 8.0))
        assert first.energy < second.energy
    assert walkers.method == "CHGNet 0.3.0-D3(BJ)"
    (lonely,) = compared(walkers, boxed(molecule("Li"), 8.0))
    assert lonely.energy is None
    assert "isolated" in lonely.failed
    with pytest.raises(InputError, match="did you mean mlip"):
        Walkers("mlp")


@pytest.mark.slow
def test_orderings_of_a_crystal_are_ranked_by_the_name_of_a_model():
    record = Library().filler("LLZTO")
    rule = record.disorder.model_copy(update={"candidates": 2})
    orderings = order(read_crystal(record.crystal_path), rule, record.oxidation_states)
    ranked = rank_orderings(orderings, "CHGNet")
    energies = [ordering.structure.properties["rerank_energy"] for ordering in ranked]
    assert energies == sorted(energies)
    assert 1e-4 < energies[-1] - energies[0] < 20.0  # eV per cell of 187 atoms: unlike orderings of one crystal
    assert ranked[0].structure.properties["reranked_by"] == "CHGNet 0.3.0"
