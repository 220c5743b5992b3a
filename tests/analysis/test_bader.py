from __future__ import annotations

import os

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from iface_wf.analysis import bader
from iface_wf.analysis.bader import bader_charges
from iface_wf.analysis.bader_domains import find_maxima, share, threads_to_use
from iface_wf.analysis.bader_weights import voronoi_facets
from iface_wf.analysis.charges import charge_transfer
from iface_wf.analysis.grid import Grid
from iface_wf.errors import CalculationError, InputError, MismatchError

HEXAGONAL = np.array([[4.0, 0, 0], [-2.0, 2.0 * np.sqrt(3), 0], [0, 0, 5.0]])
TRICLINIC = np.array([[3.0, 0.3, 0.2], [0.8, 3.2, -0.2], [-0.4, 0.5, 3.5]])
FCC = 2.0 * np.array([[0, 1.0, 1.0], [1.0, 0, 1.0], [1.0, 1.0, 0]])
BCC = 2.0 * np.array([[-1, 1.0, 1.0], [1.0, -1, 1.0], [1.0, 1.0, -1]])


def atoms_density(structure, shape, electrons, width):
    """Superposed periodic Gaussians, one per atom, summed as Fourier series."""
    n = np.stack(np.meshgrid(*[np.fft.fftfreq(m, 1 / m) for m in shape], indexing="ij"), axis=-1)
    g2 = ((2 * np.pi * n @ np.linalg.inv(structure.lattice.matrix).T) ** 2).sum(-1)
    series = sum(q * np.exp(-2j * np.pi * n @ site.frac_coords) for site, q in zip(structure, electrons, strict=True))
    return np.fft.ifftn(series * np.exp(-g2 * width**2 / 2)).real * (np.prod(shape) / structure.volume)


def two_helium(lattice=HEXAGONAL, positions=((0.1, 0.2, 0.25), (0.6, 0.7, 0.75)), **properties):
    return Structure(Lattice(lattice), ["He", "He"], positions, site_properties=properties)


@pytest.mark.parametrize(
    ("steps", "neighbours"), [(np.eye(3), 6), (HEXAGONAL, 8), (FCC, 12), (BCC, 14), (TRICLINIC, 14)]
)
def test_facets_close_the_cell_of_a_grid_point(steps, neighbours):
    """Pyramids from the point to the facets fill the cell, and facets come in opposite pairs."""
    steps = 0.1 * np.asarray(steps)
    offsets, ratios = voronoi_facets(steps)
    assert len(offsets) == neighbours
    distance2 = ((offsets @ steps) ** 2).sum(-1)
    assert (ratios * distance2).sum() / 6 == pytest.approx(abs(np.linalg.det(steps)), rel=1e-9)
    pairs = {tuple(o): r for o, r in zip(offsets, ratios, strict=True)}
    assert all(pairs[tuple(-o)] == pytest.approx(r, rel=1e-9) for o, r in zip(offsets, ratios, strict=True))


def test_facets_do_not_depend_on_how_the_lattice_is_described():
    skewed = np.array([[1, 0, 0], [3, 1, 0], [-2, 4, 1]]) @ TRICLINIC
    offsets, ratios = voronoi_facets(skewed)
    np.testing.assert_allclose(np.sort(ratios), np.sort(voronoi_facets(TRICLINIC)[1]), rtol=1e-9)
    assert ((offsets @ skewed) ** 2).sum(-1).max() < 30  # neighbours are near in space, far in index


def test_basins_of_a_separable_density_are_boxes():
    """rho = A(x) + B(y) + C(z): gradient lines are separable, so basins end exactly at the minima of A.

    A has its maxima at x = 0.3 and 0.8, its minima at x0 and x1, found from its derivative.
    """
    x = np.arange(120) / 120

    def profile(u):
        return 2 + np.cos(4 * np.pi * (u - 0.3)) + 0.7 * np.sin(2 * np.pi * (u - 0.3))

    fine = np.linspace(0, 1, 1_000_001)
    value = profile(fine)
    inner = np.flatnonzero((value[1:-1] < value[:-2]) & (value[1:-1] < value[2:])) + 1
    low, high = fine[inner]
    peaks = fine[np.flatnonzero((value[1:-1] > value[:-2]) & (value[1:-1] > value[2:])) + 1]
    yz = np.cos(2 * np.pi * np.arange(12) / 12)
    rho = profile(x)[:, None, None] + 0.5 * (yz[None, :, None] + yz[None, None, :]) + 1
    structure = Structure(Lattice.orthorhombic(6, 1, 1), ["He", "He"], [[p, 0, 0] for p in peaks])
    result = bader_charges(Grid(rho, structure.lattice.matrix), structure)
    inside = (peaks > low) & (peaks < high)
    exact = 6 * np.where(inside, high - low, 1 - high + low)
    # The dividing plane is resolved far better than the spacing of 0.05 A, because points at it are shared.
    np.testing.assert_allclose(result.volumes, exact, atol=2e-3)
    between = (fine >= low) & (fine <= high)
    mean = 6 * np.array([(value + 1)[between].sum(), (value + 1)[~between].sum()]) / len(fine)
    np.testing.assert_allclose(result.electrons, np.where(inside, mean[0], mean[1]), atol=5e-3)
    assert result.n_maxima == 2


