"""The list of settings is that of the tables by which overrides are checked."""

import pytest

from iface_wf.cli.main import main
from iface_wf.engines.listing import settings_of
from iface_wf.engines.profile import BUILT_IN
from iface_wf.engines.registry import profile


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_setting_has_a_meaning_and_says_what_is_allowed(name):
    for level in profile(name).levels:
        listed = settings_of(profile(name), level)
        assert [each.name for each in listed] == list(profile(name).settings_table().model_fields)
        assert all(each.meaning and each.allowed for each in listed), [e for e in listed if not e.meaning]
        values = {each.name: each.value for each in listed if each.value is not None}
        assert values.items() <= profile(name).settings(level, {}).items()


def test_ranges_are_the_ones_that_are_checked():
    (fmax,) = (each for each in settings_of(profile("gpaw"), "fast") if each.name == "fmax")
    assert fmax.allowed == "number from 0.0001 to 1 eV/A"
    profile("gpaw").settings("fast", {"fmax": 1.0})
    with pytest.raises(Exception, match=r"allowed is a number from 0.0001 to 1 eV/A"):
        profile("gpaw").settings("fast", {"fmax": 1.1})


def test_the_command_line_lists_them(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["run", "--overrides", "help", "--engine", "xtb", "--level", "precise"]) == 0
    shown = capsys.readouterr().out
    assert "electronic_temperature" in shown
    assert "precise" in shown
    assert main(["submit", "--overrides", "help", "--engine", "vasp"]) == 0
    assert "INCAR" in capsys.readouterr().err
    assert main(["run", "--overrides", "help", "--engine", "gpow"]) == 2
