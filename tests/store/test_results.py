"""The table of results and the search for one of them."""

import numpy as np
import pytest

from iface_wf.analysis.density import pack, unpack
from iface_wf.documents.calculation import CalculationDocument
from iface_wf.documents.result import EnergyTerm
from iface_wf.errors import InputError
from iface_wf.store.results import column_units, find_density, find_result, result_table
from tests.examples import CELL, PBC, difference, document, put, structure

OTHER = "22222222-2222-2222-2222-222222222222"


def test_one_row_with_every_number_of_the_document(job_store):
    put(job_store, document())
    row = result_table(job_store).iloc[0]
    assert (row["filler"], row["polymer"], row["units"], row["level"]) == ("LiF", "HF", 1, "fast")
    assert row["binding_energy"] == pytest.approx(-0.4)
    assert row["binding_energy_raw"] == pytest.approx(-0.5)
    # binding = interaction + deformations: the columns must not be mixed up
    for ending in ("", "_raw"):
        assert row[f"binding_energy{ending}"] == pytest.approx(
            row[f"interaction_energy{ending}"] + row["deformation_A"] + row["deformation_B"]
        )
    parts = [row[f"uncertainty_{part}"] for part in ("basis", "geometry")]
    assert row["uncertainty"] == pytest.approx(np.hypot(*parts))
    assert np.isnan(row["uncertainty_search"])  # nothing is known of it: no zero
    assert row["charge_transfer_polymer"] == pytest.approx(0.03)
    assert row["charge_transfer_slab"] == pytest.approx(-0.03)
    assert row["trustworthy"]


def test_units_are_given_for_every_number(job_store):
    put(job_store, document())
    table = result_table(job_store)
    floats = set(table.select_dtypes("float").columns)
    assert floats == set(table.attrs["units"]) == set(column_units())
    assert "negative = bound" in table.attrs["units"]["binding_energy"]


def test_empty_store_gives_an_empty_table_with_all_columns(job_store):
    table = result_table(job_store)
    assert table.empty
    assert {"filler", "binding_energy", "trustworthy", "uuid"} <= set(table.columns)


def test_only_the_newest_of_a_repeated_interface_is_shown(job_store):
    put(job_store, document(binding_energy=-0.5), completed_at="2026-01-02T00:00:00")
    put(job_store, document(binding_energy=-0.7), uuid=OTHER, completed_at="2026-01-01T00:00:00")
    table = result_table(job_store)
    assert len(table) == 1
    assert table.loc[0, "binding_energy"] == pytest.approx(-0.5)
    assert find_result(job_store, "aaaa").document.binding_energy == pytest.approx(-0.5)


@pytest.mark.parametrize(
    "changes",
    [
        {"flags": ["desorbed (relax AB)"]},
        {"converged": False},
        {"binding_energy": None},
    ],
)
def test_untrustworthy_results_are_marked_and_come_last(job_store, changes):
    put(job_store, document(binding_energy=-0.1))
    put(job_store, document("b" * 64, **{"binding_energy": -9.0, **changes}), uuid=OTHER)
    table = result_table(job_store)
    assert table["trustworthy"].tolist() == [True, False]
    assert table.loc[0, "binding_energy"] == pytest.approx(-0.1)


def test_remarks_do_not_make_a_result_untrustworthy(job_store):
    put(job_store, document(flags=["grid_coarse_for_hydrogen (AB)"]))
    assert result_table(job_store)["trustworthy"].all()


def test_filters_ignore_case_and_take_names_literally(job_store):
    put(job_store, document())
    put(job_store, document("b" * 64, filler="LLZTO", polymer="P(VDF)"), uuid=OTHER)
    assert result_table(job_store, filler="llzto")["filler"].tolist() == ["LLZTO"]
    assert result_table(job_store, polymer="P(VDF)")["polymer"].tolist() == ["P(VDF)"]
    assert result_table(job_store, polymer=".*").empty
    assert len(result_table(job_store, polymer=None)) == 2


def test_sorting(job_store):
    put(job_store, document(binding_energy=-0.2))
    put(job_store, document("b" * 64, binding_energy=-0.9), uuid=OTHER)
    assert result_table(job_store)["binding_energy"].tolist() == pytest.approx([-0.9, -0.2])
    assert result_table(job_store, sort="-binding_energy")["binding_energy"].tolist() == pytest.approx([-0.2, -0.9])


def test_unknown_column_and_filter_are_refused(job_store):
    with pytest.raises(InputError, match="binding_energy"):
        result_table(job_store, sort="bindng_energy")
    with pytest.raises(InputError, match="filler"):
        result_table(job_store, filer="SiO2")


def test_find_by_key_and_by_uuid_without_and_with_the_density(job_store):
    put(job_store, document())
    lazy = find_result(job_store, "aaaa")
    assert not isinstance(lazy.document.density_difference.density.blob, str)
    full = find_result(job_store, "11111111-1", load=True)
    assert lazy.uuid == full.uuid
    # float32 keeps seven digits of values of at most 0.02 e/A^3
    assert unpack(full.document.density_difference.density) == pytest.approx(difference(), abs=1e-8)


def test_find_refuses_what_is_missing_ambiguous_or_no_id(job_store):
    put(job_store, document("ab" + "0" * 62))
    put(job_store, document("ab" + "1" * 62), uuid=OTHER)
    with pytest.raises(InputError, match="ambiguous"):
        find_result(job_store, "ab")
    with pytest.raises(InputError, match="No result"):
        find_result(job_store, "cd")
    with pytest.raises(InputError, match="no ID"):
        find_result(job_store, ".*")


def test_density_of_an_interface(job_store):
    record = pack(np.abs(difference()), CELL, PBC, "pseudo")
    calculation = CalculationDocument(
        key="c" * 64, kind="static", engine="gpaw", engine_version="1", level="fast", functional="PBE",
        structure=structure().as_dict(), formula="x", n_atoms=6, energy=-1.0, converged=True,
        densities={"pseudo": record},
    )  # fmt: skip
    put(job_store, calculation, uuid=OTHER)
    term = EnergyTerm(role="AB", energy=-1.0, dispersion_energy=0.0, key="c" * 64, uuid=OTHER, converged=True)
    found, atoms = find_density(job_store, document(terms=[term]))
    assert unpack(found) == pytest.approx(np.abs(difference()), abs=1e-8)
    assert len(atoms) == 6


def test_density_of_an_interface_whose_calculation_is_gone(job_store):
    put(job_store, document())
    with pytest.raises(InputError, match="not in this store"):
        find_density(job_store, document())
