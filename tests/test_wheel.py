"""What a user gets by `pip install`: the code, the library of structures and the examples."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(out),
        ".",
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = out.glob("*.whl")
    return path


@pytest.mark.slow
def test_wheel_holds_code_structures_and_examples(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"iface_wf/cli/main.py", "iface_wf/py.typed"} <= names
    for folder in ("structures", "workflows"):
        wanted = {
            p.relative_to(ROOT) for p in (ROOT / folder).rglob("*.*") if p.is_file() and "__pycache__" not in p.parts
        }
        assert wanted
        assert {f"iface_wf/data/{p.as_posix()}" for p in wanted} <= names


def test_wheel_holds_the_libraries_of_the_pages_with_their_licences(wheel):
    file = zipfile.ZipFile(wheel)
    place = "iface_wf/reports/site/assets"
    for library, owner in (("3Dmol", "University of Pittsburgh"), ("plotly", "Plotly"), ("marchingcubes", "Lysenko")):
        assert owner in file.read(f"{place}/{library}-LICENSE.txt").decode()
        assert any(name.startswith(f"{place}/{library}") and name.endswith(".js") for name in file.namelist())


@pytest.mark.slow
def test_library_works_from_the_wheel(wheel, tmp_path):
    """Unpacked away from the checkout, the package finds its own data."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import iface_wf.library.library as m; assert m.__file__.startswith({0!r}), m.__file__; "
        "assert 'PEO' in m.Library().names('polymer'); "
        "from iface_wf.cli.options import record_names; assert 'PEO' in record_names('polymer')"
    )
    environment = {"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run(
        [sys.executable, "-c", code.format(str(tmp_path))],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        env=environment,
    )
