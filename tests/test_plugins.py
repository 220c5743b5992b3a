"""What is found by name: lazily, with one sentence for what is wrong, and what one package breaks is its own."""

import sys
import warnings
from pathlib import Path

import pytest

from iface_wf.errors import InputError
from iface_wf.plugins import Registry
from tests.entry_points import install, on_the_path

GROUP = "iface_wf.tests"


class Thing:
    def __init__(self, name):
        self.name = name


@pytest.fixture
def things():
    return Registry("thing", GROUP, Thing, {"own": f"{__name__}:OWN", "gone": "iface_wf.nothing:HERE"})


OWN = Thing("own")


@pytest.fixture
def added(things, tmp_path, monkeypatch):
    """Return a function that installs a module with one thing of a name and what it consists of."""
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or sys.modules[Thing.__module__])
    with on_the_path(tmp_path, things):

        def add(module, name, text):
            source = tmp_path / "sources" / f"{module}.py"
            source.parent.mkdir(exist_ok=True)
            source.write_text(text, encoding="utf-8")
            install(tmp_path, source, GROUP, name, "THING")
            things.refresh()
            return Path(tmp_path / source.name)

        yield add


def text(name):
    return f"import sys\nTHING = sys.modules[{__name__!r}].Thing({name!r})\n"


def test_nothing_is_imported_before_it_is_asked_for(things, added):
    added("thing_lazy", "lazy", text("lazy"))
    assert things.names() == ("own", "gone", "lazy")
    assert "thing_lazy" not in sys.modules
    assert things.load("lazy").name == "lazy"
    assert things.load("lazy") is things.load("lazy")


@pytest.mark.parametrize(
    ("module", "content", "words"),
    [
        ("thing_raises", "raise SystemError('out of order\\nand more')", "SystemError: out of order"),
        ("thing_syntax", "THING = (", "SyntaxError"),
        ("thing_empty", "", "AttributeError"),
        ("thing_alien", "THING = 3", "is no Thing"),
        ("thing_named", text("another"), "calls itself 'another'"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_breaks_no_other(things, added, module, content, words):
    added(module, "bad", content)
    added("thing_good", "good", text("good"))
    with pytest.raises(InputError) as caught:
        things.load("bad")
    said = str(caught.value)
    assert words in said
    assert f"The thing 'bad' of {module} (entry point of {GROUP}) cannot be used" in said
    assert "\n" not in said
    assert set(things.usable()) == {"own", "good"}
    assert set(things.problems()) == {"gone", "bad"}


def test_an_unknown_name_tells_the_nearest(things, added):
    added("thing_good", "good", text("good"))
    with pytest.raises(InputError, match="Unknown thing 'goood': did you mean good"):
        things.load("goood")


def test_a_name_that_is_taken_is_refused_and_told(things, added):
    added("thing_thief", "own", text("own"))
    assert things.names() == ("own", "gone")
    with pytest.warns(UserWarning, match="'own' of thing_thief:THING is refused"):
        assert things.load("own") is OWN
    assert "refused" in things.problems()["own"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert things.usable()["own"] is OWN  # tables and completion stay silent


def test_a_name_of_two_packages_is_neither_s(things, added):
    added("thing_one", "both", text("both"))
    added("thing_two", "both", text("both"))
    with pytest.raises(InputError, match="offered twice, by thing_one:THING and thing_two:THING"):
        things.load("both")
