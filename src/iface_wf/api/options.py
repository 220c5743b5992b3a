"""What the public functions take: options of requests, a store, a folder to work in."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from jobflow import JobStore
from pydantic import BaseModel

from iface_wf.errors import InputError, plain_types, shown
from iface_wf.store.settings import open_store

if TYPE_CHECKING:  # builders take a second, which tables do without
    from iface_wf.builders.molecules.oligomers import Conformation, Tacticity
    from iface_wf.builders.placing.targets import Target

Filler = str | Path
Surface = str | tuple[int, int, int]
Faces = Literal["upper", "both"]
Store: TypeAlias = str | Path | JobStore
BindingQuantity = Literal["binding_energy", "interaction_energy", "charges"]


class BindingOptions(TypedDict, total=False):
    """Options of the request of an interface, for type checkers; see `iface_wf.run`."""

    surface: Surface | None
    thickness: float | None
    sequence: str | None
    tacticity: Tacticity | None
    caps: Mapping[str, str] | None
    conformation: Conformation | None
    molecule: str | None
    molecule_charge: int | None
    salt: str | None
    salt_group: str | None
    salt_part: Literal["pair", "cation", "anion"] | None
    copies: int | None
    faces: Faces | None
    beside: Sequence[str] | None
    target: Target | None
    clearance: float | None
    interface: str | Path | None
    split: str | None
    engine: str | None
    level: str | None
    geometry: str | None
    overrides: Mapping[str, Any] | None
    placements: int | None
    search: int | None
    n_conformers: int | None
    seed: int | None
    in_plane: tuple[float, float] | None
    held_layers: int | None
    vacuum: float | None
    max_atoms: int | None
    room_atoms: int | None
    processes: int | None
    title: str | None


_TEXT, _PATH, _YES = (str,), (str, Path), (bool,)
#: Arguments of the public functions by name: their types, and how these are called.
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "identifier": (_TEXT, "text"),
    **dict.fromkeys(("kind", "first", "second", "step"), (_TEXT, "text")),
    "sort": (_TEXT, "text"),
    "where": (_TEXT, "text"),
    **dict.fromkeys(
        ("filler", "polymer", "salt", "engine", "level", "surface", "what", "fmt", "along"), (_TEXT, "text")
    ),
    "spec": ((str, Path, Mapping), "a file or a mapping"),
    "out": (_PATH, "a path"),
    "workdir": (_PATH, "a path"),
    **dict.fromkeys(("store", "source", "target"), ((str, Path, JobStore), "a file, an address or an open store")),
    "file": (_PATH, "a path"),
    **dict.fromkeys(("densities", "force", "dry_run", "retry", "yes"), (_YES, "True or False")),
    "on_event": ((Callable,), "a function"),  # type: ignore[dict-item]
    "iso": ((int, float), "a number"),
    "count": ((int,), "a whole number"),
}
#: Arguments that may not be None.
_NEEDED = frozenset(
    {"identifier", "spec", "step", "out", "what", "first", "second", "count", "source", "target", "file"}
)


def check_types(**given: Any) -> None:
    """Refuse arguments of the wrong type before anything is opened, made or calculated.

    Parameters
    ----------
    **given
        Arguments of a public function by name.

    Raises
    ------
    InputError
        Naming the first that is wrong, and what is allowed.
    """
    for name, value in given.items():
        if value is None and name not in _NEEDED:
            continue
        types, called = _library_type() if name == "library" else _TYPES[name]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise InputError(f"The argument {name!r} must be {called}, not {shown(value)}.")
        if isinstance(value, (str, Path)) and "\0" in str(value):
            raise InputError(f"The argument {name!r} holds a null character.")


def _library_type() -> tuple[tuple[type, ...], str]:
    """Import the library when one is given: it reads crystals, and pymatgen takes a second to import."""
    from iface_wf.library.library import Library

    return (Library,), "a Library"


def check_options(given: Mapping[str, Any], model: type[BaseModel]) -> None:
    """Refuse numbers as text, bytes and the like in options of Python, which pydantic would convert.

    Parameters
    ----------
    given
        Options by name.
    model
        The request that they are fields of.

    Raises
    ------
    InputError
        Naming the first that is no text, or no number, where it must be.
    """
    for name, value in given.items():
        if value is None or name not in model.model_fields:
            continue
        kinds = plain_types(model.model_fields[name].annotation) - {NoneType}
        if kinds == {str} and not isinstance(value, str):
            raise InputError(f"The argument {name!r} must be text, not {shown(value)}.")
        if kinds and kinds <= {int, float} and not isinstance(value, Real):
            raise InputError(f"The argument {name!r} must be a number, not {shown(value)}.")


def opened(store: Store | None, create: bool = True) -> JobStore:
    """Open a store by its address, see `iface_wf.store.settings.open_store`; an open one is taken as it is."""
    return store if isinstance(store, JobStore) else open_store(None if store is None else str(store), create)


def work_folder(given: str | Path | None) -> Path:
    """Return the folder of the calculations' files, created on demand: the given one, else ``iface-wf-runs`` here.

    Raises
    ------
    InputError
        When it cannot be created or written.
    """
    folder = Path(given) if given is not None else Path.cwd() / "iface-wf-runs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # of a name that nobody has
            pass
    except OSError as error:
        raise InputError(f"The working folder {folder} cannot be written: {error.strerror}.") from error
    return folder.resolve()
