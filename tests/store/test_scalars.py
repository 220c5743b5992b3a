"""Plain fields without reading the documents."""

from iface_wf.store.scalars import scalars
from tests.examples import document, put


def test_plain_fields_are_those_of_the_documents(job_store):
    for number, engine in enumerate(["xtb", "xtb", "gpaw"]):
        put(job_store, document(f"{number:064x}", engine=engine), uuid=f"{number:08d}-0000-0000-0000-000000000000")
    criteria = {"output.key": {"$in": [f"{0:064x}", f"{2:064x}"]}}
    found = set(scalars(job_store, ["uuid", "output.engine", "output.salt"], criteria))
    by_query = {(e["uuid"], e["output"]["engine"], e["output"]["salt"]) for e in job_store.query(criteria)}
    assert found == by_query
    assert len(found) == 2
