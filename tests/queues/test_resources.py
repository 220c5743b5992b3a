"""The table of what calculations ask for: looked up, capped, grown with the atoms, raised, and edited by users."""

import pytest

from iface_wf.errors import InputError
from iface_wf.queues.resources import Caps, Resources, ResourceTable, Row

TABLE = ResourceTable(
    caps=Caps(cores=8, hours=10, memory_gb=20),
    rows=[
        Row(engine="gpaw", level="fast", kind="static", cores=4, hours=1, memory_gb=8),
        Row(engine="gpaw", cores=16, hours=4, memory_gb=16),
        Row(cores=1, hours=0.25, exponent=1),
    ],
)


def test_the_first_row_that_fits_counts():
    assert TABLE.resources_for("gpaw", "fast", "static", 100) == Resources(cores=4, time=3600, memory_mb=8000)
    assert TABLE.resources_for("gpaw", "fast", "relax", 100) == Resources(cores=8, time=14400, memory_mb=16000)
    assert TABLE.resources_for("vasp", "fast", "static", 100) == Resources(cores=1, time=900)
    nothing = ResourceTable(rows=[Row(engine="vasp", cores=4, hours=1)])
    assert nothing.resources_for("xtb", "fast", "relax", 100).cores == 1


@pytest.mark.parametrize(
    ("engine", "kind"), [("gpaw", "relax"), ("vasp", "static"), ("xtb", "relax"), ("new", "relax")]
)
def test_the_default_table_knows_everything(engine, kind):
    asked = ResourceTable().resources_for(engine, "fast", kind, 150)
    assert asked.time >= 60


def test_time_grows_by_its_exponent_and_memory_linearly():
    asked = {n: TABLE.resources_for("gpaw", "fast", "static", n) for n in (10, 50, 100, 200)}
    assert [asked[n].time for n in (50, 100, 200)] == [900, 3600, 4 * 3600]
    assert asked[10].time == 360  # never below a tenth
    assert [asked[n].memory_mb for n in (10, 50, 100, 200)] == [2000, 4000, 8000, 16000]


def test_nothing_is_asked_for_beyond_the_caps():
    asked = TABLE.resources_for("gpaw", "precise", "relax", 1000)
    assert asked == Resources(cores=8, time=36000, memory_mb=20000)


@pytest.mark.parametrize(("hours", "seconds"), [(0.001, 60), (0.02, 120), (0.49, 1800), (0.5, 1800), (0.51, 2100)])
def test_short_times_are_rounded_up_to_minutes_and_others_to_five(hours, seconds):
    table = ResourceTable(rows=[Row(cores=1, hours=hours, exponent=0)])
    assert table.resources_for("any", "any", "any", 100).time == seconds


def test_rounding_stays_below_the_cap():
    table = ResourceTable(caps=Caps(hours=1.01), rows=[Row(cores=1, hours=50)])
    assert table.resources_for("any", "any", "any", 100).time == 3636


def test_what_ran_out_is_raised_up_to_the_cap():
    now = Resources(cores=4, time=3600, memory_mb=8000)
    assert TABLE.raised(now, "time") == Resources(cores=4, time=7200, memory_mb=8000)
    assert TABLE.raised(now, "memory") == Resources(cores=4, time=3600, memory_mb=16000)
    near = Resources(cores=4, time=30000, memory_mb=15000)
    assert TABLE.raised(near, "time").time == 36000
    assert TABLE.raised(near, "memory").memory_mb == 20000
    most = Resources(cores=4, time=36000, memory_mb=20000)
    assert TABLE.raised(most, "time") is None
    assert TABLE.raised(most, "memory") is None


def test_after_the_queues_own_amount_of_memory_the_most_is_asked_for():
    assert TABLE.raised(Resources(cores=1, time=900), "memory").memory_mb == 20000


def test_a_table_is_written_and_read_back(tmp_path):
    TABLE.write(tmp_path / "t.yaml")
    assert ResourceTable.read(tmp_path / "t.yaml") == TABLE
    assert (tmp_path / "t.yaml").read_text().startswith("#")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rows:\n- {engine: gpaw, cores: 4, hors: 1}\n", ["hors", "hours"]),
        ("rows:\n- {engine: gpaw, cores: many, hours: 1}\n", ["rows.0.cores"]),
        ("rows: []\n", ["rows"]),
        ("caps: {hours: 0}\n", ["caps.hours"]),
        ("caps: {hours: 1\n", ["YAML"]),
    ],
)
def test_a_mistake_in_the_users_table_is_one_sentence(tmp_path, text, words):
    path = tmp_path / "test.resources.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        ResourceTable.read(path)
    told = str(caught.value)
    assert "\n" not in told
    assert all(word in told for word in [str(path), *words])
