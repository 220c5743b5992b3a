"""Names of before answer for one release, with a hint that says the name of today; names of today bring no hint."""

import json
import warnings

import pytest

import iface_wf
from iface_wf.cli.main import main
from iface_wf.errors import InputError
from iface_wf.former import FormerNameWarning
from iface_wf.screening.spec_file import read_spec
from tests.examples import document, put
from tests.tiny_library import spec_text, write_library

KEY = "abc0" + "1" * 60


@pytest.fixture
def cli(capfd, tmp_path):
    """Return a function that runs the command line and gives stdout, and of stderr the lines that are hints."""

    def run(*arguments, code=0):
        capfd.readouterr()
        assert main([*map(str, arguments), "--store", str(tmp_path / "store.sqlite")]) == code
        told = capfd.readouterr()
        return told.out, [line for line in told.err.splitlines() if " is called " in line]

    return run


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    folder = write_library(tmp_path / "library")
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(folder))
    return folder


@pytest.fixture
def three(job_store):
    """Store three interfaces of which one is not to be trusted."""
    for number, (transfer, flags) in enumerate([(0.03, []), (0.05, []), (0.04, ["desorbed"])]):
        put(
            job_store,
            document(f"{number}" * 64, charge_transfer={"slab": -transfer, "polymer": transfer}, flags=flags),
            uuid=f"{number}" * 32,
        )
    return job_store


RUN = ("run", "--filler", "HF-layer", "--polymer", "water", "--engine", "xtb", "--dry-run", "--json")


@pytest.mark.parametrize(
    ("before", "today"),
    [
        (["--cores", "2"], ["--processes", "2"]),
        (["--cores=2"], ["--processes=2"]),
        (["--work-dir", "w"], ["--workdir", "w"]),
    ],
)
def test_options(cli, tiny, before, today):
    expected, quiet = cli(*RUN, *today)
    assert quiet == []
    out, hints = cli(*RUN, *before)
    assert out == expected
    assert hints == [
        f"iface-wf: {before[0].partition('=')[0]} is called {today[0].partition('=')[0]} now; the name of before goes "
        "with the next release."
    ]


@pytest.mark.parametrize("what", [["--what", "cdd"], ["--what=cdd"]])
def test_values_of_options(cli, job_store, tmp_path, what):
    put(job_store, document(KEY))
    cli("export", "abc0", "--what", "density_difference", "--out", tmp_path / "today.cube")
    _, hints = cli("export", "abc0", *what, "--out", tmp_path / "before.cube")
    assert (tmp_path / "before.cube").read_text() == (tmp_path / "today.cube").read_text()
    assert len(hints) == 1
    assert "density_difference" in hints[0]


def test_a_name_that_is_a_value_is_left_alone(cli, job_store):
    """Only the value of --what was called cdd."""
    out, hints = cli("results", "--filler", "cdd", "--json")
    assert (json.loads(out)["rows"], hints) == ([], [])


def test_keys_of_a_screening(cli, tiny, tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text(spec_text(["HF-layer"], ["water"]) + "cell: [5.0, 5.0]\n", encoding="utf-8")
    out, hints = cli("screen", spec, "--dry-run", "--json")
    assert json.loads(out)["pairs"] == 1
    assert len(hints) == 1
    assert "cell is called in_plane now" in hints[0]
    with pytest.warns(FormerNameWarning, match="in_plane"):
        assert read_spec(spec).in_plane == (5.0, 5.0)


def test_keys_of_the_users_library(tiny):
    path = tiny / "fillers" / "HF-layer.yaml"
    path.write_text(path.read_text().replace("thickness: 1.0", "thickness: 1.0, min_in_plane: [5.0, 5.0]"))
    with pytest.warns(FormerNameWarning, match="min_in_plane is called in_plane now"):
        record = iface_wf.Library().filler("HF-layer")
    assert record.surfaces[0].in_plane == (5.0, 5.0)


@pytest.mark.parametrize(
    ("before", "today"),
    [
        ({"n_placements": 3}, {"placements": 3}),
        ({"min_in_plane": (5.0, 5.0)}, {"in_plane": (5.0, 5.0)}),
        ({"cores": 2}, {"processes": 2}),
    ],
)
@pytest.mark.filterwarnings("ignore::iface_wf.former.FormerNameWarning")
def test_keywords_of_python(tiny, tmp_path, before, today, monkeypatch):
    from iface_wf.api import calculate

    asked = []
    monkeypatch.setattr(calculate, "plan", lambda request, *others: asked.append(request) or [])
    common = {"store": tmp_path / "store.sqlite", "dry_run": True}
    with pytest.warns(FormerNameWarning, match=f"{next(iter(before))} is called {next(iter(today))} now"):
        iface_wf.run("HF-layer", "water", **before, **common)
    with warnings.catch_warnings(action="error", category=FormerNameWarning):
        iface_wf.run("HF-layer", "water", **today, **common)
    assert asked[0] == asked[1]
    with pytest.raises(InputError, match=next(iter(before))):  # both names at once: which one is meant?
        iface_wf.run("HF-layer", "water", **before, **today, **common)


@pytest.mark.parametrize(
    ("before", "today"),
    [
        (["--sort", "charge_transfer_B"], ["--sort", "charge_transfer_polymer"]),
        (["--sort=-charge_transfer_B"], ["--sort=-charge_transfer_polymer"]),
        (["--where", "charge_transfer_B > 0.035"], ["--where", "charge_transfer_polymer > 0.035"]),
        (["--sort", "binding_energy_cp"], ["--sort", "binding_energy"]),
        (["--where", "interaction_energy_cp < 0"], ["--where", "interaction_energy < 0"]),
        (["--sort", "ok"], ["--sort", "trustworthy"]),
        (["--where", "ok = true"], ["--where", "trustworthy = true"]),
    ],
)
def test_columns(cli, three, before, today):
    expected, quiet = cli("results", *today, "--json")
    assert quiet == []
    assert len(json.loads(expected)["rows"]) in (2, 3)
    out, hints = cli("results", *before, "--json")
    assert out == expected
    assert len(hints) == 1
    assert ("the uncorrected one is called" in hints[0]) == ("_cp" in " ".join(before))
    assert ("the ions of a salt, which it counted too, have columns of their own" in hints[0]) == (
        "charge_transfer_B" in " ".join(before)
    )


def test_columns_in_python(three):
    with pytest.warns(FormerNameWarning, match="charge_transfer_polymer"):
        table = iface_wf.results(three, sort="-charge_transfer_B")
    assert table["charge_transfer_polymer"].tolist() == pytest.approx([0.05, 0.03, 0.04])  # what desorbed comes last


def test_fields_of_documents_in_python():
    corrected, plain = document(), document(bsse_energy=None)
    for name in ("binding_energy", "interaction_energy"):
        with pytest.warns(FormerNameWarning, match=f"{name}_cp is called {name} now .*{name}_raw"):
            assert getattr(corrected, f"{name}_cp") == getattr(corrected, name)
        with pytest.warns(FormerNameWarning):
            assert getattr(plain, f"{name}_cp") is None  # as it was where nothing is corrected
    assert not {"binding_energy_cp", "interaction_energy_cp"} & set(corrected.model_dump())