@pytest.mark.parametrize("cell", [HEXAGONAL, TRICLINIC, 4 * np.eye(3)], ids=["hexagonal", "triclinic", "cubic"])
def test_equal_atoms_have_equal_charges_and_nothing_is_lost(cell):
    """Two Gaussians related by inversion through (0.35, 0.45, 0.5)."""
    structure = two_helium(cell)
    rho = atoms_density(structure, (40, 40, 50), [2, 2], 0.35)
    result = bader_charges(Grid(rho, cell), structure)
    assert result.electrons[0] == pytest.approx(result.electrons[1], abs=1e-9)
    assert sum(result.electrons) + result.vacuum_charge == pytest.approx(result.total_electrons, abs=1e-9)
    assert sum(result.net_charges) == pytest.approx(4 - result.total_electrons, abs=1e-9)
    assert result.net_charges == pytest.approx([0, 0], abs=1e-5)  # quadrature of the Gaussians


def test_unlike_atoms_far_apart_keep_their_electrons_in_a_hexagonal_cell():
    structure = two_helium()
    rho = atoms_density(structure, (60, 60, 72), [1.5, 2.5], 0.3)
    result = bader_charges(Grid(rho, HEXAGONAL), structure)
    # Atoms are 3.3 A apart; beyond the dividing surface, 5 widths away, lies 1e-5 of a Gaussian.
    assert result.net_charges == pytest.approx([0.5, -0.5], abs=1e-3)
    assert result.flags == []


def shared_one_by_one(rho, cell, owners, cut, vacuum_cut):
    """The definition of the weights, point by point from the highest down, without pruning."""
    offsets, ratios = voronoi_facets(cell / np.array(rho.shape)[:, None])
    n_atoms = max(owners.values()) + 1
    weights, electrons = {}, np.zeros((2, n_atoms))
    for flat in np.argsort(-rho, axis=None):
        point = tuple(int(n) for n in np.unravel_index(flat, rho.shape))
        if rho[point] <= cut:
            break
        near = [tuple(int(n) for n in (np.array(point) + o) % rho.shape) for o in offsets]
        flow = np.array([max(rho[other] - rho[point], 0.0) for other in near]) * ratios
        if flow.any():
            uphill = [weights.get(other, np.zeros(n_atoms)) for other in near]
            weights[point] = flow @ np.array(uphill) / flow.sum()
        else:
            weights[point] = np.eye(n_atoms)[owners[point]]
        electrons[int(rho[point] <= vacuum_cut)] += weights[point] * rho[point]
    return electrons


@pytest.mark.parametrize("cell", [HEXAGONAL, TRICLINIC, 4 * np.eye(3)], ids=["hexagonal", "triclinic", "cubic"])
def test_threads_and_room_change_nothing_and_the_weights_are_those_of_the_definition(cell):
    """A lumpy density with many maxima, whose points often wait for those of another domain."""
    rng = np.random.default_rng(1)
    rho = atoms_density(two_helium(cell), (50, 12, 14), [1.7, 2.3], 0.4) + 0.02 * rng.random((50, 12, 14))
    offsets, ratios = voronoi_facets(cell / np.array(rho.shape)[:, None])
    results = []
    for threads, room in ((1, 2), (2, 2), (3, 0), (64, 1)):
        maxima, single = find_maxima(rho, offsets, 1e-2, threads)
        owners = np.arange(len(maxima))
        results.append(share(rho, rho, offsets, ratios, maxima, owners, len(maxima), 1e-2, 0.1, threads, room))
    assert len(maxima) > 20
    assert single.all()
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])
    places = [tuple(int(n) for n in np.unravel_index(m, rho.shape)) for m in maxima]
    exact = shared_one_by_one(rho, cell, dict(zip(places, range(len(maxima)), strict=True)), 1e-2, 0.1)
    np.testing.assert_allclose(results[0][0], exact[0], atol=1e-6)
    np.testing.assert_allclose(results[0][2], exact[1], atol=1e-6)


