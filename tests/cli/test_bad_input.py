"""Whatever the user gives, the answer is one sentence on stderr and exit code 2, never a traceback."""

import socket
import time

import pytest

PARTIAL = """data_x
_cell_length_a 4.0
_cell_length_b 4.0
_cell_length_c 4.0
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Li1 Li 0 0 0 0.5
F1 F 0.5 0.5 0.5 1.0
"""


@pytest.fixture
def own_polymer(tmp_path, monkeypatch):
    """Return a function that writes a polymer into the user's own library."""
    (tmp_path / "own" / "polymers").mkdir(parents=True)
    monkeypatch.setenv("IFACE_WF_LIBRARY", str(tmp_path / "own"))

    def write(psmiles):
        text = f"name: MINE\ntitle: mine\nsource: nobody\npsmiles: '{psmiles}'\n"
        (tmp_path / "own" / "polymers" / "MINE.yaml").write_text(text)

    return write


def test_unknown_filler_with_the_nearest_name(refused, tmp_path):
    text = refused("run", "--filler", "SiO3", "--polymer", "PEO", "--store", tmp_path / "s")
    assert "SiO3" in text
    assert "SiO2" in text


def test_unknown_polymer_with_the_nearest_names(refused, tmp_path):
    assert "PVDF" in refused("run", "--filler", "SiO2", "--polymer", "PVDFF", "--store", tmp_path / "s")


@pytest.mark.parametrize("psmiles", ["*CC(O*", "*C*C*", "CCO", "*CCO", "__import__(os)"])
def test_psmiles_that_is_malformed_or_has_not_two_ends(refused, own_polymer, tmp_path, psmiles):
    own_polymer(psmiles)
    text = refused("build", "--filler", "SiO2", "--polymer", "MINE", "--out", tmp_path / "out")
    assert "MINE.yaml" in text
    assert "psmiles" in text
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("psmiles", ["*CC(O*", "*C", "*C*C*", "*"])
def test_psmiles_on_the_command_line(refused, tmp_path, psmiles):
    text = refused("run", "--filler", "SiO2", "--polymer", psmiles, "--units", 2, "--store", tmp_path / "s")
    assert psmiles in text


def test_cif_with_partial_occupancies(refused, tmp_path):
    (tmp_path / "x.cif").write_text(PARTIAL)
    text = refused("build", "--filler", tmp_path / "x.cif", "--polymer", "PEO", "--out", tmp_path / "out")
    assert "occup" in text


def test_file_that_is_no_crystal(refused, tmp_path):
    (tmp_path / "x.cif").write_bytes(b"\x00\xff not a crystal")
    assert "x.cif" in refused("build", "--filler", tmp_path / "x.cif", "--out", tmp_path / "out")


def test_unknown_level_and_engine(refused, tmp_path):
    common = ("run", "--filler", "SiO2", "--polymer", "PEO", "--store", tmp_path / "s")
    assert "fast" in refused(*common, "--level", "fsat")
    assert "gpaw" in refused(*common, "--engine", "gpw")


def test_nothing_to_put_on_the_filler(refused, tmp_path):
    assert "polymer" in refused("run", "--filler", "SiO2", "--store", tmp_path / "s")


@pytest.mark.parametrize("surface", ["000", "abc", "1 0", "99 0 1"])
def test_surface_that_is_no_plane(refused, tmp_path, surface):
    assert "Miller" in refused("build", "--filler", "SiO2", "--surface", surface, "--out", tmp_path / "out")


@pytest.mark.parametrize("units", ["0", "-1", "100000"])
def test_impossible_number_of_units(refused, tmp_path, units):
    refused("build", "--filler", "SiO2", "--polymer", "PEO", "--units", units, "--out", tmp_path / "out")


