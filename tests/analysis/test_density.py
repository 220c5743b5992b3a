from __future__ import annotations

import base64
import io

import h5py
import numpy as np
import pytest

from iface_wf.analysis.density import (
    difference,
    difference_profile,
    pack,
    planar_integral,
    unpack,
    unpack_grid,
)
from iface_wf.analysis.grid import Grid
from iface_wf.documents.density import DensityRecord
from iface_wf.errors import CalculationError, MismatchError

HEXAGONAL = np.array([[4.0, 0, 0], [-2.0, 2.0 * np.sqrt(3), 0], [0, 0, 9.0]])
SLAB = (True, True, False)


def gaussian(shape, cell, centre, electrons, width=0.5):
    """Periodic Gaussian with an exact integral up to the quadrature of the grid."""
    frac = np.stack(np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij"), axis=-1)
    total = np.zeros(shape)
    for image in np.ndindex(3, 3, 3):
        d = (frac - np.array(centre) + np.array(image) - 1) @ cell
        total += np.exp(-(d**2).sum(-1) / (2 * width**2))
    return electrons * total / (2 * np.pi * width**2) ** 1.5


def test_pack_and_unpack_keep_the_density():
    rho = gaussian((20, 20, 40), HEXAGONAL, (0.5, 0.5, 0.5), 7.0)
    record = DensityRecord.model_validate_json(pack(rho, HEXAGONAL, SLAB, "pseudo").model_dump_json())
    assert record.n_electrons == pytest.approx(7.0, abs=1e-4)  # quadrature of a Gaussian of 2.5 steps width
    assert record.shape == (20, 20, 40)
    assert record.pbc == SLAB
    again = unpack_grid(record)
    assert again.values.dtype == np.float64
    np.testing.assert_allclose(again.values, rho, atol=6e-8 * rho.max())  # float32: 24 bits
    # The profile is kept in double precision, so it integrates to the electrons.
    assert sum(record.planar) * 9.0 / 40 == pytest.approx(record.n_electrons, rel=1e-12)


def test_record_survives_the_marks_of_a_job_store():
    record = pack(np.ones((4, 4, 4)), np.eye(3), (True,) * 3, "pseudo")
    marked = record.model_dump(mode="json") | {"@module": "x", "@class": "DensityRecord", "@version": None}
    assert DensityRecord.model_validate(marked) == record


def test_stored_file_is_chunked_compressed_float32_and_reproducible():
    rho = gaussian((24, 24, 24), 6 * np.eye(3), (0.5, 0.5, 0.5), 1.0)
    record = pack(rho, 6 * np.eye(3), (True,) * 3, "valence")
    assert record.sha256 == pack(rho, 6 * np.eye(3), (True,) * 3, "valence").sha256
    raw = base64.b64decode(record.blob)
    assert len(raw) == record.n_bytes < rho.nbytes
    with h5py.File(io.BytesIO(raw)) as file:
        data = file["density"]
        assert (data.dtype, data.compression, data.shuffle, data.chunks) == (
            np.float32,
            "gzip",
            True,
            (24, 24, 24),
        )


def test_damaged_absent_or_mislabelled_bytes_are_refused():
    record = pack(np.ones((4, 4, 4)), np.eye(3), (True,) * 3, "pseudo")
    raw = bytearray(base64.b64decode(record.blob))
    raw[-1] ^= 1
    cases = {
        "SHA-256": {"blob": base64.b64encode(bytes(raw)).decode()},
        "base64": {"blob": "no base64!"},
        "additional store": {"blob": {"blob_uuid": "1", "store": "data"}},
        "shape": {"shape": (4, 4, 5)},
    }
    for text, change in cases.items():
        with pytest.raises(CalculationError, match=text):
            unpack(record.model_copy(update=change))
    with pytest.raises(CalculationError, match="additional store"):
        unpack(record.model_copy(update={"blob": None}))


def test_not_a_number_is_not_stored():
    with pytest.raises(CalculationError, match="finite"):
        pack(np.full((2, 2, 2), np.nan), np.eye(3), (True,) * 3, "pseudo")


def test_difference_of_superposed_densities_is_zero():
    shape = (18, 18, 40)
    a = gaussian(shape, HEXAGONAL, (0.1, 0.2, 0.3), 3.0)
    b = gaussian(shape, HEXAGONAL, (0.6, 0.5, 0.6), 5.0)
    delta = difference(*(Grid(v, HEXAGONAL, SLAB) for v in (a + b, a, b)))
    profile = difference_profile(delta)
    assert abs(profile.integral) < 1e-12
    assert profile.displaced_charge < 1e-12
    assert abs(profile.delta_q_z).max() < 1e-12


def test_moved_electrons_appear_in_every_measure():
    """0.4 e moved from z = 6 A (fragment B) to z = 2.7 A (fragment A), hexagonal cell."""
    shape = (18, 18, 90)
    a = gaussian(shape, HEXAGONAL, (0.1, 0.2, 0.3), 3.0)
    b = gaussian(shape, HEXAGONAL, (0.1, 0.2, 6 / 9), 5.0)
    delta = difference(*(Grid(v, HEXAGONAL, SLAB) for v in (a * 3.4 / 3 + b * 4.6 / 5, a, b)))
    profile = difference_profile(delta)
    between = np.interp(4.35, profile.z, profile.delta_q_z)
    assert between == pytest.approx(0.4, abs=1e-3)  # tails of the Gaussians at 3.3 widths
    assert profile.delta_q_z[-1] == pytest.approx(0.0, abs=1e-6)
    assert profile.displaced_charge == pytest.approx(0.4, abs=1e-3)
    assert profile.z[profile.delta_rho_z.argmax()] == pytest.approx(2.7, abs=0.1)
    assert profile.z[profile.delta_rho_z.argmin()] == pytest.approx(6.0, abs=0.1)


def test_lost_electrons_are_an_error():
    one = Grid(np.ones((4, 4, 4)), np.eye(3))
    with pytest.raises(CalculationError, match=r"\+0\.1000 e"):
        difference(Grid(np.full((4, 4, 4), 2.1), np.eye(3)), one, one)


@pytest.mark.parametrize(
    ("other", "name"),
    [
        (Grid(np.zeros((4, 4, 5)), np.eye(3)), "shape"),
        (Grid(np.zeros((4, 4, 4)), 1.001 * np.eye(3)), "cell"),
        (Grid(np.zeros((4, 4, 4)), np.eye(3), SLAB), "pbc"),
    ],
)
def test_mismatch_names_what_differs(other, name):
    with pytest.raises(MismatchError, match=name):
        difference(Grid(np.zeros((4, 4, 4)), np.eye(3)), other)


def test_planar_integral_is_independent_of_the_in_plane_angle():
    """A density that depends on z alone has planar integral = density x area."""
    rho = np.broadcast_to(np.sin(np.arange(12) / 12 * 2 * np.pi) ** 2, (5, 6, 12))
    area = np.linalg.norm(np.cross(HEXAGONAL[0], HEXAGONAL[1]))
    np.testing.assert_allclose(planar_integral(Grid(rho, HEXAGONAL)), rho[0, 0] * area, rtol=1e-12, atol=1e-15)