def test_of_equal_neighbours_one_is_the_maximum():
    rho = np.zeros((6, 6, 6))
    rho[2, 2, 2:4] = 1.0
    rho[5, 5, 5] = 2.0
    offsets, _ = voronoi_facets(np.eye(3))
    for threads in (1, 3):
        maxima, single = find_maxima(rho, offsets, 0.5, threads)
        assert maxima.tolist() == [2 * 36 + 2 * 6 + 2, 2 * 36 + 2 * 6 + 3, 215]
        assert single.tolist() == [False, True, True]


@pytest.mark.parametrize(("given", "threads"), [("3", 3), ("2,1", 2), ("0", 1)])
def test_threads_follow_the_environment(given, threads, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert threads_to_use() == threads
    for unusable in ("", "many", "-1", "²", "9" * 5000):
        monkeypatch.setenv("OMP_NUM_THREADS", unusable)
        assert threads_to_use() == len(os.sched_getaffinity(0))


def test_shift_by_grid_points_and_site_order_change_nothing():
    structure = two_helium(TRICLINIC)
    rho = atoms_density(structure, (40, 40, 40), [1.7, 2.3], 0.4)
    first = bader_charges(Grid(rho, TRICLINIC), structure)
    moved = structure.copy()
    moved.translate_sites([0, 1], [7 / 40, -3 / 40, 11 / 40])
    second = bader_charges(Grid(np.roll(rho, (7, -3, 11), axis=(0, 1, 2)), TRICLINIC), moved)
    swapped = bader_charges(Grid(rho, TRICLINIC), Structure.from_sites(structure[::-1]))
    assert second.electrons == pytest.approx(first.electrons, abs=1e-9)
    assert swapped.electrons[::-1] == pytest.approx(first.electrons, abs=1e-9)
    # Owners of the noise below 1e-5 e/A^3 are found in blocks, which a shift regroups.
    assert second.net_charges == pytest.approx(first.net_charges, abs=1e-5)


def test_net_charges_do_not_depend_on_the_vacuum_cut():
    structure = two_helium(8 * np.eye(3), ((0.4, 0.5, 0.5), (0.6, 0.5, 0.5)))
    grid = Grid(atoms_density(structure, (100, 100, 100), [1.7, 2.3], 0.5), 8 * np.eye(3))
    results = [bader_charges(grid, structure, vacuum_cut=cut) for cut in (5e-3, 1e-3, 1e-4)]
    for result in results:
        assert result.net_charges == pytest.approx(results[0].net_charges, abs=1e-9)
        assert sum(result.net_charges) == pytest.approx(0, abs=1e-6)
    vacuum = [result.vacuum_charge for result in results]
    assert vacuum[0] > vacuum[1] > vacuum[2] > 0
    assert results[0].vacuum_volume + sum(results[0].volumes) == pytest.approx(512, rel=1e-9)
    lost = np.subtract(results[1].net_charges_above_cut, results[1].net_charges)
    assert lost.sum() == pytest.approx(results[1].vacuum_charge, abs=1e-9)


def test_negative_density_is_flagged_and_counted_not_lost():
    structure = two_helium(6 * np.eye(3))
    rho = atoms_density(structure, (75, 75, 75), [2, 2], 0.4)
    rho[0, 0, 0] -= 5.0
    result = bader_charges(Grid(rho, 6 * np.eye(3)), structure)
    assert "negative_density" in result.flags
    assert result.negative_charge == pytest.approx(-5 * 0.08**3, rel=1e-4)
    assert result.min_density == pytest.approx(-5, rel=1e-4)
    assert sum(result.net_charges) == pytest.approx(5 * 0.08**3, abs=1e-6)


def test_atom_without_electrons_is_an_error_that_names_it():
    structure = two_helium(6 * np.eye(3))
    rho = atoms_density(structure, (60, 60, 60), [2, 0], 0.4)
    with pytest.raises(CalculationError, match=r"0\.0000 e for atom 1 \(He\)"):
        bader_charges(Grid(rho, 6 * np.eye(3)), structure)


def test_lost_electrons_are_an_error(monkeypatch):
    """The sums are checked apart from the kernel: a tenth of the electrons above the cut is left out here."""
    structure = two_helium(6 * np.eye(3))
    grid = Grid(atoms_density(structure, (60, 60, 60), [2, 2], 0.4), 6 * np.eye(3))

    def forgetful(*given):
        charge, count, tail = share(*given)
        return 0.9 * charge, count, tail

    monkeypatch.setattr(bader, "share", forgetful)
    with pytest.raises(CalculationError, match=r"atoms and vacuum hold 3\.6\d+ of 4\.0000 electrons"):
        bader_charges(grid, structure)


def test_nucleus_without_a_maximum_is_an_error():
    structure = two_helium(6 * np.eye(3))
    rho = atoms_density(structure, (60, 60, 60), [2, 2], 0.4)
    structure.translate_sites([1], [0.6, 0, 0], frac_coords=False)
    with pytest.raises(CalculationError, match=r"atom 1 \(He\), 0\.60 A from"):
        bader_charges(Grid(rho, 6 * np.eye(3)), structure)


def test_maximum_off_nuclei_is_flagged():
    structure = two_helium(6 * np.eye(3))
    three = structure.copy()
    three.append("He", [0.6, 0.2, 0.25])
    rho = atoms_density(three, (75, 75, 75), [2, 2, 0.1], 0.35)
    result = bader_charges(Grid(rho, 6 * np.eye(3)), structure)
    assert result.flags == ["maximum_off_nucleus"]
    assert result.n_maxima == 3


@pytest.mark.parametrize(
    ("element", "points", "flags"),
    [("He", 50, []), ("He", 36, ["grid_too_coarse"]), ("H", 50, ["grid_coarse_for_hydrogen"]), ("H", 60, [])],
)
def test_coarse_grids_are_flagged(element, points, flags):
    structure = Structure(Lattice.cubic(3), [element], [[0.5, 0.5, 0.5]])
    rho = atoms_density(structure, (points,) * 3, [1], 0.4)
    assert bader_charges(Grid(rho, 3 * np.eye(3)), structure).flags == flags


def test_valence_density_over_all_electron_basins():
    """The basins come from the reference, the electrons from the density."""
    structure = two_helium(6 * np.eye(3))
    valence = atoms_density(structure, (60, 60, 60), [2, 1e-9], 0.5)
    total = valence + atoms_density(structure, (60, 60, 60), [1, 1], 0.3)
    grid, reference = Grid(valence, 6 * np.eye(3)), Grid(total, 6 * np.eye(3))
    with pytest.raises(CalculationError, match=r"0\.00.. e for atom 1"):
        bader_charges(grid, structure, kind="valence", valence_electrons={"He": 2}, reference=reference)
    shared = atoms_density(structure, (60, 60, 60), [2, 0.5], 0.5)
    result = bader_charges(
        Grid(shared, 6 * np.eye(3)), structure, kind="valence", valence_electrons={"He": 1}, reference=reference
    )
    assert result.reference_charges == [1, 1]
    assert result.net_charges == pytest.approx([-1, 0.5], abs=0.01)  # tails of the Gaussians
    assert result.partition_kind == "all_electron"


def test_unusable_input_is_refused():
    structure = two_helium(6 * np.eye(3))
    grid = Grid(np.ones((10, 10, 10)), 6 * np.eye(3))
    with pytest.raises(InputError, match="'pseudo'"):
        bader_charges(grid, structure, kind="pseudo")
    with pytest.raises(InputError, match="valence electrons of He"):
        bader_charges(Grid(atoms_density(structure, (60,) * 3, [2, 2], 0.4), 6 * np.eye(3)), structure, kind="valence")
    with pytest.raises(MismatchError, match="cell"):
        bader_charges(Grid(grid.values, 6.1 * np.eye(3)), structure)
    with pytest.raises(MismatchError, match="pbc"):
        bader_charges(Grid(grid.values, 6 * np.eye(3), (True, True, False)), structure)


def test_charge_transfer_sums_to_zero_and_has_the_right_sign():
    whole = two_helium(6 * np.eye(3), component=["slab", "polymer"])
    parts = [Structure.from_sites([site]) for site in whole]
    shape = (50, 50, 50)

    def analyse(structure, electrons):
        return bader_charges(Grid(atoms_density(structure, shape, electrons, 0.4), 6 * np.eye(3)), structure)

    ab = analyse(whole, [1.8, 2.2])
    assert ab.component_charges == pytest.approx({"slab": 0.2, "polymer": -0.2}, abs=1e-3)
    a, b = analyse(parts[0], [2]), analyse(parts[1], [2])
    transfer = charge_transfer(ab, [a, b])
    assert transfer == pytest.approx({"slab": 0.2, "polymer": -0.2}, abs=1e-3)
    assert sum(transfer.values()) == pytest.approx(0, abs=1e-6)
    with pytest.raises(CalculationError, match="add up to"):
        charge_transfer(ab, [a, analyse(parts[1], [1.9])])
    with pytest.raises(InputError, match="that are labelled polymer"):
        charge_transfer(ab, [a])
    with pytest.raises(InputError, match="that are labelled slab"):
        charge_transfer(ab, [a.model_copy(update={"species": ["Ne"]}), b])
