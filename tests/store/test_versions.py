"""Tables of a store that an older version filled, or that a newer one has written to."""

import pytest

from iface_wf.errors import InputError, NoticeWarning
from iface_wf.store.results import find_result, result_table
from iface_wf.store.settings import open_store
from tests.examples import document, put
from tests.store.old.unpack import unpack_store


@pytest.fixture
def old_store(tmp_path):
    with open_store(str(unpack_store(tmp_path))) as store:
        yield store


def test_old_results_are_in_the_table_with_all_their_numbers(old_store):
    stored = {e["output"]["key"]: e["output"] for e in old_store.query({"output.document_type": "binding"})}
    put(old_store, document())
    table = result_table(old_store)
    assert (len(table), table.attrs["older"]) == (len(stored) + 1, len(stored))
    for row in table.to_dict("records"):
        if row["key"] in stored:
            assert row["binding_energy_raw"] == stored[row["key"]]["binding_energy"]
            assert row["trustworthy"] == stored[row["key"]]["converged"]
    assert table["charge_transfer_slab"].notna().sum() == 2
    assert table["trustworthy"].tolist() == [True] * len(stored) + [False]


def test_conditions_hold_for_old_results_under_the_names_of_today(old_store):
    found = result_table(old_store, where="charge_transfer_slab < 0", filler="hf-layer")
    assert found["engine"].tolist() == ["gpaw"]
    assert result_table(old_store, where="charge_transfer_slab > 0").empty
    assert result_table(old_store, where="trustworthy = false")["polymer"].tolist() == ["methanol"]


def test_one_old_result_is_found_with_its_density(old_store):
    key = result_table(old_store, engine="gpaw").loc[0, "key"]
    found = find_result(old_store, key[:8], load=True).document
    assert found.charge_transfer["slab"] < 0
    assert isinstance(found.density_difference.density.blob, str)


def test_a_table_does_not_read_around_what_a_newer_version_wrote(job_store):
    put(job_store, document())
    entry = job_store.query_one({}, load=False)
    entry["output"]["schema_version"] = 99
    job_store.docs_store.update(entry, key=["uuid", "index"])
    with pytest.raises(InputError, match="The binding aaaaaaaaaa was written by a newer version"):
        result_table(job_store)


def test_an_old_result_that_is_no_result_is_named_and_left_out(old_store):
    entry = old_store.query_one({"output.document_type": "binding"}, load=False)
    before = len(result_table(old_store))
    del entry["output"]["terms"]
    entry["output"]["n_atoms"] = "many"
    old_store.docs_store.update(entry, key=["uuid", "index"])
    with pytest.warns(NoticeWarning, match=f"{entry['output']['key'][:10]} .* has not the form of its kind"):
        table = result_table(old_store)
    assert (len(table), len(table.attrs["damaged"])) == (before - 1, 1)
