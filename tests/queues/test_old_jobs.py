"""Jobs that the version before the redesign put into a queue mean today what they meant then."""

import dataclasses
import importlib
import re
from types import SimpleNamespace

import mongomock_ng
import pytest
from bson import json_util
from jobflow import Job
from monty.json import MontyDecoder
from pydantic import BaseModel

from iface_wf._moved import MOVED
from iface_wf.queues.funnels import waiting
from tests.queues.old.read import content


@pytest.fixture(scope="module")
def old():
    return content()


def undecoded(value):
    """List what is still a dictionary that names a class or function."""
    if dataclasses.is_dataclass(value) or isinstance(value, BaseModel):
        value = vars(value)
    if isinstance(value, dict) and "@module" in value:
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [found for item in inside for found in undecoded(item)]


def test_every_job_becomes_a_job_with_its_maker_and_arguments(old):
    decode = MontyDecoder().process_decoded
    engines, functions = set(), set()
    for entry in old["collections"]["jobs"]:
        job = decode(entry["job"])
        assert isinstance(job, Job)
        assert callable(job.function), job.function
        assert undecoded([job.function_args, job.function_kwargs, job.config]) == [], job.name
        functions.add(job.function.__name__)
        if (written := entry["job"]["function"].get("@bound")) is None:
            continue
        for name, value in written.items():
            if not name.startswith("@"):
                assert vars(job.maker)[name] == decode(value), (job.name, name)
        assert undecoded(job.maker) == []
        engines.add(job.maker.engine_name)
    assert engines == {"gpaw", "vasp", "xtb", "mlip"}
    assert functions == {"make", "place_and_rank", "collect_binding"}


def test_former_names_are_those_that_jobs_name_and_no_more(old):
    text = "\n".join([json_util.dumps(old["collections"]), *old["files"].values()])
    named = set(re.findall(r"\biface_wf(?:\.\w+)+", text))
    moved = {name for name in named if importlib.import_module(name).__name__ != name}
    # what GPAW's ranks run is no part of a job: the process of a job that began before the update knows it
    assert moved | {"iface_wf.engines.gpaw_run", "iface_wf.documents.binding"} == set(MOVED)  # and results in a store


@pytest.mark.filterwarnings("ignore::iface_wf.former.FormerNameWarning")
def test_a_funnel_that_waits_is_understood(old):
    database = mongomock_ng.MongoClient().queue
    database.funnels.insert_many(old["collections"]["funnels"])
    (funnel,) = waiting(SimpleNamespace(db=database))
    assert funnel.spec.in_plane == (5.0, 5.0)
    assert (funnel.spec.level, funnel.spec.funnel.engine, len(funnel.ranking)) == ("moderate", "xtb", 1)