@pytest.mark.slow
def test_store_that_does_not_answer(refused):
    """A server that accepts connections and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        text = refused("results", "--store", f"mongodb://me:secret@127.0.0.1:{silent.getsockname()[1]}/x")
    assert time.monotonic() - started < 5.0
    assert "secret" not in text
    assert "does not answer" in text


def test_store_of_unknown_kind(refused):
    assert "mongodb" in refused("results", "--store", "mongo://localhost/x")


def test_store_file_that_is_something_else(refused, tmp_path):
    (tmp_path / "s").write_bytes(b"no database, but a text of some length" * 100)
    assert "not a database" in refused("results", "--store", tmp_path / "s")


def test_links_in_a_circle(refused, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    common = ("run", "--filler", "SiO2", "--polymer", "PEO")
    for arguments in (
        ("results", "--store"),
        ("show", "x", "--store"),
        (*common, "--store"),
        ("store", "check", "--store"),
    ):
        assert "symbolic links" in refused(*arguments, tmp_path / "loop")
    assert "working folder" in refused(*common, "--store", tmp_path / "s", "--workdir", tmp_path / "loop")


def test_data_folder_that_cannot_be_written(refused, tmp_path, monkeypatch):
    """Below a regular file nobody can create a folder, not even root, for whom permissions do not count."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file" / "data"))
    assert str(tmp_path / "file") in refused("results")


def test_working_folder_that_cannot_be_written(refused, tmp_path):
    (tmp_path / "file").write_text("")
    common = ("run", "--filler", "SiO2", "--polymer", "PEO", "--store", tmp_path / "s")
    assert "working folder" in refused(*common, "--workdir", tmp_path / "file" / "runs")


def test_existing_file_is_not_overwritten(refused, filled_store, tmp_path):
    out = tmp_path / "precious.cif"
    out.write_text("precious")
    assert "exists already" in refused("export", "abc0", "--out", out, "--store", filled_store)
    assert out.read_text() == "precious"


def test_full_folder_is_not_mixed_with_a_build(refused, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("")
    assert "not empty" in refused("build", "--filler", "SiO2", "--out", tmp_path / "out")


def test_ids_that_find_nothing(refused, filled_store):
    assert "No result" in refused("show", "dddd", "--store", filled_store)
    assert "no ID" in refused("show", "$ne", "--store", filled_store)


def test_sorting_by_an_unknown_column(refused, filled_store):
    assert "binding_energy" in refused("results", "--sort", "binding_energi", "--store", filled_store)


def test_density_in_a_format_of_structures(refused, filled_store, tmp_path):
    arguments = (
        "export",
        "abc0",
        "--what",
        "density_difference",
        "--format",
        "cif",
        "--out",
        tmp_path / "x",
        "--store",
        filled_store,
    )
    assert "cube" in refused(*arguments)


@pytest.mark.parametrize("arguments", [("runn",), ("run", "--nonsense"), ("run",), ("build", "--filler", "SiO2")])
def test_wrong_usage_is_explained_without_a_traceback(cli, arguments):
    ran = cli(*arguments)
    assert ran.code == 2
    assert "Usage: iface-wf" in ran.err
    assert len(ran.err.splitlines()) == 3
    assert "Traceback" not in ran.err


def test_calculation_error_is_one_line_and_exit_code_1(cli, monkeypatch, tmp_path):
    from iface_wf.api import calculate
    from iface_wf.errors import CalculationError

    def fail(*_args, **_options):
        raise CalculationError("static AB: the charges did not converge")

    monkeypatch.setattr(calculate, "run_stored", fail)
    ran = cli("run", "--filler", "SiO2", "--polymer", "PEO", "--store", tmp_path / "s")
    assert (ran.code, ran.err) == (1, "iface-wf: static AB: the charges did not converge\n")


def test_interrupt_ends_with_130(cli, monkeypatch, tmp_path):
    from iface_wf.api import calculate

    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(calculate, "run_stored", interrupt)
    assert cli("run", "--filler", "SiO2", "--polymer", "PEO", "--store", tmp_path / "s").code == 130


def test_unforeseen_error_is_one_line_unless_debugging(cli, monkeypatch, tmp_path):
    from iface_wf.api import calculate

    def crash(*_args, **_options):
        raise RuntimeError("surprise\nsecond line")

    monkeypatch.setattr(calculate, "run_stored", crash)
    common = ("run", "--filler", "SiO2", "--polymer", "PEO", "--store", tmp_path / "s")
    ran = cli(*common)
    assert ran.code == 1
    assert "surprise" in ran.err
    assert len(ran.err.splitlines()) == 1
    with pytest.raises(RuntimeError, match="surprise"):
        cli("--debug", *common)


@pytest.mark.parametrize("seconds", ["abc", "-1", "nan", "inf"])
def test_a_patience_that_is_none(refused, monkeypatch, tmp_path, seconds):
    monkeypatch.setenv("IFACE_WF_PATIENCE", seconds)
    assert "IFACE_WF_PATIENCE must be a number of seconds" in refused("results", "--store", tmp_path / "s.sqlite")
